/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "address.h"

#include <netinet/in.h>
#include <stddef.h>

const char *transport_name(uint8_t protocol) {
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmpv6";
    default:
        return NULL;
    }
}

void address_text(uint8_t ip_version, const uint8_t *address, char text[INET6_ADDRSTRLEN]) {
    int family = ip_version == 6 ? AF_INET6 : AF_INET;
    if (inet_ntop(family, address, text, INET6_ADDRSTRLEN) == NULL) {
        text[0] = '\0';
    }
}
