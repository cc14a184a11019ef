// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an event is: a key that tells it from others, a value, and how two values add.
//!
//! An offered event, a record that comes back, and an entry in the store are all the same thing: an entry with its
//! hit count, beside the text that belongs to it. A new kind of event is one more implementation of [`Event`].

pub mod connection;
pub mod packet;
pub mod process;

use crate::store::hash::Hasher;

/// Ticks of the caller's clock; differences are modulo 2^32.
pub type Time = u32;

/// One kind of event, as the store keeps it.
pub trait Event: Copy {
    /// The kind's name in a warning.
    const NOUN: &'static str;
    /// What is said of a full cache when new events are not cached.
    const REJECTING: &'static str;
    /// What is said of a full cache when old events make room.
    const DISCARDING: &'static str;
    /// Whether entries of this kind have a text.
    const HAS_TEXT: bool;

    /// A keyed hash of the whole key.
    fn hash(&self, seed: Hasher) -> u32;
    /// Whether the keys are the same, as far as they stand in the entry.
    fn is_same(&self, other: &Self) -> bool;
    /// Adds the same event, which was observed once more after this entry was made.
    fn add(&mut self, event: &Self);
    /// Adds the value of the same event from another window or instance: the same sum whichever of the two came first.
    fn merge(&mut self, other: &Self);
    /// How often the event was observed.
    fn hit_count(&self) -> u32;
    /// The position of the next entry of the chain.
    fn link(&self) -> u16;
    fn set_link(&mut self, link: u16);

    /// Where the text starts in the text ring.
    fn text_start(&self) -> u32 {
        0
    }
    /// How many bytes of it are kept.
    fn text_length(&self) -> usize {
        0
    }
    fn set_text(&mut self, _start: u32, _length: u16) {}
}

/// How often and when an event was observed.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hits {
    pub count: u32,
    pub first_seen: Time,
    pub last_seen: Time,
}

impl Hits {
    pub fn one(now: Time) -> Self {
        Self { count: 1, first_seen: now, last_seen: now }
    }

    /// One more, now.
    #[inline]
    pub fn hit(&mut self, now: Time) {
        self.count = self.count.saturating_add(1);
        self.seen(now, now);
    }

    #[inline]
    pub fn add(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.seen(other.first_seen, other.last_seen);
    }

    #[inline]
    fn seen(&mut self, first: Time, last: Time) {
        if is_before(first, self.first_seen) {
            self.first_seen = first;
        }
        if is_before(self.last_seen, last) {
            self.last_seen = last;
        }
    }
}

/// Whether one time is before another, modulo 2^32.
#[inline]
pub fn is_before(one: Time, other: Time) -> bool {
    one.wrapping_sub(other) > u32::MAX / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_compare_across_the_wrap() {
        assert!(is_before(1, 2) && !is_before(2, 1) && !is_before(7, 7));
        assert!(is_before(u32::MAX, 3) && !is_before(3, u32::MAX));
    }

    #[test]
    fn hits_saturate_and_keep_the_earliest_and_the_latest() {
        let mut hits = Hits { count: u32::MAX - 1, first_seen: 5, last_seen: 6 };
        hits.add(&Hits { count: 3, first_seen: u32::MAX, last_seen: 4 });
        assert_eq!(hits, Hits { count: u32::MAX, first_seen: u32::MAX, last_seen: 6 });
    }
}
