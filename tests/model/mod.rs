// SPDX-License-Identifier: MIT OR Apache-2.0
//! A naive model of both kinds of event, and the means to hold the library against it through its C interface.
//!
//! It depends on evagg and the standard library only. Each test program uses a part of it.
#![allow(dead_code, reason = "each test program uses a part")]
#![allow(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "the calls of the C interface, on memory that the test owns"
)]
#![allow(clippy::borrow_as_ptr, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test")]
#![allow(clippy::struct_excessive_bools, reason = "a model is as naive as it can be")]
#![allow(clippy::wildcard_imports, reason = "the names are those of the header")]

mod bytes;
pub mod call;
mod connections;
mod host;
mod naive;
mod packets;
mod processes;
mod run;
mod subject;
mod warnings;

pub use connections::Connections;
pub use processes::Processes;
pub use run::Run;
pub use subject::Subject;
pub use warnings::Recommendations;

use bytes::Bytes;
use call::{Call, Config};

/// Panics at the first difference.
pub fn run<S: Subject>(config: &Config, calls: &[Call]) -> Recommendations {
    let mut run = Run::<S>::new(config);
    for call in calls {
        run.apply(call);
    }
    run.recommendations
}

/// The same for whatever the bytes say: the kind, a configuration, and up to 200 calls.
pub fn run_bytes(data: &[u8]) {
    let mut bytes = Bytes(data);
    let is_processes = bytes.byte() & 1 == 1;
    let config = bytes.config();
    let calls: Vec<_> = std::iter::from_fn(|| bytes.call()).take(200).collect();
    if is_processes {
        run::<Processes>(&config, &calls)
    } else {
        run::<Connections>(&config, &calls)
    };
}

/// The call that the bytes say.
pub fn call(bytes: &[u8]) -> Option<Call> {
    Bytes(bytes).call()
}
