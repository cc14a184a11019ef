// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record, flush, merge, windows, policies and statistics, written once for all kinds of event.
//!
//! In every window, offered + merged = kept + rejected + discarded, whatever sequence of calls led there.

use crate::event::packet::Unrecorded;
use crate::event::{Event, Time, is_before};
use crate::store::hash::Hasher;
use crate::store::sketch::{Block, Distinct, mark};
use crate::store::{OverflowPolicy, Shortage, Store, StoreState};
use crate::warning::{Reason, Warning};

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    First,
    Counted,
    Rejected,
    Disabled,
}

/// What a look-up came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    Done(Outcome),
    /// Not in the current window: to be admitted, before the lock is released.
    New {
        hash: u32,
    },
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

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Settings {
    pub interval: Time,
    pub text_bytes: u32,
    pub policy: OverflowPolicy,
    pub enabled: bool,
    pub warn_at_flush: bool,
}

/// The accounting of one window. Counters saturate.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Window {
    start: Time,
    offered: u32,
    merged: u32,
    rejected: u32,
    discarded: u32,
    distinct: Distinct,
    /// Text of the distinct events, admitted or not.
    text: u32,
    /// The most entries that the other window held when this one lost something.
    crowding: u16,
    short_of_entries: bool,
    short_of_text: bool,
    first_shortage: Shortage,
    first_policy: OverflowPolicy,
    first_loss_unsaid: bool,
    losses_unsaid: bool,
}

impl Window {
    fn losses(&self) -> u32 {
        self.rejected.saturating_add(self.discarded)
    }

    /// Accounts for a loss; true for the first of the window.
    fn lose(&mut self, shortage: Shortage, policy: OverflowPolicy, crowding: u16) -> bool {
        let is_first = !self.short_of_entries && !self.short_of_text;
        if is_first {
            self.first_shortage = shortage;
            self.first_policy = policy;
            self.first_loss_unsaid = true;
        }
        match shortage {
            Shortage::Entries => self.short_of_entries = true,
            Shortage::Text => self.short_of_text = true,
        }
        self.crowding = self.crowding.max(crowding);
        is_first
    }

    /// The next warning about this window. What it recommends is never less than what was too little.
    fn take_warning<E: Event>(&mut self, sequence: u32, capacity: u32, text_bytes: u32) -> Option<Warning> {
        let is_first_loss = self.first_loss_unsaid;
        if !is_first_loss && !self.losses_unsaid {
            return None;
        }
        let of_text =
            E::HAS_TEXT && if is_first_loss { self.first_shortage == Shortage::Text } else { !self.short_of_entries };
        let mut warning = Warning {
            reason: Reason::Losses,
            of_text,
            policy: self.first_policy,
            at_least: false,
            sequence,
            capacity,
            text_bytes,
            rejected: self.rejected,
            discarded: self.discarded,
            recommended_capacity: 0,
            recommended_text_bytes: 0,
        };
        if is_first_loss {
            self.first_loss_unsaid = false;
            warning.reason = Reason::FirstLoss;
            return Some(warning);
        }
        self.losses_unsaid = false;
        let needed = self.distinct.recommendation().saturating_add(u32::from(self.crowding));
        warning.at_least = self.distinct.exceeds(capacity * 8);
        warning.recommended_capacity = needed.max(capacity + u32::from(self.short_of_entries));
        if E::HAS_TEXT {
            let mean = self.text.div_ceil(self.distinct.marked.max(1));
            warning.recommended_text_bytes =
                needed.saturating_mul(mean).max(text_bytes + u32::from(self.short_of_text));
        }
        Some(warning)
    }
}

/// Totals since init of the windows that are complete, and of what never reaches a window.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Totals {
    offered: u64,
    merged: u64,
    rejected: u64,
    discarded: u64,
    malformed: u32,
    ignored: u32,
    disabled: u32,
    windows: u32,
}

/// Everything of an instance that is not an entry, an index or a text.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct State {
    settings: Settings,
    /// Of the current window.
    sequence: u32,
    totals: Totals,
    current: Window,
    /// The window that is being flushed, and what became of it until the next one closes.
    closed: Window,
    store: StoreState,
    /// Entries of the closed window that wait to be flushed: the oldest ones of the ring.
    waiting: u16,
    draining: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    pub offered: u64,
    pub merged: u64,
    pub rejected: u64,
    pub discarded: u64,
    pub malformed: u32,
    pub ignored: u32,
    pub disabled: u32,
    pub high_water: u16,
    pub windows: u32,
}

