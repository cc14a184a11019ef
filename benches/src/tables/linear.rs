// SPDX-License-Identifier: MIT OR Apache-2.0
//! The least that works: an array that is searched from its beginning.

use super::{Outcome, Overflow, Table};
use crate::event::{Counts, Key, Observed};

pub struct LinearScan<K> {
    keys: Vec<K>,
    counts: Vec<Counts>,
    capacity: usize,
    /// Where the oldest is, once the array is full.
    oldest: usize,
    overflow: Overflow,
}

impl<K: Key> Table for LinearScan<K> {
    type Key = K;

    fn name() -> String {
        format!("linear scan{}", K::NAME)
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        let (keys, counts) = (Vec::with_capacity(capacity), Vec::with_capacity(capacity));
        Self { keys, counts, capacity, oldest: 0, overflow }
    }

    #[inline(never)]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        if let Some(index) = self.keys.iter().position(|found| found == key) {
            self.counts[index].add(observed);
            return Outcome::Counted;
        }
        if self.keys.len() < self.capacity {
            self.keys.push(key.clone());
            self.counts.push(Counts::once(observed));
            return Outcome::First;
        }
        if self.overflow == Overflow::Reject {
            return Outcome::Rejected;
        }
        self.keys[self.oldest] = key.clone();
        self.counts[self.oldest] = Counts::once(observed);
        self.oldest = (self.oldest + 1) % self.capacity;
        Outcome::First
    }

    fn drain(&mut self, mut each: impl FnMut(u32)) {
        self.counts.drain(..).for_each(|counts| each(counts.hit_count));
        self.keys.clear();
        self.oldest = 0;
    }
}
