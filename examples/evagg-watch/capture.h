/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef EVAGG_WATCH_CAPTURE_H
#define EVAGG_WATCH_CAPTURE_H

#include <pcap/pcap.h>

#include "watch.h"

/* Both end the program with one clear line if there is nothing to read from. */
pcap_t *capture_open_file(const char *path);
pcap_t *capture_open_interface(const char *name);

/* Counts a frame, and records the IP packet in it. */
void capture_frame(struct watch *watch, int link_type, const struct network_list *local_networks,
                   const struct pcap_pkthdr *header, const u_char *frame, int64_t time);

#endif
