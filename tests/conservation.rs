// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random sequences of calls, held against a naive model: in every window, events offered and hits merged are those
//! kept, rejected and discarded, and the records are exactly the model's.

#![expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "the calls of the C interface, on memory that the test owns"
)]
#![expect(clippy::borrow_as_ptr, clippy::cast_possible_truncation, reason = "a test")]

use std::collections::VecDeque;
use std::ptr::{null, null_mut};

use evagg::ffi::config::*;
use evagg::ffi::connections::*;
use evagg::ffi::processes::*;
use evagg::ffi::status::*;
use evagg::ffi::window::*;
use proptest::prelude::*;

const KEYS: u32 = 8;
const TEXT_MAXIMUM: usize = 6;
const TEXT_BYTES: usize = 16;

#[derive(Clone, Debug)]
enum Call {
    Record(u32),
    FlushPage(usize),
    MergeBack(usize),
    SetPolicy(u8),
    SetEnabled(u8),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        12 => (0..KEYS).prop_map(Call::Record),
        3 => (1..4_usize).prop_map(Call::FlushPage),
        2 => (0..4_usize).prop_map(Call::MergeBack),
        1 => (EVAGG_REJECT_NEW..=EVAGG_DISCARD_OLDEST).prop_map(Call::SetPolicy),
        1 => (0..2_u8).prop_map(Call::SetEnabled),
    ];
    prop::collection::vec(call, 0..120)
}

/// What a record says, whatever its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Record {
    key: u32,
    hits: u32,
    first_seen: u32,
    last_seen: u32,
}

/// One of the two handles, with keys numbered 0 to 7.
trait Subject {
    /// Bytes of text that an entry of the key takes.
    fn text_length(key: u32) -> usize;
    fn new(capacity: u32) -> Self;
    fn record(&mut self, key: u32, now: u32) -> evagg_status_t;
    fn flush(&mut self, now: u32, count: usize) -> (evagg_status_t, Vec<Record>, evagg_window_t);
    fn merge(&mut self, records: &[Record]) -> evagg_status_t;
    fn set_policy(&mut self, policy: u8) -> evagg_status_t;
    fn set_enabled(&mut self, enabled: u8) -> evagg_status_t;
    fn length(&self) -> u32;
    fn statistics(&self) -> evagg_statistics_t;
}

fn config(capacity: u32) -> evagg_config_t {
    evagg_config_t {
        size: size_of::<evagg_config_t>() as u16,
        abi_version: EVAGG_ABI_VERSION,
        capacity,
        hash_seed: 42,
        text_bytes: TEXT_BYTES as u32,
        start: 0,
        interval: 0,
        text_maximum: TEXT_MAXIMUM as u16,
        overflow_policy: EVAGG_REJECT_NEW,
        lock: EVAGG_LOCK_DEFAULT,
        warning_delivery: EVAGG_WARN_AT_ONCE,
        reserved: [0; 7],
        acquire: None,
        release: None,
        lock_context: null_mut(),
    }
}

struct Connections {
    handle: *mut evagg_connections_t,
    _storage: Vec<u64>,
}

fn connection(key: u32) -> evagg_connection_t {
    let mut local_address = [0; 16];
    local_address[15] = 1;
    evagg_connection_t {
        local_address,
        remote_address: [9; 16],
        local_port: key as u16,
        remote_port: 443,
        protocol: 6,
        ip_version: 6,
    }
}

impl Subject for Connections {
    fn text_length(_: u32) -> usize {
        0
    }

    fn new(capacity: u32) -> Self {
        let bytes = evagg_connections_storage_size(capacity);
        let mut storage = vec![0xAAAA_u64; bytes.div_ceil(8)];
        let mut handle = null_mut();
        let status =
            unsafe { evagg_connections_init(storage.as_mut_ptr().cast(), bytes, &config(capacity), &mut handle) };
        assert_eq!(status, EVAGG_OK);
        Self { handle, _storage: storage }
    }

    fn record(&mut self, key: u32, now: u32) -> evagg_status_t {
        unsafe { evagg_connections_record(self.handle, &connection(key), EVAGG_IN, 1, now) }
    }

