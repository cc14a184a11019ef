/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * evagg: event aggregation.
 *
 * An agent records every process and connection event; evagg keeps one entry per distinct event with a hit count, in
 * memory that the caller owns; once per interval the agent flushes the entries into its own buffers and sends them.
 *
 * What holds for every function:
 *
 * - A handle comes first, then inputs, then outputs. It is the address of the storage it was made in.
 * - Statuses are zero or positive for outcomes, negative for errors. An error has changed nothing in the instance
 *   (but the count of busy calls).
 * - NULL where a pointer is needed is an error. Where a count is 0, the pointer that goes with it is ignored.
 * - Outputs are written on failure too. Inputs are read during the call only.
 * - Ports and counts are in host order, addresses are bytes in network order.
 * - No function allocates, prints, or keeps state outside the storage. There may be any number of instances.
 * - "Any thread": calls for one instance may overlap, unless its configuration says EVAGG_LOCK_NONE. "Interrupts as the
 *   lock allows": with lock callbacks that mask interrupts, from an interrupt handler too; with the built-in lock on
 *   bare metal as well, where a call that meets another returns EVAGG_ERROR_BUSY.
 *
 * This file is made from the library's sources; `make header` writes it.
 */
#ifndef EVAGG_H
#define EVAGG_H

#include <stddef.h>
#include <stdint.h>

#define EVAGG_VERSION_MAJOR 0
#define EVAGG_VERSION_MINOR 1
#define EVAGG_VERSION_PATCH 0
/** The version of this header; evagg_version() is the library's. */
#define EVAGG_VERSION "0.1.0"

