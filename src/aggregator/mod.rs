// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record, flush, merge, windows, policies and statistics, written once for all kinds of event.
//!
//! In every window, offered + merged = kept + rejected + discarded, whatever sequence of calls led there.
//!
//! The state is all numbers, and what takes more than one store is written so that it can be finished after a reset: see
//! `recovery`.

mod recovery;

use crate::event::packet::Unrecorded;
use crate::event::{Event, Merged, Offer, Time, is_before};
use crate::store::hash::Hasher;
use crate::store::sketch::{Block, Distinct, mark};
use crate::store::{OverflowPolicy, Shortage, Store, StoreState, settle};
use crate::warning::{Phrase, Warning};

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    Counted,
    Disabled,
    /// Not in the current window. It has been counted as offered: before the lock is released it has to go to
    /// `make_room`, and to `insert` if there is room.
    New,
}

/// Whether there is room for a new event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Room {
    pub has_room: bool,
    /// Getting it, or not, was the first loss of a window.
    pub first_loss: bool,
}

/// What a step of a flush came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// More of the window waits.
    More,
    /// More of the window waits, and the caller has no room for it.
    Full,
    /// Nothing of the window waits.
    Complete,
    /// Other flushes have completed the window, and the next one too has closed.
    Gone,
}

pub struct Settings {
    pub interval: Time,
    pub text_bytes: u32,
    pub policy: OverflowPolicy,
    pub warn_at_flush: bool,
}

/// What a window and the totals count, by its place in their arrays.
#[derive(Clone, Copy)]
pub enum Count {
    Offered,
    Merged,
    Rejected,
    Discarded,
}

const COUNTS: usize = 4;

/// The accounting of one window. Counters saturate.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Window {
    start: Time,
    counts: [u32; COUNTS],
    distinct: Distinct,
    /// Text of the distinct events, admitted or not.
    text: u32,
    /// The most entries that the other window held when this one lost something.
    crowding: u16,
    /// What is to be said of this window; see [`flag`].
    flags: u8,
}

mod flag {
    /// The first loss is still to be said.
    pub const FIRST_UNSAID: u8 = 1;
    /// The first loss was an entry that made room.
    pub const FIRST_DISCARDED: u8 = 2;
    /// The first loss was for want of text bytes.
    pub const FIRST_OF_TEXT: u8 = 4;
    /// The sum of the losses is still to be said.
    pub const LOSSES_UNSAID: u8 = 8;
    pub const SHORT_OF_TEXT: u8 = 16;
    pub const SHORT_OF_ENTRIES: u8 = 32;
}

impl Window {
    #[inline]
    fn count(&mut self, count: Count, hits: u32) {
        let counter = &mut self.counts[count as usize];
        *counter = counter.saturating_add(hits);
    }

    #[inline]
    fn losses(&self) -> u32 {
        self.counts[Count::Rejected as usize].saturating_add(self.counts[Count::Discarded as usize])
    }

    #[inline]
    fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    #[inline]
    fn owes_warning(&self) -> bool {
        self.has(flag::FIRST_UNSAID | flag::LOSSES_UNSAID)
    }

    /// Takes down for the warnings what is about to be lost; true for the first loss of the window.
    #[inline]
    fn note_loss<E: Event>(&mut self, is_rejected: bool, crowding: u16, shortage: Shortage) -> bool {
        let is_first = self.losses() == 0;
        let is_of_text = E::HAS_TEXT && shortage == Shortage::Text;
        if is_first {
            self.flags = flag::FIRST_UNSAID
                | if is_rejected { 0 } else { flag::FIRST_DISCARDED }
                | if is_of_text { flag::FIRST_OF_TEXT } else { 0 };
        }
        if E::HAS_TEXT {
            self.flags |= if is_of_text { flag::SHORT_OF_TEXT } else { flag::SHORT_OF_ENTRIES };
        }
        self.crowding = self.crowding.max(crowding);
        settle();
        is_first
    }

