// SPDX-License-Identifier: MIT OR Apache-2.0
//! How each operation is timed: a table is filled anew for every sample, so that a seed or a place in memory that
//! happens to be good or bad is one of many.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::event::{Event, Observed};
use crate::tables::{Outcome, Overflow, Table};

/// For what fills a table.
const BEFORE: Observed = Observed { direction: 1, bytes: 1, now: 0 };

/// With room for `capacity` entries.
fn filled<T: Table>(keys: &[T::Key], capacity: usize, overflow: Overflow) -> T {
    let mut table = T::new(capacity, overflow);
    for key in keys {
        assert_eq!(table.record(key, BEFORE), Outcome::First, "{}", T::name());
    }
    table
}

/// All events once, so that those which are measured find the caches of a machine in its steady state.
fn warm_up<T: Table>(table: &mut T, events: &[Event<T::Key>]) {
    run(table, events, events.len() as u64);
}

/// `count` events, from the first on and round.
fn run<T: Table>(table: &mut T, events: &[Event<T::Key>], count: u64) -> Duration {
    let mut next = 0;
    let start = Instant::now();
    for _ in 0..count {
        let Event { key, observed } = &events[next];
        black_box(table.record(key, *observed));
        next += 1;
        if next == events.len() {
            next = 0;
        }
    }
    start.elapsed()
}

/// Events of keys that are in the table, which has room for 64 entries, the default, or for all keys.
pub fn known<T: Table>(keys: &[T::Key], events: &[Event<T::Key>], count: u64) -> Duration {
    let mut table = filled::<T>(keys, keys.len().max(64), Overflow::Reject);
    warm_up(&mut table, events);
    run(&mut table, events, count)
}

/// Events of keys that are not in a full table.
pub fn unknown<T: Table>(keys: &[T::Key], events: &[Event<T::Key>], overflow: Overflow, count: u64) -> Duration {
    let mut table = filled::<T>(keys, keys.len(), overflow);
    warm_up(&mut table, events);
    run(&mut table, events, count)
}

/// All events of a trace with a table that is too small for it.
pub fn overflowing<T: Table>(capacity: usize, events: &[Event<T::Key>], overflow: Overflow, count: u64) -> Duration {
    let mut table = T::new(capacity, overflow);
    warm_up(&mut table, events);
    run(&mut table, events, count)
}

/// The first event of each key, from an empty table to a full one.
pub fn first<T: Table>(keys: &[T::Key], count: u64) -> Duration {
    let mut table = T::new(keys.len(), Overflow::Reject);
    rounds(keys.len(), count, || {
        let start = Instant::now();
        for key in keys {
            black_box(table.record(key, BEFORE));
        }
        let elapsed = start.elapsed();
        table.drain(|hits| assert_eq!(hits, 1));
        elapsed
    })
}

/// Each record on its way out.
pub fn drain<T: Table>(keys: &[T::Key], count: u64) -> Duration {
    let mut table = T::new(keys.len(), Overflow::Reject);
    rounds(keys.len(), count, || {
        for key in keys {
            table.record(key, BEFORE);
        }
        let start = Instant::now();
        table.drain(|hits| {
            black_box(hits);
        });
        start.elapsed()
    })
}

/// Rounds of `each` operations until there are at least `count`, as if there were just that many.
pub fn rounds(each: usize, count: u64, mut round: impl FnMut() -> Duration) -> Duration {
    let rounds = count.div_ceil(each as u64);
    let total: Duration = (0..rounds).map(|_| round()).sum();
    total.mul_f64(count as f64 / (rounds * each as u64) as f64)
}