#ifdef __cplusplus
extern "C" {
#endif

/* Statuses */

/**
 * What a call came to: zero and positive are outcomes, negative are errors.
 *
 * A call that ends in an error has changed nothing in the instance but the count of busy calls. Codes are never given
 * a new meaning.
 */
typedef int32_t evagg_status_t;

/** Done. After flush: the window is complete. */
#define EVAGG_OK 0
/** record: the first of its kind in this window; it is cached now. */
#define EVAGG_FIRST 1
/** record: counted into the entry of the same event. */
#define EVAGG_COUNTED 2
/** record: the cache is full and the event is not in it. It is accounted for as rejected. */
#define EVAGG_REJECTED 3
/** record: aggregation is switched off; send the event as it is. */
#define EVAGG_DISABLED 4
/** record_packet: a transport protocol other than TCP, UDP, ICMP and ICMPv6. */
#define EVAGG_IGNORED 5
/** record_packet: a header is cut off, or the IP header contradicts itself. */
#define EVAGG_MALFORMED 6
/** flush: call again for more records of this window. A page can be without records: see flush. */
#define EVAGG_MORE 7
/** due: it is time to flush. */
#define EVAGG_DUE 8
/** A pointer that must not be NULL is NULL. */
#define EVAGG_ERROR_NULL_ARGUMENT (-1)
/** init, attach: the storage has fewer bytes than storage_size says for this configuration. */
#define EVAGG_ERROR_STORAGE_TOO_SMALL (-2)
/** A pointer is not aligned for its type, or the storage or a handle not to EVAGG_STORAGE_ALIGNMENT. */
#define EVAGG_ERROR_MISALIGNED (-3)

/**
 * init, attach: the caller was compiled with another version of this header, or did not use EVAGG_CONFIG_INIT. attach:
 * the storage was left by another version of the library.
 */
#define EVAGG_ERROR_STALE_HEADER (-4)
/** A value is out of its range, or two contradict each other. */
#define EVAGG_ERROR_BAD_VALUE (-5)
/** There is no live instance of this kind at the handle, or in the storage given to attach. */
#define EVAGG_ERROR_NOT_INITIALISED (-6)
/** attach: the storage holds an instance that this library cannot have left there. It is untouched. */
#define EVAGG_ERROR_CORRUPT (-7)

/**
 * The built-in lock is held by another context and this target cannot wait. The call can be made again; events are
 * counted in the statistics.
 */
#define EVAGG_ERROR_BUSY (-8)
/** init, attach: this target has no compare-and-swap. Give lock callbacks, or set EVAGG_LOCK_NONE. */
#define EVAGG_ERROR_LOCK_REQUIRED (-9)
/** flush: room for no record, or a text buffer of less than text_maximum + 1 bytes. */
#define EVAGG_ERROR_BUFFER_TOO_SMALL (-10)

/**
 * The name of a status as it is written in this header, such as "EVAGG_ERROR_BUSY".
 *
 * Any value may be given; one that this library does not know is "EVAGG_STATUS_UNKNOWN". The string is constant.
 * May be called from anywhere.
 */
const char *evagg_status_name(evagg_status_t status);

/**
 * The version of the library that is linked, such as "0.1.0"; compare it with EVAGG_VERSION.
 *
 * The string is constant. May be called from anywhere.
 */
const char *evagg_version(void);

/* Configuration */

/** What changes when the layout of a structure of this header does. */
#define EVAGG_ABI_VERSION 1
/** Storage must be aligned to this many bytes. */
#define EVAGG_STORAGE_ALIGNMENT 8
/** The most entries that an instance can have. */
#define EVAGG_MAXIMUM_CAPACITY 65535
/** The most bytes of text that an instance can have. */
#define EVAGG_MAXIMUM_TEXT_BYTES 268435455
/** Capacity of connections when the configuration says 0. */
#define EVAGG_CONNECTIONS_DEFAULT_CAPACITY 64
/** Capacity of processes when the configuration says 0. */
#define EVAGG_PROCESSES_DEFAULT_CAPACITY 32
/** Text bytes of processes at the default capacity: 128 for each entry. */
#define EVAGG_PROCESSES_DEFAULT_TEXT_BYTES 4096
/** Bytes kept of one command line when the configuration says 0. */
#define EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM 256
/** Overflow policy: what is new is not cached until the next flush. The default of connections. */
#define EVAGG_REJECT_NEW 1
/** Overflow policy: the entry that was admitted longest ago makes room. The default of processes. */
#define EVAGG_DISCARD_OLDEST 2

/**
 * Lock: the callbacks of the configuration, or the built-in lock when there are none.
 *
 * The built-in lock is for threads. On a hosted system it yields the processor while it waits. On bare metal it
 * never waits, because that could be for ever: the call returns EVAGG_ERROR_BUSY.
 */
#define EVAGG_LOCK_DEFAULT 0
/** Lock: none; the caller makes all calls for the instance from one context, one after the other. */
#define EVAGG_LOCK_NONE 1
/** Warnings are given by the call in which the loss happens. */
#define EVAGG_WARN_AT_ONCE 0
/** Warnings wait for the next flush, for callers of record that must not log. */
#define EVAGG_WARN_AT_FLUSH 1

/**
 * A point in time: ticks of the caller's clock, seconds or milliseconds as the caller likes.
 *
 * Differences are taken modulo 2^32, so the clock may wrap; two times that are compared must lie less than 2^31
 * ticks apart.
 */
typedef uint32_t evagg_time_t;

/**
 * Takes the caller's lock and returns a word that release gets back, such as the interrupt mask before.
 *
 * Masking interrupts, a mutex of the operating system or a pthread mutex all fit. Calls are never nested: the
 * library releases before it calls anything else of the caller's. With callbacks that mask interrupts, record and
 * record_packet may be called from an interrupt handler.
 */
typedef size_t (*evagg_lock_acquire_t)(void *context);

/** Releases the caller's lock; `state` is what acquire returned. */
typedef void (*evagg_lock_release_t)(void *context, size_t state);

/**
 * What an instance is to be. Fill it with EVAGG_CONFIG_INIT, then change what differs; 0 is the default everywhere.
 * It is read during init and attach only.
 */
typedef struct {
    /** Of this structure in bytes; set by EVAGG_CONFIG_INIT. */
    uint16_t size;
    /** Set by EVAGG_CONFIG_INIT. */
    uint16_t abi_version;
    /** Entries: 1 to EVAGG_MAXIMUM_CAPACITY. 0: 64 connections, 32 processes. */
    uint32_t capacity;
    /**
     * A random number from the hardware, new for each device: without it a remote peer could choose connections that
     * collide. Instances whose process records are merged share it.
     */
    uint64_t hash_seed;
    /**
     * Processes: bytes that the command lines share, text_maximum to EVAGG_MAXIMUM_TEXT_BYTES. 0: 128 for each entry,
     * or text_maximum where that is more.
     */
    uint32_t text_bytes;
    /** When the first window starts. */
    evagg_time_t start;
    /** The collection interval in ticks, to 2^31 - 1, for due. 0: due as soon as something is cached or lost. */
    evagg_time_t interval;
    /** Processes: bytes kept of one command line, 1 to 65,535. 0: 256. */
    uint16_t text_maximum;
    /** EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST. 0: reject new connections, discard the oldest processes. */
    uint8_t overflow_policy;
    /** EVAGG_LOCK_DEFAULT or EVAGG_LOCK_NONE. */
    uint8_t lock;
    /** EVAGG_WARN_AT_ONCE or EVAGG_WARN_AT_FLUSH. */
    uint8_t warning_delivery;
    /** Zero. */
    uint8_t reserved[7];
    /** Both or neither; neither with EVAGG_LOCK_NONE. */
    evagg_lock_acquire_t acquire;
    /** See acquire. */
    evagg_lock_release_t release;
    /** Handed to acquire and release. */
    void *lock_context;
} evagg_config_t;

/** A configuration with every default. */
#define EVAGG_CONFIG_INIT                                                                                    \
    {(uint16_t) sizeof(evagg_config_t), EVAGG_ABI_VERSION, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0}, \
     NULL, NULL, NULL}

