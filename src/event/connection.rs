// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections: the five-tuple, and the bytes each way.

use super::{Event, Offer, Seen, Time};
use crate::store::hash::{Hasher, KeyHasher};

/// Which way a packet or event went, seen from this device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In = 1,
    Out = 2,
}

/// What tells one connection from another, where it was found. Addresses are in network order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FiveTuple<'a> {
    /// The remote port in the upper half, the local one in the lower.
    pub ports: u32,
    /// The protocol in the lower byte, the version of IP in the upper one.
    pub tag: u16,
    pub ends: Ends<'a>,
}

/// Local and remote address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ends<'a> {
    V4(&'a [u8; 4], &'a [u8; 4]),
    V6(&'a [u8; 16], &'a [u8; 16]),
}

impl FiveTuple<'_> {
    /// The addresses of IPv4, or the first words of those of IPv6.
    #[inline]
    fn first_words(&self) -> (u32, u32) {
        match self.ends {
            Ends::V4(local, remote) => (u32::from_ne_bytes(*local), u32::from_ne_bytes(*remote)),
            Ends::V6(local, remote) => (word(local, 0), word(remote, 0)),
        }
    }
}

/// Whether all words but the first are those of an entry.
#[inline(always)]
fn rest_is_same(address: &[u8; 16], words: &[u32; 4]) -> bool {
    let differs = |index: usize| word(address, index) ^ words[index];
    differs(1) | differs(2) | differs(3) == 0
}

#[inline]
fn word(address: &[u8; 16], index: usize) -> u32 {
    match address.as_chunks().0.get(index) {
        Some(bytes) => u32::from_ne_bytes(*bytes),
        None => 0,
    }
}

/// The layout is that of the record in the C header, which has flags in the place of the link: flush copies an entry
/// as it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Connection {
    /// In network order, word by word; of IPv4, the last three words are zero.
    pub local: [u32; 4],
    pub remote: [u32; 4],
    pub local_port: u16,
    pub remote_port: u16,
    pub protocol: u8,
    pub ip_version: u8,
    pub link: u16,
    pub hit_count: u32,
    /// In and out.
    pub bytes: [u32; 2],
    pub seen: Seen,
}

impl Connection {
    /// Of IPv4, the words that are not in use may have held anything.
    #[inline]
    pub fn clear_unused(&mut self) {
        if self.ip_version == 4 {
            for index in 1..4 {
                (self.local[index], self.remote[index]) = (0, 0);
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "each port is a half")]
    #[inline]
    fn set_tuple(&mut self, tuple: &FiveTuple<'_>) {
        (self.local[0], self.remote[0]) = tuple.first_words();
        for index in 1..4 {
            (self.local[index], self.remote[index]) = match tuple.ends {
                Ends::V4(..) => (0, 0),
                Ends::V6(local, remote) => (word(local, index), word(remote, index)),
            };
        }
        self.local_port = tuple.ports as u16;
        self.remote_port = (tuple.ports >> 16) as u16;
        [self.protocol, self.ip_version] = tuple.tag.to_le_bytes();
    }

    /// Whether a counter stands at its maximum.
    pub fn is_saturated(&self) -> bool {
        self.hit_count == u32::MAX || self.bytes[0] == u32::MAX || self.bytes[1] == u32::MAX
    }

    #[inline]
    fn ports(&self) -> u32 {
        u32::from(self.remote_port) << 16 | u32::from(self.local_port)
    }

    #[inline]
    fn tag(&self) -> u16 {
        u16::from_le_bytes([self.protocol, self.ip_version])
    }
}

/// A packet or connection event that was just observed.
#[derive(Clone, Copy)]
pub struct Observed<'a> {
    pub tuple: FiveTuple<'a>,
    pub direction: Direction,
    pub bytes: u32,
    pub now: Time,
}

impl Offer<Connection> for Observed<'_> {
    #[inline(always)]
    fn hash(&self, seed: Hasher) -> u32 {
        let mut hasher = seed.for_keys();
        if let Ends::V6(local, remote) = self.tuple.ends {
            hash_rest(&mut hasher, |index| word(local, index), |index| word(remote, index));
        }
        let (local, remote) = self.tuple.first_words();
        hash_first(hasher, self.tuple.ports, self.tuple.tag, local, remote)
    }

    #[inline(always)]
    fn is_same(&self, entry: &Connection) -> bool {
        self.tuple.ports == entry.ports()
            && self.tuple.tag == entry.tag()
            && self.tuple.first_words() == (entry.local[0], entry.remote[0])
            && match self.tuple.ends {
                Ends::V4(..) => true,
                Ends::V6(local, remote) => rest_is_same(remote, &entry.remote) && rest_is_same(local, &entry.local),
            }
    }

    #[inline(always)]
    fn resembles(&self, entry: &Connection) -> bool {
        (self.tuple.ports ^ entry.ports()) | (self.tuple.first_words().1 ^ entry.remote[0]) == 0
    }

    #[inline(always)]
    fn add_to(&self, entry: &mut Connection) {
        entry.hit_count = entry.hit_count.saturating_add(1);
        let bytes = &mut entry.bytes[self.direction as usize - 1];
        *bytes = bytes.saturating_add(self.bytes);
        entry.seen.again(self.now);
    }

    #[inline(always)]
    fn write_to(&self, entry: &mut Connection) {
        entry.set_tuple(&self.tuple);
        entry.hit_count = 1;
        entry.bytes = match self.direction {
            Direction::In => [self.bytes, 0],
            Direction::Out => [0, self.bytes],
        };
        entry.seen = Seen::once(self.now);
    }
}

