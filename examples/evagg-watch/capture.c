/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "capture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "failure.h"
#include "link.h"
#include "run.h"

/* Room for the link header, VLAN tags, IPv6 extension headers and the transport header: the library
 * reads no further, and takes the length from the IP header. */
#define SNAP_LENGTH 512
#define READ_TIMEOUT_MILLISECONDS 50
#define KERNEL_BUFFER_BYTES (8 * 1024 * 1024)

static int checked_link_type(pcap_t *capture, const char *name) {
    int link_type = pcap_datalink(capture);
    if (!link_type_known(link_type)) {
        const char *description = pcap_datalink_val_to_description(link_type);
        fail(EX_DATAERR, "%s: link type %d (%s) is not supported", name, link_type,
             description != NULL ? description : "unknown");
    }
    return link_type;
}

pcap_t *capture_open_file(const char *path) {
    char error[PCAP_ERRBUF_SIZE];
    struct stat status;
    bool standard_input = strcmp(path, "-") == 0;
    FILE *file = standard_input ? stdin : fopen(path, "rb");
    if (file == NULL) {
        fail(EX_NOINPUT, "%s: %s", path, strerror(errno));
    }
    if (fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode)) {
        fail(EX_NOINPUT, "%s: %s", path, strerror(EISDIR));
    }
    pcap_t *capture = pcap_fopen_offline(file, error);
    if (capture == NULL) {
        /* Interrupted before there was anything to report. */
        if (stop_requested) {
            exit(EXIT_SUCCESS);
        }
        fail(EX_DATAERR, "%s: not a capture file: %s", path, error);
    }
    (void)checked_link_type(capture, path);
    return capture;
}

static void fail_to_activate(pcap_t *capture, const char *name, int result) {
    switch (result) {
    case PCAP_ERROR_PERM_DENIED:
        fail(EX_NOPERM,
             "%s: no permission to watch packets: needs root or CAP_NET_RAW (--no-packets does "
             "without)",
             name);
    case PCAP_ERROR_NO_SUCH_DEVICE:
        fail(EX_NOINPUT, "%s: no such interface", name);
    case PCAP_ERROR_IFACE_NOT_UP:
        fail(EX_UNAVAILABLE, "%s: the interface is not up", name);
    default:
        fail(EX_UNAVAILABLE, "%s: %s: %s", name, pcap_statustostr(result), pcap_geterr(capture));
    }
}

pcap_t *capture_open_interface(const char *name) {
    char error[PCAP_ERRBUF_SIZE];
    pcap_t *capture = pcap_create(name, error);
    if (capture == NULL) {
        fail(EX_UNAVAILABLE, "%s: %s", name, error);
    }
    (void)pcap_set_snaplen(capture, SNAP_LENGTH);
    (void)pcap_set_promisc(capture, 0);
    (void)pcap_set_timeout(capture, READ_TIMEOUT_MILLISECONDS);
    (void)pcap_set_buffer_size(capture, KERNEL_BUFFER_BYTES);
    int result = pcap_activate(capture);
    if (result < 0) {
        fail_to_activate(capture, name, result);
    }
    (void)checked_link_type(capture, name);
    if (pcap_setnonblock(capture, 1, error) != 0) {
        fail(EX_OSERR, "%s: %s", name, error);
    }
    return capture;
}

void capture_frame(struct watch *watch, int link_type, const struct network_list *local_networks,
                   const struct pcap_pkthdr *header, const u_char *frame, int64_t time) {
    const uint8_t *packet;
    size_t packet_length;
    watch->counts.packets++;
    if (!link_find_ip(link_type, frame, header->caplen, &packet, &packet_length)) {
        watch->counts.packets_not_ip++;
        return;
    }
    watch_packet(watch, local_networks, packet, packet_length, time);
}