/**
 * Aligns static storage: EVAGG_ALIGNED static uint8_t memory[EVAGG_CONNECTIONS_STORAGE_SIZE(64)];
 *
 * Define it before this header for a compiler that has none of these, such as __align(8) in C99.
 */
#if defined(EVAGG_ALIGNED)
#elif defined(__cplusplus)
#define EVAGG_ALIGNED alignas(EVAGG_STORAGE_ALIGNMENT)
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
#define EVAGG_ALIGNED _Alignas(EVAGG_STORAGE_ALIGNMENT)
#elif defined(__GNUC__)
#define EVAGG_ALIGNED __attribute__((aligned(EVAGG_STORAGE_ALIGNMENT)))
#endif

/** Bytes of an instance before its entries: its own, and 64 for the estimate of each 64 entries. */
#define EVAGG_PRIVATE_FIXED_SIZE(capacity) \
    ((size_t) 192 + 9 * sizeof(void *) + ((size_t) (capacity) + 63) / 64 * 64)
/** Bytes of the index for each entry: 2 where a pointer has 4, 4 where it has 8. */
#define EVAGG_PRIVATE_INDEX_SIZE (sizeof(void *) / 2)

/* Windows and statistics */

/** Flag of a record: a counter stands at its maximum and means at least that many. */
#define EVAGG_RECORD_SATURATED 1
/** Flag of a process record: only the beginning of the command line was kept. */
#define EVAGG_RECORD_TRUNCATED 2

/**
 * The window that a page of flush belongs to, and its accounting: offered + merged = kept + rejected + discarded.
 *
 * The counts are of events, not of records. They saturate at 4,294,967,295, and then do not add up: `kept`, which is
 * worked out from the others, is not exact. While pages remain, new events can still
 * discard entries that wait, if that is the policy: the counts are final with EVAGG_OK. A page that flush could not
 * give yet, EVAGG_MORE with `records` 0, has no accounting but zeros.
 */
typedef struct {
    /** 0 for the first window after init, then one more each. */
    uint32_t sequence;
    /** When the window began: the config's start, or the end of the window before. */
    evagg_time_t start;
    /** When the first page of the window was flushed. */
    evagg_time_t end;
    /** Records in this page. */
    uint32_t records;
    /** Records of this window that remain after this page. */
    uint32_t remaining;
    /** Events given to record while aggregation was on. */
    uint32_t offered;
    /** Hits brought in by merge. */
    uint32_t merged;
    /** Hits in the records of all pages. */
    uint32_t kept;
    /** Hits that were new to a full cache. */
    uint32_t rejected;
    /** Hits of entries that made room. */
    uint32_t discarded;
} evagg_window_t;

/**
 * What happened since init, warm resets or not. Every event that was given to the library is in exactly one of offered,
 * malformed,
 * ignored, disabled and busy. The wide counts are sums over windows, each of which saturates at 4,294,967,295.
 */
typedef struct {
    /** Events given to record while aggregation was on. */
    uint64_t offered;
    /** Hits brought in by merge. */
    uint64_t merged;
    /** Events and hits that found or made an entry: offered + merged - rejected. */
    uint64_t counted;
    /** Hits that were new to a full cache. */
    uint64_t rejected;
    /** Hits of entries that made room. */
    uint64_t discarded;
    /** Packets with a header that is cut off, or an IP header that contradicts itself. */
    uint32_t malformed;
    /** Packets of a transport protocol other than TCP, UDP, ICMP and ICMPv6. */
    uint32_t ignored;
    /** Events given while aggregation was off. */
    uint32_t disabled;
    /** Events whose call ended with EVAGG_ERROR_BUSY. */
    uint32_t busy;
    /** The most entries that were cached at one time. */
    uint32_t high_water_mark;
    /** Windows whose last page was flushed, modulo 2^32 as their sequence numbers. */
    uint32_t windows;
    /**
     * How often attach took the instance over after a reset. By each, one event or record may be lost or counted in
     * part. To 65,535.
     */
    uint32_t recoveries;
    /** Zero. */
    uint32_t reserved;
} evagg_statistics_t;

/* Warnings */

/** Warning: the first loss of a window, for want of a free entry. */
#define EVAGG_WARNING_CACHE_FULL 1
/** Warning: the first loss of a window, for want of text bytes. */
#define EVAGG_WARNING_TEXT_FULL 2
/** Warning: a window that lost something has been flushed; these are the totals. */
#define EVAGG_WARNING_LOSSES 3

