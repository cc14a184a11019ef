// SPDX-License-Identifier: MIT OR Apache-2.0
//! The keyed hash: one 32 x 32 -> 64 bit multiplication for every two words, or for keys on a machine of 64 bits, one
//! 64 x 64 -> 128 bit multiplication for two or four.
//!
//! Both factors hold secret state, and both halves of the product are mixed with the factor of the other side, so
//! that a factor of zero or one does not erase what came before: the lower half is added, because an exclusive or of it
//! would be zero where the first factor is one. A remote peer who does not know the seed cannot choose words that cancel:
//! a difference in one factor reaches the next state multiplied by the other, unknown one. The words of command lines
//! are read little-endian, so that instances on different machines with the same seed agree on them.

use core::ops::BitXor;

/// Fractional bits of the golden ratio and of the square root of three: they keep a seed of zero out of the fixed
/// point where every product is zero.
const SEED_MASK: (u32, u32) = (0x9E37_79B9, 0xBB67_AE85);
/// Fractional bits of the square roots of five and of seven.
const FINISH: (u32, u32) = (0x3C6E_F372, 0xA54F_F53A);

/// Words that are multiplied into two.
pub trait Word: Copy + Default + From<u32> + BitXor<Output = Self> {
    /// The lower and the upper half of the product.
    fn multiply(self, other: Self) -> (Self, Self);
    fn wrapping_add(self, other: Self) -> Self;
}

/// For command lines, whose hash is the same on all machines, and for keys where the machine is of 32 bits.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hasher<W = u32> {
    a: W,
    b: W,
}

/// For keys, as wide as the machine multiplies. It hashes them as words of 32 bits, two or four at a time.
#[cfg(target_pointer_width = "64")]
pub type KeyHasher = Hasher<u64>;
#[cfg(not(target_pointer_width = "64"))]
pub type KeyHasher = Hasher<u32>;

impl<W: Word> Hasher<W> {
    #[inline]
    fn pair(&mut self, first: W, second: W) {
        let a = self.a ^ first;
        let b = self.b ^ second;
        let (low, high) = a.multiply(b);
        self.a = b.wrapping_add(low);
        self.b = a ^ high;
    }

    #[inline]
    pub fn two(&mut self, first: u32, second: u32) {
        self.pair(first.into(), second.into());
    }

    /// One more multiplication, because the words of the last pair have been in only one, which leaves neighbours at
    /// equal distances.
    #[inline]
    fn finish_word(mut self) -> W {
        self.pair(W::default(), W::default());
        self.a ^ self.b
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a 64-bit word are what is wanted")]
impl Hasher {
    pub fn new(seed: u64) -> Self {
        Self { a: seed as u32 ^ SEED_MASK.0, b: (seed >> 32) as u32 ^ SEED_MASK.1 }
    }

    #[cfg(target_pointer_width = "64")]
    #[inline]
    pub fn for_keys(self) -> KeyHasher {
        let seed = join(self.a, self.b);
        Hasher { a: seed, b: seed.rotate_left(32) }
    }

    #[cfg(not(target_pointer_width = "64"))]
    #[inline]
    pub fn for_keys(self) -> KeyHasher {
        self
    }

    /// The last eight bytes are hashed once more, and with them what is left over. A text of fewer than eight bytes is
    /// padded with zeros; the length at the end tells it from one that ends with zeros.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for pair in bytes.as_chunks().0 {
            self.eight(*pair);
        }
        let mut last = [0; 8];
        match bytes.last_chunk() {
            Some(end) => last = *end,
            None => {
                for (to, from) in last.iter_mut().zip(bytes) {
                    *to = *from;
                }
            }
        }
        self.eight(last);
        self.pair(bytes.len() as u32, FINISH.1);
    }

    /// A hash that tells apart what is not kept.
    pub fn finish_wide(mut self) -> u64 {
        self.pair(FINISH.0, FINISH.1);
        join(self.a, self.b)
    }

    #[inline]
    fn eight(&mut self, bytes: [u8; 8]) {
        let both = u64::from_le_bytes(bytes);
        self.pair(both as u32, (both >> 32) as u32);
    }
}

#[cfg_attr(target_pointer_width = "64", allow(dead_code, reason = "for keys on smaller machines, and for tests"))]
impl Hasher<u32> {
    #[inline]
    pub fn four(&mut self, words: [u32; 4]) {
        self.pair(words[0], words[1]);
        self.pair(words[2], words[3]);
    }

    /// A hash whose halves are as good as the whole.
    #[inline]
    pub fn finish(self) -> u32 {
        self.finish_word()
    }
}

#[cfg(target_pointer_width = "64")]
impl Hasher<u64> {
    #[inline]
    pub fn four(&mut self, words: [u32; 4]) {
        self.pair(join(words[0], words[1]), join(words[2], words[3]));
    }

    /// As with 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "any bits will do")]
    #[inline]
    pub fn finish(self) -> u32 {
        self.finish_word() as u32
    }
}

