// SPDX-License-Identifier: MIT OR Apache-2.0

use core::ffi::c_void;
use core::mem::offset_of;

use super::arguments::{array, check_output, output, status, write};
use super::config::{EVAGG_CONNECTIONS_DEFAULT_CAPACITY, evagg_config_t, evagg_time_t};
use super::instance::{self, Kind};
use super::live::{Live, Locked};
use super::start;
use super::status::{EVAGG_ERROR_BAD_VALUE, evagg_status_t};
use super::warning::evagg_warning_callback_t;
use super::window::{EVAGG_RECORD_SATURATED, evagg_statistics_t, evagg_window_t};
use crate::event::connection::{Connection, Direction, Ends, FiveTuple, Observed};
use crate::event::packet;
use crate::store::OverflowPolicy;
use crate::store::hash::Hasher;

/// Direction: to this device.
pub const EVAGG_IN: u8 = 1;
/// Direction: from this device.
pub const EVAGG_OUT: u8 = 2;

/// An aggregator of connections. It lives in the caller's storage; there is nothing to free.
pub struct evagg_connections_t {
    _opaque: [u8; 0],
}

/// What tells one connection from another: local and remote port, transport protocol, local and remote address.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_connection_t {
    /// Network order. IPv4: the first four bytes; the others are not read, and zero in a record.
    pub local_address: [u8; 16],
    /// As local_address.
    pub remote_address: [u8; 16],
    /// Host order; 0 where the protocol has none.
    pub local_port: u16,
    /// Host order; 0 where the protocol has none.
    pub remote_port: u16,
    /// The IANA protocol number, such as 6 for TCP.
    pub protocol: u8,
    /// 4 or 6.
    pub ip_version: u8,
}

/// A connection as flush gives it out and merge takes it back.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_connection_record_t {
    /// The key.
    pub connection: evagg_connection_t,
    /// EVAGG_RECORD_SATURATED or 0.
    pub flags: u16,
    /// Packets or events observed, 1 or more.
    pub hit_count: u32,
    /// Bytes received.
    pub bytes_in: u32,
    /// Bytes sent.
    pub bytes_out: u32,
    /// The time of the first event.
    pub first_seen: evagg_time_t,
    /// The time of the last event.
    pub last_seen: evagg_time_t,
}

impl Kind for Connection {
    const MAGIC: u32 = 0x00C5_00C5;
    const DEFAULT_CAPACITY: u32 = EVAGG_CONNECTIONS_DEFAULT_CAPACITY;
    const DEFAULT_POLICY: OverflowPolicy = OverflowPolicy::RejectNew;
    type Record = evagg_connection_record_t;

    #[inline]
    unsafe fn write_record(&self, record: *mut Self::Record, _: *mut u8, _: &[u8], _: &[u8]) {
        // SAFETY: the caller gives a place for a record. An entry has the size and the layout of one, with a link in the
        // place of the flags, and every value of its bytes is a value of a record's fields.
        unsafe {
            record.cast::<Self>().write(*self);
            (*record).flags = if self.is_saturated() { EVAGG_RECORD_SATURATED } else { 0 };
        }
    }

    unsafe fn check_record(record: &Self::Record) -> Result<&[u8], evagg_status_t> {
        let is_valid = matches!(record.connection.ip_version, 4 | 6)
            && record.hit_count != 0
            && record.flags & !EVAGG_RECORD_SATURATED == 0;
        if is_valid { Ok(&[]) } else { Err(EVAGG_ERROR_BAD_VALUE) }
    }

    #[inline]
    fn read_record(&mut self, record: &Self::Record, _: Hasher, _: &[u8]) {
        // SAFETY: as for write_record; flags are a link like any other.
        *self = unsafe { core::ptr::from_ref(record).cast::<Self>().read() };
        self.clear_unused();
    }
}