/** Events are being lost, or were. At most two a window: at its first loss, and when its last page was flushed. */
typedef struct {
    /** Ready to log, NUL-terminated; valid during the callback. */
    const char *text;
    /** EVAGG_WARNING_CACHE_FULL, EVAGG_WARNING_TEXT_FULL or EVAGG_WARNING_LOSSES. */
    uint32_t code;
    /** The sequence number of the window. */
    uint32_t window;
    /** Entries that the cache has. */
    uint32_t capacity;
    /** Events of the window that were lost so far: rejected and discarded. */
    uint32_t lost;
    /**
     * EVAGG_WARNING_LOSSES: a capacity that would have kept all; 0 in other warnings.
     *
     * From an estimate of the distinct events by linear counting (Whang et al. 1990, in the form of Ting 2014) and an
     * eighth more: in 99 of 100 windows not below their true number and not 30 % above it, from 3 entries on and up to 8
     * times the capacity.
     * It may exceed EVAGG_MAXIMUM_CAPACITY; a shorter interval helps then.
     */
    uint32_t recommended_capacity;
    /** EVAGG_WARNING_LOSSES of processes: text bytes that would have kept all; otherwise 0. */
    uint32_t recommended_text_bytes;
    /** 1: more than 8 times the capacity, so that the recommendations are lower bounds; otherwise 0. */
    uint32_t at_least;
} evagg_warning_t;

/**
 * Called with the lock released, by the call that noticed: record, merge or flush, or only flush with
 * EVAGG_WARN_AT_FLUSH. It may call every function of the library, for this instance too; after deinit, the storage
 * must stay in place until the call that gave the warning has returned. Calls from several threads may overlap.
 */
typedef void (*evagg_warning_callback_t)(void *context, const evagg_warning_t *warning);

/* Connections */

/** Direction: to this device. */
#define EVAGG_IN 1
/** Direction: from this device. */
#define EVAGG_OUT 2

/** An aggregator of connections. It lives in the caller's storage; there is nothing to free. */
typedef struct evagg_connections_t evagg_connections_t;

/** What tells one connection from another: local and remote port, transport protocol, local and remote address. */
typedef struct {
    /** Network order. IPv4: the first four bytes; the others are not read, and zero in a record. */
    uint8_t local_address[16];
    /** As local_address. */
    uint8_t remote_address[16];
    /** Host order; 0 where the protocol has none. */
    uint16_t local_port;
    /** Host order; 0 where the protocol has none. */
    uint16_t remote_port;
    /** The IANA protocol number, such as 6 for TCP. */
    uint8_t protocol;
    /** 4 or 6. */
    uint8_t ip_version;
} evagg_connection_t;

/** A connection as flush gives it out and merge takes it back. */
typedef struct {
    /** The key. */
    evagg_connection_t connection;
    /** EVAGG_RECORD_SATURATED or 0. */
    uint16_t flags;
    /** Packets or events observed, 1 or more. */
    uint32_t hit_count;
    /** Bytes received. */
    uint32_t bytes_in;
    /** Bytes sent. */
    uint32_t bytes_out;
    /** The time of the first event. */
    evagg_time_t first_seen;
    /** The time of the last event. */
    evagg_time_t last_seen;
} evagg_connection_record_t;

/**
 * The bytes of storage for `capacity` connections, 1 to EVAGG_MAXIMUM_CAPACITY; 0 for a capacity out of range.
 *
 * The same as EVAGG_CONNECTIONS_STORAGE_SIZE, for a capacity known at run time. May be called from anywhere.
 */
size_t evagg_connections_storage_size(uint32_t capacity);

/**
 * Makes an empty aggregator of connections in the caller's memory.
 *
 * @param storage       Memory aligned to EVAGG_STORAGE_ALIGNMENT. It belongs to the library until deinit: it must stay
 *                      where it is, and nobody else may write to it. What it held before is lost.
 * @param storage_bytes Its size, at least what storage_size says for the capacity.
 * @param config        Read during this call only.
 * @param connections   Receives the handle, NULL on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _STALE_HEADER, _BAD_VALUE, _LOCK_REQUIRED, _MISALIGNED or
 *         _STORAGE_TOO_SMALL, and the storage is untouched.
 *
 * Not while another call uses the same storage. It takes time in proportion to the capacity.
 */
evagg_status_t evagg_connections_init(void *storage,
                                      size_t storage_bytes,
                                      const evagg_config_t *config,
                                      evagg_connections_t **connections);

