// SPDX-License-Identifier: MIT OR Apache-2.0
//! Sequences of calls, held against the model of the tests. `tests/model/bytes.rs` reads the input.

#[path = "../../tests/model/mod.rs"]
mod model;

pub fn run(data: &[u8]) {
    model::run_bytes(data);
}
