// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections: the five-tuple, and the bytes each way.

use super::{Event, Hits, Time};
use crate::store::hash::Hasher;

/// Which way a packet or event went, seen from this device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// Both ends, in network order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Addresses<'a> {
    V4 { local: &'a [u8; 4], remote: &'a [u8; 4] },
    V6 { local: &'a [u8; 16], remote: &'a [u8; 16] },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FiveTuple<'a> {
    pub protocol: u8,
    pub local_port: u16,
    pub remote_port: u16,
    pub addresses: Addresses<'a>,
}

impl FiveTuple<'_> {
    /// The same, seen from the other end.
    #[inline]
    pub fn reversed(self) -> Self {
        Self {
            protocol: self.protocol,
            local_port: self.remote_port,
            remote_port: self.local_port,
            addresses: match self.addresses {
                Addresses::V4 { local, remote } => Addresses::V4 { local: remote, remote: local },
                Addresses::V6 { local, remote } => Addresses::V6 { local: remote, remote: local },
            },
        }
    }
}

/// The addresses are the words that their bytes make in little-endian order; of IPv4, the last three are zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    local: [u32; 4],
    remote: [u32; 4],
    pub local_port: u16,
    pub remote_port: u16,
    pub protocol: u8,
    pub ip_version: u8,
    link: u16,
    pub hits: Hits,
    pub bytes_in: u32,
    pub bytes_out: u32,
}

impl Connection {
    #[inline]
    pub fn new(tuple: &FiveTuple<'_>, hits: Hits, bytes_in: u32, bytes_out: u32) -> Self {
        let (ip_version, local, remote) = match tuple.addresses {
            Addresses::V4 { local, remote } => {
                (4, [u32::from_le_bytes(*local), 0, 0, 0], [u32::from_le_bytes(*remote), 0, 0, 0])
            }
            Addresses::V6 { local, remote } => (6, words(local), words(remote)),
        };
        Self {
            local,
            remote,
            local_port: tuple.local_port,
            remote_port: tuple.remote_port,
            protocol: tuple.protocol,
            ip_version,
            link: 0,
            hits,
            bytes_in,
            bytes_out,
        }
    }

    /// One event of that many bytes.
    #[inline]
    pub fn event(tuple: &FiveTuple<'_>, direction: Direction, bytes: u32, now: Time) -> Self {
        let (bytes_in, bytes_out) = match direction {
            Direction::In => (bytes, 0),
            Direction::Out => (0, bytes),
        };
        Self::new(tuple, Hits::one(now), bytes_in, bytes_out)
    }

    pub fn local_address(&self) -> [u8; 16] {
        bytes(self.local)
    }

    pub fn remote_address(&self) -> [u8; 16] {
        bytes(self.remote)
    }

    /// Whether a counter stands at its maximum.
    pub fn is_saturated(&self) -> bool {
        self.hits.count == u32::MAX || self.bytes_in == u32::MAX || self.bytes_out == u32::MAX
    }

    fn ports(&self) -> u32 {
        u32::from(self.remote_port) << 16 | u32::from(self.local_port)
    }

    fn tag(&self) -> u32 {
        u32::from(self.protocol) << 8 | u32::from(self.ip_version)
    }
}

/// Through one large number, because bytes one by one are what the compiler would load and store.
#[expect(clippy::cast_possible_truncation, reason = "the words of a longer one are what is wanted")]
fn words(bytes: &[u8; 16]) -> [u32; 4] {
    let number = u128::from_le_bytes(*bytes);
    [number as u32, (number >> 32) as u32, (number >> 64) as u32, (number >> 96) as u32]
}

fn bytes([a, b, c, d]: [u32; 4]) -> [u8; 16] {
    (u128::from(d) << 96 | u128::from(c) << 64 | u128::from(b) << 32 | u128::from(a)).to_le_bytes()
}

