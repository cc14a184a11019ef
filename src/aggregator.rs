// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record, flush, merge, windows, policies and statistics, written once for all kinds of event.
//!
//! In every window, offered + merged = kept + rejected + discarded, whatever sequence of calls led there.

use crate::event::packet::Unrecorded;
use crate::event::{Event, Merged, Offer, Time, is_before};
use crate::store::hash::Hasher;
use crate::store::sketch::{Block, Distinct, mark};
use crate::store::{OverflowPolicy, Shortage, Store, StoreState};
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
    /// What the first loss was, until it is said.
    unsaid_first: FirstLoss,
    unsaid_losses: bool,
    first_was_of_text: bool,
    short_of_text: bool,
    short_of_entries: bool,
}

#[repr(u8)]
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum FirstLoss {
    #[default]
    None,
    Rejected,
    Discarded,
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
    fn owes_warning(&self) -> bool {
        self.unsaid_first != FirstLoss::None || self.unsaid_losses
    }

    /// Accounts for hits that are lost; true for the first loss of the window.
    #[inline]
    fn lose<E: Event>(&mut self, is_rejected: bool, hits: u32, crowding: u16, shortage: Shortage) -> bool {
        let is_first = self.losses() == 0;
        let is_of_text = shortage == Shortage::Text;
        if is_first {
            self.unsaid_first = if is_rejected { FirstLoss::Rejected } else { FirstLoss::Discarded };
            self.first_was_of_text = E::HAS_TEXT && is_of_text;
        }
        if E::HAS_TEXT {
            self.short_of_text |= is_of_text;
            self.short_of_entries |= !is_of_text;
        }
        self.crowding = self.crowding.max(crowding);
        self.count(if is_rejected { Count::Rejected } else { Count::Discarded }, hits);
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
            of_text: E::HAS_TEXT && self.first_was_of_text,
            recommended_capacity: 0,
            recommended_text_bytes: 0,
            at_least: false,
        };
        if self.unsaid_first != FirstLoss::None {
            if self.unsaid_first == FirstLoss::Discarded {
                warning.loss = Phrase::Discarding;
            }
            self.unsaid_first = FirstLoss::None;
            return warning;
        }
        self.unsaid_losses = false;
        warning.loss = match self.counts {
            [.., 0] => Phrase::Rejected,
            [.., 0, _] => Phrase::Discarded,
            _ => Phrase::Lost,
        };
        warning.of_text = E::HAS_TEXT && !self.short_of_entries;
        let needed = self.distinct.recommendation().saturating_add(u32::from(self.crowding));
        warning.at_least = self.distinct.exceeds(capacity * 8);
        let is_short_of_entries = !E::HAS_TEXT || self.short_of_entries;
        warning.recommended_capacity = needed.max(capacity + u32::from(is_short_of_entries));
        if E::HAS_TEXT {
            let mean = self.text.div_ceil(self.distinct.marked.max(1));
            warning.recommended_text_bytes =
                needed.saturating_mul(mean).max(text_bytes + u32::from(self.short_of_text));
        }
        warning
    }
}

/// Totals since init of the windows that are complete, and of what never reaches a window.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Totals {
    counts: [u64; COUNTS],
    malformed: u32,
    ignored: u32,
    disabled: u32,
    windows: u32,
}