// What write_record and read_record rely on, and the storage macro of the header.
const _: () = {
    assert!(size_of::<Connection>() == 60 && size_of::<evagg_connection_record_t>() == 60);
    assert!(align_of::<Connection>() == align_of::<evagg_connection_record_t>());
    assert!(offset_of!(Connection, local) == offset_of!(evagg_connection_record_t, connection.local_address));
    assert!(offset_of!(Connection, remote) == offset_of!(evagg_connection_record_t, connection.remote_address));
    assert!(offset_of!(Connection, local_port) == offset_of!(evagg_connection_record_t, connection.local_port));
    assert!(offset_of!(Connection, remote_port) == offset_of!(evagg_connection_record_t, connection.remote_port));
    assert!(offset_of!(Connection, protocol) == offset_of!(evagg_connection_record_t, connection.protocol));
    assert!(offset_of!(Connection, ip_version) == offset_of!(evagg_connection_record_t, connection.ip_version));
    assert!(offset_of!(Connection, link) == offset_of!(evagg_connection_record_t, flags));
    assert!(offset_of!(Connection, hit_count) == offset_of!(evagg_connection_record_t, hit_count));
    assert!(offset_of!(Connection, bytes) == offset_of!(evagg_connection_record_t, bytes_in));
    assert!(offset_of!(Connection, bytes) + 4 == offset_of!(evagg_connection_record_t, bytes_out));
    assert!(offset_of!(Connection, seen.first) == offset_of!(evagg_connection_record_t, first_seen));
    assert!(offset_of!(Connection, seen.last) == offset_of!(evagg_connection_record_t, last_seen));
};

impl evagg_connection_t {
    #[inline]
    fn tuple(&self) -> Option<FiveTuple<'_>> {
        let (local, remote) = (&self.local_address, &self.remote_address);
        let ends = match self.ip_version {
            4 => Ends::V4(local.first_chunk()?, remote.first_chunk()?),
            6 => Ends::V6(local, remote),
            _ => return None,
        };
        let ports = u32::from(self.remote_port) << 16 | u32::from(self.local_port);
        Some(FiveTuple { ports, tag: u16::from_le_bytes([self.protocol, self.ip_version]), ends })
    }
}

#[inline]
fn direction(direction: u8) -> Result<Direction, evagg_status_t> {
    match direction {
        EVAGG_IN => Ok(Direction::In),
        EVAGG_OUT => Ok(Direction::Out),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}

/// The bytes of storage for `capacity` connections, 1 to EVAGG_MAXIMUM_CAPACITY; 0 for a capacity out of range.
///
/// The same as EVAGG_CONNECTIONS_STORAGE_SIZE, for a capacity known at run time. May be called from anywhere.
#[unsafe(no_mangle)]
pub extern "C" fn evagg_connections_storage_size(capacity: u32) -> usize {
    instance::storage_size::<Connection>(capacity, 0).unwrap_or(0)
}

/// Makes an empty aggregator of connections in the caller's memory.
///
/// @param storage       Memory aligned to EVAGG_STORAGE_ALIGNMENT. It belongs to the library until deinit: it must stay
///                      where it is, and nobody else may write to it. What it held before is lost.
/// @param storage_bytes Its size, at least what storage_size says for the capacity.
/// @param config        Read during this call only.
/// @param connections   Receives the handle, NULL on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _STALE_HEADER, _BAD_VALUE, _LOCK_REQUIRED, _MISALIGNED or
///         _STORAGE_TOO_SMALL, and the storage is untouched.
///
/// Not while another call uses the same storage. It takes time in proportion to the capacity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_init(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
    connections: *mut *mut evagg_connections_t,
) -> evagg_status_t {
    // SAFETY: the caller's pointers are as this function's documentation asks.
    unsafe { start::give_handle(connections, storage, || start::init::<Connection>(storage, storage_bytes, config)) }
}

/// Takes over the aggregator of connections that a warm reset left in the caller's memory, with all that was cached.
///
/// Call it first thing after start, and init if it fails. The memory must be one that start-up leaves alone, as in a
/// NOLOAD section, and what was stored must have reached it, in the order of the program: docs/firmware.md says more.
/// At most the event being recorded, or the record being moved by flush or merge, is lost, counted twice, or counted in
/// part; every window still adds up, and the statistics count the recovery.
///
/// The storage is checked before anything is changed: sizes, seed, the marks of the ring, each entry with its place in
/// the index and its text, and the accounting of the windows. A wrong byte count or time is not noticed. What can be
/// derived is made anew.
///
/// Hash seed, windows, entries and statistics are those of the storage. Lock, overflow policy, interval and warning
/// delivery are those of the config. Aggregation is on, and no warning callback is set.
///
/// @param storage       As given to init; it may lie elsewhere now.
/// @param storage_bytes Its size, at least what storage_size says.
/// @param config        As for init, with the capacity of the storage. `start` is the present time. If
///                      that is before the start of the current window, because the clock was reset too, the current
///                      window starts now and the one being flushed ends now; entries keep their times. A window that
///                      was about to be closed ends now. `hash_seed` is not read. Read during this call only.
/// @param connections   Receives the handle, NULL on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NOT_INITIALISED if there is no instance of this kind, as after power-on;
///         EVAGG_ERROR_CORRUPT if it does not check out; EVAGG_ERROR_STALE_HEADER if another version of the library left
///         it; EVAGG_ERROR_BAD_VALUE if it has another size: attach with that size, and flush, to have what it holds;
///         else as init. With every error the storage is untouched.
///
/// Not while another call uses the same storage. It takes time in proportion to the capacity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_attach(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
    connections: *mut *mut evagg_connections_t,
) -> evagg_status_t {
    // SAFETY: the caller's pointers are as this function's documentation asks.
    unsafe { start::give_handle(connections, storage, || start::attach::<Connection>(storage, storage_bytes, config)) }
}

