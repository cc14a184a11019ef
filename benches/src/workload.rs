// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys, and the orders in which they come.

use std::collections::HashSet;
use std::io::Read;
use std::net::IpAddr;

use evagg::ffi::connections::{EVAGG_IN, EVAGG_OUT, evagg_connection_t};
use flate2::read::GzDecoder;

use crate::event::{Event, FromConnection, Observed, Process, Wide};
use crate::tables::Table;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// What `worst_keys 240` ended with for a machine of 64 bits.
const WORST_OF_64: Family = Family::Count { base: 0xC633_6401_8010_01BB, stride: 0x2001_0024_0003_0022 };
const WORST_OF_4096: Family = Family::Combine {
    base: 0xCB63_6481_8000_01BB,
    vectors: [
        0x0040_0080_1000_0000,
        0x0304_0000_0001_0000,
        0x000C_0000_2000_0000,
        0x0810_0000_1000_0000,
        0x0818_0000_0000_0000,
        0x0042_0000_0000_0000,
        0x0C80_0000_1000_0000,
        0x0142_0000_0000_0000,
        0x0264_0000_0000_0000,
        0x0840_0000_0000_0000,
        0x0140_0000_0000_0000,
        0x08A0_0000_1001_0002,
    ],
    udp: 0,
};

/// xorshift64*: the same numbers in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn word(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as u32
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u64::from(self.word()) * bound as u64) >> 32) as usize
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    V4,
    V6,
    Both,
}

pub fn connection(
    local: IpAddr,
    local_port: u16,
    remote: IpAddr,
    remote_port: u16,
    protocol: u8,
) -> evagg_connection_t {
    let bytes = |address: IpAddr| {
        let mut bytes = [0; 16];
        match address {
            IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => bytes = address.octets(),
        }
        bytes
    };
    evagg_connection_t {
        local_address: bytes(local),
        remote_address: bytes(remote),
        local_port,
        remote_port,
        protocol,
        ip_version: if local.is_ipv4() { 4 } else { 6 },
    }
}

/// Distinct connections of one device with random peers.
pub fn random_connections(count: usize, versions: Versions) -> Vec<evagg_connection_t> {
    let mut random = Random::new(1);
    (0..count)
        .map(|index| {
            let is_v6 = match versions {
                Versions::V4 => false,
                Versions::V6 => true,
                Versions::Both => index % 2 == 1,
            };
            let (local, remote): (IpAddr, IpAddr) = if is_v6 {
                let [a, b, c, d] = [(); 4].map(|()| u128::from(random.word()));
                let remote = a << 96 | b << 64 | c << 32 | d;
                ([0x2001, 0xDB8, 0, 0, 0, 0, 0, 1].into(), std::net::Ipv6Addr::from_bits(remote).into())
            } else {
                ([10, 0, 0, 1].into(), std::net::Ipv4Addr::from_bits(random.word()).into())
            };
            let protocol = if random.below(4) == 0 { UDP } else { TCP };
            // The local port makes each distinct.
            connection(local, index as u16, remote, random.word() as u16, protocol)
        })
        .collect()
}

/// A key that no table holds of those made from random connections.
pub fn never_seen(index: u32) -> evagg_connection_t {
    let remote = std::net::Ipv4Addr::from_bits(index.wrapping_mul(0x9E37_79B9));
    connection([192, 0, 2, 1].into(), 0, remote.into(), 443, TCP)
}

/// Connections that a remote peer can bring about and that share the table's bucket: if its hash is public, by
/// trying ports and addresses; if it is secret, the worst that a search has found.
pub fn colliding<T: Table<Key: FromConnection>>(count: usize) -> Vec<evagg_connection_t> {
    let candidate = |index: u32| {
        let remote = std::net::Ipv4Addr::from_bits(0xC633_6400 + (index >> 16));
        connection([10, 0, 0, 1].into(), 443, remote.into(), index as u16, TCP)
    };
    let bits = count.next_power_of_two() as u32 - 1;
    let bucket = |connection| T::public_hash(&T::Key::from_connection(&connection)).map(|hash| hash & bits);
    match bucket(candidate(0)) {
        Some(first) => (0..).map(candidate).filter(|it| bucket(*it) == Some(first)).take(count).collect(),
        None => worst_found(count),
    }
}