/**
 * Takes over the aggregator of connections that a warm reset left in the caller's memory, with all that was cached.
 *
 * Call it first thing after start, and init if it fails. The memory must be one that start-up leaves alone, as in a
 * NOLOAD section, and what was stored must have reached it, in the order of the program: docs/firmware.md says more.
 * At most the event being recorded, or the record being moved by flush or merge, is lost, counted twice, or counted in
 * part; every window still adds up, and the statistics count the recovery.
 *
 * The storage is checked before anything is changed: sizes, seed, the marks of the ring, each entry with its place in
 * the index and its text, and the accounting of the windows. A wrong byte count or time is not noticed. What can be
 * derived is made anew.
 *
 * Hash seed, windows, entries and statistics are those of the storage. Lock, overflow policy, interval and warning
 * delivery are those of the config. Aggregation is on, and no warning callback is set.
 *
 * @param storage       As given to init; it may lie elsewhere now.
 * @param storage_bytes Its size, at least what storage_size says.
 * @param config        As for init, with the capacity of the storage. `start` is the present time. If
 *                      that is before the start of the current window, because the clock was reset too, the current
 *                      window starts now and the one being flushed ends now; entries keep their times. A window that
 *                      was about to be closed ends now. `hash_seed` is not read. Read during this call only.
 * @param connections   Receives the handle, NULL on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NOT_INITIALISED if there is no instance of this kind, as after power-on;
 *         EVAGG_ERROR_CORRUPT if it does not check out; EVAGG_ERROR_STALE_HEADER if another version of the library left
 *         it; EVAGG_ERROR_BAD_VALUE if it has another size: attach with that size, and flush, to have what it holds;
 *         else as init. With every error the storage is untouched.
 *
 * Not while another call uses the same storage. It takes time in proportion to the capacity.
 */
evagg_status_t evagg_connections_attach(void *storage,
                                        size_t storage_bytes,
                                        const evagg_config_t *config,
                                        evagg_connections_t **connections);

/**
 * Ends the instance; the storage is the caller's again. What is cached is dropped: flush before.
 *
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, or _NOT_INITIALISED the second time.
 *
 * Not while another call uses the instance.
 */
evagg_status_t evagg_connections_deinit(evagg_connections_t *connections);

/**
 * Sets who is told when events are lost; before the first call nobody is.
 *
 * @param callback Called as evagg_warning_callback_t says, until it is replaced. NULL: nobody. A call that another
 *                 thread has begun may still reach the callback that was replaced, with its context: keep both valid
 *                 until such calls have returned.
 * @param context  Handed to the callback; not read by the library.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_set_warning_callback(evagg_connections_t *connections,
                                                      evagg_warning_callback_t callback,
                                                      void *context);

/**
 * Changes the overflow policy from the next event on.
 *
 * @param policy EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_set_overflow_policy(evagg_connections_t *connections, uint8_t policy);

/**
 * Switches aggregation on or off; it is on after init. While it is off, record returns EVAGG_DISABLED and what is
 * cached stays until it is flushed.
 *
 * @param enabled 1 or 0.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_set_enabled(evagg_connections_t *connections,
                                             uint8_t enabled);

/**
 * Counts one event of a connection.
 *
 * @param connection Read during this call only.
 * @param direction  EVAGG_IN or EVAGG_OUT.
 * @param bytes      Added to the bytes of that direction; 0 where it is not known.
 * @param now        The time of the event.
 * @return EVAGG_FIRST, EVAGG_COUNTED, EVAGG_REJECTED or EVAGG_DISABLED; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED,
 *         _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; an interrupt with lock callbacks that mask it. The lock is held for one look-up.
 */
evagg_status_t evagg_connections_record(evagg_connections_t *connections,
                                        const evagg_connection_t *connection,
                                        uint8_t direction,
                                        uint32_t bytes,
                                        evagg_time_t now);

/**
 * Counts one raw IPv4 or IPv6 packet: TCP, UDP, ICMP or ICMPv6.
 *
 * The bytes counted are those of the IP payload, transport header included: total length less header length for IPv4
 * (RFC 791), the payload length field for IPv6 (RFC 8200), whether or not all of them are at hand. Fragments behind
 * the first, ICMP and ICMPv6 have ports 0.
 *
 * @param packet    Starts with the IP header, needs no alignment, and is read during this call only. It may hold
 *                  anything: no byte behind `length`, or behind the length that the packet states, is read.
 * @param length    Bytes at hand. It must reach to the end of the transport header; more is not needed, as in the
 *                  first buffer of a chain. 0 ignores the pointer and is malformed.
 * @param direction EVAGG_IN or EVAGG_OUT: which of source and destination is local.
 * @param now       The time of the packet.
 * @return As record; EVAGG_MALFORMED or EVAGG_IGNORED, and only the statistics have changed.
 *
 * Any thread; an interrupt with lock callbacks that mask it. The headers are read without the lock.
 */
evagg_status_t evagg_connections_record_packet(evagg_connections_t *connections,
                                               const void *packet,
                                               size_t length,
                                               uint8_t direction,
                                               evagg_time_t now);

