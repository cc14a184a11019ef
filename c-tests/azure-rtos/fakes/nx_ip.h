/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_NX_IP_H
#define FAKE_NX_IP_H

#include "nx_api.h"

/* A circle. */
extern NX_IP *_nx_ip_created_ptr;
extern ULONG _nx_ip_created_count;

#endif