    fn flush(&mut self, now: u32, count: usize) -> (evagg_status_t, Vec<Record>, evagg_window_t) {
        let empty = evagg_connection_record_t {
            connection: connection(0),
            flags: 0,
            hit_count: 0,
            bytes_in: 0,
            bytes_out: 0,
            first_seen: 0,
            last_seen: 0,
        };
        let mut records = vec![empty; count];
        let mut window = evagg_window_t::default();
        let status = unsafe { evagg_connections_flush(self.handle, now, records.as_mut_ptr(), count, &mut window) };
        let records = records.iter().take(window.records as usize).map(|record| {
            assert_eq!((record.bytes_in, record.bytes_out), (record.hit_count, 0));
            Record {
                key: record.connection.local_port.into(),
                hits: record.hit_count,
                first_seen: record.first_seen,
                last_seen: record.last_seen,
            }
        });
        (status, records.collect(), window)
    }

    fn merge(&mut self, records: &[Record]) -> evagg_status_t {
        let records: Vec<_> = records
            .iter()
            .map(|record| evagg_connection_record_t {
                connection: connection(record.key),
                flags: 0,
                hit_count: record.hits,
                bytes_in: record.hits,
                bytes_out: 0,
                first_seen: record.first_seen,
                last_seen: record.last_seen,
            })
            .collect();
        unsafe { evagg_connections_merge(self.handle, records.as_ptr(), records.len()) }
    }

    fn set_policy(&mut self, policy: u8) -> evagg_status_t {
        unsafe { evagg_connections_set_overflow_policy(self.handle, policy) }
    }

    fn set_enabled(&mut self, enabled: u8) -> evagg_status_t {
        unsafe { evagg_connections_set_enabled(self.handle, enabled) }
    }

    fn length(&self) -> u32 {
        let mut length = 0;
        assert_eq!(unsafe { evagg_connections_length(self.handle, &mut length) }, EVAGG_OK);
        length
    }

    fn statistics(&self) -> evagg_statistics_t {
        let mut statistics = evagg_statistics_t::default();
        assert_eq!(unsafe { evagg_connections_statistics(self.handle, &mut statistics) }, EVAGG_OK);
        statistics
    }
}

struct Processes {
    handle: *mut evagg_processes_t,
    _storage: Vec<u64>,
    /// Hash and kept text of each key, as a flush gave them.
    flushed: Vec<Option<(u64, Vec<u8>)>>,
}

/// Lengths from 0 to 9, so that some are kept whole and some are not; of the long ones only the last byte differs.
fn command_line(key: u32) -> Vec<u8> {
    const LENGTHS: [usize; KEYS as usize] = [0, 1, 5, 6, 7, 9, 9, 9];
    let mut text = vec![b'x'; LENGTHS[key as usize]];
    if let Some(last) = text.last_mut() {
        *last = b'0' + key as u8;
    }
    text
}

impl Subject for Processes {
    fn text_length(key: u32) -> usize {
        command_line(key).len().min(TEXT_MAXIMUM)
    }

    fn new(capacity: u32) -> Self {
        let bytes = evagg_processes_storage_size(capacity, TEXT_BYTES as u32);
        let mut storage = vec![0xAAAA_u64; bytes.div_ceil(8)];
        let mut handle = null_mut();
        let status =
            unsafe { evagg_processes_init(storage.as_mut_ptr().cast(), bytes, &config(capacity), &mut handle) };
        assert_eq!(status, EVAGG_OK);
        Self { handle, _storage: storage, flushed: vec![None; KEYS as usize] }
    }

    fn record(&mut self, key: u32, now: u32) -> evagg_status_t {
        let command_line = command_line(key);
        let process = evagg_process_t {
            command_line: if command_line.is_empty() { null() } else { command_line.as_ptr().cast() },
            command_line_length: command_line.len(),
            user_id: 1000,
            process_id: key,
            parent_process_id: 1,
        };
        unsafe { evagg_processes_record(self.handle, &process, now) }
    }