/**
 * Copies out the records of the window, oldest first, and frees their entries.
 *
 * The first call closes the window; what is recorded from then on belongs to the next one. While the status is
 * EVAGG_MORE, further calls give the other pages of the same window. A buffer for one record is enough to empty
 * the cache.
 *
 * @param now          When the window ends, and the next one starts; used by the call that closes it.
 * @param records      Receives up to record_count records. The caller owns them.
 * @param record_count 1 or more.
 * @param window       Receives the window's accounting and how many records there are; zeros on failure.
 * @return EVAGG_MORE, or EVAGG_OK with the last page; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED,
 *         _BUFFER_TOO_SMALL or _BUSY.
 *
 * Any thread; interrupts as the lock allows. The lock is held for one record at a time. Each record goes to one caller
 * when several flush at once, but more than one may be told EVAGG_OK: the window's sequence number tells which. If
 * warnings of the window before are still owed, because nobody was told of them yet, they are given first: EVAGG_MORE,
 * no record, and zeros in `window`. The next call closes the window.
 * "Oldest" is the order in which the entries were admitted, so that a clock that is set back does not turn it round.
 */
evagg_status_t evagg_connections_flush(evagg_connections_t *connections,
                                       evagg_time_t now,
                                       evagg_connection_record_t *records,
                                       size_t record_count,
                                       evagg_window_t *window);

/**
 * Puts records back into the current window: those of a page that could not be sent, or those of another instance.
 *
 * Hits and bytes are added, first and last seen widened. The hits count as merged, and the overflow policy holds for
 * them as for events. A record that is new here is admitted now, whenever it was first seen. Merging is commutative
 * and associative as long as nothing overflows.
 *
 * @param records      As flush gave them; read during this call only.
 * @param record_count 0 ignores the pointer.
 * @return EVAGG_OK, also when some were rejected, as the window's accounting says. EVAGG_ERROR_NULL_ARGUMENT,
 *         _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE (one of the records is not valid) or _BUSY, and none is merged.
 *
 * Any thread; interrupts as the lock allows. Also while aggregation is off. The lock is held for one record at a time.
 */
evagg_status_t evagg_connections_merge(evagg_connections_t *connections,
                                       const evagg_connection_record_t *records,
                                       size_t record_count);

/**
 * Whether it is time to flush: the interval has passed since the window began, or pages of a window wait.
 *
 * @param now The time to compare with the start of the window.
 * @return EVAGG_DUE or EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_due(const evagg_connections_t *connections, evagg_time_t now);

/**
 * How many connections are cached now, those of waiting pages included.
 *
 * @param length Receives the number, 0 on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_length(const evagg_connections_t *connections, uint32_t *length);

/**
 * What happened since init.
 *
 * @param statistics Receives the counts, zeros on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_connections_statistics(const evagg_connections_t *connections,
                                            evagg_statistics_t *statistics);

/** Bytes of storage for `capacity` connections, 1 to EVAGG_MAXIMUM_CAPACITY: a constant expression. */
#define EVAGG_CONNECTIONS_STORAGE_SIZE(capacity) \
    (EVAGG_PRIVATE_FIXED_SIZE(capacity) + (size_t) (capacity) * (60 + EVAGG_PRIVATE_INDEX_SIZE))

/* Processes */

/** An aggregator of processes. It lives in the caller's storage; there is nothing to free. */
typedef struct evagg_processes_t evagg_processes_t;

/** A process that was created. Two are the same event when command line and user id are. */
typedef struct {
    /** Bytes in any encoding; they may hold NUL. */
    const char *command_line;
    /** Bytes of it, to 4,294,967,295. 0 ignores the pointer. */
    size_t command_line_length;
    /** The user. */
    uint32_t user_id;
    /** Kept of the first occurrence only. */
    uint32_t process_id;
    /** Kept of the first occurrence only. */
    uint32_t parent_process_id;
} evagg_process_t;

/** A process as flush gives it out and merge takes it back. */
typedef struct {
    /** Keyed hash of the whole command line, which with full_length tells truncated ones apart. */
    uint64_t hash;
    /** What was kept of the command line, in the text buffer given to flush. A NUL follows it. */
    const char *command_line;
    /** Bytes kept. */
    uint32_t command_line_length;
    /** Bytes of the whole command line. */
    uint32_t full_length;
    /** The user. */
    uint32_t user_id;
    /** Of the first occurrence. */
    uint32_t process_id;
    /** Of the first occurrence. */
    uint32_t parent_process_id;
    /** Events observed, 1 or more. */
    uint32_t hit_count;
    /** The time of the first event. */
    evagg_time_t first_seen;
    /** The time of the last event. */
    evagg_time_t last_seen;
    /** EVAGG_RECORD_SATURATED and EVAGG_RECORD_TRUNCATED, or 0. */
    uint16_t flags;
    /** Zero. */
    uint16_t reserved;
} evagg_process_record_t;

