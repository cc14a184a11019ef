// SPDX-License-Identifier: MIT OR Apache-2.0
//! Record, flush, merge, windows, policies and statistics, written once for all kinds of event.
//!
//! In every window, offered + merged = kept + rejected + discarded, whatever sequence of calls led there.

use crate::event::{Event, Time, is_before};
use crate::store::sketch::{Block, Distinct, mark};
use crate::store::{OverflowPolicy, Shortage, Store, StoreState};
use crate::warning::{Losses, Reason, Warning};

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    First,
    Counted,
    Rejected,
    Disabled,
}

/// An outcome, and whether a warning waits for the caller to fetch it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recorded {
    pub outcome: Outcome,
    pub first_loss: bool,
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

/// Why an event is counted without being recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unrecorded {
    Malformed,
    Ignored,
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
    pub fn new(settings: Settings, start: Time) -> Self {
        Self {
            settings,
            totals: Totals::default(),
            current: Window { start, ..Window::default() },
            closed: Window::default(),
            sequence: 0,
            store: StoreState::default(),
            waiting: 0,
            draining: false,
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// An instance while its lock is held.
pub struct Aggregator<'a, E> {
    pub state: &'a mut State,
    pub entries: &'a mut [E],
    pub heads: &'a mut [u16],
    pub sketch: &'a mut [Block],
    pub text: &'a mut [u8],
    pub seed: u64,
}

impl<E: Event> Aggregator<'_, E> {
    pub fn set_policy(&mut self, policy: OverflowPolicy) {
        self.state.settings.policy = policy;
    }

    pub fn set_enabled(&mut self, enabled: bool) {
        self.state.settings.enabled = enabled;
    }

    /// Counts an event that just happened.
    #[inline]
    pub fn record(&mut self, event: &E, text: &[u8]) -> Recorded {
        if !self.state.settings.enabled {
            self.state.totals.disabled = self.state.totals.disabled.saturating_add(1);
            return Recorded { outcome: Outcome::Disabled, first_loss: false };
        }
        self.state.current.offered = self.state.current.offered.saturating_add(1);
        self.count(event, text, E::add)
    }

    /// Counts what an earlier window or another instance recorded.
    pub fn merge(&mut self, record: &E, text: &[u8]) -> Recorded {
        self.state.current.merged = self.state.current.merged.saturating_add(record.hit_count());
        self.count(record, text, E::merge)
    }

    pub fn count_unrecorded(&mut self, reason: Unrecorded) {
        let totals = &mut self.state.totals;
        let counter = match reason {
            Unrecorded::Malformed => &mut totals.malformed,
            Unrecorded::Ignored => &mut totals.ignored,
        };
        *counter = counter.saturating_add(1);
    }

    /// Closes the current window unless an earlier one still waits to be flushed. Answers with the one to flush.
    pub fn begin_flush(&mut self, now: Time) -> Closed {
        if !self.state.draining {
            self.state.closed = self.state.current;
            self.state.current = Window { start: now, ..Window::default() };
            self.state.sequence = self.state.sequence.wrapping_add(1);
            self.state.waiting = self.state.store.length();
            self.state.draining = true;
        }
        self.closed()
    }

    /// Hands the oldest entry of that closed window to `copy`, and takes it out if `copy` had room for it.
    pub fn flush_one(&mut self, sequence: u32, copy: impl FnOnce(&E, &[u8], &[u8]) -> bool) -> bool {
        if !self.is_draining(sequence) || self.state.waiting == 0 {
            return false;
        }
        let store = self.store();
        let Some((entry, head, tail)) = store.oldest() else { return false };
        let taken = copy(&entry, head, tail);
        if taken {
            self.remove_oldest(&entry);
        }
        taken
    }

    /// Whether something is still to be said of the window that closed last; the next close would forget it.
    pub fn owes_warnings(&self) -> bool {
        let state = &*self.state;
        !state.draining && (state.closed.first_loss_unsaid || state.closed.losses_unsaid)
    }

    /// The accounting of that closed window after a page; the window is complete when nothing of it remains. `None` if
    /// other flushes have completed it and closed the next since.
    pub fn end_page(&mut self, sequence: u32) -> Option<Closed> {
        if sequence != self.state.sequence.wrapping_sub(1) {
            return None;
        }
        if self.state.draining && self.state.waiting == 0 {
            self.complete();
        }
        Some(self.closed())
    }

    /// The next warning that has not been given, oldest window first.
    pub fn take_warning(&mut self, from_flush: bool) -> Option<Warning> {
        if self.state.settings.warn_at_flush && !from_flush {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "a capacity is at most 65,535")]
        let capacity = self.entries.len() as u32;
        let text_bytes = if E::HAS_TEXT { self.state.settings.text_bytes } else { 0 };
        let sequence = self.state.sequence;
        let current_is_due = !self.state.settings.warn_at_flush;
        let windows = [
            (&mut self.state.closed, sequence.wrapping_sub(1), true),
            (&mut self.state.current, sequence, current_is_due),
        ];
        for (window, sequence, is_due) in windows {
            let reason = if !is_due {
                continue;
            } else if window.first_loss_unsaid {
                window.first_loss_unsaid = false;
                match window.first_shortage {
                    Shortage::Entries => Reason::CacheFull,
                    Shortage::Text => Reason::TextFull,
                }
            } else if window.losses_unsaid {
                window.losses_unsaid = false;
                Reason::Losses(losses::<E>(window, capacity, text_bytes))
            } else {
                continue;
            };
            let Window { first_policy: policy, rejected, discarded, .. } = *window;
            return Some(Warning { reason, policy, sequence, capacity, text_bytes, rejected, discarded });
        }
        None
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
    fn count(&mut self, event: &E, text: &[u8], add: impl FnOnce(&mut E, &E)) -> Recorded {
        let hash = event.hash(self.seed);
        let waiting = self.state.waiting;
        // The look-up comes before the question of room: a full cache never stops an entry from counting.
        if let Some(entry) = self.store().find(event, text, hash, waiting) {
            add(entry, event);
            return Recorded { outcome: Outcome::Counted, first_loss: false };
        }
        self.admit(event, text, hash)
    }

    #[inline(never)]
    fn admit(&mut self, event: &E, text: &[u8], hash: u32) -> Recorded {
        let sequence = self.state.sequence;
        let current = &mut self.state.current;
        if mark(self.sketch, sequence, hash, &mut current.distinct) {
            current.text = current.text.saturating_add(u32::try_from(text.len()).unwrap_or(u32::MAX));
        }
        let mut first_loss = false;
        while let Some(shortage) = self.store().shortage(text) {
            let current_length = self.state.store.length() - self.state.waiting;
            let state = &mut *self.state;
            if state.settings.policy == OverflowPolicy::RejectNew {
                first_loss |= state.current.lose(shortage, state.settings.policy, state.waiting);
                state.current.rejected = state.current.rejected.saturating_add(event.hit_count());
                return Recorded { outcome: Outcome::Rejected, first_loss };
            }
            let Some((oldest, _, _)) = self.store().oldest() else { break };
            let state = &mut *self.state;
            let (window, crowding) =
                if state.waiting > 0 { (&mut state.closed, current_length) } else { (&mut state.current, 0) };
            first_loss |= window.lose(shortage, state.settings.policy, crowding);
            window.discarded = window.discarded.saturating_add(oldest.hit_count());
            self.remove_oldest(&oldest);
        }
        self.store().push(*event, text, hash);
        Recorded { outcome: Outcome::First, first_loss }
    }

    fn remove_oldest(&mut self, oldest: &E) {
        let hash = oldest.hash(self.seed);
        self.store().pop(hash);
        self.state.waiting = self.state.waiting.saturating_sub(1);
    }

    fn closed(&self) -> Closed {
        let state = &*self.state;
        Closed {
            sequence: state.sequence.wrapping_sub(1),
            start: state.closed.start,
            end: state.current.start,
            remaining: state.waiting,
            offered: state.closed.offered,
            merged: state.closed.merged,
            rejected: state.closed.rejected,
            discarded: state.closed.discarded,
        }
    }

    fn is_draining(&self, sequence: u32) -> bool {
        self.state.draining && sequence == self.state.sequence.wrapping_sub(1)
    }

    fn complete(&mut self) {
        let state = &mut *self.state;
        state.draining = false;
        state.totals.add(&state.closed);
        state.totals.windows = state.totals.windows.saturating_add(1);
        state.closed.losses_unsaid = state.closed.losses() > 0;
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

/// What the window would have needed, never less than what was too little.
fn losses<E: Event>(window: &Window, capacity: u32, text_bytes: u32) -> Losses {
    let distinct = window.distinct;
    let at_least = distinct.exceeds(capacity * 8);
    let needed = distinct.recommendation().saturating_add(u32::from(window.crowding));
    let recommended_capacity = needed.max(capacity + u32::from(window.short_of_entries));
    let recommended_text_bytes = if E::HAS_TEXT {
        let mean = window.text.div_ceil(distinct.marked.max(1));
        needed.saturating_mul(mean).max(text_bytes + u32::from(window.short_of_text))
    } else {
        0
    };
    Losses { recommended_capacity, recommended_text_bytes, of_text_only: !window.short_of_entries, at_least }
}