    fn flush(&mut self, now: u32, count: usize) -> (evagg_status_t, Vec<Record>, evagg_window_t) {
        let empty = evagg_process_record_t {
            hash: 0,
            command_line: null(),
            command_line_length: 0,
            full_length: 0,
            user_id: 0,
            process_id: 0,
            parent_process_id: 0,
            hit_count: 0,
            first_seen: 0,
            last_seen: 0,
            flags: 0,
            reserved: 0,
        };
        let mut records = vec![empty; count];
        let mut text = vec![0_u8; count * (TEXT_MAXIMUM + 1)];
        let mut window = evagg_window_t::default();
        let status = unsafe {
            let text = (text.as_mut_ptr().cast(), text.len());
            evagg_processes_flush(self.handle, now, records.as_mut_ptr(), count, text.0, text.1, &mut window)
        };
        let records = records.iter().take(window.records as usize).map(|record| {
            let key = record.process_id;
            let kept = unsafe {
                std::slice::from_raw_parts(record.command_line.cast::<u8>(), record.command_line_length as usize + 1)
            };
            let whole = command_line(key);
            assert_eq!(record.full_length as usize, whole.len());
            assert_eq!(kept.split_last(), Some((&0, &whole[..Self::text_length(key)])));
            assert_eq!(record.flags == EVAGG_RECORD_TRUNCATED, whole.len() > TEXT_MAXIMUM);
            self.flushed[key as usize] = Some((record.hash, whole[..Self::text_length(key)].to_vec()));
            Record { key, hits: record.hit_count, first_seen: record.first_seen, last_seen: record.last_seen }
        });
        (status, records.collect(), window)
    }

    fn merge(&mut self, records: &[Record]) -> evagg_status_t {
        let records: Vec<_> = records
            .iter()
            .map(|record| {
                let (hash, text) = self.flushed[record.key as usize].as_ref().expect("it was flushed");
                evagg_process_record_t {
                    hash: *hash,
                    command_line: text.as_ptr().cast(),
                    command_line_length: text.len() as u32,
                    full_length: command_line(record.key).len() as u32,
                    user_id: 1000,
                    process_id: record.key,
                    parent_process_id: 1,
                    hit_count: record.hits,
                    first_seen: record.first_seen,
                    last_seen: record.last_seen,
                    flags: 0,
                    reserved: 0,
                }
            })
            .collect();
        unsafe { evagg_processes_merge(self.handle, records.as_ptr(), records.len()) }
    }

    fn set_policy(&mut self, policy: u8) -> evagg_status_t {
        unsafe { evagg_processes_set_overflow_policy(self.handle, policy) }
    }

    fn set_enabled(&mut self, enabled: u8) -> evagg_status_t {
        unsafe { evagg_processes_set_enabled(self.handle, enabled) }
    }

    fn length(&self) -> u32 {
        let mut length = 0;
        assert_eq!(unsafe { evagg_processes_length(self.handle, &mut length) }, EVAGG_OK);
        length
    }

    fn statistics(&self) -> evagg_statistics_t {
        let mut statistics = evagg_statistics_t::default();
        assert_eq!(unsafe { evagg_processes_statistics(self.handle, &mut statistics) }, EVAGG_OK);
        statistics
    }
}

#[derive(Default)]
struct ModelWindow {
    start: u32,
    offered: u32,
    merged: u32,
    rejected: u32,
    discarded: u32,
    flushed: u32,
    entries: VecDeque<Record>,
}

struct Model {
    capacity: usize,
    text_bytes: usize,
    text_length: fn(u32) -> usize,
    discards: bool,
    enabled: bool,
    disabled: u32,
    high_water: usize,
    sequence: u32,
    current: ModelWindow,
    closed: Option<ModelWindow>,
    done: ModelWindow,
}

impl Model {
    fn length(&self) -> usize {
        self.current.entries.len() + self.closed.as_ref().map_or(0, |closed| closed.entries.len())
    }

    fn has_room(&self, key: u32) -> bool {
        let closed = self.closed.iter().flat_map(|closed| &closed.entries);
        let used: usize = self.current.entries.iter().chain(closed).map(|entry| (self.text_length)(entry.key)).sum();
        self.length() < self.capacity && used + (self.text_length)(key) <= self.text_bytes
    }

    fn count(&mut self, record: Record) -> evagg_status_t {
        if let Some(entry) = self.current.entries.iter_mut().find(|entry| entry.key == record.key) {
            entry.hits += record.hits;
            entry.first_seen = entry.first_seen.min(record.first_seen);
            entry.last_seen = entry.last_seen.max(record.last_seen);
            return EVAGG_COUNTED;
        }
        while !self.has_room(record.key) {
            if !self.discards {
                self.current.rejected += record.hits;
                return EVAGG_REJECTED;
            }
            let window = match &mut self.closed {
                Some(closed) if !closed.entries.is_empty() => closed,
                _ => &mut self.current,
            };
            window.discarded += window.entries.pop_front().expect("a full cache holds something").hits;
        }
        self.current.entries.push_back(record);
        self.high_water = self.high_water.max(self.length());
        EVAGG_FIRST
    }