/**
 * The bytes of storage for `capacity` processes, 1 to EVAGG_MAXIMUM_CAPACITY, whose command lines share `text_bytes`,
 * 0 to EVAGG_MAXIMUM_TEXT_BYTES; 0 for a value out of range.
 *
 * The same as EVAGG_PROCESSES_STORAGE_SIZE, for values known at run time. May be called from anywhere.
 */
size_t evagg_processes_storage_size(uint32_t capacity,
                                    uint32_t text_bytes);

/**
 * Makes an empty aggregator of processes in the caller's memory.
 *
 * @param storage       Memory aligned to EVAGG_STORAGE_ALIGNMENT. It belongs to the library until deinit: it must stay
 *                      where it is, and nobody else may write to it. What it held before is lost.
 * @param storage_bytes Its size, at least what storage_size says for capacity and text bytes.
 * @param config        Read during this call only.
 * @param processes     Receives the handle, NULL on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _STALE_HEADER, _BAD_VALUE, _LOCK_REQUIRED, _MISALIGNED or
 *         _STORAGE_TOO_SMALL, and the storage is untouched.
 *
 * Not while another call uses the same storage. It takes time in proportion to the capacity.
 */
evagg_status_t evagg_processes_init(void *storage,
                                    size_t storage_bytes,
                                    const evagg_config_t *config,
                                    evagg_processes_t **processes);

/**
 * Takes over the aggregator of processes that a warm reset left in the caller's memory, with all that was cached.
 *
 * Call it first thing after start, and init if it fails. The memory must be one that start-up leaves alone, as in a
 * NOLOAD section, and what was stored must have reached it, in the order of the program: docs/firmware.md says more.
 * At most the event being recorded, or the record being moved by flush or merge, is lost, counted twice, or counted in
 * part; every window still adds up, and the statistics count the recovery.
 *
 * The storage is checked before anything is changed: sizes, seed, the marks of the ring, each entry with its place in
 * the index and its text, and the accounting of the windows. A wrong byte count or time is not noticed. What can be
 * derived is made anew.
 *
 * Hash seed, windows, entries and statistics are those of the storage. Lock, overflow policy, interval and warning
 * delivery are those of the config. Aggregation is on, and no warning callback is set.
 *
 * @param storage       As given to init; it may lie elsewhere now.
 * @param storage_bytes Its size, at least what storage_size says.
 * @param config        As for init, with the capacity, text_bytes and text_maximum of the storage. `start` is the present time. If
 *                      that is before the start of the current window, because the clock was reset too, the current
 *                      window starts now and the one being flushed ends now; entries keep their times. A window that
 *                      was about to be closed ends now. `hash_seed` is not read. Read during this call only.
 * @param processes     Receives the handle, NULL on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NOT_INITIALISED if there is no instance of this kind, as after power-on;
 *         EVAGG_ERROR_CORRUPT if it does not check out; EVAGG_ERROR_STALE_HEADER if another version of the library left
 *         it; EVAGG_ERROR_BAD_VALUE if it has another size: attach with that size, and flush, to have what it holds;
 *         else as init. With every error the storage is untouched.
 *
 * Not while another call uses the same storage. It takes time in proportion to the capacity.
 */
evagg_status_t evagg_processes_attach(void *storage,
                                      size_t storage_bytes,
                                      const evagg_config_t *config,
                                      evagg_processes_t **processes);

/**
 * Ends the instance; the storage is the caller's again. What is cached is dropped: flush before.
 *
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, or _NOT_INITIALISED the second time.
 *
 * Not while another call uses the instance.
 */
evagg_status_t evagg_processes_deinit(evagg_processes_t *processes);

/**
 * Sets who is told when events are lost; before the first call nobody is.
 *
 * @param callback Called as evagg_warning_callback_t says, until it is replaced. NULL: nobody. A call that another
 *                 thread has begun may still reach the callback that was replaced, with its context: keep both valid
 *                 until such calls have returned.
 * @param context  Handed to the callback; not read by the library.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_set_warning_callback(evagg_processes_t *processes,
                                                    evagg_warning_callback_t callback,
                                                    void *context);

/**
 * Changes the overflow policy from the next event on.
 *
 * @param policy EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_set_overflow_policy(evagg_processes_t *processes, uint8_t policy);

/**
 * Switches aggregation on or off; it is on after init. While it is off, record returns EVAGG_DISABLED and what is
 * cached stays until it is flushed.
 *
 * @param enabled 1 or 0.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_set_enabled(evagg_processes_t *processes,
                                           uint8_t enabled);

/**
 * Counts one process that was created.
 *
 * Of a command line longer than text_maximum, the beginning is kept; the whole of it, by its length and a keyed hash,
 * decides what it is the same as.
 *
 * @param process Read during this call only, the command line too.
 * @param now     The time of the event.
 * @return EVAGG_FIRST, EVAGG_COUNTED, EVAGG_REJECTED or EVAGG_DISABLED; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED,
 *         _NOT_INITIALISED, _BAD_VALUE or _BUSY.
 *
 * Any thread; an interrupt with lock callbacks that mask it. The command line is hashed without the lock, which is held
 * for one look-up; with EVAGG_DISCARD_OLDEST also while as many entries leave as the text needs room.
 */
