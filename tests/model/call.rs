// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a sequence is made of: a configuration and calls.

#[derive(Clone, Copy, Debug)]
pub enum Lock {
    BuiltIn,
    OneContext,
    Callbacks,
}

#[derive(Clone, Copy, Debug)]
pub struct Config {
    pub capacity: u8,
    /// How many keys the calls tell apart; at most 200.
    pub keys: u8,
    /// 0 is the default of the kind.
    pub policy: u8,
    pub text_maximum: u16,
    /// Text bytes beyond `text_maximum`.
    pub text_spare: u16,
    pub interval: u32,
    pub start: u32,
    pub seed: u64,
    pub warns_at_flush: bool,
    pub lock: Lock,
}

impl Config {
    /// The smallest, for tests that change what they need.
    pub const PLAIN: Self = Self {
        capacity: 1,
        keys: 3,
        policy: 0,
        text_maximum: 2,
        text_spare: 1,
        interval: 0,
        start: 0,
        seed: 42,
        warns_at_flush: false,
        lock: Lock::OneContext,
    };

    /// What it is once the instance was attached. Sizes stay, and so do the hash seed and what time is counted from.
    pub fn attached(self, attach: &Attach) -> Self {
        let Attach { policy, interval, warns_at_flush, lock, .. } = *attach;
        Self { policy, interval, warns_at_flush, lock, ..self }
    }

    pub fn text_bytes(&self) -> u32 {
        u32::from(self.text_maximum) + u32::from(self.text_spare)
    }

    /// The n-th key. Its bits choose the fields of an event, so neighbours differ in several.
    pub fn key(&self, n: u8) -> u8 {
        (n % self.keys).wrapping_mul(37)
    }

    /// The model counts time from the start of the first window and knows no wrap.
    pub fn tick(&self, time: i64) -> u32 {
        self.start.wrapping_add(time as u32)
    }

    pub fn time(&self, tick: u32) -> i64 {
        i64::from(tick.wrapping_sub(self.start).cast_signed())
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    Plain,
    /// With options (IPv4) or an extension header (IPv6).
    Longer,
    LaterFragment,
    CutInIp,
    CutInTransport,
    WrongVersion,
    /// The IP header states less than its headers take.
    TooShort,
    Empty,
}

impl Shape {
    pub const ALL: [Self; 8] = [
        Self::Plain,
        Self::Longer,
        Self::LaterFragment,
        Self::CutInIp,
        Self::CutInTransport,
        Self::WrongVersion,
        Self::TooShort,
        Self::Empty,
    ];
}

/// What comes from the config of an attach. The hash seed of that is another, and must not matter.
#[derive(Clone, Copy, Debug)]
pub struct Attach {
    /// 0 is the default of the kind.
    pub policy: u8,
    pub interval: u32,
    pub warns_at_flush: bool,
    pub lock: Lock,
    pub start: Start,
}

/// The present time after a reset.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// The clock has gone on, or was set back.
    Clock(i8),
    /// The clock begins at zero.
    Zero,
}

/// A record as another instance could have made it.
#[derive(Clone, Copy, Debug)]
pub struct Foreign {
    pub key: u8,
    pub hits: u32,
    pub bytes: [u32; 2],
    /// First seen so long ago; negative if that clock is ahead.
    pub age: i8,
    pub span: u8,
}

#[derive(Clone, Debug)]
pub enum Call {
    /// Direction and bytes mean nothing to a process.
    Record {
        key: u8,
        is_out: bool,
        bytes: u32,
    },
    /// A process is recorded instead.
    Packet {
        key: u8,
        is_out: bool,
        shape: Shape,
        payload: u16,
    },
    /// Room for text is given beyond the least that flush asks for.
    Flush {
        records: u8,
        text_spare: u8,
    },
    /// Records that were flushed and not merged back yet, the oldest first or the newest first.
    MergeBack {
        records: u8,
        newest: bool,
    },
    Merge(Vec<Foreign>),
    SetPolicy(u8),
    SetEnabled(bool),
    Listen(bool),
    /// Besides the time of every call, which is asked about too.
    Due {
        ahead: i32,
    },
    Clock(i8),
    Restart,
    /// A warm reset between two calls: the storage is found in another place and attached.
    Attach(Attach),
    /// A call that must fail, by its number.
    Wrong(u8),
}
