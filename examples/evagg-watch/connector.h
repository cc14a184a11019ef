/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The kernel's process connector: a netlink multicast of every process that starts. */
#ifndef EVAGG_WATCH_CONNECTOR_H
#define EVAGG_WATCH_CONNECTOR_H

#include <libmnl/libmnl.h>

#include "watch.h"

/* Ends the program with one clear line if the kernel does not answer. */
struct mnl_socket *connector_open(void);
void connector_close(struct mnl_socket *socket);

/* Records the processes that wait in the socket, up to a number that leaves time for packets. */
void connector_read(struct mnl_socket *socket, struct watch *watch, int64_t time);

#endif
