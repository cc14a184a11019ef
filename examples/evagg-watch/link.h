/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_LINK_H
#define EVAGG_WATCH_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool link_type_known(int link_type);

/* Finds the IP packet in a frame of a link type (a DLT_ number of libpcap). False: it holds
 * none, or is cut off before it begins. Padding behind the packet stays: the library reads the
 * packet's own length. */
bool link_find_ip(int link_type, const uint8_t *frame, size_t length, const uint8_t **packet,
                  size_t *packet_length);

#endif
