// SPDX-License-Identifier: MIT OR Apache-2.0
//! Storage that a reset has left behind, whole or damaged, and what becomes of it.
//!
//! The input: a byte of which bit 0 is the kind of event and bit 1 says where the image comes from, then the
//! configuration. The image is either the rest of the input, or that of an instance that was used and then changed as
//! the input says.

use std::ffi::{c_char, c_void};
use std::ptr::null_mut;

use evagg::ffi::config::*;
use evagg::ffi::connections::*;
use evagg::ffi::processes::*;
use evagg::ffi::status::*;
use evagg::ffi::window::*;

use crate::{Input, Storage, counts};

/// A record of either kind.
#[derive(PartialEq, Eq, Debug)]
struct Flushed {
    hits: u64,
    numbers: Vec<u64>,
    text: Vec<u8>,
}

/// The functions of a kind under one name each.
trait Kind: Sized {
    type Handle;
    type Record: Clone;

    fn storage_size(config: &evagg_config_t) -> usize;
    unsafe fn init(storage: *mut c_void, bytes: usize, config: &evagg_config_t, handle: &mut *mut Self::Handle) -> i32;
    unsafe fn attach(
        storage: *mut c_void,
        bytes: usize,
        config: &evagg_config_t,
        handle: &mut *mut Self::Handle,
    ) -> i32;
    unsafe fn deinit(handle: *mut Self::Handle) -> i32;
    unsafe fn record(handle: *mut Self::Handle, input: &mut Input<'_>, now: u32) -> i32;
    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record],
        text: &mut [u8],
        window: &mut evagg_window_t,
    ) -> i32;
    unsafe fn merge(handle: *mut Self::Handle, records: &[Self::Record]) -> i32;
    unsafe fn due(handle: *mut Self::Handle, now: u32) -> i32;
    unsafe fn length(handle: *mut Self::Handle, length: &mut u32) -> i32;
    unsafe fn statistics(handle: *mut Self::Handle, statistics: &mut evagg_statistics_t) -> i32;
    unsafe fn set_overflow_policy(handle: *mut Self::Handle, policy: u8) -> i32;
    /// Fails for a record that no flush may give.
    fn check(record: &Self::Record, text: &[u8], text_maximum: u16) -> Flushed;
}

struct Connections;

impl Kind for Connections {
    type Handle = evagg_connections_t;
    type Record = evagg_connection_record_t;

    fn storage_size(config: &evagg_config_t) -> usize {
        evagg_connections_storage_size(config.capacity)
    }

    unsafe fn init(storage: *mut c_void, bytes: usize, config: &evagg_config_t, handle: &mut *mut Self::Handle) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_init(storage, bytes, config, handle) }
    }

    unsafe fn attach(
        storage: *mut c_void,
        bytes: usize,
        config: &evagg_config_t,
        handle: &mut *mut Self::Handle,
    ) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_attach(storage, bytes, config, handle) }
    }

    unsafe fn deinit(handle: *mut Self::Handle) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_deinit(handle) }
    }

    unsafe fn record(handle: *mut Self::Handle, input: &mut Input<'_>, now: u32) -> i32 {
        let what = input.u8();
        let direction = EVAGG_IN + (what & 1);
        if what & 2 == 0 {
            let mut packet = [0; 28];
            packet[0] = 0x45;
            packet[3] = 28;
            packet[9] = what >> 2;
            packet[21] = input.u8();
            // SAFETY: the packet has that length.
            return unsafe { evagg_connections_record_packet(handle, packet.as_ptr().cast(), 28, direction, now) };
        }
        let connection = evagg_connection_t {
            local_address: [what >> 5; 16],
            remote_address: [0; 16],
            local_port: input.u8().into(),
            remote_port: 443,
            protocol: 6,
            ip_version: if what & 4 == 0 { 4 } else { 6 },
        };
        // SAFETY: the connection lives as long as the call.
        unsafe { evagg_connections_record(handle, &connection, direction, 100, now) }
    }

    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record],
        _: &mut [u8],
        window: &mut evagg_window_t,
    ) -> i32 {
        // SAFETY: passed on to the caller; there is room for as many records.
        unsafe { evagg_connections_flush(handle, now, records.as_mut_ptr(), records.len(), window) }
    }

    unsafe fn merge(handle: *mut Self::Handle, records: &[Self::Record]) -> i32 {
        // SAFETY: passed on to the caller; there are as many records.
        unsafe { evagg_connections_merge(handle, records.as_ptr(), records.len()) }
    }

    unsafe fn due(handle: *mut Self::Handle, now: u32) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_due(handle, now) }
    }

    unsafe fn length(handle: *mut Self::Handle, length: &mut u32) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_length(handle, length) }
    }

    unsafe fn statistics(handle: *mut Self::Handle, statistics: &mut evagg_statistics_t) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_statistics(handle, statistics) }
    }

    unsafe fn set_overflow_policy(handle: *mut Self::Handle, policy: u8) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_connections_set_overflow_policy(handle, policy) }
    }

    fn check(record: &Self::Record, _: &[u8], _: u16) -> Flushed {
        let connection = &record.connection;
        assert!(record.hit_count >= 1);
        assert!(matches!(connection.ip_version, 4 | 6));
        assert_eq!(record.flags & !EVAGG_RECORD_SATURATED, 0);
        let addresses = [connection.local_address, connection.remote_address];
        if connection.ip_version == 4 {
            assert!(addresses.iter().all(|address| address[4..] == [0; 12]));
        }
        let numbers = [
            connection.local_port.into(),
            connection.remote_port.into(),
            connection.protocol.into(),
            connection.ip_version.into(),
            record.bytes_in,
            record.bytes_out,
            record.first_seen,
            record.last_seen,
        ];
        Flushed { hits: record.hit_count.into(), numbers: numbers.map(u64::from).to_vec(), text: addresses.concat() }
    }
}

