// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the library promises, as lists and loops.

use std::collections::VecDeque;
use std::mem::take;

use evagg::ffi::config::EVAGG_DISCARD_OLDEST;
use evagg::ffi::status::*;
use evagg::ffi::window::*;

use super::call::{Attach, Config};
use super::warnings::Expected;

/// What a record says, whatever its kind. What a kind does not have is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    pub key: u8,
    pub hits: u32,
    /// In and out.
    pub bytes: [u32; 2],
    pub first_seen: i64,
    pub last_seen: i64,
    /// Process and parent.
    pub ids: (u32, u32),
    pub flags: u16,
}

impl Record {
    fn add(&mut self, other: &Self, is_merge: bool) {
        if other.first_seen < self.first_seen
            || (is_merge && other.first_seen == self.first_seen && other.ids < self.ids)
        {
            self.ids = other.ids;
        }
        self.hits = self.hits.saturating_add(other.hits);
        for side in 0..2 {
            self.bytes[side] = self.bytes[side].saturating_add(other.bytes[side]);
        }
        self.first_seen = self.first_seen.min(other.first_seen);
        self.last_seen = self.last_seen.max(other.last_seen);
    }
}

/// What the model has to know of a kind.
#[derive(Clone, Copy)]
pub struct Kind {
    pub noun: &'static str,
    pub has_text: bool,
    pub discards_by_default: bool,
    /// Bytes of the whole text of a key.
    pub text_length: fn(u8) -> usize,
}

#[derive(Clone, Copy)]
struct FirstLoss {
    of_text: bool,
    is_rejected: bool,
}

#[derive(Clone, Default)]
struct Window {
    sequence: u32,
    start: i64,
    offered: u64,
    merged: u64,
    rejected: u64,
    discarded: u64,
    flushed: u64,
    /// A hit count stands at its maximum, so that sums of hits say nothing.
    is_saturated: bool,
    entries: VecDeque<Record>,
    /// Keys that were offered for admission.
    sought: Vec<u8>,
    first_loss: Option<FirstLoss>,
    owes_first: bool,
    owes_losses: bool,
    short_of_text: bool,
    short_of_entries: bool,
    /// The most entries that the other window held when this one lost something.
    crowding: usize,
}

