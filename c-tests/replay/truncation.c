// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Gives the library every packet of every capture in a directory, cut to every length from 0 to
// full.
//
//   replay-truncation captures DIRECTORY    whole packets: each length has one right answer
//   replay-truncation malformed DIRECTORY   broken packets: the right answers are the table below
//
// Each cut packet is given as an exact-size heap block at each alignment from 0 to 3, where
// AddressSanitizer sees a read beyond either end, and once flush against an inaccessible page at
// each side, where a read beyond traps even in code that no sanitizer instruments.
#define _DEFAULT_SOURCE
#include "evagg.h"

#include <dirent.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    exit_skipped = 77,
    ethernet_length = 14,
    alignments = 4,
    page_records = 16,
    small_capacity = 16,
    arena_length = 1 << 18,
};

// One letter a packet: M malformed, R recorded, N not IP and so not given.
static const struct expectation {
    const char *file;
    const char *packets;
} expectations[] = {
    {"icmp-header-trunc.pcap", "MM"},               // 6 of the 8 bytes of an ICMP header
    {"icmp-payload-trunc.pcap", "RRRR"},            // headers whole, only the payload is cut
    {"ip4-trunc.pcap", "M"},                        // 6 bytes of an IPv4 header
    {"ip6-ext-trunc.pcap", "M"},                    // ends where the hop-by-hop header should begin
    {"ip6-trunc.pcap", "M"},                        // 34 bytes of an IPv6 header
    {"ipv4-internally-truncated-header.pcap", "M"}, // a header of 60 bytes of which 20 are there
    {"ipv4-truncated-broken-header.pcap", "M"},     // total length 20 with a header of 60
    {"ipv4_invalid_hdr_length.pcap", "M"},          // a header of 16 bytes
    {"ipv4_invalid_total_length_2.pcap", "M"},      // total length 19 with a header of 20
    // Total length 0 is how a sending host's own capture shows a segment that the network card will
    // split. No such packet is ever on a wire, and its payload has no stated length to count.
    {"ipv4_tcp_http_xml_tso.pcap", "M"},
    {"ipv6-routing-header.pcap",
     "RRRR"}, // two ICMPv6 and two UDP packets under way to an intermediate hop
    {"ipv6_frag6_negative_len.pcap", "M"}, // payload length 0 and yet a fragment header
    {"trunc-hdr.pcap", "N"},               // 8 bytes of an Ethernet header
};

struct tally {
    uint64_t given, first, counted, rejected, malformed, ignored, bytes_in, bytes_out;
};

struct subject {
    const char *name;
    void *storage;
    evagg_connections_t *connections;
    struct tally tally;
};

static const char *context_file = "";
static unsigned context_packet;

_Noreturn static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "%s, packet %u: ", context_file, context_packet);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

static void require_equal(const char *subject, const char *what, uint64_t actual,
                          uint64_t expected) {
    if (actual != expected) {
        fail("%s: %s is %llu, not %llu", subject, what, (unsigned long long)actual,
             (unsigned long long)expected);
    }
}

static void *allocate(size_t size) {
    void *block = malloc(size);
    if (block == NULL) {
        fail("no memory");
    }
    return block;
}