/// Everything of an instance that is not an entry, an index or a text.
// The small fields come first, for the same reason as the body of an instance.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct State {
    policy: OverflowPolicy,
    enabled: bool,
    warn_at_flush: bool,
    /// The closed window is being flushed.
    draining: bool,
    store: StoreState,
    /// Of the current window.
    sequence: u32,
    current: Window,
    /// The window that is being flushed, and what became of it until the next one closes.
    closed: Window,
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
        self.interval = settings.interval;
        self.text_bytes = settings.text_bytes;
        self.policy = settings.policy;
        self.enabled = true;
        self.warn_at_flush = settings.warn_at_flush;
        self.current.start = start;
    }

    pub fn text_bytes(&self) -> u32 {
        self.text_bytes
    }

    fn closed_sequence(&self) -> u32 {
        self.sequence.wrapping_sub(1)
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
        self.state().policy = policy;
    }

    pub fn set_enabled(&mut self, enabled: bool) {
        self.state().enabled = enabled;
    }

    /// Counts an event that just happened, if it is in the current window.
    #[inline(always)]
    pub fn count_known(&mut self, event: &impl Offer<M::Event>, text: &[u8], hash: u32) -> Outcome {
        let state = self.state();
        if !state.enabled {
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
        state.current.count(Count::Merged, record.hit_count());
        let merged = Merged(record);
        let hash = merged.hash(seed);
        if let Some(entry) = self.store().find(&merged, text, hash) {
            merged.add_to(entry);
            return false;
        }
        let Room { has_room, first_loss } = self.make_room(text, hash, record.hit_count());
        if has_room {
            self.insert(&merged, text, hash);
        }
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
            let Parts { state, entries, .. } = self.0.parts();
            let is_rejected = state.policy == OverflowPolicy::RejectNew;
            let waiting = state.store.waiting();
            let (mut window, mut hits, mut crowding) = (&mut state.current, new_hits, waiting);
            if !is_rejected {
                hits = entries.get(usize::from(state.store.oldest())).map_or(0, Event::hit_count);
                if waiting > 0 {
                    window = &mut state.closed;
                    crowding = state.store.length() - waiting;
                }
            }
            first_loss |= window.lose::<M::Event>(is_rejected, hits, crowding, shortage);
            if is_rejected {
                return Room { has_room: false, first_loss };
            }
            self.remove_oldest();
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
        !state.draining && state.closed.owes_warning()
    }

    /// Closes the current window unless an earlier one still waits to be flushed. Answers with the sequence number of
    /// the one to flush.
    pub fn begin_flush(&mut self, now: Time) -> u32 {
        let state = self.state();
        if !state.draining {
            state.closed = state.current;
            state.current = Window { start: now, ..Window::default() };
            state.sequence = state.sequence.wrapping_add(1);
            state.draining = true;
            state.store.close();
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
        if state.store.waiting() > 0
            && let Some((entry, head, tail)) = self.store().oldest()
        {
            if !copy(entry, head, tail) {
                return Step::Full;
            }
            self.remove_oldest();
        }
        let state = self.state();
        if state.store.waiting() > 0 {
            return Step::More;
        }
        if state.draining {
            state.draining = false;
            state.totals.add(&state.closed);
            state.totals.windows = state.totals.windows.saturating_add(1);
            state.closed.unsaid_losses = state.closed.losses() > 0;
        }
        Step::Complete
    }

    /// The accounting of the window that closed last.
    pub fn closed(&mut self) -> Closed {
        let state = self.state();
        Closed {
            sequence: state.closed_sequence(),
            start: state.closed.start,
            end: state.current.start,
            remaining: state.store.waiting(),
            counts: state.closed.counts,
        }
    }

    /// The next warning that has not been given, oldest window first.
    #[inline]
    pub fn take_warning(&mut self, from_flush: bool) -> Option<Warning> {
        let Parts { state, entries, .. } = self.0.parts();
        #[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
        let capacity = entries.len() as u32;
        if state.warn_at_flush && !from_flush {
            return None;
        }
        let closed_sequence = state.closed_sequence();
        let (mut window, mut sequence) = (&mut state.closed, closed_sequence);
        if !window.owes_warning() {
            if state.warn_at_flush {
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
        let state = self.state();
        state.draining
            || if state.interval == 0 {
                state.store.length() > 0 || state.current.losses() > 0
            } else {
                !is_before(now, state.current.start) && now.wrapping_sub(state.current.start) >= state.interval
            }
    }

    pub fn length(&mut self) -> u16 {
        self.state().store.length()
    }

    pub fn statistics(&mut self) -> Statistics {
        let state = self.state();
        let mut totals = state.totals;
        totals.add(&state.current);
        if state.draining {
            totals.add(&state.closed);
        }
        Statistics {
            counts: totals.counts,
            malformed: totals.malformed,
            ignored: totals.ignored,
            disabled: totals.disabled,
            high_water: state.store.high_water(),
            windows: totals.windows,
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

impl Totals {
    #[inline]
    fn add(&mut self, window: &Window) {
        for (total, count) in self.counts.iter_mut().zip(window.counts) {
            *total += u64::from(count);
        }
    }
}
