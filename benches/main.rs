// SPDX-License-Identifier: MIT OR Apache-2.0

mod common;
mod connections;
mod processes;
mod threads;

criterion::criterion_main!(connections::benches, processes::benches, threads::benches);