/// All words of the addresses but the first, which only IPv6 has.
#[inline(always)]
fn hash_rest(hasher: &mut KeyHasher, local: impl Fn(usize) -> u32, remote: impl Fn(usize) -> u32) {
    for index in 1..4 {
        hasher.two(remote(index), local(index));
    }
}

/// The end of every hash.
#[inline(always)]
fn hash_first(mut hasher: KeyHasher, ports: u32, tag: u16, local: u32, remote: u32) -> u32 {
    hasher.four([ports, remote, local, tag.into()]);
    hasher.finish()
}

impl Event for Connection {
    const NOUN: &'static str = "connection";
    const HAS_TEXT: bool = false;

    #[cfg_attr(target_os = "none", inline(never))]
    fn hash(&self, seed: Hasher) -> u32 {
        let mut hasher = seed.for_keys();
        if self.ip_version != 4 {
            hash_rest(&mut hasher, |index| self.local[index], |index| self.remote[index]);
        }
        hash_first(hasher, self.ports(), self.tag(), self.local[0], self.remote[0])
    }

    fn is_same(&self, other: &Self) -> bool {
        self.ports() == other.ports()
            && self.tag() == other.tag()
            && (0..4).all(|i| self.remote[i] == other.remote[i] && self.local[i] == other.local[i])
    }

    fn resembles(&self, other: &Self) -> bool {
        (self.ports() ^ other.ports()) | (self.remote[0] ^ other.remote[0]) == 0
    }

    fn merge(&mut self, other: &Self) {
        self.hit_count = self.hit_count.saturating_add(other.hit_count);
        self.bytes[0] = self.bytes[0].saturating_add(other.bytes[0]);
        self.bytes[1] = self.bytes[1].saturating_add(other.bytes[1]);
        self.seen.join(other.seen);
    }

    fn hit_count(&self) -> u32 {
        self.hit_count
    }

    fn is_valid(&self) -> bool {
        let uses_first_words_only = (1..4).all(|index| self.local[index] | self.remote[index] == 0);
        self.hit_count != 0 && (self.ip_version == 6 || (self.ip_version == 4 && uses_first_words_only))
    }

    fn link(&self) -> u16 {
        self.link
    }