evagg_status_t evagg_processes_record(evagg_processes_t *processes,
                                      const evagg_process_t *process,
                                      evagg_time_t now);

/**
 * Copies out the records of the window, oldest first, and frees their entries.
 *
 * The first call closes the window; what is recorded from then on belongs to the next one. While the status is
 * EVAGG_MORE, further calls give the other pages of the same window. A page ends early when the next command line
 * does not fit in the text buffer. A buffer for one record, with one for its text, is enough to empty the cache.
 *
 * @param now          When the window ends, and the next one starts; used by the call that closes it.
 * @param records      Receives up to record_count records. The caller owns them.
 * @param record_count 1 or more.
 * @param text         Receives the command lines, each with a NUL behind it. The caller owns it; the records point
 *                     into it.
 * @param text_bytes   Its size, at least text_maximum + 1.
 * @param window       Receives the window's accounting and how many records there are; zeros on failure.
 * @return EVAGG_MORE, or EVAGG_OK with the last page; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED,
 *         _BUFFER_TOO_SMALL or _BUSY.
 *
 * Any thread; interrupts as the lock allows. The lock is held for one record at a time. Each record goes to one caller
 * when several flush at once, but more than one may be told EVAGG_OK: the window's sequence number tells which. If
 * warnings of the window before are still owed, because nobody was told of them yet, they are given first: EVAGG_MORE,
 * no record, and zeros in `window`. The next call closes the window.
 * "Oldest" is the order in which the entries were admitted, so that a clock that is set back does not turn it round.
 */
evagg_status_t evagg_processes_flush(evagg_processes_t *processes,
                                     evagg_time_t now,
                                     evagg_process_record_t *records,
                                     size_t record_count,
                                     char *text,
                                     size_t text_bytes,
                                     evagg_window_t *window);

/**
 * Puts records back into the current window: those of a page that could not be sent, or those of another instance.
 *
 * Hits are added, first and last seen widened; the process ids are those of the record first seen. The hits count as
 * merged, and the overflow policy holds for them as for events. A record that is new here is admitted now, whenever it
 * was first seen. Merging is commutative and associative as long as nothing overflows; for truncated command lines,
 * between instances of the same hash_seed and text_maximum.
 *
 * @param records      As flush gave them, the text too; read during this call only.
 * @param record_count 0 ignores the pointer.
 * @return EVAGG_OK, also when some were rejected, as the window's accounting says. EVAGG_ERROR_NULL_ARGUMENT,
 *         _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE (one of the records is not valid) or _BUSY, and none is merged.
 *
 * Any thread; interrupts as the lock allows. Also while aggregation is off. The lock is held for one record at a time.
 */
evagg_status_t evagg_processes_merge(evagg_processes_t *processes,
                                     const evagg_process_record_t *records,
                                     size_t record_count);

/**
 * Whether it is time to flush: the interval has passed since the window began, or pages of a window wait.
 *
 * @param now The time to compare with the start of the window.
 * @return EVAGG_DUE or EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_due(const evagg_processes_t *processes, evagg_time_t now);

/**
 * How many processes are cached now, those of waiting pages included.
 *
 * @param length Receives the number, 0 on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_length(const evagg_processes_t *processes, uint32_t *length);

/**
 * What happened since init.
 *
 * @param statistics Receives the counts, zeros on failure.
 * @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
 *
 * Any thread; interrupts as the lock allows.
 */
evagg_status_t evagg_processes_statistics(const evagg_processes_t *processes, evagg_statistics_t *statistics);

/** Bytes of storage for `capacity` processes, 1 to EVAGG_MAXIMUM_CAPACITY, whose command lines share `text_bytes`: a
 *  constant expression. */
#define EVAGG_PROCESSES_STORAGE_SIZE(capacity, text_bytes) \
    (EVAGG_PRIVATE_FIXED_SIZE(capacity) + (size_t) (capacity) * (44 + EVAGG_PRIVATE_INDEX_SIZE) + (size_t) (text_bytes))

#ifdef __cplusplus
}
#endif

#endif /* EVAGG_H */