    /// The next warning about this window, which owes one. What it recommends is never less than what was too little.
    #[inline]
    fn take_warning<E: Event>(&mut self, sequence: u32, capacity: u32, text_bytes: u32) -> Warning {
        let mut warning = Warning {
            sequence,
            capacity,
            text_bytes,
            lost: self.losses(),
            loss: Phrase::Rejecting,
            of_text: E::HAS_TEXT && self.has(flag::FIRST_OF_TEXT),
            recommended_capacity: 0,
            recommended_text_bytes: 0,
            at_least: false,
        };
        if self.has(flag::FIRST_UNSAID) {
            if self.has(flag::FIRST_DISCARDED) {
                warning.loss = Phrase::Discarding;
            }
            self.flags &= !flag::FIRST_UNSAID;
            return warning;
        }
        self.flags &= !flag::LOSSES_UNSAID;
        warning.loss = match self.counts {
            [.., 0] => Phrase::Rejected,
            [.., 0, _] => Phrase::Discarded,
            _ => Phrase::Lost,
        };
        warning.of_text = E::HAS_TEXT && !self.has(flag::SHORT_OF_ENTRIES);
        let needed = self.distinct.recommendation().saturating_add(u32::from(self.crowding));
        warning.at_least = self.distinct.exceeds(capacity * 8);
        let is_short_of_entries = !E::HAS_TEXT || self.has(flag::SHORT_OF_ENTRIES);
        warning.recommended_capacity = needed.max(capacity + u32::from(is_short_of_entries));
        if E::HAS_TEXT {
            let mean = self.text.div_ceil(self.distinct.marked.max(1));
            warning.recommended_text_bytes =
                needed.saturating_mul(mean).max(text_bytes + u32::from(self.has(flag::SHORT_OF_TEXT)));
        }
        warning
    }
}

/// Totals since init of the windows before the last two, and of what never reaches a window.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Totals {
    counts: [Wide; COUNTS],
    malformed: u32,
    ignored: u32,
    disabled: u32,
}

/// A number of 64 bits in two of 32: the lower half and the upper.
type Wide = [u32; 2];

fn joined(wide: Wide) -> u64 {
    u64::from(wide[1]) << 32 | u64::from(wide[0])
}

/// What a reset would interrupt that takes more than one store.
mod step {
    pub const NOTHING: u8 = 0;
    /// A window is closed: the counts of the one that closed last are added to the totals, in two steps each.
    pub const ADD: u8 = 1;
    /// The current window becomes the closed one.
    pub const CLOSE: u8 = 9;
    /// A new window begins.
    pub const BEGIN: u8 = 10;
    /// The oldest entry is discarded from the current window.
    pub const DISCARD_CURRENT: u8 = 11;
    /// The oldest entry is discarded from the closed window.
    pub const DISCARD_CLOSED: u8 = 12;
    /// The index is made anew.
    pub const INDEX: u8 = 13;
}

mod option {
    pub const DISCARDS_OLDEST: u8 = 1;
    pub const ENABLED: u8 = 2;
    pub const WARNS_AT_FLUSH: u8 = 4;
}

/// Everything of an instance that is not an entry, an index or a text.
// The small fields come first, for the same reason as the body of an instance.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct State {
    /// See [`option`].
    options: u8,
    /// Not zero while a record is merged.
    merging: u8,
    /// See [`step`].
    step: u8,
    store: StoreState,
    /// Of the current window.
    sequence: u32,
    current: Window,
    /// The window that is being flushed, and what became of it until the next one closes.
    closed: Window,
    /// How many windows are complete. The closed one is, if this is the sequence number of the current one.
    completed: u32,
    /// What the step is about to store.
    next: [u32; 2],
    interval: Time,
    text_bytes: u32,
    totals: Totals,
}

