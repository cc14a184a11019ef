// SPDX-License-Identifier: MIT OR Apache-2.0
//! How many distinct events a window saw, those included that found no room: a bitmap of about a byte an entry.
//!
//! Every event that is admitted or rejected sets the bit that its hash names. A bit that is newly set when `zero` of
//! `bits` are still clear stands for `bits / zero` distinct events on average, so the estimate is the sum of these
//! (the martingale form of linear counting: D. Ting, "Streamed approximate counting of distinct elements", KDD 2014;
//! K.-Y. Whang et al., "A linear-time probabilistic counting algorithm", 1990).
//!
//! A block carries the sequence number of the window that it was last used in. It is cleared at its first use in a
//! later one, so that the start of a window costs the same at every capacity.

use super::settle;

const WORDS: usize = 15;
const BLOCK_BITS: u32 = 480;

/// Sixty-four bytes for up to sixty-four entries.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Block {
    window: u32,
    words: [u32; WORDS],
}

impl Block {
    pub const ENTRIES: usize = 64;
    /// What a fill of ones makes: never used, because stamped with the sequence number before the first.
    #[cfg(test)]
    const UNUSED: Self = Self { window: u32::MAX, words: [u32::MAX; WORDS] };
}

/// What the bitmap told of one window.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Distinct {
    /// Bits set.
    pub marked: u32,
    /// The estimate, in 256ths.
    estimate: u32,
}

impl Distinct {
    /// The largest recommendation, because the estimate saturates.
    #[cfg(test)]
    pub const MOST: u32 = u32::MAX / 256;

    /// A capacity that this window would have needed: the estimate and an eighth, rounded up.
    ///
    /// At 64 entries and eight times as many distinct events, the standard deviation of the estimate is 4 %: an
    /// eighth keeps 99.9 % of windows at or above the true number, and under 30 % above it. Under five events one more
    /// would be 30 % too many, and the estimate is nearly always exact: there it is rounded to the nearest.
    pub fn recommendation(self) -> u32 {
        let rounding = if self.estimate < 5 * 256 { 128 } else { 255 };
        self.estimate.saturating_add(self.estimate / 8).saturating_add(rounding) / 256
    }

    pub fn bits(blocks: &[Block]) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "65,535 entries have 1,024 blocks")]
        let count = blocks.len() as u32;
        count * BLOCK_BITS
    }

    /// What the blocks tell of that window.
    pub fn of(blocks: &[Block], window: u32) -> Self {
        let words = blocks.iter().filter(|block| block.window == window).flat_map(|block| block.words);
        Self::after(words.map(u32::count_ones).sum(), Self::bits(blocks))
    }

    /// Whether a bitmap of that many bits can have told this.
    pub fn is_among(self, bits: u32) -> bool {
        self.marked <= bits && self.estimate == Self::after(self.marked, bits).estimate
    }

    /// The estimate depends on nothing but the number of marks.
    fn after(marks: u32, bits: u32) -> Self {
        let mut distinct = Self::default();
        for _ in 0..marks {
            distinct.mark(bits);
        }
        distinct
    }

    /// One more of `bits` is set.
    #[inline]
    fn mark(&mut self, bits: u32) {
        if let Some(worth) = (bits * 256).checked_div(bits - self.marked) {
            self.estimate = self.estimate.saturating_add(worth);
        }
        self.marked += 1;
    }

    pub fn exceeds(self, events: u32) -> bool {
        self.estimate / 256 > events
    }
}

/// Marks the event of that hash; true when its bit was clear.
pub fn mark(blocks: &mut [Block], window: u32, hash: u32, distinct: &mut Distinct) -> bool {
    let bits = Distinct::bits(blocks);
    let count = bits / BLOCK_BITS;
    let Some(block) = blocks.get_mut((((hash >> 16) * count) >> 16) as usize) else { return false };
    if block.window != window {
        for word in &mut block.words {
            *word = 0;
        }
        settle();
        block.window = window;
    }
    let bit = ((hash & 0xFFFF) * BLOCK_BITS) >> 16;
    let Some(word) = block.words.get_mut((bit / 32) as usize) else { return false };
    if *word >> (bit % 32) & 1 != 0 {
        return false;
    }
    *word |= 1 << (bit % 32);
    distinct.mark(bits);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::hash::Hasher;
    use std::vec;

    fn estimate(capacity: usize, events: u32, seed: u64) -> Distinct {
        let mut blocks = vec![Block::UNUSED; capacity.div_ceil(Block::ENTRIES)];
        let mut distinct = Distinct::default();
        for event in 0..events {
            // Seeds that follow one another would only permute events that do.
            let mut hasher = Hasher::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15)).for_keys();
            hasher.two(event, 17);
            mark(&mut blocks, 0, hasher.finish(), &mut distinct);
        }
        distinct
    }

    #[test]
    fn the_recommendation_holds_in_99_of_100_trials_and_is_not_a_third_too_high() {
        for capacity in [3, 4, 8, 32, 64, 100, 256, 1024] {
            for times in [9, 12, 16, 24, 32, 48, 64] {
                let events = (capacity * times / 8).max(capacity + 1);
                let trials = 2000;
                let (mut low, mut high) = (0, 0);
                for seed in 0..trials {
                    // Something was lost, so one more is the least.
                    let recommended = estimate(capacity, events as u32, seed).recommendation() as usize;
                    let recommended = recommended.max(capacity + 1);
                    low += u32::from(recommended < events);
                    high += u32::from(recommended * 10 > events * 13);
                }
                assert!(low * 100 <= trials as u32, "{capacity} entries, {events} events: {low} of {trials} too low");
                assert!(
                    high * 100 <= trials as u32,
                    "{capacity} entries, {events} events: {high} of {trials} too high"
                );
            }
        }
    }

    #[test]
    fn an_eighth_is_added_and_rounded_up_from_five_events_on() {
        for (events, recommended) in [(0, 0), (1, 1), (3, 3), (4, 5), (5, 6), (8, 9), (9, 11), (16, 18)] {
            assert_eq!(Distinct { marked: 0, estimate: events * 256 }.recommendation(), recommended, "{events} events");
        }
    }

    #[test]
    fn an_estimate_exceeds_what_is_less() {
        let distinct = Distinct { marked: 0, estimate: 512 * 256 + 255 };
        assert!(distinct.exceeds(511) && !distinct.exceeds(512) && !distinct.exceeds(513));
    }

    #[test]
    fn an_estimate_that_does_not_go_with_its_marks_is_not_among_the_possible_ones() {
        for marked in [0, 1, 100, 480] {
            let distinct = Distinct::after(marked, 480);
            assert!(distinct.is_among(480));
            assert!(!Distinct { estimate: distinct.estimate + 1, ..distinct }.is_among(480));
            assert!(!Distinct { marked: marked + 1, ..distinct }.is_among(480));
        }
    }

    #[test]
    fn a_full_bitmap_stops_growing_and_says_so() {
        let distinct = estimate(64, 1_000_000, 1);
        assert_eq!(distinct.marked, 480);
        assert!(distinct.exceeds(8 * 64));
    }

    #[test]
    fn a_block_of_an_earlier_window_is_cleared_at_its_first_use() {
        let mut blocks = [Block::UNUSED; 1];
        for window in 0..3 {
            let mut distinct = Distinct::default();
            assert!(mark(&mut blocks, window, 12345, &mut distinct));
            assert!(!mark(&mut blocks, window, 12345, &mut distinct));
            assert_eq!(distinct.marked, 1);
        }
    }
}
