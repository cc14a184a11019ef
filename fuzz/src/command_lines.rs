// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes with any command lines, held against a naive model.
//!
//! The input: the configuration, then calls, each a byte that says which and what it needs.

use std::collections::{HashMap, VecDeque};
use std::ptr::null_mut;

use evagg::ffi::config::*;
use evagg::ffi::processes::*;
use evagg::ffi::status::*;
use evagg::ffi::window::*;

use crate::{Input, Storage, counts};

/// Times are those of a clock that does not wrap; the library sees their lower halves.
#[derive(Clone, Debug)]
struct Entry {
    command_line: Vec<u8>,
    user_id: u32,
    /// Process and parent.
    ids: (u32, u32),
    hits: u32,
    first_seen: i64,
    last_seen: i64,
}

impl Entry {
    fn is_same(&self, other: &Self) -> bool {
        self.user_id == other.user_id && self.command_line == other.command_line
    }

    fn kept(&self, text_maximum: usize) -> &[u8] {
        &self.command_line[..self.command_line.len().min(text_maximum)]
    }

    fn add(&mut self, other: &Self) {
        if other.first_seen < self.first_seen {
            self.ids = other.ids;
        }
        self.hits += other.hits;
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

#[derive(Default)]
struct Window {
    sequence: u32,
    start: u32,
    offered: u32,
    merged: u32,
    rejected: u32,
    discarded: u32,
    flushed: u32,
    entries: VecDeque<Entry>,
}

impl Window {
    fn kept(&self) -> u32 {
        self.flushed + self.entries.iter().map(|entry| entry.hits).sum::<u32>()
    }
}

struct Model {
    capacity: usize,
    text_bytes: usize,
    text_maximum: usize,
    discards: bool,
    enabled: bool,
    current: Window,
    closed: Option<Window>,
    /// Of the windows that are complete: offered, merged, rejected, discarded.
    done: [u32; 4],
    windows: u32,
    disabled: u32,
    high_water_mark: usize,
}

impl Model {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.closed.iter().flat_map(|closed| &closed.entries).chain(&self.current.entries)
    }

    fn has_room(&self, entry: &Entry) -> bool {
        let texts: usize = self.entries().chain([entry]).map(|entry| entry.kept(self.text_maximum).len()).sum();
        self.entries().count() < self.capacity && texts <= self.text_bytes
    }

    fn count(&mut self, entry: Entry) -> evagg_status_t {
        if let Some(known) = self.current.entries.iter_mut().find(|known| known.is_same(&entry)) {
            known.add(&entry);
            return EVAGG_COUNTED;
        }
        while !self.has_room(&entry) {
            if !self.discards {
                self.current.rejected += entry.hits;
                return EVAGG_REJECTED;
            }
            let oldest = self.closed.as_mut().filter(|closed| !closed.entries.is_empty()).unwrap_or(&mut self.current);
            oldest.discarded += oldest.entries.pop_front().expect("it holds what there is no room beside").hits;
        }
        self.current.entries.push_back(entry);
        self.high_water_mark = self.high_water_mark.max(self.entries().count());
        EVAGG_FIRST
    }

    fn record(&mut self, entry: Entry) -> evagg_status_t {
        if !self.enabled {
            self.disabled += 1;
            return EVAGG_DISABLED;
        }
        self.current.offered += 1;
        self.count(entry)
    }

    fn merge(&mut self, mut entry: Entry) {
        self.current.merged += entry.hits;
        // Of two first occurrences at the same time, the lower ids.
        if let Some(known) = self.current.entries.iter_mut().find(|known| known.is_same(&entry))
            && known.first_seen == entry.first_seen
        {
            known.ids = known.ids.min(entry.ids);
            entry.ids = known.ids;
        }
        self.count(entry);
    }

    fn close(&mut self, now: u32) -> &mut Window {
        let current = &mut self.current;
        self.closed.get_or_insert_with(|| {
            let next = Window { sequence: current.sequence + 1, start: now, ..Window::default() };
            std::mem::replace(current, next)
        })
    }

    fn totals(&self) -> [u32; 4] {
        let mut totals = self.done;
        for window in self.closed.iter().chain([&self.current]) {
            let counts = [window.offered, window.merged, window.rejected, window.discarded];
            for (total, count) in totals.iter_mut().zip(counts) {
                *total += count;
            }
        }
        totals
    }
}

struct Subject {
    handle: *mut evagg_processes_t,
    _storage: Storage,
    model: Model,
    /// Of each command line that was flushed.
    hashes: HashMap<Vec<u8>, u64>,
    /// What was flushed and not merged back.
    unsent: VecDeque<(Entry, u64)>,
    clock: i64,
}

fn mask(input: &mut Input<'_>) -> u16 {
    [0xF, 0x1F, 0xFF, 0xFFF][usize::from(input.u8() & 3)]
}

impl Subject {
    fn new(input: &mut Input<'_>) -> Self {
        let capacity = u32::from(input.u8() % 12) + 1;
        let text_maximum = (input.u16() & mask(input)) + 1;
        let text_bytes = u32::from(text_maximum) + u32::from(input.u16() & mask(input));
        let overflow_policy = input.u8() % 3;
        let clock = i64::from(input.u32());
        let config = evagg_config_t {
            capacity,
            hash_seed: input.u64(),
            text_bytes,
            start: clock as u32,
            text_maximum,
            overflow_policy,
            ..evagg_config_t::default()
        };
        let mut storage = Storage::new(evagg_processes_storage_size(capacity, text_bytes));
        let mut handle = null_mut();
        // SAFETY: the storage has that size.
        let status = unsafe { evagg_processes_init(storage.start(), storage.size(), &config, &mut handle) };
        assert_eq!(status, EVAGG_OK);
        let model = Model {
            capacity: capacity as usize,
            text_bytes: text_bytes as usize,
            text_maximum: text_maximum.into(),
            discards: overflow_policy != EVAGG_REJECT_NEW,
            enabled: true,
            current: Window { start: clock as u32, ..Window::default() },
            closed: None,
            done: [0; 4],
            windows: 0,
            disabled: 0,
            high_water_mark: 0,
        };
        Self { handle, _storage: storage, model, hashes: HashMap::new(), unsent: VecDeque::new(), clock }
    }

