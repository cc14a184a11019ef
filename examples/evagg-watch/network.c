/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "network.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"

static bool parse_prefix_length(const char *text, unsigned maximum, uint8_t *prefix_length) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 3 || text[digits] != '\0') {
        return false;
    }
    unsigned long value = strtoul(text, NULL, 10);
    *prefix_length = (uint8_t)value;
    return value <= maximum;
}

bool network_parse(const char *text, struct network *network) {
    char address[INET6_ADDRSTRLEN];
    size_t address_length = strcspn(text, "/");
    if (address_length >= sizeof address) {
        return false;
    }
    memcpy(address, text, address_length);
    address[address_length] = '\0';

    memset(network, 0, sizeof *network);
    if (inet_pton(AF_INET, address, network->address) == 1) {
        network->ip_version = 4;
    } else if (inet_pton(AF_INET6, address, network->address) == 1) {
        network->ip_version = 6;
    } else {
        return false;
    }
    network->prefix_length = network->ip_version == 4 ? 32 : 128;
    if (text[address_length] == '\0') {
        return true;
    }
    return parse_prefix_length(text + address_length + 1, network->prefix_length,
                               &network->prefix_length);
}

void network_list_add(struct network_list *list, const struct network *network) {
    list->networks = reallocate(list->networks, (list->count + 1) * sizeof *list->networks);
    list->networks[list->count++] = *network;
}

void network_list_free(struct network_list *list) {
    free(list->networks);
    list->networks = NULL;
    list->count = 0;
}

static bool network_contains(const struct network *network, const uint8_t *address) {
    size_t whole_bytes = network->prefix_length / 8u;
    unsigned bits_left = network->prefix_length % 8u;
    if (memcmp(network->address, address, whole_bytes) != 0) {
        return false;
    }
    uint8_t mask = (uint8_t)(0xff00u >> bits_left);
    return bits_left == 0 || ((network->address[whole_bytes] ^ address[whole_bytes]) & mask) == 0;
}

bool network_list_contains(const struct network_list *list, uint8_t ip_version,
                           const uint8_t *address) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->networks[i].ip_version == ip_version &&
            network_contains(&list->networks[i], address)) {
            return true;
        }
    }
    return false;
}

bool network_list_of_host(struct network_list *list) {
    struct ifaddrs *interfaces;
    if (getifaddrs(&interfaces) != 0) {
        return false;
    }
    network_list_free(list);
    for (const struct ifaddrs *entry = interfaces; entry != NULL; entry = entry->ifa_next) {
        struct network network = {0};
        if (entry->ifa_addr == NULL) {
            continue;
        }
        if (entry->ifa_addr->sa_family == AF_INET) {
            struct sockaddr_in ipv4;
            memcpy(&ipv4, entry->ifa_addr, sizeof ipv4);
            memcpy(network.address, &ipv4.sin_addr, 4);
            network.prefix_length = 32;
            network.ip_version = 4;
        } else if (entry->ifa_addr->sa_family == AF_INET6) {
            struct sockaddr_in6 ipv6;
            memcpy(&ipv6, entry->ifa_addr, sizeof ipv6);
            memcpy(network.address, &ipv6.sin6_addr, 16);
            network.prefix_length = 128;
            network.ip_version = 6;
        } else {
            continue;
        }
        network_list_add(list, &network);
    }
    freeifaddrs(interfaces);
    return true;
}
