// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a reset left behind: whether this library can have left it, and how to go on from it.
//!
//! A reset strikes between any two stores. What a call changes by one store is done or not. What takes more is either
//! derived anew (the index, the number of events offered) or announced in `State::step` with the values that will be
//! stored, so that it can be done again from there. A recovery that is interrupted begins again in the same way.

use super::step::{ADD, BEGIN, CLOSE, DISCARD_CLOSED, DISCARD_CURRENT, INDEX, NOTHING};
use super::{Aggregator, COUNTS, Count, Memory, Parts, Settings, State, flag};
use crate::event::{Event, Time, is_before};
use crate::store::recovery::{Hits, Reading, Ring, Survey};
use crate::store::settle;
use crate::store::sketch::Distinct;

/// What an image comes to once what was under way is done.
pub struct Finding {
    ring: Ring,
    /// Counts of the window that was current.
    offered: u32,
    merged: u32,
}

impl<E: Event> Parts<'_, E> {
    /// Checks the whole image and changes nothing: `None` if this library cannot have left it.
    pub fn survey(self, text_maximum: usize) -> Option<Finding> {
        let bits = Distinct::bits(self.sketch);
        let seed = self.seed;
        let State { step, merging, sequence, completed, next, totals, current, closed, .. } = &*self.state;
        let (step, merging, sequence, completed, next) = (*step, *merging, *sequence, *completed, *next);
        let is_closing = (ADD..=BEGIN).contains(&step);
        let is_discarding = matches!(step, DISCARD_CURRENT | DISCARD_CLOSED);
        let has_closed = sequence.wrapping_sub(completed) <= u32::from(!is_closing || step == BEGIN);
        if step > INDEX || merging > 1 || !has_closed {
            return None;
        }
        let mut counts = [closed.counts, current.counts];
        match step {
            DISCARD_CLOSED => counts[0][Count::Discarded as usize] = next[0],
            DISCARD_CURRENT => counts[1][Count::Discarded as usize] = next[0],
            _ => {}
        }
        // While a window is closed, the one or the other is half written.
        let has_sketch = (step == CLOSE || step == BEGIN || closed.distinct.is_among(bits))
            && (!is_closing || if step == BEGIN { closed } else { current }.distinct.is_among(bits));
        let is_announced = is_closing && (step - ADD) % 2 == 1;
        let mut totals = totals.counts.iter().chain(is_announced.then_some(&next));
        if !has_sketch || totals.any(|total| total[1] > u32::MAX / 4) {
            return None;
        }
        let reading = Reading {
            first: if is_discarding { next[1] } else { self.state.store.first() },
            is_closing,
            has_index: step != INDEX,
            text_maximum,
        };
        let Survey { ring, waiting, current } = self.store().survey(&reading, seed)?;
        let is_draining = sequence != completed;
        if !is_draining && waiting.sum > 0 {
            return None;
        }
        let [closed_counts, current_counts] = counts;
        if step != CLOSE && step != BEGIN {
            let [offered, merged, rejected, discarded] = closed_counts.map(u64::from);
            let adds_up = offered + merged >= rejected + discarded + waiting.sum;
            if !adds_up && !is_saturated(closed_counts, waiting) {
                return None;
            }
        }
        let counts = if step == BEGIN { closed_counts } else { current_counts };
        let [offered, merged] = arrived(counts, current, merging != 0)?;
        Some(Finding { ring, offered, merged })
    }
}

/// How many events were offered to the window of those counts, and how many hits merged, so that with its entries it
/// adds up. One event can have been counted as offered alone, or one record as merged.
fn arrived(counts: [u32; COUNTS], entries: Hits, is_merging: bool) -> Option<[u32; 2]> {
    let [offered, merged, rejected, discarded] = counts;
    if is_saturated(counts, entries) {
        return Some([offered, merged]);
    }
    let kept_or_lost = entries.sum + u64::from(rejected) + u64::from(discarded);
    let rest = |known: u32| u32::try_from(kept_or_lost.checked_sub(known.into())?).ok();
    if is_merging {
        return Some([offered, rest(offered)?]);
    }
    let derived = rest(merged)?;
    (derived.abs_diff(offered) <= 1).then_some([derived, merged])
}

/// A counter that stands at its maximum means at least that many: then nothing adds up. So many must have arrived.
fn is_saturated(counts: [u32; COUNTS], entries: Hits) -> bool {
    let [offered, merged, ..] = counts;
    (entries.is_saturated || counts.contains(&u32::MAX)) && u64::from(offered) + u64::from(merged) >= u32::MAX.into()
}

