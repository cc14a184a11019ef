// SPDX-License-Identifier: MIT OR Apache-2.0
//! evagg beside what else could do its work, on the same events, for `make bench`.
//!
//! - [`event`]: events and the form of their keys.
//! - [`tables`]: evagg and its peers behind one trait.
//! - [`workload`]: keys and the orders in which they come, recorded and made up.
//! - [`measure`]: how each operation is timed.

pub mod event;
pub mod measure;
pub mod tables;
pub mod workload;