#[inline]
fn join(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a product are what is wanted")]
impl Word for u32 {
    #[inline]
    fn multiply(self, other: Self) -> (Self, Self) {
        let product = multiply(self, other);
        (product as u32, (product >> 32) as u32)
    }

    #[inline]
    fn wrapping_add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

#[cfg(target_pointer_width = "64")]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a product are what is wanted")]
impl Word for u64 {
    #[inline]
    fn multiply(self, other: Self) -> (Self, Self) {
        let product = u128::from(self) * u128::from(other);
        (product as u64, (product >> 64) as u64)
    }

    #[inline]
    fn wrapping_add(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
}

/// Where a hash falls among `count` places: no division, and no count has to be a power of two.
#[inline]
pub fn place(hash: u32, count: u32) -> u32 {
    if cfg!(all(target_arch = "arm", not(target_has_atomic = "ptr"))) {
        // Armv6-M has no longer product, and no more than 65,535 places.
        ((hash >> 16) * count) >> 16
    } else {
        ((u64::from(hash) * u64::from(count)) >> 32) as u32
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

    /// Of two words, or of four whose last two they are; as on a machine of 32 bits, and as on this one.
    const HASHES: [fn(u64, [u32; 2]) -> u32; 4] = [narrow, last_of_four_narrow, for_keys, last_of_four];

    fn narrow(seed: u64, words: [u32; 2]) -> u32 {
        let mut hasher = Hasher::new(seed);
        hasher.two(words[0], words[1]);
        hasher.finish()
    }

    fn last_of_four_narrow(seed: u64, words: [u32; 2]) -> u32 {
        let mut hasher = Hasher::new(seed);
        hasher.four([443, 0x0A00_0001, words[0], words[1]]);
        hasher.finish()
    }

    fn for_keys(seed: u64, words: [u32; 2]) -> u32 {
        let mut hasher = Hasher::new(seed).for_keys();
        hasher.two(words[0], words[1]);
        hasher.finish()
    }

    fn last_of_four(seed: u64, words: [u32; 2]) -> u32 {
        let mut hasher = Hasher::new(seed).for_keys();
        hasher.four([443, 0x0A00_0001, words[0], words[1]]);
        hasher.finish()
    }

    #[test]
    fn flipping_any_bit_of_the_words_flips_about_half_of_the_bits() {
        for (which, hash) in HASHES.iter().enumerate() {
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
                assert!((14.0..18.0).contains(&mean), "hash {which}, bit {bit}: {mean} of 32 flipped");
            }
        }
    }

    #[test]
    fn neighbouring_words_spread_over_the_buckets_for_every_seed() {
        for (which, hash) in HASHES.iter().enumerate() {
            for seed in 0..200 {
                for words in [|port| [port, 6], |port| [6, port], |port: u32| [0, port << 24]] {
                    let buckets: HashSet<u32> = (0..64).map(|port| hash(seed, words(port)) >> 26).collect();
                    // 64 balls in 64 bins fill 40.5 on average, with a standard deviation of about 2.4.
                    assert!(buckets.len() >= 28, "hash {which}, seed {seed}: {} of 64 buckets", buckets.len());
                }
            }
        }
    }

    #[test]
    fn no_factor_erases_the_other() {
        for factor in [0, 1, 2, 3, 4, u32::MAX - 1, u32::MAX] {
            for swapped in [false, true] {
                let states: HashSet<(u32, u32)> = (0..1000_u32)
                    .map(|number| {
                        let other = number.wrapping_mul(0x9E37_79B9);
                        let (a, b) = if swapped { (other, factor) } else { (factor, other) };
                        let mut hasher = Hasher { a, b };
                        hasher.two(0, 0);
                        (hasher.a, hasher.b)
                    })
                    .collect();
                assert_eq!(states.len(), 1000, "factor {factor}, swapped: {swapped}");
            }
        }
    }

    #[test]
    fn hashes_fall_among_all_places_in_equal_shares() {
        for count in [1, 2, 3, 64, 1000, 65_535] {
            assert_eq!((place(0, count), place(u32::MAX, count)), (0, count - 1));
            assert_eq!(place(1 << 31, count), count / 2);
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
    fn flipping_any_bit_of_a_text_flips_about_half_of_the_bits() {
        let hash = |seed: u64, text: &[u8]| {
            let mut hasher = Hasher::new(seed.wrapping_mul(0xD6E8_FEB8_6659_FD93));
            hasher.bytes(text);
            hasher.finish_wide()
        };
        for length in [1, 7, 8, 9, 60] {
            let text = vec![b'x'; length];
            for bit in 0..length * 8 {
                let mut other = text.clone();
                other[bit / 8] ^= 1 << (bit % 8);
                let flips = |seed| (hash(seed, &text) ^ hash(seed, &other)).count_ones();
                let mean = f64::from((0..500).map(flips).sum::<u32>()) / 500.0;
                assert!((29.0..35.0).contains(&mean), "{length} bytes, bit {bit}: {mean} of 64 flipped");
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
        for hash in HASHES {
            let hashes: HashSet<u32> = (0..1000).map(|seed| hash(seed, [1, 2])).collect();
            assert!(hashes.len() >= 998);
        }
    }
}