impl Event for Connection {
    const NOUN: &'static str = "connection";
    const REJECTING: &'static str = "; new connections are not cached until the next flush";
    const DISCARDING: &'static str = "; the oldest connections are discarded to make room";
    const HAS_TEXT: bool = false;

    #[inline]
    fn hash(&self, mut seed: Hasher) -> u32 {
        seed.pair(self.ports(), self.remote[0]);
        if self.ip_version != 4 {
            seed.pair(self.remote[1], self.remote[2]);
            seed.pair(self.remote[3], self.local[1]);
            seed.pair(self.local[2], self.local[3]);
        }
        seed.pair(self.local[0], self.tag());
        seed.finish()
    }

    // Inlined into the walk along a chain, all of `other` would be loaded before the first look.
    #[cfg_attr(target_os = "none", inline(never))]
    fn is_same(&self, other: &Self) -> bool {
        let word_is_same =
            |word: usize| self.remote[word] == other.remote[word] && self.local[word] == other.local[word];
        self.ports() == other.ports()
            && word_is_same(0)
            && self.tag() == other.tag()
            && (self.ip_version == 4 || (word_is_same(1) && word_is_same(2) && word_is_same(3)))
    }

    #[inline]
    fn add(&mut self, event: &Self) {
        self.hits.hit(event.hits.last_seen);
        self.bytes_in = self.bytes_in.saturating_add(event.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(event.bytes_out);
    }

    fn merge(&mut self, other: &Self) {
        self.hits.add(&other.hits);
        self.bytes_in = self.bytes_in.saturating_add(other.bytes_in);
        self.bytes_out = self.bytes_out.saturating_add(other.bytes_out);
    }

    fn hit_count(&self) -> u32 {
        self.hits.count
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

    fn tuple<'a>(local: &'a [u8; 16], remote: &'a [u8; 16]) -> FiveTuple<'a> {
        FiveTuple { protocol: 6, local_port: 443, remote_port: 50_000, addresses: Addresses::V6 { local, remote } }
    }

    fn entry(tuple: &FiveTuple<'_>) -> Connection {
        Connection::new(tuple, Hits::one(0), 0, 0)
    }

    #[test]
    fn the_five_tuple_comes_back_as_it_was() {
        let six = entry(&tuple(&LOCAL, &REMOTE));
        assert_eq!((six.ip_version, six.local_address(), six.remote_address()), (6, LOCAL, REMOTE));
        assert_eq!((six.protocol, six.local_port, six.remote_port), (6, 443, 50_000));
        let addresses = Addresses::V4 { local: &[1, 2, 3, 4], remote: &[5, 6, 7, 8] };
        let four = entry(&FiveTuple { addresses, ..tuple(&LOCAL, &REMOTE) });
        assert_eq!(four.ip_version, 4);
        assert_eq!(four.local_address(), [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(four.remote_address(), [5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_byte_of_the_key_tells_connections_apart_and_changes_the_hash() {
        let base = entry(&tuple(&LOCAL, &REMOTE));
        let mut others = std::vec![];
        for byte in 0..16 {
            let (mut local, mut remote) = (LOCAL, REMOTE);
            local[byte] ^= 1;
            remote[byte] ^= 1;
            others.push(entry(&tuple(&local, &REMOTE)));
            others.push(entry(&tuple(&LOCAL, &remote)));
        }
        let tuple = tuple(&LOCAL, &REMOTE);
        others.push(entry(&FiveTuple { local_port: 444, ..tuple }));
        others.push(entry(&FiveTuple { remote_port: 50_001, ..tuple }));
        others.push(entry(&FiveTuple { protocol: 17, ..tuple }));
        others.push(Connection { ip_version: 4, ..base });
        for other in others {
            assert!(!base.is_same(&other) && !other.is_same(&base));
            assert_ne!(base.hash(Hasher::new(1)), other.hash(Hasher::new(1)));
        }
    }
}
