// SPDX-License-Identifier: MIT OR Apache-2.0
//! What an event is: a key that tells it from others, a value, and how two values add.
//!
//! An entry in the store and a record that comes back are the same thing, an [`Event`] with its hit count, beside the
//! text that belongs to it. What was just observed is an [`Offer`]: it is compared and added as it is, and becomes an
//! entry only when it is new. A new kind of event is one more implementation of both.

pub mod connection;
pub mod packet;
pub mod process;

use crate::store::hash::Hasher;

/// Ticks of the caller's clock; differences are modulo 2^32.
pub type Time = u32;

/// One kind of event, as the store keeps it.
pub trait Event: Copy + Default {
    /// The kind's name in a warning.
    const NOUN: &'static str;
    /// Whether entries of this kind have a text.
    const HAS_TEXT: bool;

    /// A keyed hash of the whole key.
    fn hash(&self, seed: Hasher) -> u32;
    /// Whether the keys are the same, as far as they stand in the entry.
    fn is_same(&self, other: &Self) -> bool;
    /// As [`Offer::resembles`].
    fn resembles(&self, other: &Self) -> bool;
    /// Adds the value of the same event from another window or instance: the same sum whichever of the two came first.
    fn merge(&mut self, other: &Self);
    /// How often the event was observed.
    fn hit_count(&self) -> u32;
    /// Whether this can be an entry, as far as it tells by itself.
    fn is_valid(&self) -> bool;
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
    /// Whether this can be the entry of that text.
    fn has_text(&self, _text: &[u8], _seed: Hasher) -> bool {
        true
    }
}

/// An event on its way to the store: it is looked for as it is, and written to an entry only when it is new.
pub trait Offer<E: Event> {
    fn hash(&self, seed: Hasher) -> u32;
    fn is_same(&self, entry: &E) -> bool;
    /// Cheaper, and without a branch: the entry of the same event does, few others do.
    fn resembles(&self, entry: &E) -> bool;
    fn add_to(&self, entry: &mut E);
    fn write_to(&self, entry: &mut E);
}

/// What an earlier window or another instance recorded.
pub struct Merged<'a, E>(pub &'a E);

impl<E: Event> Offer<E> for Merged<'_, E> {
    fn hash(&self, seed: Hasher) -> u32 {
        self.0.hash(seed)
    }

    fn is_same(&self, entry: &E) -> bool {
        entry.is_same(self.0)
    }

    fn resembles(&self, entry: &E) -> bool {
        entry.resembles(self.0)
    }

    fn add_to(&self, entry: &mut E) {
        entry.merge(self.0);
    }

    fn write_to(&self, entry: &mut E) {
        *entry = *self.0;
    }
}

/// When an event was first and last observed.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    pub first: Time,
    pub last: Time,
}

impl Seen {
    pub fn once(now: Time) -> Self {
        Self { first: now, last: now }
    }

    /// Once more, now. A clock that was set back may make that the first time.
    #[inline]
    pub fn again(&mut self, now: Time) {
        if !is_before(now, self.last) {
            self.last = now;
        } else if is_before(now, self.first) {
            self.first = now;
        }
    }

    pub fn join(&mut self, other: Self) {
        self.again(other.last);
        self.again(other.first);
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
        assert!(is_before(0, u32::MAX / 2) && !is_before(u32::MAX / 2, 0));
    }

    #[test]
    fn the_earliest_and_the_latest_time_are_kept_in_any_order() {
        for (one, other) in [((5, 6), (u32::MAX, 4)), ((5, 6), (5, 6)), ((5, 5), (6, 9)), ((1, 9), (3, 4))] {
            let joined = |one: (Time, Time), other: (Time, Time)| {
                let mut seen = Seen { first: one.0, last: one.1 };
                seen.join(Seen { first: other.0, last: other.1 });
                seen
            };
            let first = if is_before(one.0, other.0) { one.0 } else { other.0 };
            let last = if is_before(one.1, other.1) { other.1 } else { one.1 };
            assert_eq!(joined(one, other), Seen { first, last });
            assert_eq!(joined(other, one), Seen { first, last });
        }
    }
}