/// A window on its way out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Closed {
    pub sequence: u32,
    pub start: Time,
    pub end: Time,
    pub remaining: u16,
    pub offered: u32,
    pub merged: u32,
    pub rejected: u32,
    pub discarded: u32,
}

impl State {
    /// Begins the first window. What is not set here is zero in a new state.
    pub fn begin(&mut self, settings: Settings, start: Time) {
        self.settings = settings;
        self.current.start = start;
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn closed_sequence(&self) -> u32 {
        self.sequence.wrapping_sub(1)
    }
}

/// An instance while its lock is held.
pub struct Aggregator<'a, E> {
    pub state: &'a mut State,
    pub entries: &'a mut [E],
    pub heads: &'a mut [u16],
    pub sketch: &'a mut [Block],
    pub text: &'a mut [u8],
    pub seed: Hasher,
}

impl<E: Event> Aggregator<'_, E> {
    pub fn set_policy(&mut self, policy: OverflowPolicy) {
        self.state.settings.policy = policy;
    }

    pub fn set_enabled(&mut self, enabled: bool) {
        self.state.settings.enabled = enabled;
    }

    /// Counts an event that just happened, if it is in the current window.
    #[inline]
    pub fn count(&mut self, event: &E, text: &[u8]) -> Found {
        if !self.state.settings.enabled {
            self.state.totals.disabled = self.state.totals.disabled.saturating_add(1);
            return Found::Done(Outcome::Disabled);
        }
        self.state.current.offered = self.state.current.offered.saturating_add(1);
        let hash = event.hash(self.seed);
        // The look-up comes before the question of room: a full cache never stops an entry from counting.
        let Some(entry) = self.find(event, text, hash) else { return Found::New { hash } };
        entry.add(event);
        Found::Done(Outcome::Counted)
    }

    /// Counts what an earlier window or another instance recorded; true for the first loss of a window.
    pub fn merge(&mut self, record: &E, text: &[u8]) -> bool {
        self.state.current.merged = self.state.current.merged.saturating_add(record.hit_count());
        let hash = record.hash(self.seed);
        if let Some(entry) = self.find(record, text, hash) {
            entry.merge(record);
            return false;
        }
        self.admit(record, text, hash).1
    }

    /// Makes an entry of a new event if there is room, or room can be made; true with the first loss of a window.
    pub fn admit(&mut self, event: &E, text: &[u8], hash: u32) -> (Outcome, bool) {
        let sequence = self.state.sequence;
        let current = &mut self.state.current;
        if mark(self.sketch, sequence, hash, &mut current.distinct) && E::HAS_TEXT {
            current.text = current.text.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        let mut first_loss = false;
        while let Some(shortage) = self.store().shortage(text) {
            let current_length = self.state.store.length() - self.state.waiting;
            let state = &mut *self.state;
            if state.settings.policy == OverflowPolicy::RejectNew {
                first_loss |= state.current.lose(shortage, state.settings.policy, state.waiting);
                state.current.rejected = state.current.rejected.saturating_add(event.hit_count());
                return (Outcome::Rejected, first_loss);
            }
            let Some((oldest, _, _)) = self.store().oldest() else { break };
            let hit_count = oldest.hit_count();
            let state = &mut *self.state;
            let (window, crowding) =
                if state.waiting > 0 { (&mut state.closed, current_length) } else { (&mut state.current, 0) };
            first_loss |= window.lose(shortage, state.settings.policy, crowding);
            window.discarded = window.discarded.saturating_add(hit_count);
            self.remove_oldest();
        }
        self.store().push(*event, text, hash);
        (Outcome::First, first_loss)
    }

    pub fn count_unrecorded(&mut self, reason: Unrecorded) {
        let totals = &mut self.state.totals;
        let counter = match reason {
            Unrecorded::Malformed => &mut totals.malformed,
            Unrecorded::OtherProtocol => &mut totals.ignored,
        };
        *counter = counter.saturating_add(1);
    }

    /// Whether something is still to be said of the window that closed last; the next close would forget it.
    pub fn owes_warnings(&self) -> bool {
        let state = &*self.state;
        !state.draining && (state.closed.first_loss_unsaid || state.closed.losses_unsaid)
    }

    /// Closes the current window unless an earlier one still waits to be flushed. Answers with the sequence number of
    /// the one to flush.
    pub fn begin_flush(&mut self, now: Time) -> u32 {
        if !self.state.draining {
            self.state.closed = self.state.current;
            self.state.current = Window { start: now, ..Window::default() };
            self.state.sequence = self.state.sequence.wrapping_add(1);
            self.state.waiting = self.state.store.length();
            self.state.draining = true;
        }
        self.state.closed_sequence()
    }

    /// Hands the oldest entry of that closed window to `copy`, and takes it out if `copy` had room for it. The window
    /// is complete when nothing of it waits.
    pub fn flush_one(&mut self, sequence: u32, copy: impl FnOnce(&E, &[u8], &[u8]) -> bool) -> Step {
        if sequence != self.state.closed_sequence() {
            return Step::Gone;
        }
        if self.state.waiting > 0
            && let Some((entry, head, tail)) = self.store().oldest()
        {
            if !copy(entry, head, tail) {
                return Step::Full;
            }
            self.remove_oldest();
        }
        if self.state.waiting > 0 {
            return Step::More;
        }
        if self.state.draining {
            let state = &mut *self.state;
            state.draining = false;
            state.totals.add(&state.closed);
            state.totals.windows = state.totals.windows.saturating_add(1);
            state.closed.losses_unsaid = state.closed.losses() > 0;
        }
        Step::Complete
    }

    /// The accounting of the window that closed last.
    pub fn closed(&self) -> Closed {
        let state = &*self.state;
        Closed {
            sequence: state.closed_sequence(),
            start: state.closed.start,
            end: state.current.start,
            remaining: state.waiting,
            offered: state.closed.offered,
            merged: state.closed.merged,
            rejected: state.closed.rejected,
            discarded: state.closed.discarded,
        }
    }

    /// The next warning that has not been given, oldest window first.
    pub fn take_warning(&mut self, from_flush: bool) -> Option<Warning> {
        #[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
        let capacity = self.entries.len() as u32;
        let state = &mut *self.state;
        let waits_for_flush = state.settings.warn_at_flush;
        if waits_for_flush && !from_flush {
            return None;
        }
        let text_bytes = if E::HAS_TEXT { state.settings.text_bytes } else { 0 };
        let closed_sequence = state.closed_sequence();
        if let Some(warning) = state.closed.take_warning::<E>(closed_sequence, capacity, text_bytes) {
            return Some(warning);
        }
        if waits_for_flush {
            return None;
        }
        state.current.take_warning::<E>(state.sequence, capacity, text_bytes)
    }

    pub fn is_due(&self, now: Time) -> bool {
        let state = &*self.state;
        state.draining
            || if state.settings.interval == 0 {
                state.store.length() > 0 || state.current.losses() > 0
            } else {
                !is_before(now, state.current.start) && now.wrapping_sub(state.current.start) >= state.settings.interval
            }
    }

    pub fn length(&self) -> u16 {
        self.state.store.length()
    }

    pub fn statistics(&self) -> Statistics {
        let state = &*self.state;
        let mut totals = state.totals;
        totals.add(&state.current);
        if state.draining {
            totals.add(&state.closed);
        }
        Statistics {
            offered: totals.offered,
            merged: totals.merged,
            rejected: totals.rejected,
            discarded: totals.discarded,
            malformed: totals.malformed,
            ignored: totals.ignored,
            disabled: totals.disabled,
            high_water: state.store.high_water(),
            windows: totals.windows,
        }
    }

    #[inline]
    fn find(&mut self, event: &E, text: &[u8], hash: u32) -> Option<&mut E> {
        let waiting = self.state.waiting;
        self.store().find(event, text, hash, waiting)
    }

    fn remove_oldest(&mut self) {
        let seed = self.seed;
        self.store().pop(seed);
        self.state.waiting = self.state.waiting.saturating_sub(1);
    }

    fn store(&mut self) -> Store<'_, E> {
        Store { state: &mut self.state.store, entries: self.entries, heads: self.heads, text: self.text }
    }
}

impl Totals {
    fn add(&mut self, window: &Window) {
        self.offered += u64::from(window.offered);
        self.merged += u64::from(window.merged);
        self.rejected += u64::from(window.rejected);
        self.discarded += u64::from(window.discarded);
    }
}
