// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections: the five-tuple, and the bytes each way.

use super::{Event, Hits};
use crate::store::hash::Hasher;

/// Which way a packet or event went, seen from this device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    In,
    Out,
}

/// The words that are compared come first; the link fills what the key leaves of its second word.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    /// Remote port above local port.
    ports: u32,
    protocol: u8,
    ip_version: u8,
    link: u16,
    /// The words of the remote and of the local address in turn, so that IPv4 needs only the first two.
    addresses: [u32; 8],
    pub hits: Hits,
    pub bytes_in: u32,
    pub bytes_out: u32,
}

/// A five-tuple with the addresses as the words that the bytes in network order make on this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FiveTuple {
    pub local_port: u16,
    pub remote_port: u16,
    pub protocol: u8,
    pub ip_version: u8,
    pub local_address: [u8; 16],
    pub remote_address: [u8; 16],
}

impl Connection {
    /// `ip_version` is 4 or 6; the bytes of an IPv4 address behind the fourth are ignored.
    #[inline]
    pub fn new(tuple: &FiveTuple, hits: Hits, bytes_in: u32, bytes_out: u32) -> Self {
        let mut addresses = [0; 8];
        let (local, _) = tuple.local_address.as_chunks::<4>();
        let (remote, _) = tuple.remote_address.as_chunks::<4>();
        let words = if tuple.ip_version == 4 { 1 } else { 4 };
        let pairs = addresses.as_chunks_mut::<2>().0;
        for ((pair, remote), local) in pairs.iter_mut().zip(remote).zip(local).take(words) {
            *pair = [u32::from_le_bytes(*remote), u32::from_le_bytes(*local)];
        }
        Self {
            ports: u32::from(tuple.remote_port) << 16 | u32::from(tuple.local_port),
            protocol: tuple.protocol,
            ip_version: tuple.ip_version,
            link: 0,
            addresses,
            hits,
            bytes_in,
            bytes_out,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the halves of a word are the ports")]
    pub fn five_tuple(&self) -> FiveTuple {
        let mut local_address = [0; 16];
        let mut remote_address = [0; 16];
        let local = local_address.as_chunks_mut::<4>().0;
        let remote = remote_address.as_chunks_mut::<4>().0;
        for ((pair, remote), local) in self.addresses.as_chunks::<2>().0.iter().zip(remote).zip(local) {
            *remote = pair[0].to_le_bytes();
            *local = pair[1].to_le_bytes();
        }
        FiveTuple {
            local_port: self.ports as u16,
            remote_port: (self.ports >> 16) as u16,
            protocol: self.protocol,
            ip_version: self.ip_version,
            local_address,
            remote_address,
        }
    }

    /// Whether a counter stands at its maximum.
    pub fn is_saturated(&self) -> bool {
        self.hits.count == u32::MAX || self.bytes_in == u32::MAX || self.bytes_out == u32::MAX
    }

    fn tag(&self) -> u32 {
        u32::from(self.protocol) << 8 | u32::from(self.ip_version)
    }
}

impl Event for Connection {
    const NOUN: &'static str = "connection";
    const NOUNS: &'static str = "connections";
    const HAS_TEXT: bool = false;

    #[inline]
    fn hash(&self, seed: u64) -> u32 {
        let mut hasher = Hasher::new(seed);
        hasher.pair(self.ports, self.tag());
        hasher.pair(self.addresses[0], self.addresses[1]);
        if self.ip_version != 4 {
            hasher.pair(self.addresses[2], self.addresses[3]);
            hasher.pair(self.addresses[4], self.addresses[5]);
            hasher.pair(self.addresses[6], self.addresses[7]);
        }
        hasher.finish()
    }

    #[inline]
    fn is_same(&self, other: &Self) -> bool {
        self.ports == other.ports
            && self.addresses[..2] == other.addresses[..2]
            && self.tag() == other.tag()
            && (self.ip_version == 4 || self.addresses[2..] == other.addresses[2..])
    }

    #[inline]
    fn add(&mut self, other: &Self) {
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

    fn tuple(ip_version: u8) -> FiveTuple {
        FiveTuple {
            local_port: 443,
            remote_port: 50_000,
            protocol: 6,
            ip_version,
            local_address: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
            remote_address: [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36],
        }
    }

    fn entry(tuple: &FiveTuple) -> Connection {
        Connection::new(tuple, Hits::one(0), 0, 0)
    }

    #[test]
    fn the_five_tuple_comes_back_as_it_was() {
        assert_eq!(entry(&tuple(6)).five_tuple(), tuple(6));
        let four = entry(&tuple(4)).five_tuple();
        assert_eq!(four.local_address, [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_byte_of_the_key_tells_connections_apart_and_changes_the_hash() {
        let base = entry(&tuple(6));
        let mut others = std::vec![];
        for byte in 0..16 {
            let mut other = tuple(6);
            other.local_address[byte] ^= 1;
            others.push(other);
            let mut other = tuple(6);
            other.remote_address[byte] ^= 1;
            others.push(other);
        }
        others.push(FiveTuple { local_port: 444, ..tuple(6) });
        others.push(FiveTuple { remote_port: 50_001, ..tuple(6) });
        others.push(FiveTuple { protocol: 17, ..tuple(6) });
        others.push(FiveTuple { ip_version: 4, ..tuple(6) });
        for other in others {
            let other = entry(&other);
            assert!(!base.is_same(&other) && !other.is_same(&base));
            assert_ne!(base.hash(1), other.hash(1));
        }
    }
}
