// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random sequences of calls, held against a naive model: statuses, records, the accounting of every window, statistics
//! and warnings are exactly the model's, also where the instance is attached after a reset between two calls.
//!
//! `PROPTEST_CASES` sets the number of sequences of each kind.

mod model;

use std::cell::{Cell, RefCell};
use std::env::var_os;

use model::call::{Attach, Call, Config, Lock, Start};
use model::{Connections, Processes, Recommendations, Subject, run, run_bytes};
use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, TestRunner};

fn config() -> impl Strategy<Value = Config> {
    let capacity = prop_oneof![9 => 1..8_u8, 1 => 60..71_u8];
    let lock = prop_oneof![Just(Lock::OneContext), Just(Lock::BuiltIn), Just(Lock::Callbacks)];
    let interval = prop_oneof![Just(0), 1..100_u32, Just(u32::MAX / 2)];
    let start = prop_oneof![Just(0), Just(u32::MAX - 20), any::<u32>()];
    let text = (1..21_u16, prop_oneof![4 => 0..40_u16, 1 => 0..2000_u16]);
    (capacity, 0..3_u8, text, interval, start, any::<u64>(), any::<bool>(), lock, any::<bool>()).prop_map(
        |(capacity, policy, (text_maximum, text_spare), interval, start, seed, warns_at_flush, lock, has_many)| {
            Config {
                capacity,
                keys: (if has_many { capacity * 2 } else { capacity + 2 }).max(4),
                policy,
                text_maximum,
                text_spare,
                interval,
                start,
                seed,
                warns_at_flush,
                lock,
            }
        },
    )
}

/// A call from a few bytes, because a tree of strategies takes longer than the call.
fn call() -> impl Strategy<Value = Call> {
    (any::<u8>(), any::<u8>(), any::<u64>()).prop_map(|(kind, first, rest)| {
        let bytes = [&[kind, first], &rest.to_le_bytes()[..]].concat();
        model::call(&bytes).expect("there are bytes")
    })
}

/// Most start with someone who listens.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let listens = prop::bool::weighted(0.8).prop_map(Call::Listen);
    (listens, prop::collection::vec(call(), 0..100)).prop_map(|(listens, mut calls)| {
        calls.insert(0, listens);
        calls
    })
}

/// As many cases as `PROPTEST_CASES` says, or else this many.
fn runner(cases: u32) -> TestRunner {
    let mut config = ProptestConfig {
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("proptest-regressions"))),
        ..ProptestConfig::default()
    };
    if var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    TestRunner::new(config)
}

fn search<S: Subject>() {
    let (sequences, made) = (Cell::new(0_u64), Cell::new(0_u64));
    let recommendations = RefCell::new(Recommendations::default());
    let result = runner(2000).run(&(config(), calls()), |(config, calls)| {
        recommendations.borrow_mut().add(run::<S>(&config, &calls));
        sequences.set(sequences.get() + 1);
        made.set(made.get() + calls.len() as u64);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    let Recommendations { windows, too_low, too_high } = recommendations.into_inner();
    let sequences = sequences.get();
    assert!(windows * 10 > sequences || sequences < 100, "{windows} windows of {sequences} sequences");
    assert!(too_low * 100 <= windows && too_high * 100 <= windows, "{too_low} and {too_high} of {windows}");
    println!("evidence model {}: {sequences} sequences, {} calls, no difference", S::NAME, made.get());
}

#[test]
fn connections_are_conserved() {
    search::<Connections>();
}

#[test]
fn processes_are_conserved() {
    search::<Processes>();
}

#[test]
fn recoveries_are_counted_to_their_maximum() {
    let attach = Call::Attach(Attach {
        policy: 0,
        interval: 0,
        warns_at_flush: false,
        lock: Lock::OneContext,
        start: Start::Clock(0),
    });
    run::<Connections>(&Config::PLAIN, &vec![attach; 65_540]);
}

/// The text of a new event finds no room beside one that waits to be flushed, and then nothing is cached.
#[test]
fn a_loss_alone_makes_a_flush_due() {
    let config = Config { capacity: 3, keys: 200, policy: 1, text_spare: 0, ..Config::PLAIN };
    let [one_byte, another_byte, two_bytes] = [7, 10, 1].map(|key| Call::Record { key, is_out: false, bytes: 0 });
    let page = Call::Flush { records: 1, text_spare: 0 };
    let calls = [Call::Listen(true), one_byte, another_byte, page.clone(), two_bytes, page.clone(), page];
    run::<Processes>(&config, &calls);
}

#[test]
fn any_bytes_are_a_sequence_without_a_difference() {
    let result = runner(500).run(&prop::collection::vec(any::<u8>(), 0..500), |bytes| {
        run_bytes(&bytes);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
