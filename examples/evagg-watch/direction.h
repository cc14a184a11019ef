/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_DIRECTION_H
#define EVAGG_WATCH_DIRECTION_H

#include <stddef.h>
#include <stdint.h>

#include "network.h"

/* EVAGG_OUT if the source of an IP packet is the local endpoint, else EVAGG_IN. Of two local or two
 * remote addresses, the endpoint that compares lower by address and port is taken as local, so that
 * both directions fold into one entry. */
uint8_t packet_direction(const struct network_list *local_networks, const uint8_t *packet,
                         size_t length);

#endif