#[derive(Clone, Copy)]
pub struct Statistics {
    /// By [`Count`].
    pub counts: [u64; COUNTS],
    pub malformed: u32,
    pub ignored: u32,
    pub disabled: u32,
    pub high_water: u16,
    pub windows: u32,
}

/// A window on its way out.
#[derive(Clone, Copy)]
pub struct Closed {
    pub sequence: u32,
    pub start: Time,
    pub end: Time,
    pub remaining: u16,
    /// By [`Count`].
    pub counts: [u32; COUNTS],
}

impl State {
    /// Begins the first window. What is not set here is zero in a new state.
    pub fn begin(&mut self, settings: &Settings, start: Time) {
        self.set(settings);
        self.text_bytes = settings.text_bytes;
        self.current.start = start;
    }

    fn set(&mut self, settings: &Settings) {
        self.interval = settings.interval;
        self.options = option::ENABLED
            | if settings.policy == OverflowPolicy::DiscardOldest { option::DISCARDS_OLDEST } else { 0 }
            | if settings.warn_at_flush { option::WARNS_AT_FLUSH } else { 0 };
    }

    fn switch(&mut self, option: u8, on: bool) {
        self.options = self.options & !option | if on { option } else { 0 };
    }

    #[inline]
    fn has(&self, option: u8) -> bool {
        self.options & option != 0
    }

    pub fn text_bytes(&self) -> u32 {
        self.text_bytes
    }

    fn closed_sequence(&self) -> u32 {
        self.sequence.wrapping_sub(1)
    }

    /// The closed window is being flushed.
    #[inline]
    fn is_draining(&self) -> bool {
        self.sequence != self.completed
    }

    #[inline]
    fn set_step(&mut self, step: u8) {
        settle();
        self.step = step;
        settle();
    }

    /// Closes the current window at `now`, from the step where that stands. A step that is taken a second time comes to
    /// the same.
    fn close(&mut self, now: Time) {
        while self.step < step::CLOSE {
            let index = usize::from(self.step - step::ADD);
            let (Some(total), Some(count)) = (self.totals.counts.get_mut(index / 2), self.closed.counts.get(index / 2))
            else {
                break;
            };
            if index.is_multiple_of(2) {
                let (low, carry) = total[0].overflowing_add(*count);
                self.next = [low, total[1].wrapping_add(carry.into())];
            } else {
                *total = self.next;
            }
            self.set_step(self.step + 1);
        }
        if self.step == step::CLOSE {
            self.closed = self.current;
            self.next[0] = now;
            self.set_step(step::BEGIN);
        }
        self.current = Window { start: self.next[0], ..Window::default() };
        self.store.close();
        self.sequence = self.completed.wrapping_add(1);
        self.set_step(step::NOTHING);
    }
}

/// The memory of an instance while its lock is held.
pub trait Memory {
    type Event: Event;

    fn parts(&mut self) -> Parts<'_, Self::Event>;
}

pub struct Parts<'a, E> {
    pub state: &'a mut State,
    pub entries: &'a mut [E],
    pub heads: &'a mut [u16],
    pub sketch: &'a mut [Block],
    pub text: &'a mut [u8],
    pub seed: Hasher,
}

impl<'a, E> Parts<'a, E> {
    #[inline]
    fn store(self) -> Store<'a, E> {
        Store { state: &mut self.state.store, entries: self.entries, heads: self.heads, text: self.text }
    }
}

/// An instance while its lock is held.
pub struct Aggregator<'a, M>(pub &'a mut M);