struct Processes;

impl Kind for Processes {
    type Handle = evagg_processes_t;
    type Record = evagg_process_record_t;

    fn storage_size(config: &evagg_config_t) -> usize {
        evagg_processes_storage_size(config.capacity, config.text_bytes)
    }

    unsafe fn init(storage: *mut c_void, bytes: usize, config: &evagg_config_t, handle: &mut *mut Self::Handle) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_init(storage, bytes, config, handle) }
    }

    unsafe fn attach(
        storage: *mut c_void,
        bytes: usize,
        config: &evagg_config_t,
        handle: &mut *mut Self::Handle,
    ) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_attach(storage, bytes, config, handle) }
    }

    unsafe fn deinit(handle: *mut Self::Handle) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_deinit(handle) }
    }

    unsafe fn record(handle: *mut Self::Handle, input: &mut Input<'_>, now: u32) -> i32 {
        let what = input.u8();
        let command_line = vec![b'a' + (what & 3); (what >> 2).into()];
        let process = evagg_process_t {
            command_line: command_line.as_ptr().cast(),
            command_line_length: command_line.len(),
            user_id: (input.u8() & 3).into(),
            process_id: now,
            parent_process_id: 1,
        };
        // SAFETY: passed on to the caller; the process lives as long as the call.
        unsafe { evagg_processes_record(handle, &process, now) }
    }

    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record],
        text: &mut [u8],
        window: &mut evagg_window_t,
    ) -> i32 {
        let (text, text_bytes) = (text.as_mut_ptr().cast::<c_char>(), text.len());
        // SAFETY: passed on to the caller; there is room for as many records and bytes.
        unsafe { evagg_processes_flush(handle, now, records.as_mut_ptr(), records.len(), text, text_bytes, window) }
    }

    unsafe fn merge(handle: *mut Self::Handle, records: &[Self::Record]) -> i32 {
        // SAFETY: passed on to the caller; there are as many records.
        unsafe { evagg_processes_merge(handle, records.as_ptr(), records.len()) }
    }

    unsafe fn due(handle: *mut Self::Handle, now: u32) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_due(handle, now) }
    }

    unsafe fn length(handle: *mut Self::Handle, length: &mut u32) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_length(handle, length) }
    }

    unsafe fn statistics(handle: *mut Self::Handle, statistics: &mut evagg_statistics_t) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_statistics(handle, statistics) }
    }

    unsafe fn set_overflow_policy(handle: *mut Self::Handle, policy: u8) -> i32 {
        // SAFETY: passed on to the caller.
        unsafe { evagg_processes_set_overflow_policy(handle, policy) }
    }

    fn check(record: &Self::Record, text: &[u8], text_maximum: u16) -> Flushed {
        let start = record.command_line.addr().checked_sub(text.as_ptr().addr()).expect("it is in the buffer");
        let length = record.command_line_length as usize;
        let kept = &text[start..][..length];
        assert_eq!(text[start + length], 0);
        assert!(record.hit_count >= 1);
        assert!(record.command_line_length <= record.full_length && length <= text_maximum.into());
        let truncated = if record.command_line_length < record.full_length { EVAGG_RECORD_TRUNCATED } else { 0 };
        assert_eq!((record.flags & !EVAGG_RECORD_SATURATED, record.reserved), (truncated, 0));
        let numbers = [
            record.full_length,
            record.user_id,
            record.process_id,
            record.parent_process_id,
            record.first_seen,
            record.last_seen,
        ];
        let mut numbers = numbers.map(u64::from).to_vec();
        numbers.push(record.hash);
        Flushed { hits: record.hit_count.into(), numbers, text: kept.to_vec() }
    }
}

