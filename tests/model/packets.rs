// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections by their keys, and raw packets of them.

use evagg::ffi::connections::evagg_connection_t;

use super::call::Shape;

const LOCAL_PORT: u8 = 1 << 3;
const REMOTE_PORT: u8 = 1 << 4;
const OTHER: u8 = 47;

/// Each bit of a key stands for one field, so every key has a neighbour that differs from it in that field only.
pub fn connection(key: u8) -> evagg_connection_t {
    let bit = |bit: u8| key >> bit & 1;
    let ip_version = if bit(0) == 0 { 4 } else { 6 };
    let end = if ip_version == 4 { 3 } else { 15 };
    let protocol = match key >> 1 & 3 {
        0 => 6,
        1 => 17,
        2 if ip_version == 4 => 1,
        2 => 58,
        _ => OTHER,
    };
    let (mut local_address, mut remote_address) = ([0; 16], [0; 16]);
    (local_address[0], remote_address[0]) = (10, 20 + bit(7));
    (local_address[end], remote_address[end]) = (1 + bit(5), 1 + bit(6));
    evagg_connection_t {
        local_address,
        remote_address,
        local_port: if key & LOCAL_PORT == 0 { 0 } else { 40_001 },
        remote_port: if key & REMOTE_PORT == 0 { 0 } else { 443 },
        protocol,
        ip_version,
    }
}

/// The key of a connection, if it has one.
pub fn key_of(it: &evagg_connection_t) -> Option<u8> {
    let end = if it.ip_version == 4 { 3 } else { 15 };
    let protocol = match it.protocol {
        6 => 0,
        17 => 1,
        OTHER => 3,
        _ => 2,
    };
    let ports = if it.local_port == 0 { 0 } else { LOCAL_PORT } | if it.remote_port == 0 { 0 } else { REMOTE_PORT };
    let addresses = (it.remote_address[0] == 21, it.remote_address[end] == 2, it.local_address[end] == 2);
    let key = u8::from(addresses.0) << 7 | u8::from(addresses.1) << 6 | u8::from(addresses.2) << 5;
    let key = key | ports | protocol << 1 | u8::from(it.ip_version == 6);
    is_same(it, &connection(key)).then_some(key)
}

fn is_same(one: &evagg_connection_t, other: &evagg_connection_t) -> bool {
    (one.local_address, one.remote_address) == (other.local_address, other.remote_address)
        && (one.local_port, one.remote_port) == (other.local_port, other.remote_port)
        && (one.protocol, one.ip_version) == (other.protocol, other.ip_version)
}

#[derive(Clone, Copy, Debug)]
pub struct Packet {
    pub key: u8,
    pub is_out: bool,
    pub shape: Shape,
    /// Bytes behind the transport header; they are stated, but not at hand.
    pub payload: u16,
}

pub enum Meaning {
    Event { key: u8, bytes: u32 },
    Malformed,
    Ignored,
}

impl Packet {
    /// Bytes between the IP header and the transport header.
    fn between(self) -> usize {
        match self.shape {
            Shape::Longer => 8,
            Shape::LaterFragment if connection(self.key).ip_version == 6 => 8,
            _ => 0,
        }
    }

    fn transport(self) -> usize {
        match connection(self.key).protocol {
            _ if self.shape == Shape::LaterFragment => 0,
            6 => 20,
            17 | 1 => 8,
            58 => 4,
            _ => 0,
        }
    }

    pub fn meaning(self) -> Meaning {
        let connection = connection(self.key);
        match self.shape {
            Shape::CutInIp | Shape::WrongVersion | Shape::Empty => return Meaning::Malformed,
            Shape::TooShort if connection.ip_version == 4 => return Meaning::Malformed,
            _ if connection.protocol == OTHER => return Meaning::Ignored,
            Shape::CutInTransport | Shape::TooShort => return Meaning::Malformed,
            _ => {}
        }
        let has_ports = matches!(connection.protocol, 6 | 17) && self.shape != Shape::LaterFragment;
        let key = if has_ports { self.key } else { self.key & !(LOCAL_PORT | REMOTE_PORT) };
        // The extension headers of IPv6 are part of its payload, the options of IPv4 are not.
        let between = if connection.ip_version == 6 { self.between() } else { 0 };
        Meaning::Event { key, bytes: (between + self.transport() + usize::from(self.payload)) as u32 }
    }

    pub fn bytes(self) -> Vec<u8> {
        let connection = connection(self.key);
        let mut bytes = if connection.ip_version == 4 { self.v4(&connection) } else { self.v6(&connection) };
        let ip_header = if connection.ip_version == 4 { 20 } else { 40 };
        let headers = bytes.len() + self.transport();
        let ports = if self.is_out {
            [connection.local_port, connection.remote_port]
        } else {
            [connection.remote_port, connection.local_port]
        };
        bytes.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        bytes.resize(bytes.len() + 16, 0xEE);
        bytes.truncate(match self.shape {
            Shape::CutInIp => ip_header - 1,
            Shape::CutInTransport => headers - usize::from(self.transport() > 0),
            Shape::Empty => 0,
            _ => headers,
        });
        if self.shape == Shape::WrongVersion {
            bytes[0] = 0x50 | (bytes[0] & 15);
        }
        bytes
    }

    /// Source and destination.
    fn ends(self, connection: &evagg_connection_t) -> [&[u8; 16]; 2] {
        let (local, remote) = (&connection.local_address, &connection.remote_address);
        if self.is_out { [local, remote] } else { [remote, local] }
    }

    fn v4(self, connection: &evagg_connection_t) -> Vec<u8> {
        let header = 20 + self.between();
        let total = match self.shape {
            Shape::TooShort => header - 1,
            _ => header + self.transport() + usize::from(self.payload),
        };
        let [total_high, total_low] = (total as u16).to_be_bytes();
        let fragment = u8::from(self.shape == Shape::LaterFragment);
        let first = 0x40 | (header / 4) as u8;
        let mut bytes = vec![first, 0, total_high, total_low, 0, 0, 0, fragment, 64, connection.protocol, 0, 0];
        for end in self.ends(connection) {
            bytes.extend(&end[..4]);
        }
        bytes.resize(header, 1);
        bytes
    }

    fn v6(self, connection: &evagg_connection_t) -> Vec<u8> {
        let payload = match self.shape {
            Shape::TooShort => self.transport().saturating_sub(1),
            _ => self.between() + self.transport() + usize::from(self.payload),
        };
        let [high, low] = (payload as u16).to_be_bytes();
        let next = match self.shape {
            Shape::Longer => 60,
            Shape::LaterFragment => 44,
            _ => connection.protocol,
        };
        let mut bytes = vec![0x60, 0, 0, 0, high, low, next, 64];
        for end in self.ends(connection) {
            bytes.extend(end);
        }
        match self.shape {
            Shape::Longer => bytes.extend([connection.protocol, 0, 1, 4, 0, 0, 0, 0]),
            Shape::LaterFragment => bytes.extend([connection.protocol, 0, 1, 0, 0, 0, 0, 9]),
            _ => {}
        }
        bytes
    }
}
