// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event aggregation: one entry per distinct event with a hit count, in memory that the caller owns.
//!
//! The arrows run down; nothing below `ffi` knows C.
//!
//! - [`ffi`]: the C boundary: one file per handle, one per convention. `include/evagg.h` is made from it.
//! - `aggregator`: record, flush, merge, windows, policies, statistics, and recovery after a reset, once for all kinds of
//!   event.
//! - `warning`: what is said when something is lost, and its text.
//! - `event`: what an event is: connection, process, and the walk over a raw packet's headers.
//! - `store`: entries in a ring, the index over them, the text ring, the hash, the sketch of distinct events.
//! - `lock`: the built-in lock.
#![no_std]
#![cfg_attr(target_os = "none", no_builtins)]
#![cfg_attr(test, allow(clippy::cast_possible_truncation, reason = "small numbers in tests"))]

// On hosted targets the standard library is linked for its panic handler alone.
#[cfg(not(target_os = "none"))]
extern crate std;

mod aggregator;
mod event;
pub mod ffi;
#[cfg(target_has_atomic = "ptr")]
mod lock;
mod store;
mod warning;