fn read_config(input: &mut Input<'_>) -> evagg_config_t {
    let text_maximum = u16::from(input.u8() & 31) + 1;
    evagg_config_t {
        capacity: u32::from(input.u8() & 7) + 1,
        text_bytes: u32::from(text_maximum) + u32::from(input.u8() & 63),
        text_maximum,
        overflow_policy: input.u8() % 3,
        start: input.u8().into(),
        interval: input.u8().into(),
        hash_seed: input.u8().into(),
        ..evagg_config_t::default()
    }
}

/// A live instance, used and left as a reset would leave it between two calls.
fn use_one<K: Kind>(storage: &mut Storage, config: &evagg_config_t, calls: &[u8]) -> *mut K::Handle {
    let mut handle = null_mut();
    let mut input = Input(calls);
    // SAFETY: the storage has that size.
    unsafe {
        assert_eq!(K::init(storage.start(), storage.size(), config, &mut handle), EVAGG_OK);
        let mut now = config.start;
        while !input.is_empty() {
            now += 1;
            if input.u8() & 7 == 0 {
                flush_page::<K>(handle, config, now);
            } else {
                assert!(K::record(handle, &mut input, now) >= 0);
            }
        }
    }
    handle
}

struct Page<R> {
    status: evagg_status_t,
    window: evagg_window_t,
    records: Vec<R>,
    flushed: Vec<Flushed>,
    /// What the records point to.
    _text: Box<[u8]>,
}

fn flush_page<K: Kind>(handle: *mut K::Handle, config: &evagg_config_t, now: u32) -> Page<K::Record> {
    // SAFETY: zero is a value of each field of either record.
    let mut records = vec![unsafe { std::mem::zeroed::<K::Record>() }; 1];
    let mut text = vec![0xA5_u8; usize::from(config.text_maximum) + 1].into_boxed_slice();
    let mut window = evagg_window_t::default();
    // SAFETY: the instance is live.
    let status = unsafe { K::flush(handle, now, &mut records, &mut text, &mut window) };
    assert!(matches!(status, EVAGG_OK | EVAGG_MORE));
    records.truncate(window.records as usize);
    let flushed = records.iter().map(|record| K::check(record, &text, config.text_maximum)).collect();
    Page { status, window, records, flushed, _text: text }
}

/// All records of the window that waits and of the current one, with what merges them back if `merges`.
fn flush_all<K: Kind>(handle: *mut K::Handle, config: &evagg_config_t, now: u32, merges: bool) -> Vec<Flushed> {
    let mut all = Vec::new();
    for is_waiting in [true, false] {
        let mut hits = 0;
        // Every page but the last has a record.
        let most = config.capacity + 1;
        let mut pages = 0;
        loop {
            pages += 1;
            assert!(pages <= most, "the flush does not end");
            let page = flush_page::<K>(handle, config, now);
            hits += page.flushed.iter().map(|flushed| flushed.hits).sum::<u64>();
            all.extend(page.flushed);
            if merges {
                // SAFETY: the instance is live, and the text that the records point to is in the page.
                assert_eq!(unsafe { K::merge(handle, &page.records) }, EVAGG_OK);
            }
            if page.status == EVAGG_OK {
                let window = &page.window;
                let counts = [window.offered, window.merged, window.rejected, window.discarded];
                // Of a window that waits, pages may be gone already. What is saturated does not add up.
                let adds_up = hits == window.kept.into() || (is_waiting && hits < window.kept.into());
                assert!(adds_up || counts.contains(&u32::MAX));
                break;
            }
        }
    }
    all
}

fn statistics<K: Kind>(handle: *mut K::Handle) -> evagg_statistics_t {
    let mut statistics = evagg_statistics_t::default();
    // SAFETY: the instance is live.
    assert_eq!(unsafe { K::statistics(handle, &mut statistics) }, EVAGG_OK);
    statistics
}

