/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_NETWORK_H
#define EVAGG_WATCH_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct network {
    uint8_t address[16];
    uint8_t prefix_length;
    uint8_t ip_version;
};

struct network_list {
    struct network *networks;
    size_t count;
};

/* "192.0.2.0/24", "2001:db8::/32", or an address alone. */
bool network_parse(const char *text, struct network *network);
void network_list_add(struct network_list *list, const struct network *network);
void network_list_free(struct network_list *list);
bool network_list_contains(const struct network_list *list, uint8_t ip_version,
                           const uint8_t *address);

/* Replaces the list by the addresses that the host has now; false with errno on failure. */
bool network_list_of_host(struct network_list *list);

#endif
