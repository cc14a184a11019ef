// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every sequence of a few calls, held against the model: most faults of such an engine show in a small case.
//!
//! The calls are those that can make a difference to one another: three keys, of which two overfill the larger cache and
//! one more makes a third wait; a page; merging back what was flushed; the other policy; and somebody who listens to
//! warnings or ceases to; and a reset, after which the instance is attached with the other warning delivery and the clock
//! set back. `set_enabled` is left out, because it does not touch what is cached, and so are calls that only
//! ask, because every step compares all that can be asked.
//!
//! With `EVAGG_LONG=1` all sequences of up to seven calls are tried, otherwise of up to four.

mod model;

use std::env::var_os;

use model::call::{Attach, Call, Config, Start};
use model::{Connections, Processes, Run, Subject};

const LONG: u32 = 7;
const SHORT: u32 = 4;

/// The calls that may follow; what toggles depends on the state.
fn letters<S: Subject>(run: &Run<S>, page: u8) -> [Call; 8] {
    let record = |key| Call::Record { key, is_out: key == 1, bytes: 10 };
    [
        record(0),
        record(1),
        record(2),
        Call::Flush { records: page, text_spare: 1 },
        Call::MergeBack { records: u8::MAX, newest: false },
        Call::SetPolicy(if run.model().discards() { 1 } else { 2 }),
        Call::Listen(!run.model().is_listening()),
        Call::Attach(Attach {
            policy: if run.model().discards() { 2 } else { 1 },
            interval: 0,
            warns_at_flush: !run.model().warns_at_flush(),
            lock: Config::PLAIN.lock,
            start: Start::Clock(-3),
        }),
    ]
}

/// Every sequence that begins with what has been done, the state put back before each call.
fn follow<S: Subject>(run: &mut Run<S>, page: u8, depth: u32, sequences: &mut u64) {
    if depth == 0 {
        return;
    }
    let saved = run.save();
    for call in letters(run, page) {
        run.apply(&call);
        *sequences += 1;
        follow(run, page, depth - 1, sequences);
        run.restore(&saved);
    }
}

fn all<S: Subject>(sequences: &mut u64) {
    let depth = if var_os("EVAGG_LONG").is_some() { LONG } else { SHORT };
    for (capacity, policy, page) in [1, 2].into_iter().flat_map(|c| [(c, 1, 1), (c, 1, 2), (c, 2, 1), (c, 2, 2)]) {
        for warns_at_flush in [false, true] {
            let config = Config { capacity, policy, warns_at_flush, ..Config::PLAIN };
            let mut run = Run::<S>::new(&config);
            run.apply(&Call::Listen(true));
            follow(&mut run, page, depth, sequences);
        }
    }
}

#[test]
fn every_short_sequence_is_as_the_model_says() {
    let mut sequences = 0;
    all::<Connections>(&mut sequences);
    all::<Processes>(&mut sequences);
    println!("evidence small scope: {sequences} sequences, no difference");
}
