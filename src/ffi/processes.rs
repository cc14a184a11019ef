// SPDX-License-Identifier: MIT OR Apache-2.0

use core::ffi::{c_char, c_void};

use super::arguments::{array, check_output, output, status, write};
use super::config::{EVAGG_PROCESSES_DEFAULT_CAPACITY, evagg_config_t, evagg_time_t};
use super::instance::{self, Kind};
use super::live::{Live, Locked};
use super::start;
use super::status::{EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_BUFFER_TOO_SMALL, EVAGG_ERROR_NULL_ARGUMENT, evagg_status_t};
use super::warning::evagg_warning_callback_t;
use super::window::{EVAGG_RECORD_SATURATED, EVAGG_RECORD_TRUNCATED, evagg_statistics_t, evagg_window_t};
use crate::event::process::{Identity, Observed, Process};
use crate::event::{Event, Seen};
use crate::store::OverflowPolicy;
use crate::store::hash::Hasher;

/// An aggregator of processes. It lives in the caller's storage; there is nothing to free.
pub struct evagg_processes_t {
    _opaque: [u8; 0],
}

/// A process that was created. Two are the same event when command line and user id are.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_process_t {
    /// Bytes in any encoding; they may hold NUL.
    pub command_line: *const c_char,
    /// Bytes of it, to 4,294,967,295. 0 ignores the pointer.
    pub command_line_length: usize,
    /// The user.
    pub user_id: u32,
    /// Kept of the first occurrence only.
    pub process_id: u32,
    /// Kept of the first occurrence only.
    pub parent_process_id: u32,
}

/// A process as flush gives it out and merge takes it back.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_process_record_t {
    /// Keyed hash of the whole command line, which with full_length tells truncated ones apart.
    pub hash: u64,
    /// What was kept of the command line, in the text buffer given to flush. A NUL follows it.
    pub command_line: *const c_char,
    /// Bytes kept.
    pub command_line_length: u32,
    /// Bytes of the whole command line.
    pub full_length: u32,
    /// The user.
    pub user_id: u32,
    /// Of the first occurrence.
    pub process_id: u32,
    /// Of the first occurrence.
    pub parent_process_id: u32,
    /// Events observed, 1 or more.
    pub hit_count: u32,
    /// The time of the first event.
    pub first_seen: evagg_time_t,
    /// The time of the last event.
    pub last_seen: evagg_time_t,
    /// EVAGG_RECORD_SATURATED and EVAGG_RECORD_TRUNCATED, or 0.
    pub flags: u16,
    /// Zero.
    pub reserved: u16,
}

impl Kind for Process {
    const MAGIC: u32 = 0x009A_009A;
    const DEFAULT_CAPACITY: u32 = EVAGG_PROCESSES_DEFAULT_CAPACITY;
    const DEFAULT_POLICY: OverflowPolicy = OverflowPolicy::DiscardOldest;
    type Record = evagg_process_record_t;

    unsafe fn write_record(&self, record: *mut Self::Record, text: *mut u8, head: &[u8], tail: &[u8]) {
        // SAFETY: the caller gives a place for a record, and for the text and a NUL.
        unsafe {
            for (index, byte) in head.iter().enumerate() {
                text.add(index).write(*byte);
            }
            for (index, byte) in tail.iter().enumerate() {
                text.add(head.len() + index).write(*byte);
            }
            text.add(self.text_length()).write(0);
            record.write(evagg_process_record_t::of(self, text.cast()));
        }
    }

    unsafe fn check_record(record: &Self::Record) -> Result<&[u8], evagg_status_t> {
        // SAFETY: passed on to the caller.
        unsafe { record.text() }
    }

    fn read_record(&mut self, record: &Self::Record, seed: Hasher, text: &[u8]) {
        *self = record.entry(seed, text);
    }
}

const _: () = assert!(size_of::<Process>() == 44);

impl evagg_process_record_t {
    fn of(entry: &Process, command_line: *const c_char) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "at most text_maximum, which has 16 bits")]
        let command_line_length = entry.text_length() as u32;
        let saturated = if entry.hit_count() == u32::MAX { EVAGG_RECORD_SATURATED } else { 0 };
        let truncated = if command_line_length < entry.full_length { EVAGG_RECORD_TRUNCATED } else { 0 };
        Self {
            hash: entry.command_line_hash(),
            command_line,
            command_line_length,
            full_length: entry.full_length,
            user_id: entry.user_id,
            process_id: entry.process_id,
            parent_process_id: entry.parent_process_id,
            hit_count: entry.hit_count(),
            first_seen: entry.seen.first,
            last_seen: entry.seen.last,
            flags: saturated | truncated,
            reserved: 0,
        }
    }

    /// The kept command line; an error for a record that no flush can have given.
    unsafe fn text<'a>(&self) -> Result<&'a [u8], evagg_status_t> {
        // SAFETY: passed on to the caller.
        let text = unsafe { array(self.command_line.cast::<u8>(), self.command_line_length as usize) }?;
        let is_valid = self.hit_count != 0
            && self.command_line_length <= self.full_length
            && self.flags & !(EVAGG_RECORD_SATURATED | EVAGG_RECORD_TRUNCATED) == 0
            && self.reserved == 0;
        if is_valid { Ok(text) } else { Err(EVAGG_ERROR_BAD_VALUE) }
    }

    fn entry(&self, seed: Hasher, text: &[u8]) -> Process {
        let identity = Identity {
            full_length: self.full_length,
            // The hash of a command line that is all here need not be believed: the other instance's seed may differ.
            hash: if self.command_line_length == self.full_length {
                Process::hash_command_line(seed, text)
            } else {
                self.hash
            },
            user_id: self.user_id,
            process_id: self.process_id,
            parent_process_id: self.parent_process_id,
        };
        Process::new(&identity, self.hit_count, Seen { first: self.first_seen, last: self.last_seen })
    }
}

