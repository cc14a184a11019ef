/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef FAKE_IRAND_H
#define FAKE_IRAND_H

#include <stdint.h>

uint32_t irand_int(void);

#endif
