// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is recorded: an event, its key in the form in which a table takes it, and what is kept of it.

use std::hash::{Hash, Hasher};

use evagg::ffi::connections::{EVAGG_IN, evagg_connection_t};

#[derive(Clone)]
pub struct Event<K> {
    pub key: K,
    pub observed: Observed,
}

#[derive(Clone, Copy)]
pub struct Observed {
    pub direction: u8,
    pub bytes: u32,
    pub now: u32,
}

/// What every table keeps of a key.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub hit_count: u32,
    pub bytes_in: u32,
    pub bytes_out: u32,
    pub first_seen: u32,
    pub last_seen: u32,
}

impl Counts {
    #[inline]
    pub fn once(observed: Observed) -> Self {
        let mut counts = Self { first_seen: observed.now, ..Self::default() };
        counts.add(observed);
        counts
    }

    #[inline]
    pub fn add(&mut self, observed: Observed) {
        self.hit_count = self.hit_count.saturating_add(1);
        let counter = if observed.direction == EVAGG_IN { &mut self.bytes_in } else { &mut self.bytes_out };
        *counter = counter.saturating_add(observed.bytes);
        self.last_seen = observed.now;
    }
}

/// A key that is a string of bytes: hashed by one call, compared by one.
pub trait Key: Clone + Eq + Hash {
    /// The longest.
    const MAXIMUM: usize;
    /// What to say of a table that takes such keys.
    const NAME: &'static str = "";
    fn bytes(&self) -> &[u8];
}

/// The form in which a table takes the key of a connection.
pub trait FromConnection: Clone {
    fn from_connection(connection: &evagg_connection_t) -> Self;
}

impl FromConnection for evagg_connection_t {
    fn from_connection(connection: &evagg_connection_t) -> Self {
        *connection
    }
}

/// The 38 bytes of evagg_connection_t, for either version of IP.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Wide([u8; 38]);

impl Key for Wide {
    const MAXIMUM: usize = 38;
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromConnection for Wide {
    fn from_connection(connection: &evagg_connection_t) -> Self {
        let mut bytes = [0; 38];
        bytes[..16].copy_from_slice(&connection.local_address);
        bytes[16..32].copy_from_slice(&connection.remote_address);
        bytes[32..34].copy_from_slice(&connection.local_port.to_ne_bytes());
        bytes[34..36].copy_from_slice(&connection.remote_port.to_ne_bytes());
        bytes[36..].copy_from_slice(&[connection.protocol, connection.ip_version]);
        Self(bytes)
    }
}

/// The 13 bytes that tell connections of IPv4 apart, for a table that can hold no others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Narrow([u8; 13]);

impl Key for Narrow {
    const MAXIMUM: usize = 13;
    const NAME: &'static str = ", IPv4 only";
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl FromConnection for Narrow {
    fn from_connection(connection: &evagg_connection_t) -> Self {
        let mut bytes = [0; 13];
        bytes[..4].copy_from_slice(&connection.local_address[..4]);
        bytes[4..8].copy_from_slice(&connection.remote_address[..4]);
        bytes[8..10].copy_from_slice(&connection.local_port.to_ne_bytes());
        bytes[10..12].copy_from_slice(&connection.remote_port.to_ne_bytes());
        bytes[12] = connection.protocol;
        Self(bytes)
    }
}

/// A process: user id and command line.
#[derive(Clone, PartialEq, Eq)]
pub struct Process(Box<[u8]>);

impl Process {
    pub fn new(user_id: u32, command_line: &[u8]) -> Self {
        Self([&user_id.to_ne_bytes(), command_line].concat().into())
    }

    #[inline]
    pub fn user_id(&self) -> u32 {
        self.0.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
    }

    #[inline]
    pub fn command_line(&self) -> &[u8] {
        &self.0[4..]
    }
}

impl Key for Process {
    // An odd number of cache lines, so that keys in an array do not crowd into one set of a cache.
    const MAXIMUM: usize = 37 * 64;
    #[inline]
    fn bytes(&self) -> &[u8] {
        &self.0
    }
}

macro_rules! hash_as_bytes {
    ($($key:ty),*) => {$(
        impl Hash for $key {
            #[inline]
            fn hash<H: Hasher>(&self, state: &mut H) {
                state.write(self.bytes());
            }
        }
    )*};
}

hash_as_bytes!(Wide, Narrow, Process);