fn saturated(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Window {
    fn lost(&self) -> u32 {
        saturated(self.rejected + self.discarded)
    }

    fn kept(&self) -> u32 {
        let waiting: u64 = self.entries.iter().map(|entry| u64::from(entry.hits)).sum();
        let counts = [self.offered, self.merged, self.rejected, self.discarded];
        if self.is_saturated || counts.iter().any(|count| *count > u64::from(u32::MAX)) {
            let [offered, merged, rejected, discarded] = counts.map(saturated).map(u64::from);
            return saturated((offered + merged).saturating_sub(rejected + discarded));
        }
        let kept = self.flushed + waiting;
        assert_eq!(self.offered + self.merged, kept + self.rejected + self.discarded, "the model itself");
        saturated(kept)
    }

    fn lose(&mut self, hits: u32, is_rejected: bool, of_text: bool) {
        if self.first_loss.is_none() {
            self.first_loss = Some(FirstLoss { of_text, is_rejected });
            self.owes_first = true;
        }
        self.short_of_text |= of_text;
        self.short_of_entries |= !of_text;
        *(if is_rejected { &mut self.rejected } else { &mut self.discarded }) += u64::from(hits);
    }

    fn take_warnings(&mut self, said: &mut Vec<Expected>) {
        let Some(first) = self.first_loss else { return };
        let expected = Expected {
            window: self.sequence,
            lost: self.lost(),
            is_first: true,
            of_text: first.of_text,
            rejected: first.is_rejected,
            discarded: !first.is_rejected,
            short_of_text: self.short_of_text,
            short_of_entries: self.short_of_entries,
            distinct: self.sought.len() as u32,
            crowding: self.crowding as u32,
        };
        if take(&mut self.owes_first) {
            said.push(expected);
        }
        if take(&mut self.owes_losses) {
            said.push(Expected {
                is_first: false,
                of_text: !self.short_of_entries,
                rejected: self.rejected > 0,
                discarded: self.discarded > 0,
                ..expected
            });
        }
    }
}

#[derive(Clone)]
pub struct Model {
    config: Config,
    kind: Kind,
    discards: bool,
    enabled: bool,
    listening: bool,
    current: Window,
    /// Closed, and not flushed to its end.
    waiting: Option<Window>,
    /// Flushed to its end, until the next one closes: it may still owe warnings.
    complete: Window,
    /// Offered, merged, rejected, discarded of complete windows.
    totals: [u64; 4],
    malformed: u32,
    ignored: u32,
    disabled: u32,
    high_water: usize,
    windows: u32,
    recoveries: u16,
    /// Warnings given since they were last looked at.
    pub said: Vec<Expected>,
}

impl Model {
    pub fn new(config: Config, kind: Kind) -> Self {
        Self {
            config,
            kind,
            discards: discards(&config, &kind),
            enabled: true,
            listening: false,
            current: Window::default(),
            waiting: None,
            complete: Window::default(),
            totals: [0; 4],
            malformed: 0,
            ignored: 0,
            disabled: 0,
            high_water: 0,
            windows: 0,
            recoveries: 0,
            said: Vec::new(),
        }
    }

    /// At that time, which is the present one.
    pub fn attach(&mut self, attach: &Attach, start: u32) {
        self.config = self.config.attached(attach);
        self.discards = discards(&self.config, &self.kind);
        self.enabled = true;
        self.listening = false;
        let elapsed = start.wrapping_sub(self.config.tick(self.current.start)).cast_signed();
        self.current.start += i64::from(elapsed.min(0));
        self.recoveries = self.recoveries.saturating_add(1);
    }

    pub fn set_policy(&mut self, policy: u8) {
        self.discards = policy == EVAGG_DISCARD_OLDEST;
    }

    pub fn discards(&self) -> bool {
        self.discards
    }

    pub fn warns_at_flush(&self) -> bool {
        self.config.warns_at_flush
    }

    pub fn set_enabled(&mut self, enabled: bool) {
        self.enabled = enabled;
    }

    pub fn listen(&mut self, listening: bool) {
        self.listening = listening;
    }

    pub fn is_listening(&self) -> bool {
        self.listening
    }

    pub fn kept_text(&self, key: u8) -> usize {
        (self.kind.text_length)(key).min(self.config.text_maximum.into())
    }

    fn entries(&self) -> impl Iterator<Item = &Record> {
        self.waiting.iter().flat_map(|waiting| &waiting.entries).chain(&self.current.entries)
    }

    pub fn length(&self) -> usize {
        self.entries().count()
    }

    /// What there is too little of for one more entry: text, or else entries.
    fn short_of_text(&self, key: u8) -> Option<bool> {
        if self.length() >= self.config.capacity.into() {
            return Some(false);
        }
        let used: usize = self.entries().map(|entry| self.kept_text(entry.key)).sum();
        (self.kind.has_text && used + self.kept_text(key) > self.config.text_bytes() as usize).then_some(true)
    }

    fn count(&mut self, record: Record, is_merge: bool) -> evagg_status_t {
        if let Some(entry) = self.current.entries.iter_mut().find(|entry| entry.key == record.key) {
            entry.add(&record, is_merge);
            self.current.is_saturated |= entry.hits == u32::MAX;
            return EVAGG_COUNTED;
        }
        if !self.current.sought.contains(&record.key) {
            self.current.sought.push(record.key);
        }
        while let Some(of_text) = self.short_of_text(record.key) {
            let waits = self.waiting.as_ref().map_or(0, |waiting| waiting.entries.len());
            if !self.discards {
                self.current.crowding = self.current.crowding.max(waits);
                self.current.lose(record.hits, true, of_text);
                return EVAGG_REJECTED;
            }
            let window = match &mut self.waiting {
                Some(waiting) if waits > 0 => {
                    waiting.crowding = waiting.crowding.max(self.current.entries.len());
                    waiting
                }
                _ => &mut self.current,
            };
            let oldest = window.entries.pop_front().expect("a full cache holds something");
            window.lose(oldest.hits, false, of_text);
        }
        self.current.is_saturated |= record.hits == u32::MAX;
        self.current.entries.push_back(record);
        self.high_water = self.high_water.max(self.length());
        EVAGG_FIRST
    }

    fn losing_windows(&self) -> usize {
        usize::from(self.current.first_loss.is_some())
            + usize::from(self.waiting.as_ref().is_some_and(|waiting| waiting.first_loss.is_some()))
    }

    pub fn record(&mut self, record: Record) -> evagg_status_t {
        if !self.enabled {
            self.disabled += 1;
            return EVAGG_DISABLED;
        }
        let before = self.losing_windows();
        self.current.offered += 1;
        let status = self.count(record, false);
        if self.losing_windows() > before {
            self.warn(false);
        }
        status
    }

    pub fn malformed(&mut self) -> evagg_status_t {
        self.malformed += 1;
        EVAGG_MALFORMED
    }

    pub fn ignored(&mut self) -> evagg_status_t {
        self.ignored += 1;
        EVAGG_IGNORED
    }

    pub fn merge(&mut self, records: &[Record]) -> evagg_status_t {
        let before = self.losing_windows();
        for record in records {
            self.current.merged += u64::from(record.hits);
            self.count(*record, true);
        }
        if self.losing_windows() > before {
            self.warn(false);
        }
        EVAGG_OK
    }

    /// Status, records, and the window field by field.
    pub fn flush(&mut self, now: i64, count: usize, text_room: usize) -> (evagg_status_t, Vec<Record>, [u32; 10]) {
        if self.listening && self.waiting.is_none() && (self.complete.owes_first || self.complete.owes_losses) {
            self.warn(true);
            return (EVAGG_MORE, Vec::new(), [0; 10]);
        }
        if self.waiting.is_none() {
            let next = Window { sequence: self.current.sequence + 1, start: now, ..Window::default() };
            self.waiting = Some(std::mem::replace(&mut self.current, next));
            self.complete = Window::default();
        }
        let mut window = self.waiting.take().expect("it was just closed");
        let (mut page, mut text) = (Vec::new(), 0);
        while page.len() < count
            && let Some(entry) = window.entries.front()
        {
            text += self.kept_text(entry.key) + 1;
            if self.kind.has_text && text > text_room {
                break;
            }
            window.flushed += u64::from(entry.hits);
            page.extend(window.entries.pop_front().map(|entry| Record { flags: self.flags(&entry), ..entry }));
        }
        let numbers = [
            window.sequence,
            self.config.tick(window.start),
            self.config.tick(self.current.start),
            page.len() as u32,
            window.entries.len() as u32,
            saturated(window.offered),
            saturated(window.merged),
            window.kept(),
            saturated(window.rejected),
            saturated(window.discarded),
        ];
        let status = if window.entries.is_empty() {
            for (total, count) in self.totals.iter_mut().zip(numbers_of(&window)) {
                *total += count;
            }
            self.windows += 1;
            window.owes_losses = window.first_loss.is_some();
            self.complete = window;
            EVAGG_OK
        } else {
            self.waiting = Some(window);
            EVAGG_MORE
        };
        self.warn(true);
        (status, page, numbers)
    }

    fn flags(&self, record: &Record) -> u16 {
        let is_saturated = [record.hits, record.bytes[0], record.bytes[1]].contains(&u32::MAX);
        let is_truncated = self.kept_text(record.key) < (self.kind.text_length)(record.key);
        (if is_saturated { EVAGG_RECORD_SATURATED } else { 0 })
            | (if is_truncated { EVAGG_RECORD_TRUNCATED } else { 0 })
    }

    /// Gives what is owed, the oldest window first. Warnings that wait for a flush wait for that of their window.
    fn warn(&mut self, by_flush: bool) {
        if !self.listening || (self.config.warns_at_flush && !by_flush) {
            return;
        }
        self.complete.take_warnings(&mut self.said);
        if let Some(waiting) = &mut self.waiting {
            waiting.take_warnings(&mut self.said);
        }
        if !self.config.warns_at_flush {
            self.current.take_warnings(&mut self.said);
        }
    }

    pub fn is_due(&self, now: i64) -> bool {
        self.waiting.is_some()
            || if self.config.interval == 0 {
                !self.current.entries.is_empty() || self.current.first_loss.is_some()
            } else {
                // A time that is ahead by half of the range or more is one before.
                i64::from((now - self.current.start) as i32) >= self.config.interval.into()
            }
    }

    /// Field by field.
    pub fn statistics(&self) -> [u64; 12] {
        let mut sums = self.totals;
        for window in self.waiting.iter().chain([&self.current]) {
            for (sum, count) in sums.iter_mut().zip(numbers_of(window)) {
                *sum += count;
            }
        }
        let [offered, merged, rejected, discarded] = sums;
        [
            offered,
            merged,
            (offered + merged).saturating_sub(rejected),
            rejected,
            discarded,
            self.malformed.into(),
            self.ignored.into(),
            self.disabled.into(),
            0,
            self.high_water as u64,
            self.windows.into(),
            self.recoveries.into(),
        ]
    }
}

fn discards(config: &Config, kind: &Kind) -> bool {
    if config.policy == 0 { kind.discards_by_default } else { config.policy == EVAGG_DISCARD_OLDEST }
}

fn numbers_of(window: &Window) -> [u64; 4] {
    [window.offered, window.merged, window.rejected, window.discarded].map(|count| saturated(count).into())
}
