// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is measured, behind one trait. Every table does the same work: it looks the key up, counts, takes in what is new
//! while there is room, and then rejects or discards the oldest.
//!
//! An agent in C calls a function for each event. So `record` is one for all: those of the tables in Rust are not
//! inlined either.

mod array;
mod evagg;
mod linear;
mod maps;
mod pool;
mod uthash;

pub use self::array::Array;
pub use self::evagg::{BuiltIn, Connections, Lock, Masking, NoOp, Processes};
pub use linear::LinearScan;
pub use maps::{Fnv, FoldHash, HeaplessMap, LockedMap, StdMap, Yield};
pub use pool::ChainedPool;
pub use uthash::{Spinlock, Unlocked, Uthash};

use crate::event::Observed;

/// With the values of evagg's statuses, so that to translate them costs next to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    First = 1,
    Counted = 2,
    Rejected = 3,
}

/// Of a table in C.
#[inline]
fn outcome(status: i32) -> Outcome {
    match status {
        1 => Outcome::First,
        2 => Outcome::Counted,
        3 => Outcome::Rejected,
        error => panic!("record: {error}"),
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    Reject,
    DiscardOldest,
}

pub trait Table {
    type Key: Clone;

    fn name() -> String;
    fn new(capacity: usize, overflow: Overflow) -> Self;
    fn record(&mut self, key: &Self::Key, observed: Observed) -> Outcome;
    /// Takes every record out and tells each one's hit count.
    fn drain(&mut self, each: impl FnMut(u32));

    /// The hash by which a remote peer who has read the table's source can choose keys that collide; `None` if there is
    /// a secret in it.
    fn public_hash(_key: &Self::Key) -> Option<u32> {
        None
    }
}