static unsigned big_endian16(const uint8_t *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

// For whole, well-formed TCP, UDP, ICMP and ICMPv6 packets: how many bytes the library needs to
// see.
static size_t needed_length(const uint8_t *ip, uint32_t *payload) {
    size_t offset;
    uint8_t protocol;
    bool first_fragment = true;
    if (ip[0] >> 4 == 4) {
        offset = (size_t)(ip[0] & 15U) * 4;
        protocol = ip[9];
        first_fragment = (big_endian16(ip + 6) & 0x1fffU) == 0;
        *payload = (uint32_t)(big_endian16(ip + 2) - offset);
    } else {
        offset = 40;
        protocol = ip[6];
        *payload = big_endian16(ip + 4);
        while (protocol == 0 || protocol == 43 || protocol == 44 || protocol == 60) {
            const uint8_t *extension = ip + offset;
            if (protocol == 44) {
                first_fragment = (big_endian16(extension + 2) & 0xfff8U) == 0;
                offset += 8;
            } else {
                offset += ((size_t)extension[1] + 1) * 8;
            }
            protocol = extension[0];
        }
    }
    if (!first_fragment) {
        return offset;
    }
    switch (protocol) {
    case 6:
        return offset + 20;
    case 17:
    case 1:
        return offset + 8;
    case 58:
        return offset + 4;
    default:
        fail("protocol %u has no reference here", protocol);
    }
}

static void start(struct subject *subject, const char *name, uint32_t capacity, uint8_t policy) {
    evagg_config_t config = EVAGG_CONFIG_INIT;
    config.capacity = capacity;
    config.overflow_policy = policy;
    config.hash_seed = UINT64_C(0x9e3779b97f4a7c15);
    size_t size = evagg_connections_storage_size(capacity);
    *subject = (struct subject){.name = name, .storage = allocate(size)};
    require_equal(
        name, "status of init",
        (uint64_t)evagg_connections_init(subject->storage, size, &config, &subject->connections),
        EVAGG_OK);
}

static evagg_status_t give(struct subject *subject, const uint8_t *packet, size_t length,
                           uint32_t payload) {
    struct tally *tally = &subject->tally;
    uint8_t direction = length % 2 == 0 ? EVAGG_IN : EVAGG_OUT;
    evagg_status_t status =
        evagg_connections_record_packet(subject->connections, packet, length, direction, 0);
    tally->given++;
    switch (status) {
    case EVAGG_FIRST:
    case EVAGG_COUNTED:
        *(status == EVAGG_FIRST ? &tally->first : &tally->counted) += 1;
        *(direction == EVAGG_IN ? &tally->bytes_in : &tally->bytes_out) += payload;
        break;
    case EVAGG_REJECTED:
        tally->rejected++;
        break;
    case EVAGG_IGNORED:
        tally->ignored++;
        break;
    case EVAGG_MALFORMED:
        tally->malformed++;
        break;
    default:
        fail("%s: %zu bytes: unexpected status %s", subject->name, length,
             evagg_status_name(status));
    }
    return status;
}

// Every packet given is found again: in the statistics, in the statuses that were returned, and in
// what is flushed.
static void finish(struct subject *subject, bool know_bytes) {
    const struct tally *tally = &subject->tally;
    const char *name = subject->name;
    evagg_statistics_t statistics;
    require_equal(name, "status of statistics",
                  (uint64_t)evagg_connections_statistics(subject->connections, &statistics),
                  EVAGG_OK);
    require_equal(name, "offered + malformed + ignored",
                  statistics.offered + statistics.malformed + statistics.ignored, tally->given);
    require_equal(name, "offered", statistics.offered,
                  tally->first + tally->counted + tally->rejected);
    require_equal(name, "rejected", statistics.rejected, tally->rejected);
    require_equal(name, "malformed", statistics.malformed, tally->malformed);
    require_equal(name, "ignored", statistics.ignored, tally->ignored);

    evagg_connection_record_t records[page_records];
    evagg_window_t window;
    evagg_status_t status;
    uint64_t hits = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    do {
        status = evagg_connections_flush(subject->connections, 0, records, page_records, &window);
        if (status != EVAGG_OK && status != EVAGG_MORE) {
            fail("%s: flush: %s", name, evagg_status_name(status));
        }
        for (uint32_t i = 0; i < window.records; i++) {
            require_equal(name, "flags of a record", records[i].flags, 0);
            hits += records[i].hit_count;
            bytes_in += records[i].bytes_in;
            bytes_out += records[i].bytes_out;
        }
    } while (status == EVAGG_MORE);
    require_equal(name, "hits flushed + rejected + discarded",
                  hits + window.rejected + window.discarded, statistics.offered);
    require_equal(name, "offered in the window", window.offered, statistics.offered);
    require_equal(name, "kept in the window", window.kept, hits);
    require_equal(name, "rejected in the window", window.rejected, statistics.rejected);
    require_equal(name, "discarded in the window", window.discarded, statistics.discarded);
    if (know_bytes) {
        require_equal(name, "bytes in", bytes_in, tally->bytes_in);
        require_equal(name, "bytes out", bytes_out, tally->bytes_out);
    }
    require_equal(name, "status of deinit",
                  (uint64_t)evagg_connections_deinit(subject->connections), EVAGG_OK);
    free(subject->storage);
}

// Readable memory of arena_length bytes between two inaccessible pages.
static uint8_t *arena(void) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory =
        mmap(NULL, arena_length + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED ||
        mprotect(memory + page, arena_length, PROT_READ | PROT_WRITE) != 0) {
        fail("no guarded memory");
    }
    return memory + page;
}

struct run {
    struct subject exact;   // rejects new ones when full
    struct subject guarded; // discards the oldest when full
    uint8_t *arena;
};

enum { any_status = 0 };

static void check(const char *name, size_t length, evagg_status_t status, char expected) {
    bool recorded = status == EVAGG_FIRST || status == EVAGG_COUNTED || status == EVAGG_REJECTED;
    if ((expected == 'M' && status != EVAGG_MALFORMED) || (expected == 'R' && !recorded)) {
        fail("%s: %zu bytes are %s, expected %s", name, length, evagg_status_name(status),
             expected == 'M' ? "EVAGG_MALFORMED" : "a recorded packet");
    }
}

// expected: 'M', 'R' or any_status
static void give_everywhere(struct run *run, const uint8_t *packet, size_t length, uint32_t payload,
                            char expected) {
    for (size_t alignment = 0; alignment < alignments; alignment++) {
        uint8_t *block = allocate(alignment + length);
        memcpy(block + alignment, packet, length);
        check("exact block", length, give(&run->exact, block + alignment, length, payload),
              expected);
        free(block);
    }
    uint8_t *places[] = {run->arena, run->arena + arena_length - length};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        memcpy(places[i], packet, length);
        check("guarded block", length, give(&run->guarded, places[i], length, payload), expected);
    }
}