impl<M: Memory> Aggregator<'_, M> {
    pub fn set_policy(&mut self, policy: OverflowPolicy) {
        self.state().switch(option::DISCARDS_OLDEST, policy == OverflowPolicy::DiscardOldest);
    }

    pub fn set_enabled(&mut self, enabled: bool) {
        self.state().switch(option::ENABLED, enabled);
    }

    /// Counts an event that just happened, if it is in the current window.
    #[inline(always)]
    pub fn count_known(&mut self, event: &impl Offer<M::Event>, text: &[u8], hash: u32) -> Outcome {
        let state = self.state();
        if !state.has(option::ENABLED) {
            state.totals.disabled = state.totals.disabled.saturating_add(1);
            return Outcome::Disabled;
        }
        state.current.count(Count::Offered, 1);
        // The look-up comes before the question of room: a full cache never stops an entry from counting.
        match self.store().find(event, text, hash) {
            Some(entry) => {
                event.add_to(entry);
                Outcome::Counted
            }
            None => Outcome::New,
        }
    }

    /// Counts what an earlier window or another instance recorded; true for the first loss of a window.
    pub fn merge(&mut self, record: &M::Event, text: &[u8]) -> bool {
        let Parts { state, seed, .. } = self.0.parts();
        state.merging = 1;
        settle();
        state.current.count(Count::Merged, record.hit_count());
        settle();
        let merged = Merged(record);
        let hash = merged.hash(seed);
        let mut first_loss = false;
        if let Some(entry) = self.store().find(&merged, text, hash) {
            merged.add_to(entry);
        } else {
            let room = self.make_room(text, hash, record.hit_count());
            first_loss = room.first_loss;
            if room.has_room {
                self.insert(&merged, text, hash);
            }
        }
        settle();
        self.state().merging = 0;
        first_loss
    }

    /// Finds room for a new event of that many hits, or makes some by the policy, or accounts for the rejection.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn make_room(&mut self, text: &[u8], hash: u32, new_hits: u32) -> Room {
        let Parts { state, sketch, .. } = self.0.parts();
        let current = &mut state.current;
        if mark(sketch, state.sequence, hash, &mut current.distinct) && M::Event::HAS_TEXT {
            current.text = current.text.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        let mut first_loss = false;
        while let Some(shortage) = self.store().shortage(text) {
            let store = self.store();
            let (waiting, recent, second) = (store.waiting(), store.recent(), store.second());
            let hits = store.oldest().map_or(0, |(oldest, ..)| oldest.hit_count());
            let state = self.state();
            if !state.has(option::DISCARDS_OLDEST) {
                first_loss |= state.current.note_loss::<M::Event>(true, waiting, shortage);
                state.current.count(Count::Rejected, new_hits);
                return Room { has_room: false, first_loss };
            }
            let (window, crowding, step) = if waiting > 0 {
                (&mut state.closed, recent, step::DISCARD_CLOSED)
            } else {
                (&mut state.current, 0, step::DISCARD_CURRENT)
            };
            first_loss |= window.note_loss::<M::Event>(false, crowding, shortage);
            let discarded = &mut window.counts[Count::Discarded as usize];
            state.next = [discarded.saturating_add(hits), second];
            settle();
            state.step = step;
            settle();
            *discarded = state.next[0];
            self.remove_oldest();
            self.state().set_step(step::NOTHING);
        }
        Room { has_room: true, first_loss }
    }

    /// Makes an entry of a new event for which there is room.
    #[inline(always)]
    pub fn insert(&mut self, event: &impl Offer<M::Event>, text: &[u8], hash: u32) {
        if let Some(entry) = self.store().free() {
            event.write_to(entry);
            self.push(text, hash);
        }
    }

    // Record and merge share it.
    #[cfg_attr(target_os = "none", inline(never))]
    fn push(&mut self, text: &[u8], hash: u32) {
        self.store().push(text, hash);
    }

    pub fn count_unrecorded(&mut self, reason: Unrecorded) {
        let totals = &mut self.state().totals;
        let counter = match reason {
            Unrecorded::Malformed => &mut totals.malformed,
            Unrecorded::OtherProtocol => &mut totals.ignored,
        };
        *counter = counter.saturating_add(1);
    }

    /// Whether something is still to be said of the window that closed last; the next close would forget it.
    pub fn owes_warnings(&mut self) -> bool {
        let state = self.state();
        !state.is_draining() && state.closed.owes_warning()
    }

    /// Closes the current window unless an earlier one still waits to be flushed. Answers with the sequence number of
    /// the one to flush.
    pub fn begin_flush(&mut self, now: Time) -> u32 {
        let state = self.state();
        if !state.is_draining() {
            state.set_step(step::ADD);
            state.close(now);
        }
        self.state().closed_sequence()
    }

    /// Hands the oldest entry of that closed window to `copy`, and takes it out if `copy` had room for it. The window
    /// is complete when nothing of it waits.
    pub fn flush_one(&mut self, sequence: u32, copy: impl FnOnce(&M::Event, &[u8], &[u8]) -> bool) -> Step {
        let state = self.state();
        if sequence != state.closed_sequence() {
            return Step::Gone;
        }
        if self.store().waiting() > 0
            && let Some((entry, head, tail)) = self.store().oldest()
        {
            if !copy(entry, head, tail) {
                return Step::Full;
            }
            self.remove_oldest();
        }
        if self.store().waiting() > 0 {
            return Step::More;
        }
        let state = self.state();
        if state.is_draining() {
            if state.closed.losses() > 0 {
                state.closed.flags |= flag::LOSSES_UNSAID;
            }
            settle();
            state.completed = state.sequence;
        }
        Step::Complete
    }

    /// The accounting of the window that closed last.
    pub fn closed(&mut self) -> Closed {
        let remaining = self.store().waiting();
        let state = self.state();
        Closed {
            sequence: state.closed_sequence(),
            start: state.closed.start,
            end: state.current.start,
            remaining,
            counts: state.closed.counts,
        }
    }

    /// The next warning that has not been given, oldest window first.
    #[inline]
    pub fn take_warning(&mut self, from_flush: bool) -> Option<Warning> {
        let Parts { state, entries, .. } = self.0.parts();
        #[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
        let capacity = entries.len() as u32;
        if state.has(option::WARNS_AT_FLUSH) && !from_flush {
            return None;
        }
        let closed_sequence = state.closed_sequence();
        let (mut window, mut sequence) = (&mut state.closed, closed_sequence);
        if !window.owes_warning() {
            if state.has(option::WARNS_AT_FLUSH) {
                return None;
            }
            (window, sequence) = (&mut state.current, state.sequence);
            if !window.owes_warning() {
                return None;
            }
        }
        Some(window.take_warning::<M::Event>(sequence, capacity, state.text_bytes))
    }

    pub fn is_due(&mut self, now: Time) -> bool {
        let length = self.store().length();
        let state = self.state();
        state.is_draining()
            || if state.interval == 0 {
                length > 0 || state.current.losses() > 0
            } else {
                !is_before(now, state.current.start) && now.wrapping_sub(state.current.start) >= state.interval
            }
    }

    pub fn length(&mut self) -> u16 {
        self.store().length()
    }

    pub fn statistics(&mut self) -> Statistics {
        let state = self.state();
        let State { totals, closed, current, .. } = state;
        let sum = |count: Count| {
            let index = count as usize;
            joined(totals.counts[index]) + u64::from(closed.counts[index]) + u64::from(current.counts[index])
        };
        Statistics {
            counts: [sum(Count::Offered), sum(Count::Merged), sum(Count::Rejected), sum(Count::Discarded)],
            malformed: totals.malformed,
            ignored: totals.ignored,
            disabled: totals.disabled,
            high_water: state.store.high_water(),
            windows: state.completed,
        }
    }

    // Flush and make_room share it.
    #[cfg_attr(target_os = "none", inline(never))]
    fn remove_oldest(&mut self) {
        let parts = self.0.parts();
        let seed = parts.seed;
        parts.store().pop(seed);
    }

    #[inline]
    fn state(&mut self) -> &mut State {
        self.0.parts().state
    }

    #[inline]
    fn store(&mut self) -> Store<'_, M::Event> {
        self.0.parts().store()
    }
}