/// The bytes of storage for `capacity` processes, 1 to EVAGG_MAXIMUM_CAPACITY, whose command lines share `text_bytes`,
/// 0 to EVAGG_MAXIMUM_TEXT_BYTES; 0 for a value out of range.
///
/// The same as EVAGG_PROCESSES_STORAGE_SIZE, for values known at run time. May be called from anywhere.
#[unsafe(no_mangle)]
pub extern "C" fn evagg_processes_storage_size(capacity: u32, text_bytes: u32) -> usize {
    instance::storage_size::<Process>(capacity, text_bytes).unwrap_or(0)
}

/// Makes an empty aggregator of processes in the caller's memory.
///
/// @param storage       Memory aligned to EVAGG_STORAGE_ALIGNMENT. It belongs to the library until deinit: it must stay
///                      where it is, and nobody else may write to it. What it held before is lost.
/// @param storage_bytes Its size, at least what storage_size says for capacity and text bytes.
/// @param config        Read during this call only.
/// @param processes     Receives the handle, NULL on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _STALE_HEADER, _BAD_VALUE, _LOCK_REQUIRED, _MISALIGNED or
///         _STORAGE_TOO_SMALL, and the storage is untouched.
///
/// Not while another call uses the same storage. It takes time in proportion to the capacity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_init(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
    processes: *mut *mut evagg_processes_t,
) -> evagg_status_t {
    // SAFETY: the caller's pointers are as this function's documentation asks.
    unsafe { start::give_handle(processes, storage, || start::init::<Process>(storage, storage_bytes, config)) }
}

/// Takes over the aggregator of processes that a warm reset left in the caller's memory, with all that was cached.
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
/// @param config        As for init, with the capacity, text_bytes and text_maximum of the storage. `start` is the present time. If
///                      that is before the start of the current window, because the clock was reset too, the current
///                      window starts now and the one being flushed ends now; entries keep their times. A window that
///                      was about to be closed ends now. `hash_seed` is not read. Read during this call only.
/// @param processes     Receives the handle, NULL on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NOT_INITIALISED if there is no instance of this kind, as after power-on;
///         EVAGG_ERROR_CORRUPT if it does not check out; EVAGG_ERROR_STALE_HEADER if another version of the library left
///         it; EVAGG_ERROR_BAD_VALUE if it has another size: attach with that size, and flush, to have what it holds;
///         else as init. With every error the storage is untouched.
///
/// Not while another call uses the same storage. It takes time in proportion to the capacity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_attach(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
    processes: *mut *mut evagg_processes_t,
) -> evagg_status_t {
    // SAFETY: the caller's pointers are as this function's documentation asks.
    unsafe { start::give_handle(processes, storage, || start::attach::<Process>(storage, storage_bytes, config)) }
}

/// Ends the instance; the storage is the caller's again. What is cached is dropped: flush before.
///
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, or _NOT_INITIALISED the second time.
///
/// Not while another call uses the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_deinit(processes: *mut evagg_processes_t) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Process>::at(processes) }.map(Live::deinit))
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
pub unsafe extern "C" fn evagg_processes_set_warning_callback(
    processes: *mut evagg_processes_t,
    callback: evagg_warning_callback_t,
    context: *mut c_void,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Process>::open(processes) }.map(|it| it.set_warning_callback(callback, context)))
}

/// Changes the overflow policy from the next event on.
///
/// @param policy EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_set_overflow_policy(
    processes: *mut evagg_processes_t,
    policy: u8,
) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Process>::open(processes) }.and_then(|it| it.set_overflow_policy(policy)))
}

/// Switches aggregation on or off; it is on after init. While it is off, record returns EVAGG_DISABLED and what is
/// cached stays until it is flushed.
///
/// @param enabled 1 or 0.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_set_enabled(processes: *mut evagg_processes_t, enabled: u8) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    status(unsafe { Live::<Process>::open(processes) }.and_then(|it| it.set_enabled(enabled)))
}