    fn record(&mut self, key: u32, now: u32) -> evagg_status_t {
        if !self.enabled {
            self.disabled += 1;
            return EVAGG_DISABLED;
        }
        self.current.offered += 1;
        self.count(Record { key, hits: 1, first_seen: now, last_seen: now })
    }

    fn flush(&mut self, now: u32, count: usize) -> (evagg_status_t, Vec<Record>) {
        if self.closed.is_none() {
            self.closed = Some(std::mem::replace(&mut self.current, ModelWindow { start: now, ..Default::default() }));
            self.sequence += 1;
        }
        let closed = self.closed.as_mut().expect("it was just made");
        let page: Vec<_> = closed.entries.drain(..count.min(closed.entries.len())).collect();
        closed.flushed += page.iter().map(|record| record.hits).sum::<u32>();
        (if closed.entries.is_empty() { EVAGG_OK } else { EVAGG_MORE }, page)
    }
}

fn check<S: Subject>(capacity: u32, text_bytes: usize, calls: &[Call]) {
    let mut subject = S::new(capacity);
    let mut model = Model {
        capacity: capacity as usize,
        text_bytes,
        text_length: S::text_length,
        discards: false,
        enabled: true,
        disabled: 0,
        high_water: 0,
        sequence: 0,
        current: ModelWindow::default(),
        closed: None,
        done: ModelWindow::default(),
    };
    let mut unsent: Vec<Record> = Vec::new();
    for (index, call) in calls.iter().enumerate() {
        let now = index as u32 + 1;
        match *call {
            Call::Record(key) => assert_eq!(subject.record(key, now), model.record(key, now)),
            Call::FlushPage(count) => {
                let (status, page, window) = subject.flush(now, count);
                assert_eq!((status, page.clone()), model.flush(now, count));
                let closed = model.closed.as_ref().expect("the model has closed it too");
                let kept: u32 = closed.flushed + closed.entries.iter().map(|record| record.hits).sum::<u32>();
                assert_eq!(closed.offered + closed.merged, kept + closed.rejected + closed.discarded);
                assert_eq!(
                    (window.offered, window.merged, window.kept, window.rejected, window.discarded),
                    (closed.offered, closed.merged, kept, closed.rejected, closed.discarded)
                );
                assert_eq!(
                    (window.sequence, window.start, window.end, window.remaining as usize),
                    (model.sequence - 1, closed.start, model.current.start, closed.entries.len())
                );
                if status == EVAGG_OK {
                    let closed = model.closed.take().expect("as above");
                    model.done.offered += closed.offered;
                    model.done.merged += closed.merged;
                    model.done.rejected += closed.rejected;
                    model.done.discarded += closed.discarded;
                }
                unsent.extend(page);
            }
            Call::MergeBack(count) => {
                let back: Vec<_> = unsent.drain(..count.min(unsent.len())).collect();
                assert_eq!(subject.merge(&back), EVAGG_OK);
                for record in back {
                    model.current.merged += record.hits;
                    model.count(record);
                }
            }
            Call::SetPolicy(policy) => {
                assert_eq!(subject.set_policy(policy), EVAGG_OK);
                model.discards = policy == EVAGG_DISCARD_OLDEST;
            }
            Call::SetEnabled(enabled) => {
                assert_eq!(subject.set_enabled(enabled), EVAGG_OK);
                model.enabled = enabled == 1;
            }
        }
        assert_eq!(subject.length() as usize, model.length());
        let statistics = subject.statistics();
        let sum = |count: fn(&ModelWindow) -> u32| {
            u64::from(count(&model.done) + count(&model.current) + model.closed.as_ref().map_or(0, count))
        };
        assert_eq!(statistics.offered, sum(|window| window.offered));
        assert_eq!(statistics.merged, sum(|window| window.merged));
        assert_eq!(statistics.rejected, sum(|window| window.rejected));
        assert_eq!(statistics.discarded, sum(|window| window.discarded));
        assert_eq!(statistics.counted, statistics.offered + statistics.merged - statistics.rejected);
        assert_eq!((statistics.disabled, statistics.high_water_mark as usize), (model.disabled, model.high_water));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn connections_are_conserved(capacity in 1..7_u32, calls in calls()) {
        check::<Connections>(capacity, 0, &calls);
    }

    #[test]
    fn processes_are_conserved(capacity in 1..7_u32, calls in calls()) {
        check::<Processes>(capacity, TEXT_BYTES, &calls);
    }
}