/// Whatever the storage held, an instance that was attached does what instances do.
fn check_accepted<K: Kind>(handle: *mut K::Handle, config: &evagg_config_t, input: &mut Input<'_>) {
    let now = 1000;
    let ask = || {
        let mut length = 0;
        // SAFETY: the instance is live.
        unsafe {
            assert!(matches!(K::due(handle, now), EVAGG_OK | EVAGG_DUE));
            assert_eq!(K::length(handle, &mut length), EVAGG_OK);
        }
        statistics::<K>(handle);
        assert!(length <= config.capacity);
    };
    let record = |input: &mut Input<'_>| {
        for policy in [EVAGG_REJECT_NEW, EVAGG_DISCARD_OLDEST] {
            // SAFETY: the instance is live.
            unsafe {
                assert_eq!(K::set_overflow_policy(handle, policy), EVAGG_OK);
                for _ in 0..config.capacity {
                    assert!(K::record(handle, input, now) >= 0);
                }
            }
        }
    };
    ask();
    if input.u8() & 1 == 0 {
        record(input);
    }
    ask();
    flush_all::<K>(handle, config, now, true);
    ask();
    record(input);
    flush_all::<K>(handle, config, now, false);
    let mut length = 1;
    // SAFETY: the instance is live.
    unsafe {
        assert_eq!((K::length(handle, &mut length), length), (EVAGG_OK, 0));
        ask();
        assert_eq!(K::deinit(handle), EVAGG_OK);
    }
}

/// Attaches the image; a handle if that was accepted.
fn attach<K: Kind>(storage: &mut Storage, config: &evagg_config_t) -> Option<*mut K::Handle> {
    let image = storage.image();
    let mut handle = storage.start().cast();
    // SAFETY: the storage has that size.
    let status = unsafe { K::attach(storage.start(), storage.size(), config, &mut handle) };
    if status < 0 {
        assert!(handle.is_null());
        assert!(storage.image() == image, "a refusal has changed the storage");
        return None;
    }
    assert_eq!(status, EVAGG_OK);
    assert_eq!(handle.cast(), storage.start());
    Some(handle)
}

fn run_kind<K: Kind>(input: &mut Input<'_>, is_made_up: bool) {
    let config = read_config(input);
    if is_made_up {
        let calls = input.take(8);
        let mut storage = Storage::holding(input.take(usize::MAX));
        if let Some(handle) = attach::<K>(&mut storage, &config) {
            check_accepted::<K>(handle, &config, &mut Input(calls));
        }
        return;
    }
    let choices = input.u8();
    let call_bytes = usize::from(input.u8());
    let calls = input.take(call_bytes);
    let mut storage = Storage::new(K::storage_size(&config));
    use_one::<K>(&mut storage, &config, calls);

    let mut image = storage.image();
    let mut is_changed = false;
    for _ in 0..choices & 15 {
        let (position, change) = (usize::from(input.u16()) % image.len(), input.u8());
        image[position] ^= change;
        is_changed |= change != 0;
    }
    // It may be attached for other sizes, or in another place.
    let has_other_config = choices & 16 != 0;
    let other_config = if has_other_config { read_config(input) } else { config };
    let mut storage = if choices & 32 == 0 {
        // SAFETY: the image is as long as the storage, and no call is under way.
        unsafe { storage.start().cast::<u8>().copy_from_nonoverlapping(image.as_ptr(), image.len()) };
        storage
    } else {
        Storage::holding(&image)
    };
    let attached = attach::<K>(&mut storage, &other_config);
    if is_changed || has_other_config {
        if let Some(handle) = attached {
            check_accepted::<K>(handle, &other_config, input);
        }
        return;
    }
    let handle = attached.expect("nothing is wrong with the storage");
    let mut twin_storage = Storage::new(K::storage_size(&config));
    let twin = use_one::<K>(&mut twin_storage, &config, calls);
    let (statistics, twin_statistics) = (statistics::<K>(handle), statistics::<K>(twin));
    assert_eq!((statistics.recoveries, twin_statistics.recoveries), (1, 0));
    assert_eq!(counts(&statistics), counts(&twin_statistics));
    assert_eq!(flush_all::<K>(handle, &config, 500, false), flush_all::<K>(twin, &config, 500, false));
    check_accepted::<K>(handle, &config, input);
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mode = input.u8();
    let is_made_up = mode & 2 != 0;
    if mode & 1 == 0 {
        run_kind::<Connections>(&mut input, is_made_up);
    } else {
        run_kind::<Processes>(&mut input, is_made_up);
    }
}