    fn record(&mut self, command_line: &[u8], user_id: u32, process_id: u32) {
        // Where the command line ends, its allocation does.
        let copy: Box<[u8]> = command_line.into();
        let process = evagg_process_t {
            command_line: copy.as_ptr().cast(),
            command_line_length: copy.len(),
            user_id,
            process_id,
            parent_process_id: !process_id,
        };
        // SAFETY: the process lives as long as the call.
        let status = unsafe { evagg_processes_record(self.handle, &process, self.clock as u32) };
        let entry = Entry {
            command_line: command_line.into(),
            user_id,
            ids: (process_id, !process_id),
            hits: 1,
            first_seen: self.clock,
            last_seen: self.clock,
        };
        assert_eq!(status, self.model.record(entry));
    }

    fn flush(&mut self, record_count: usize, text_bytes: usize) {
        let now = self.clock as u32;
        // SAFETY: zero is a value of each of its fields.
        let mut records: Vec<evagg_process_record_t> = vec![unsafe { std::mem::zeroed() }; record_count];
        let mut text = vec![0xA5_u8; text_bytes];
        let mut window = evagg_window_t::default();
        // SAFETY: the buffers have those sizes.
        let status = unsafe {
            let (records, text) = (records.as_mut_ptr(), text.as_mut_ptr().cast());
            evagg_processes_flush(self.handle, now, records, record_count, text, text_bytes, &mut window)
        };
        let text_maximum = self.model.text_maximum;
        if record_count == 0 || text_bytes <= text_maximum {
            assert_eq!((status, window.records), (EVAGG_ERROR_BUFFER_TOO_SMALL, 0));
            assert!(text.iter().all(|byte| *byte == 0xA5));
            return;
        }
        let closed = self.model.close(now);
        let mut text_used = 0;
        let mut count = 0;
        while let Some(entry) = closed.entries.front() {
            let kept = entry.kept(text_maximum);
            if count == record_count || text_used + kept.len() >= text_bytes {
                break;
            }
            let record = &records[count];
            assert_eq!(record.command_line.cast(), text[text_used..].as_ptr());
            assert_eq!(record.command_line_length as usize, kept.len());
            assert_eq!(text[text_used..][..kept.len()], *kept);
            assert_eq!(text[text_used + kept.len()], 0);
            assert_eq!(record.full_length as usize, entry.command_line.len());
            let truncated = if entry.command_line.len() > text_maximum { EVAGG_RECORD_TRUNCATED } else { 0 };
            assert_eq!((record.flags, record.reserved), (truncated, 0));
            assert_eq!((record.user_id, record.hit_count), (entry.user_id, entry.hits));
            assert_eq!((record.process_id, record.parent_process_id), entry.ids);
            assert_eq!(
                [record.first_seen, record.last_seen],
                [entry.first_seen, entry.last_seen].map(|time| time as u32)
            );
            let hash = self.hashes.entry(entry.command_line.clone()).or_insert(record.hash);
            assert_eq!(*hash, record.hash);
            closed.flushed += entry.hits;
            text_used += kept.len() + 1;
            count += 1;
            self.unsent.extend(closed.entries.pop_front().map(|entry| (entry, record.hash)));
        }
        assert!(text[text_used..].iter().all(|byte| *byte == 0xA5));
        assert_eq!((window.records as usize, window.remaining as usize), (count, closed.entries.len()));
        assert_eq!((window.sequence, window.start), (closed.sequence, closed.start));
        assert_eq!((window.offered, window.merged), (closed.offered, closed.merged));
        assert_eq!((window.rejected, window.discarded), (closed.rejected, closed.discarded));
        assert_eq!(window.kept, closed.kept());
        assert_eq!(window.offered + window.merged, window.kept + window.rejected + window.discarded);
        assert_eq!(status, if closed.entries.is_empty() { EVAGG_OK } else { EVAGG_MORE });
        let is_complete = closed.entries.is_empty();
        assert_eq!(window.end, self.model.current.start);
        if is_complete {
            self.model.done = {
                let current = std::mem::take(&mut self.model.current);
                let totals = self.model.totals();
                self.model.current = current;
                totals
            };
            self.model.closed = None;
            self.model.windows += 1;
        }
    }