/// Ends the instance; the storage is the caller's again. What is cached is dropped: flush before.
///
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, or _NOT_INITIALISED the second time.
///
/// Not while another call uses the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_deinit(connections: *mut evagg_connections_t) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Connection>::at(connections) }.map(Live::deinit))
}

/// Sets who is told when events are lost; before the first call nobody is.
///
/// @param callback Called as evagg_warning_callback_t says, until it is replaced. NULL: nobody. A call that another
///                 thread has begun may still reach the callback that was replaced, with its context: keep both valid
///                 until such calls have returned.
/// @param context  Handed to the callback; not read by the library.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_set_warning_callback(
    connections: *mut evagg_connections_t,
    callback: evagg_warning_callback_t,
    context: *mut c_void,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Connection>::open(connections) }.map(|it| it.set_warning_callback(callback, context)))
}

/// Changes the overflow policy from the next event on.
///
/// @param policy EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_set_overflow_policy(
    connections: *mut evagg_connections_t,
    policy: u8,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Connection>::open(connections) }.and_then(|it| it.set_overflow_policy(policy)))
}

/// Switches aggregation on or off; it is on after init. While it is off, record returns EVAGG_DISABLED and what is
/// cached stays until it is flushed.
///
/// @param enabled 1 or 0.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_set_enabled(
    connections: *mut evagg_connections_t,
    enabled: u8,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Connection>::open(connections) }.and_then(|it| it.set_enabled(enabled)))
}

/// Counts one event of a connection.
///
/// @param connection Read during this call only.
/// @param direction  EVAGG_IN or EVAGG_OUT.
/// @param bytes      Added to the bytes of that direction; 0 where it is not known.
/// @param now        The time of the event.
/// @return EVAGG_FIRST, EVAGG_COUNTED, EVAGG_REJECTED or EVAGG_DISABLED; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED,
///         _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; an interrupt with lock callbacks that mask it. The lock is held for one look-up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_record(
    connections: *mut evagg_connections_t,
    connection: *const evagg_connection_t,
    direction: u8,
    bytes: u32,
    now: evagg_time_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    let checked = unsafe { Live::<Connection>::at(connections) }.and_then(|it| {
        // SAFETY: as above.
        let [connection] = (unsafe { array(connection, 1) })? else { return Err(EVAGG_ERROR_BAD_VALUE) };
        let tuple = connection.tuple().ok_or(EVAGG_ERROR_BAD_VALUE)?;
        Ok(it.record(&Observed { tuple, direction: self::direction(direction)?, bytes, now }, &[]))
    });
    checked.unwrap_or_else(|status| status)
}