impl<M: Memory> Aggregator<'_, M> {
    /// Goes on from an image that was found good. `now` closes the window that was about to be closed.
    pub fn recover(&mut self, finding: &Finding, settings: &Settings, now: Time) {
        let Parts { state, sketch, seed, .. } = self.0.parts();
        state.set(settings);
        let window = if state.step == BEGIN { &mut state.closed } else { &mut state.current };
        window.counts[Count::Offered as usize] = finding.offered;
        window.counts[Count::Merged as usize] = finding.merged;
        settle();
        state.merging = 0;
        settle();
        if (ADD..=BEGIN).contains(&state.step) {
            state.close(now);
        } else {
            let window = if state.step == DISCARD_CLOSED { &mut state.closed } else { &mut state.current };
            if matches!(state.step, DISCARD_CLOSED | DISCARD_CURRENT) {
                window.counts[Count::Discarded as usize] = state.next[0];
            }
            state.store.set_ring(&finding.ring);
        }
        state.set_step(INDEX);
        for window in [&mut state.closed, &mut state.current] {
            // It was noted, and then the reset came before the loss.
            if window.losses() == 0 {
                (window.flags, window.crowding) = (0, 0);
            }
        }
        if state.is_draining() {
            state.closed.flags &= !flag::LOSSES_UNSAID;
        }
        if is_before(now, state.current.start) {
            state.current.start = now;
        }
        state.current.distinct = Distinct::of(sketch, state.sequence);
        self.store().recover(&finding.ring, seed);
        self.state().set_step(NOTHING);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregator::{Totals, Window};
    use crate::event::connection::Connection;
    use crate::store::StoreState;
    use crate::store::hash::Hasher;

    /// Whether an empty instance passes, changed in that way. Of its sketch of no bits, a mark is a fault.
    fn passes(change: impl Fn(&mut State)) -> bool {
        let mut state = State {
            options: 0,
            merging: 0,
            step: NOTHING,
            store: StoreState::default(),
            sequence: 7,
            current: Window::default(),
            closed: Window::default(),
            completed: 7,
            next: [0; 2],
            interval: 0,
            text_bytes: 0,
            totals: Totals::default(),
        };
        change(&mut state);
        let seed = Hasher::new(1);
        let (mut entries, mut heads) = ([Connection::default(); 2], [u16::MAX; 4]);
        let parts =
            Parts { state: &mut state, entries: &mut entries, heads: &mut heads, sketch: &mut [], text: &mut [], seed };
        parts.survey(0).is_some()
    }

    #[test]
    fn each_wrong_number_is_enough_to_refuse() {
        assert!(passes(|_| {}));
        assert!(passes(|state| state.step = INDEX) && !passes(|state| state.step = INDEX + 1));
        assert!(passes(|state| state.merging = 1) && !passes(|state| state.merging = 2));
        assert!(passes(|state| state.completed = 6) && !passes(|state| state.completed = 5));
        for step in ADD..BEGIN {
            assert!(!passes(|state| (state.step, state.completed) = (step, 6)), "step {step}");
        }
        assert!(!passes(|state| (state.step, state.next) = (DISCARD_CLOSED, [1, 0])));
        assert!(!passes(|state| (state.step, state.next) = (DISCARD_CURRENT, [2, 0])));
        assert!(!passes(|state| state.current.counts = [u32::MAX - 1, 1, 0, 0]), "nothing is saturated");
    }

    #[test]
    fn totals_near_their_maximum_are_refused_and_so_is_the_one_that_is_announced() {
        let most = u32::MAX / 4;
        for total in 0..COUNTS {
            assert!(passes(|state| state.totals.counts[total] = [u32::MAX, most]));
            assert!(!passes(|state| state.totals.counts[total] = [0, most + 1]));
            assert!(!passes(|state| state.totals.counts[total] = [0, u32::MAX]));
        }
        for step in ADD..=BEGIN {
            let is_good = passes(|state| (state.step, state.next) = (step, [0, most + 1]));
            // What was announced last is still there when a window begins.
            assert_eq!(is_good, step % 2 == ADD % 2, "step {step}");
        }
    }

    #[test]
    fn of_a_window_that_is_half_written_nothing_is_believed() {
        for step in NOTHING..=INDEX {
            let is_closing = (ADD..=BEGIN).contains(&step);
            let closed = passes(|state| (state.step, state.closed.distinct.marked) = (step, 1));
            assert_eq!(closed, step == CLOSE, "closed, step {step}");
            let current = passes(|state| (state.step, state.current.distinct.marked) = (step, 1));
            assert_eq!(current, !is_closing || step == BEGIN, "current, step {step}");
            let adds_up = passes(|state| (state.step, state.closed.counts) = (step, [0, 0, 5, 0]));
            assert_eq!(adds_up, step == CLOSE, "step {step}");
        }
    }
}