    fn merge_back(&mut self, count: usize) {
        let entries: Vec<_> = self.unsent.drain(..count.min(self.unsent.len())).collect();
        let texts: Vec<Box<[u8]>> =
            entries.iter().map(|(entry, _)| entry.kept(self.model.text_maximum).into()).collect();
        let records: Vec<_> = entries
            .iter()
            .zip(&texts)
            .map(|((entry, hash), text)| evagg_process_record_t {
                hash: *hash,
                command_line: text.as_ptr().cast(),
                command_line_length: text.len() as u32,
                full_length: entry.command_line.len() as u32,
                user_id: entry.user_id,
                process_id: entry.ids.0,
                parent_process_id: entry.ids.1,
                hit_count: entry.hits,
                first_seen: entry.first_seen as u32,
                last_seen: entry.last_seen as u32,
                flags: 0,
                reserved: 0,
            })
            .collect();
        // SAFETY: there are as many records, and their texts live as long as the call.
        assert_eq!(unsafe { evagg_processes_merge(self.handle, records.as_ptr(), records.len()) }, EVAGG_OK);
        for (entry, _) in entries {
            self.model.merge(entry);
        }
    }

    fn check(&self) {
        let (mut length, mut statistics) = (0, evagg_statistics_t::default());
        // SAFETY: the instance is live.
        unsafe {
            assert_eq!(evagg_processes_length(self.handle, &mut length), EVAGG_OK);
            assert_eq!(evagg_processes_statistics(self.handle, &mut statistics), EVAGG_OK);
        }
        let model = &self.model;
        assert_eq!(length as usize, model.entries().count());
        let [offered, merged, rejected, discarded] = model.totals().map(u64::from);
        let high_water_mark = model.high_water_mark as u64;
        let counted = offered + merged - rejected;
        let rest = [0, 0, model.disabled.into(), 0, high_water_mark, model.windows.into()];
        assert_eq!(counts(&statistics)[..5], [offered, merged, counted, rejected, discarded]);
        assert_eq!(counts(&statistics)[5..], rest);
    }
}

/// One byte over and over, with an end that tells it from others: long ones share their beginning.
fn new_command_line(input: &mut Input<'_>, text_maximum: usize) -> Vec<u8> {
    let length = usize::from(input.u16()) % (text_maximum + 40);
    let mut command_line = vec![input.u8(); length];
    let end_length = usize::from(input.u8() & 31).min(length);
    let end = input.take(end_length);
    command_line[length - end.len()..].copy_from_slice(end);
    command_line
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let mut subject = Subject::new(&mut input);
    let mut known: Vec<Vec<u8>> = vec![Vec::new()];
    let mut process_id = 0;
    while !input.is_empty() {
        let call = input.u8();
        // Times must not lie further apart than half of the clock's range, which these steps do not reach.
        subject.clock += i64::from(input.u8() as i8);
        match call & 7 {
            0..4 => {
                let command_line = if call & 7 == 0 {
                    new_command_line(&mut input, subject.model.text_maximum)
                } else {
                    let mut command_line = known[usize::from(input.u8()) % known.len()].clone();
                    if call & 7 == 1 && !command_line.is_empty() {
                        let position = usize::from(input.u16()) % command_line.len();
                        command_line[position] ^= input.u8();
                    }
                    command_line
                };
                process_id += 1;
                subject.record(&command_line, (call >> 3 & 3).into(), process_id);
                known.push(command_line);
            }
            4 => {
                let record_count = usize::from(call >> 3 & 7);
                let text_bytes = subject.model.text_maximum + usize::from(input.u8());
                subject.flush(record_count, text_bytes);
            }
            5 => subject.merge_back((call >> 3).into()),
            6 => {
                let policy = if call & 8 == 0 { EVAGG_REJECT_NEW } else { EVAGG_DISCARD_OLDEST };
                // SAFETY: the instance is live.
                let status = unsafe { evagg_processes_set_overflow_policy(subject.handle, policy) };
                assert_eq!(status, EVAGG_OK);
                subject.model.discards = policy == EVAGG_DISCARD_OLDEST;
            }
            _ => {
                let enabled = u8::from(call >> 3 & 3 != 0);
                // SAFETY: the instance is live.
                assert_eq!(unsafe { evagg_processes_set_enabled(subject.handle, enabled) }, EVAGG_OK);
                subject.model.enabled = enabled == 1;
            }
        }
        subject.check();
    }
    // What is left of two windows, a record a page.
    let (text_bytes, most) = (subject.model.text_maximum + 1, subject.model.capacity + 2);
    let pages = (0..most).take_while(|_| {
        subject.flush(1, text_bytes);
        subject.model.closed.is_some() || !subject.model.current.entries.is_empty()
    });
    assert!(pages.count() < most);
    subject.check();
    // SAFETY: the instance is live.
    assert_eq!(unsafe { evagg_processes_deinit(subject.handle) }, EVAGG_OK);
}