/// Connections that a remote peer can bring about by a rule: by counting, or by combining bits.
///
/// A key is the remote address in the upper half, then the remote and the local port.
#[derive(Clone, Copy, Debug)]
pub enum Family {
    /// The n-th key is `base + n * stride`.
    Count { base: u64, stride: u64 },
    /// The n-th key is `base` changed by the vector of each bit of n; UDP instead of TCP for an odd number of the bits of
    /// `udp`.
    Combine { base: u64, vectors: [u64; 12], udp: u32 },
}

impl Family {
    pub fn key(&self, index: u32) -> (u64, u8) {
        match self {
            Self::Count { base, stride } => (base.wrapping_add(u64::from(index).wrapping_mul(*stride)), TCP),
            Self::Combine { base, vectors, udp } => {
                let bits = (0..12).filter(|bit| index >> bit & 1 != 0);
                let key = bits.fold(*base, |key, bit| key ^ vectors[bit]);
                (key, if (index & udp).count_ones().is_multiple_of(2) { TCP } else { UDP })
            }
        }
    }

    pub fn is_of_distinct_keys(keys: &[(u64, u8)]) -> bool {
        let mut seen = HashSet::new();
        keys.iter().all(|key| seen.insert(*key))
    }

    /// What an attacker would try first: counting ports, addresses or both, and combining their bits.
    pub fn starts() -> Vec<Self> {
        let base = 0xC633_6401_8000_01BB;
        let counting = [1, 1 << 16, 1 << 32, 1 << 40, 1 << 48, 1 << 56, 0x0001_0001_0001, 0x0001_0000_0001_0000];
        let combining = [0, 8, 16, 24, 32, 40, 48, 52];
        let strides = counting.map(|stride| Self::Count { base, stride });
        let vectors = combining.map(|first| Self::Combine {
            base,
            vectors: std::array::from_fn(|bit| 1 << (first + bit)),
            udp: 0,
        });
        strides.into_iter().chain(vectors).collect()
    }

    /// Changes a bit or two, or one vector for a multiple or a sum.
    pub fn change(&mut self, random: &mut Random) {
        let flip = 1_u64 << random.below(64);
        match self {
            Self::Count { base, stride } => match random.below(4) {
                0 => *base ^= flip,
                1 => *stride ^= flip,
                2 => *stride = stride.rotate_left(1),
                _ => *stride ^= flip ^ (1 << random.below(64)),
            },
            Self::Combine { base, vectors, udp } => {
                let (which, other) = (random.below(12), random.below(12));
                match random.below(6) {
                    0 => *base ^= flip,
                    1 => vectors[which] ^= flip,
                    2 => vectors[which] ^= flip ^ (1 << random.below(64)),
                    3 => vectors[which] = vectors[which].rotate_left(1),
                    4 => vectors[which] = vectors[other].rotate_left(random.below(64) as u32),
                    _ => *udp ^= 1 << which,
                }
            }
        }
    }
}

/// Of the sets of keys that `worst_keys` has tried against evagg's hash, the one with the longest chains.
pub fn worst_found(count: usize) -> Vec<evagg_connection_t> {
    let family = if count <= 64 { WORST_OF_64 } else { WORST_OF_4096 };
    (0..count as u32)
        .map(|index| {
            let (key, protocol) = family.key(index);
            let remote = std::net::Ipv4Addr::from_bits((key >> 32) as u32);
            connection([10, 0, 0, 1].into(), key as u16, remote.into(), (key >> 16) as u16, protocol)
        })
        .collect()
}

fn event<K>(key: K, random: &mut Random) -> Event<K> {
    let direction = if random.below(2) == 0 { EVAGG_IN } else { EVAGG_OUT };
    Event { key, observed: Observed { direction, bytes: 40 + random.below(1400) as u32, now: 1 } }
}

/// Enough events that a branch predictor cannot learn their order by heart.
fn long_enough(keys: usize) -> usize {
    keys.max(8192)
}

/// Each key once.
pub fn in_order<K: Clone>(keys: &[K]) -> Vec<Event<K>> {
    let mut random = Random::new(5);
    keys.iter().map(|key| event(key.clone(), &mut random)).collect()
}