/// Counts one raw IPv4 or IPv6 packet: TCP, UDP, ICMP or ICMPv6.
///
/// The bytes counted are those of the IP payload, transport header included: total length less header length for IPv4
/// (RFC 791), the payload length field for IPv6 (RFC 8200), whether or not all of them are at hand. Fragments behind
/// the first, ICMP and ICMPv6 have ports 0.
///
/// @param packet    Starts with the IP header, needs no alignment, and is read during this call only. It may hold
///                  anything: no byte behind `length`, or behind the length that the packet states, is read.
/// @param length    Bytes at hand. It must reach to the end of the transport header; more is not needed, as in the
///                  first buffer of a chain. 0 ignores the pointer and is malformed.
/// @param direction EVAGG_IN or EVAGG_OUT: which of source and destination is local.
/// @param now       The time of the packet.
/// @return As record; EVAGG_MALFORMED or EVAGG_IGNORED, and only the statistics have changed.
///
/// Any thread; an interrupt with lock callbacks that mask it. The headers are read without the lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_record_packet(
    connections: *mut evagg_connections_t,
    packet: *const c_void,
    length: usize,
    direction: u8,
    now: evagg_time_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    let checked = unsafe { Live::<Connection>::at(connections) }.and_then(|it| {
        // SAFETY: as above.
        Ok((it, unsafe { array(packet.cast::<u8>(), length) }?, self::direction(direction)?))
    });
    match checked {
        Ok((it, packet, direction)) => match packet::parse(packet, direction, now) {
            Ok(event) => it.record(&event, &[]),
            Err(reason) => it.count_unrecorded(reason),
        },
        Err(status) => status,
    }
}

/// Copies out the records of the window, oldest first, and frees their entries.
///
/// The first call closes the window; what is recorded from then on belongs to the next one. While the status is
/// EVAGG_MORE, further calls give the other pages of the same window. A buffer for one record is enough to empty
/// the cache.
///
/// @param now          When the window ends, and the next one starts; used by the call that closes it.
/// @param records      Receives up to record_count records. The caller owns them.
/// @param record_count 1 or more.
/// @param window       Receives the window's accounting and how many records there are; zeros on failure.
/// @return EVAGG_MORE, or EVAGG_OK with the last page; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED,
///         _BUFFER_TOO_SMALL or _BUSY.
///
/// Any thread; interrupts as the lock allows. The lock is held for one record at a time. Each record goes to one caller
/// when several flush at once, but more than one may be told EVAGG_OK: the window's sequence number tells which. If
/// warnings of the window before are still owed, because nobody was told of them yet, they are given first: EVAGG_MORE,
/// no record, and zeros in `window`. The next call closes the window.
/// "Oldest" is the order in which the entries were admitted, so that a clock that is set back does not turn it round.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_flush(
    connections: *mut evagg_connections_t,
    now: evagg_time_t,
    records: *mut evagg_connection_record_t,
    record_count: usize,
    window: *mut evagg_window_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe {
        write(window, evagg_window_t::default());
        let checked =
            Live::<Connection>::at(connections).and_then(|it| check_output(records, record_count, window).map(|()| it));
        match checked {
            Ok(it) => it.flush(now, records, record_count, core::ptr::null_mut(), 0, window),
            Err(status) => status,
        }
    }
}

/// Puts records back into the current window: those of a page that could not be sent, or those of another instance.
///
/// Hits and bytes are added, first and last seen widened. The hits count as merged, and the overflow policy holds for
/// them as for events. A record that is new here is admitted now, whenever it was first seen. Merging is commutative
/// and associative as long as nothing overflows.
///
/// @param records      As flush gave them; read during this call only.
/// @param record_count 0 ignores the pointer.
/// @return EVAGG_OK, also when some were rejected, as the window's accounting says. EVAGG_ERROR_NULL_ARGUMENT,
///         _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE (one of the records is not valid) or _BUSY, and none is merged.
///
/// Any thread; interrupts as the lock allows. Also while aggregation is off. The lock is held for one record at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_merge(
    connections: *mut evagg_connections_t,
    records: *const evagg_connection_record_t,
    record_count: usize,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe {
        match Live::<Connection>::at(connections) {
            Ok(it) => it.merge(records, record_count),
            Err(status) => status,
        }
    }
}

/// Whether it is time to flush: the interval has passed since the window began, or pages of a window wait.
///
/// @param now The time to compare with the start of the window.
/// @return EVAGG_DUE or EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_due(
    connections: *const evagg_connections_t,
    now: evagg_time_t,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    unsafe { Live::<Connection>::open(connections) }.map_or_else(|status| status, |it| it.due(now))
}

/// How many connections are cached now, those of waiting pages included.
///
/// @param length Receives the number, 0 on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_length(
    connections: *const evagg_connections_t,
    length: *mut u32,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe { output(length, Live::<Connection>::open(connections).map(Locked::length)) }
}

/// What happened since init.
///
/// @param statistics Receives the counts, zeros on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_connections_statistics(
    connections: *const evagg_connections_t,
    statistics: *mut evagg_statistics_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe { output(statistics, Live::<Connection>::open(connections).map(Locked::statistics)) }
}