/// Counts one process that was created.
///
/// Of a command line longer than text_maximum, the beginning is kept; the whole of it, by its length and a keyed hash,
/// decides what it is the same as.
///
/// @param process Read during this call only, the command line too.
/// @param now     The time of the event.
/// @return EVAGG_FIRST, EVAGG_COUNTED, EVAGG_REJECTED or EVAGG_DISABLED; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED,
///         _NOT_INITIALISED, _BAD_VALUE or _BUSY.
///
/// Any thread; an interrupt with lock callbacks that mask it. The command line is hashed without the lock, which is held
/// for one look-up; with EVAGG_DISCARD_OLDEST also while as many entries leave as the text needs room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_record(
    processes: *mut evagg_processes_t,
    process: *const evagg_process_t,
    now: evagg_time_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    let result = unsafe { Live::<Process>::at(processes) }.and_then(|it| {
        // SAFETY: as above.
        let [process] = (unsafe { array(process, 1) })? else { return Err(EVAGG_ERROR_BAD_VALUE) };
        let length = process.command_line_length;
        let full_length = u32::try_from(length).map_err(|_| EVAGG_ERROR_BAD_VALUE)?;
        // SAFETY: as above.
        let command_line = unsafe { array(process.command_line.cast::<u8>(), length) }?;
        let identity = Identity {
            full_length,
            hash: Process::hash_command_line(it.seed(), command_line),
            user_id: process.user_id,
            process_id: process.process_id,
            parent_process_id: process.parent_process_id,
        };
        Ok(it.record(&Observed { identity, now }, it.kept(command_line)))
    });
    result.unwrap_or_else(|status| status)
}

/// Copies out the records of the window, oldest first, and frees their entries.
///
/// The first call closes the window; what is recorded from then on belongs to the next one. While the status is
/// EVAGG_MORE, further calls give the other pages of the same window. A page ends early when the next command line
/// does not fit in the text buffer. A buffer for one record, with one for its text, is enough to empty the cache.
///
/// @param now          When the window ends, and the next one starts; used by the call that closes it.
/// @param records      Receives up to record_count records. The caller owns them.
/// @param record_count 1 or more.
/// @param text         Receives the command lines, each with a NUL behind it. The caller owns it; the records point
///                     into it.
/// @param text_bytes   Its size, at least text_maximum + 1.
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
pub unsafe extern "C" fn evagg_processes_flush(
    processes: *mut evagg_processes_t,
    now: evagg_time_t,
    records: *mut evagg_process_record_t,
    record_count: usize,
    text: *mut c_char,
    text_bytes: usize,
    window: *mut evagg_window_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe {
        write(window, evagg_window_t::default());
        let result = Live::<Process>::at(processes).and_then(|it| {
            check_output(records, record_count, window)?;
            if text.is_null() && text_bytes != 0 {
                return Err(EVAGG_ERROR_NULL_ARGUMENT);
            }
            if text_bytes <= it.text_maximum() {
                return Err(EVAGG_ERROR_BUFFER_TOO_SMALL);
            }
            Ok(it.flush(now, records, record_count, text.cast(), text_bytes, window))
        });
        result.unwrap_or_else(|status| status)
    }
}

/// Puts records back into the current window: those of a page that could not be sent, or those of another instance.
///
/// Hits are added, first and last seen widened; the process ids are those of the record first seen. The hits count as
/// merged, and the overflow policy holds for them as for events. A record that is new here is admitted now, whenever it
/// was first seen. Merging is commutative and associative as long as nothing overflows; for truncated command lines,
/// between instances of the same hash_seed and text_maximum.
///
/// @param records      As flush gave them, the text too; read during this call only.
/// @param record_count 0 ignores the pointer.
/// @return EVAGG_OK, also when some were rejected, as the window's accounting says. EVAGG_ERROR_NULL_ARGUMENT,
///         _MISALIGNED, _NOT_INITIALISED, _BAD_VALUE (one of the records is not valid) or _BUSY, and none is merged.
///
/// Any thread; interrupts as the lock allows. Also while aggregation is off. The lock is held for one record at a time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_merge(
    processes: *mut evagg_processes_t,
    records: *const evagg_process_record_t,
    record_count: usize,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe {
        match Live::<Process>::at(processes) {
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
pub unsafe extern "C" fn evagg_processes_due(processes: *const evagg_processes_t, now: evagg_time_t) -> evagg_status_t {
    // SAFETY: the handle is as this function's documentation asks.
    unsafe { Live::<Process>::open(processes) }.map_or_else(|status| status, |it| it.due(now))
}

/// How many processes are cached now, those of waiting pages included.
///
/// @param length Receives the number, 0 on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_length(
    processes: *const evagg_processes_t,
    length: *mut u32,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe { output(length, Live::<Process>::open(processes).map(Locked::length)) }
}

/// What happened since init.
///
/// @param statistics Receives the counts, zeros on failure.
/// @return EVAGG_OK; EVAGG_ERROR_NULL_ARGUMENT, _MISALIGNED, _NOT_INITIALISED or _BUSY.
///
/// Any thread; interrupts as the lock allows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn evagg_processes_statistics(
    processes: *const evagg_processes_t,
    statistics: *mut evagg_statistics_t,
) -> evagg_status_t {
    // SAFETY: the pointers are as this function's documentation asks.
    unsafe { output(statistics, Live::<Process>::open(processes).map(Locked::statistics)) }
}