/// Each key equally often, in random order.
pub fn uniform<K: Clone>(keys: &[K]) -> Vec<Event<K>> {
    let mut random = Random::new(2);
    (0..long_enough(keys.len()))
        .map(|_| {
            let key = keys[random.below(keys.len())].clone();
            event(key, &mut random)
        })
        .collect()
}

/// The n-th key in proportion to 1/n, as flows on a network are.
pub fn zipf<K: Clone>(keys: &[K]) -> Vec<Event<K>> {
    let sums: Vec<f64> = (1..=keys.len())
        .scan(0.0, |sum, rank| {
            *sum += 1.0 / rank as f64;
            Some(*sum)
        })
        .collect();
    let total = sums.last().copied().unwrap_or(0.0);
    let mut random = Random::new(3);
    (0..long_enough(keys.len()))
        .map(|_| {
            let wanted = f64::from(random.word()) / 2.0_f64.powi(32) * total;
            let rank = sums.partition_point(|sum| *sum <= wanted).min(keys.len() - 1);
            let key = keys[rank].clone();
            event(key, &mut random)
        })
        .collect()
}

fn lines(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a fixture");
    text
}

/// Every packet of nine real captures, in their order.
pub fn captures<K: FromConnection>() -> Vec<Event<K>> {
    lines(include_bytes!("../data/captures.gz"))
        .lines()
        .map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().expect("seven words");
            let protocol = match word() {
                "icmp" => ICMP,
                "tcp" => TCP,
                "udp" => UDP,
                "icmpv6" => ICMP_V6,
                other => panic!("protocol {other}"),
            };
            let local = word().parse().expect("an address");
            let local_port = word().parse().expect("a port");
            let remote = word().parse().expect("an address");
            let remote_port = word().parse().expect("a port");
            let direction = if word() == "in" { EVAGG_IN } else { EVAGG_OUT };
            let bytes = word().parse().expect("a number");
            let key = K::from_connection(&connection(local, local_port, remote, remote_port, protocol));
            Event { key, observed: Observed { direction, bytes, now: 1 } }
        })
        .collect()
}

/// The connections of the captures, each once.
pub fn captured_connections() -> Vec<evagg_connection_t> {
    let mut seen = HashSet::new();
    let events = captures::<evagg_connection_t>();
    events.iter().map(|event| event.key).filter(|key| seen.insert(Wide::from_connection(key))).collect()
}

/// Every program that was started while a library was configured and built.
pub fn exec_trace() -> Vec<Event<Process>> {
    lines(include_bytes!("../data/exec-trace.gz"))
        .lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let mut word = || words.next().expect("three words");
            let process_id = word().parse().expect("a process id");
            word();
            let key = Process::new(1000, word().as_bytes());
            Event { key, observed: Observed { direction: EVAGG_IN, bytes: process_id, now: 1 } }
        })
        .collect()
}

/// Distinct processes with command lines of that many bytes.
pub fn random_processes(count: usize, length: usize) -> Vec<Process> {
    let mut random = Random::new(4);
    (0..count)
        .map(|index| {
            let mut line = format!("/bin/task {index} ").into_bytes();
            while line.len() < length {
                line.push(b'a' + random.below(26) as u8);
            }
            Process::new(1000, &line[..length])
        })
        .collect()
}

/// A packet of that connection, seen by the local end as outgoing.
pub fn packet(connection: &evagg_connection_t) -> Vec<u8> {
    let payload_length = 60_u16;
    let mut packet = Vec::new();
    if connection.ip_version == 4 {
        packet.extend([0x45, 0]);
        packet.extend((20 + payload_length).to_be_bytes());
        packet.extend([0, 0, 0x40, 0, 64, connection.protocol, 0, 0]);
        packet.extend(&connection.local_address[..4]);
        packet.extend(&connection.remote_address[..4]);
    } else {
        packet.extend([0x60, 0, 0, 0]);
        packet.extend(payload_length.to_be_bytes());
        packet.extend([connection.protocol, 64]);
        packet.extend(connection.local_address);
        packet.extend(connection.remote_address);
    }
    packet.extend(connection.local_port.to_be_bytes());
    packet.extend(connection.remote_port.to_be_bytes());
    packet.resize(packet.len() + usize::from(payload_length) - 4, 0);
    packet
}
