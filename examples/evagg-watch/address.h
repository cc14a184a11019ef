/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_ADDRESS_H
#define EVAGG_WATCH_ADDRESS_H

#include <arpa/inet.h>
#include <stdint.h>

/* NULL for a protocol that the library ignores. */
const char *transport_name(uint8_t protocol);
void address_text(uint8_t ip_version, const uint8_t *address, char text[INET6_ADDRSTRLEN]);

#endif
