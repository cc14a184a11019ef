// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keyed hash: one 32 x 32 -> 64 bit multiplication for every two words.
//!
//! Both factors hold secret state, and both halves of the product are mixed with the factor of the other side, so
//! that a factor of zero or one does not erase what came before. A remote peer who does not know the seed cannot
//! choose words that cancel: a difference in one factor reaches the next state multiplied by the other, unknown one.
//! Words are read little-endian, so that instances on different machines with the same seed agree.

/// Fractional bits of the golden ratio and of the square root of three: they keep a seed of zero out of the fixed
/// point where every product is zero.
const SEED_MASK: (u32, u32) = (0x9E37_79B9, 0xBB67_AE85);
/// Fractional bits of the square roots of five and of seven.
const FINISH: (u32, u32) = (0x3C6E_F372, 0xA54F_F53A);

#[derive(Clone, Copy)]
pub struct Hasher {
    a: u32,
    b: u32,
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a 64-bit word are what is wanted")]
impl Hasher {
    pub fn new(seed: u64) -> Self {
        Self { a: seed as u32 ^ SEED_MASK.0, b: (seed >> 32) as u32 ^ SEED_MASK.1 }
    }

    #[inline]
    pub fn pair(&mut self, first: u32, second: u32) {
        let a = self.a ^ first;
        let b = self.b ^ second;
        let product = multiply(a, b);
        self.a = b ^ product as u32;
        self.b = a ^ (product >> 32) as u32;
    }

    /// The tail is padded with zeros; the length at the end tells it from bytes that are zero.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let (pairs, tail) = bytes.as_chunks::<8>();
        for pair in pairs {
            self.eight(*pair);
        }
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(tail) {
            *to = *from;
        }
        self.eight(last);
        self.pair(bytes.len() as u32, FINISH.1);
    }

    /// A hash whose halves are as good as the whole. One more multiplication, because the words of the last pair have
    /// been in only one, which leaves neighbours at equal distances.
    #[inline]
    pub fn finish(mut self) -> u32 {
        self.pair(0, 0);
        self.a ^ self.b
    }

    /// A hash that tells apart what is not kept.
    pub fn finish_wide(mut self) -> u64 {
        self.pair(FINISH.0, FINISH.1);
        self.pair(FINISH.1, FINISH.0);
        u64::from(self.a) | u64::from(self.b) << 32
    }

    #[inline]
    fn eight(&mut self, bytes: [u8; 8]) {
        let both = u64::from_le_bytes(bytes);
        self.pair(both as u32, (both >> 32) as u32);
    }
}

#[cfg(not(all(target_arch = "arm", not(target_has_atomic = "ptr"))))]
#[inline(always)]
fn multiply(a: u32, b: u32) -> u64 {
    u64::from(a) * u64::from(b)
}

#[cfg(all(target_arch = "arm", not(target_has_atomic = "ptr")))]
use multiply_by_halves as multiply;

/// For Armv6-M, which multiplies to 32 bits: a third of the work of the routine that a compiler calls, for that multiplies
/// 64 bits by 64.
#[cfg(any(test, all(target_arch = "arm", not(target_has_atomic = "ptr"))))]
#[inline(never)]
fn multiply_by_halves(a: u32, b: u32) -> u64 {
    let (a_low, a_high) = (a & 0xFFFF, a >> 16);
    let (b_low, b_high) = (b & 0xFFFF, b >> 16);
    // No sum exceeds 32 bits: the largest product of halves leaves room for two more halves.
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 16);
    let other_middle = a_low * b_high + (middle & 0xFFFF);
    let high = a_high * b_high + (middle >> 16) + (other_middle >> 16);
    u64::from(high) << 32 | u64::from(other_middle << 16 | low & 0xFFFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::vec;

    fn hash(seed: u64, words: [u32; 2]) -> u32 {
        let mut hasher = Hasher::new(seed);
        hasher.pair(words[0], words[1]);
        hasher.finish()
    }

    #[test]
    fn flipping_any_bit_of_the_words_flips_about_half_of_the_bits() {
        for bit in 0..64 {
            let mut flipped = 0;
            for trial in 0..1000_u64 {
                let words = trial.wrapping_mul(0x9E37_79B9_7F4A_7C15);
                let other = words ^ (1 << bit);
                let seed = trial.wrapping_mul(0xD6E8_FEB8_6659_FD93);
                let halves = |w: u64| [w as u32, (w >> 32) as u32];
                flipped += (hash(seed, halves(words)) ^ hash(seed, halves(other))).count_ones();
            }
            let mean = f64::from(flipped) / 1000.0;
            assert!((14.0..18.0).contains(&mean), "bit {bit}: {mean} of 32 flipped");
        }
    }

    #[test]
    fn neighbouring_words_spread_over_the_buckets_for_every_seed() {
        for seed in 0..200 {
            let buckets: HashSet<u32> = (0..64).map(|port| hash(seed, [port, 6]) >> 26).collect();
            // 64 balls in 64 bins fill 40.5 on average, with a standard deviation of about 2.4.
            assert!(buckets.len() >= 28, "seed {seed}: {} of 64 buckets", buckets.len());
        }
    }

    #[test]
    fn multiplying_by_halves_is_multiplying() {
        let edges = [0, 1, 2, 0xFFFE, 0xFFFF, 0x1_0000, 0x1_0001, 0x7FFF_FFFF, 0x8000_0000, 0xFFFE_FFFF, u32::MAX];
        let random = (0..1000_u32).map(|n| n.wrapping_mul(0x9E37_79B9) ^ n << 7);
        for a in edges.into_iter().chain(random) {
            for b in edges {
                assert_eq!(multiply_by_halves(a, b), u64::from(a) * u64::from(b), "{a:#x} * {b:#x}");
            }
        }
    }

    #[test]
    fn bytes_of_zero_and_lengths_are_told_apart() {
        let hashes: HashSet<u64> = (0..40)
            .map(|length| {
                let mut hasher = Hasher::new(7);
                hasher.bytes(&vec![0; length]);
                hasher.finish_wide()
            })
            .collect();
        assert_eq!(hashes.len(), 40);
    }

    #[test]
    fn the_seed_matters() {
        let hashes: HashSet<u32> = (0..1000).map(|seed| hash(seed, [1, 2])).collect();
        assert!(hashes.len() >= 998);
    }
}