static bool is_ip(const uint8_t *frame, size_t length) {
    return length >= ethernet_length &&
           (big_endian16(frame + 12) == 0x0800 || big_endian16(frame + 12) == 0x86dd);
}

static void capture_frame(struct run *run, const uint8_t *frame, size_t length) {
    if (!is_ip(frame, length)) {
        fail("not IP over Ethernet");
    }
    const uint8_t *ip = frame + ethernet_length;
    size_t full = length - ethernet_length;
    uint32_t payload;
    size_t needed = needed_length(ip, &payload);
    if (needed > full) {
        fail("%zu bytes, of which the headers need %zu", full, needed);
    }
    for (size_t cut = 0; cut <= full; cut++) {
        give_everywhere(run, ip, cut, payload, cut < needed ? 'M' : 'R');
    }
}

static void malformed_frame(struct run *run, const uint8_t *frame, size_t length, char expected) {
    if (is_ip(frame, length) != (expected == 'M' || expected == 'R')) {
        fail("expected '%c' of a frame of %zu bytes", expected, length);
    }
    if (expected != 'N') {
        give_everywhere(run, frame + ethernet_length, length - ethernet_length, 0, expected);
        for (size_t cut = 0; cut < length - ethernet_length; cut++) {
            give_everywhere(run, frame + ethernet_length, cut, 0, any_status);
        }
    }
    // A caller that misjudges where IP begins is no reason to crash either.
    for (size_t begin = 0; begin < length; begin++) {
        give_everywhere(run, frame + begin, length - begin, 0, any_status);
    }
}

static const char *expected_packets(const char *file) {
    for (size_t i = 0; i < sizeof expectations / sizeof *expectations; i++) {
        if (strcmp(expectations[i].file, file) == 0) {
            return expectations[i].packets;
        }
    }
    fail("this file has no line in the table of expectations");
}

static void replay(const char *directory, const char *file, bool malformed, uint8_t *memory) {
    char path[4096];
    char error[PCAP_ERRBUF_SIZE];
    context_file = file;
    context_packet = 0;
    if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) {
        fail("path too long");
    }
    pcap_t *capture = pcap_open_offline(path, error);
    if (capture == NULL) {
        fail("%s", error);
    }
    require_equal("capture", "link type", (uint64_t)pcap_datalink(capture), DLT_EN10MB);

    const char *expected = malformed ? expected_packets(file) : NULL;
    struct run run = {.arena = memory};
    start(&run.exact, "exact block", EVAGG_CONNECTIONS_DEFAULT_CAPACITY, EVAGG_REJECT_NEW);
    start(&run.guarded, "guarded block", small_capacity, EVAGG_DISCARD_OLDEST);
    struct pcap_pkthdr *header;
    const u_char *frame;
    int status;
    while ((status = pcap_next_ex(capture, &header, &frame)) == 1) {
        context_packet++;
        if (malformed) {
            if (context_packet > strlen(expected)) {
                fail("more packets than the table of expectations has");
            }
            malformed_frame(&run, frame, header->caplen, expected[context_packet - 1]);
        } else {
            capture_frame(&run, frame, header->caplen);
        }
    }
    if (status != PCAP_ERROR_BREAK) {
        fail("%s", pcap_geterr(capture));
    }
    if (malformed) {
        require_equal("capture", "number of packets", context_packet, strlen(expected));
    } else if (context_packet == 0) {
        fail("no packets");
    }
    pcap_close(capture);
    printf("%-40s %6u packets  %9llu given  %9llu malformed\n", file, context_packet,
           (unsigned long long)(run.exact.tally.given + run.guarded.tally.given),
           (unsigned long long)(run.exact.tally.malformed + run.guarded.tally.malformed));
    finish(&run.exact, !malformed);
    finish(&run.guarded, false);
}

static int is_capture(const struct dirent *entry) {
    const char *dot = strrchr(entry->d_name, '.');
    return dot != NULL && strcmp(dot, ".pcap") == 0;
}

int main(int count, char **arguments) {
    if (count != 3 ||
        (strcmp(arguments[1], "captures") != 0 && strcmp(arguments[1], "malformed") != 0)) {
        fprintf(stderr, "usage: %s captures|malformed DIRECTORY\n", arguments[0]);
        return EXIT_FAILURE;
    }
    struct dirent **entries = NULL;
    int files = scandir(arguments[2], &entries, is_capture, alphasort);
    if (files <= 0) {
        printf("SKIPPED: no captures in %s\n", arguments[2]);
        free(entries);
        return exit_skipped;
    }
    uint8_t *memory = arena();
    for (int i = 0; i < files; i++) {
        replay(arguments[2], entries[i]->d_name, strcmp(arguments[1], "malformed") == 0, memory);
        free(entries[i]);
    }
    free(entries);
    return EXIT_SUCCESS;
}