    fn set_link(&mut self, link: u16) {
        self.link = link;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    const REMOTE: [u8; 16] = [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36];

    fn ports(remote: u16, local: u16) -> u32 {
        u32::from(remote) << 16 | u32::from(local)
    }

    fn v4<'a>(local: &'a [u8; 4], remote: &'a [u8; 4]) -> FiveTuple<'a> {
        FiveTuple { ports: ports(50_000, 443), tag: u16::from_le_bytes([6, 4]), ends: Ends::V4(local, remote) }
    }

    fn v6<'a>(local: &'a [u8; 16], remote: &'a [u8; 16]) -> FiveTuple<'a> {
        FiveTuple { ports: ports(50_000, 443), tag: u16::from_le_bytes([6, 6]), ends: Ends::V6(local, remote) }
    }

    fn observed(tuple: FiveTuple<'_>) -> Observed<'_> {
        Observed { tuple, direction: Direction::In, bytes: 0, now: 0 }
    }

    fn entry(observed: &Observed<'_>) -> Connection {
        let mut entry = Connection::default();
        observed.write_to(&mut entry);
        entry
    }

    fn assert_told_apart(one: FiveTuple<'_>, other: FiveTuple<'_>) {
        let (one, other) = (observed(one), observed(other));
        let (one_entry, other_entry) = (entry(&one), entry(&other));
        assert!(one.is_same(&one_entry) && !one.is_same(&other_entry) && !other.is_same(&one_entry));
        assert!(one_entry.is_same(&one_entry) && !one_entry.is_same(&other_entry));
        let seed = Hasher::new(1);
        assert_eq!(one.hash(seed), one_entry.hash(seed));
        assert_ne!(one.hash(seed), other.hash(seed));
    }

    #[test]
    fn every_byte_of_the_key_tells_connections_apart() {
        for byte in 0..16 {
            let (mut local, mut remote) = (LOCAL, REMOTE);
            local[byte] ^= 1;
            remote[byte] ^= 1;
            assert_told_apart(v6(&LOCAL, &REMOTE), v6(&local, &REMOTE));
            assert_told_apart(v6(&LOCAL, &REMOTE), v6(&LOCAL, &remote));
        }
        let (local, remote) = (LOCAL.first_chunk().unwrap(), REMOTE.first_chunk().unwrap());
        for byte in 0..4 {
            let (mut other_local, mut other_remote) = (*local, *remote);
            other_local[byte] ^= 1;
            other_remote[byte] ^= 1;
            assert_told_apart(v4(local, remote), v4(&other_local, remote));
            assert_told_apart(v4(local, remote), v4(local, &other_remote));
        }
        // The same difference in two words, or in both addresses.
        for (one, other) in [(0, 4), (4, 8), (4, 12), (8, 12)] {
            let (mut other_local, mut other_remote) = (LOCAL, REMOTE);
            for byte in [one, other] {
                other_local[byte] ^= 1;
                other_remote[byte] ^= 1;
            }
            assert_told_apart(v6(&LOCAL, &REMOTE), v6(&other_local, &REMOTE));
            assert_told_apart(v6(&LOCAL, &REMOTE), v6(&LOCAL, &other_remote));
            assert_told_apart(v6(&LOCAL, &REMOTE), v6(&other_local, &other_remote));
        }
        for base in [v4(local, remote), v6(&LOCAL, &REMOTE)] {
            for bit in 0..32 {
                assert_told_apart(base, FiveTuple { ports: base.ports ^ 1 << bit, ..base });
            }
            for bit in 0..8 {
                assert_told_apart(base, FiveTuple { tag: base.tag ^ 1 << bit, ..base });
            }
        }
        assert_told_apart(v4(local, remote), v6(&LOCAL, &REMOTE));
        let mut long = [0; 16];
        long[..4].copy_from_slice(local);
        assert_told_apart(v4(local, local), v6(&long, &long));
    }

    #[test]
    fn words_of_ipv4_that_are_not_in_use_are_zero() {
        let mut entry = entry(&observed(v6(&LOCAL, &REMOTE)));
        observed(v4(&[1, 2, 3, 4], &[5, 6, 7, 8])).write_to(&mut entry);
        let expected = ([u32::from_ne_bytes([1, 2, 3, 4]), 0, 0, 0], [u32::from_ne_bytes([5, 6, 7, 8]), 0, 0, 0]);
        assert_eq!((entry.local, entry.remote), expected);
        assert!(entry.is_valid());
        for wrong in [(0, 7), (7, 0), (7, 7)] {
            (entry.local[3], entry.remote[3]) = wrong;
            assert!(!entry.is_valid());
        }
        (entry.local[3], entry.remote[1]) = (7, 7);
        entry.clear_unused();
        assert_eq!((entry.local, entry.remote), expected);
    }

    /// Keys chosen without the seed must spread over the buckets as random ones do: to find each of 64 in 64 buckets
    /// takes 1 + 63 / 128 = 1.49 looks on average.
    #[test]
    fn chains_are_as_short_as_those_of_random_keys_whatever_a_peer_varies() {
        type Pattern = fn(u16) -> (u16, u16, [u8; 4], [u8; 4]);
        let patterns: [Pattern; 8] = [
            |n| (n, 443, [198, 51, 100, 7], [192, 0, 2, 1]),
            |n| (91 * n, 443, [198, 51, 100, 7], [192, 0, 2, 1]),
            |n| (1024 * (n % 64), 443, [198, 51, 100, 7], [192, 0, 2, 1]),
            |n| (50_000, n, [198, 51, 100, 7], [192, 0, 2, 1]),
            |n| (50_000, 443, [198, 51, 100, n as u8], [192, 0, 2, 1]),
            |n| (50_000, 443, [n as u8, 51, 100, 7], [192, 0, 2, 1]),
            |n| (123, 123, [198, 51, 100, 7], [192, 0, 2, n as u8]),
            |n| (123, 123, [198, 51, 100, 7], [n as u8, 0, 2, 1]),
        ];
        for (index, pattern) in patterns.into_iter().enumerate() {
            let (mut looks, mut found, mut longest) = (0_u32, 0_u32, 0);
            for seed in 0..2000_u64 {
                let seed = Hasher::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let mut chains = [0; 64];
                for n in 0..64 {
                    let (remote_port, local_port, remote, local) = pattern(n);
                    let tuple = FiveTuple { ports: ports(remote_port, local_port), ..v4(&local, &remote) };
                    let chain = &mut chains[(observed(tuple).hash(seed) >> 26) as usize];
                    *chain += 1;
                    looks += *chain;
                    found += 1;
                }
                longest = longest.max(chains.into_iter().max().unwrap_or(0));
            }
            let mean = f64::from(looks) / f64::from(found);
            assert!((1.45..1.55).contains(&mean), "pattern {index}: {mean} looks");
            // Of 2,000 random functions, the longest chain has 8 or so; one of 12 is expected in a million.
            assert!(longest < 12, "pattern {index}: a chain of {longest}");
        }
    }
}
