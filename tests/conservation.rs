// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random sequences of calls, held against a naive model: statuses, records, the accounting of every window, statistics
//! and warnings are exactly the model's.
//!
//! `PROPTEST_CASES` sets the number of sequences of each kind.

mod model;

use std::cell::Cell;
use std::env::var_os;

use model::call::{Call, Config, Foreign, Lock, Shape};
use model::{Connections, Processes, Subject, run, run_bytes};
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

fn count() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 1..2000_u32, 1 => u32::MAX - 3..=u32::MAX, 1 => u32::MAX / 2 - 1..u32::MAX / 2 + 2]
}

fn foreign() -> impl Strategy<Value = Foreign> {
    (any::<u8>(), count(), [count(), count()], any::<i8>(), any::<u8>())
        .prop_map(|(key, hits, bytes, age, span)| Foreign { key, hits, bytes, age, span })
}

fn call() -> impl Strategy<Value = Call> {
    let packet = (any::<u8>(), any::<bool>(), prop::sample::select(&Shape::ALL), 0..1400_u16);
    prop_oneof![
        20 => (any::<u8>(), any::<bool>(), count()).prop_map(|(key, is_out, bytes)| Call::Record { key, is_out, bytes }),
        5 => packet.prop_map(|(key, is_out, shape, payload)| Call::Packet { key, is_out, shape, payload }),
        7 => (1..8_u8, 0..40_u8).prop_map(|(records, text_spare)| Call::Flush { records, text_spare }),
        1 => Just(Call::Flush { records: 80, text_spare: 255 }),
        3 => (0..5_u8, any::<bool>()).prop_map(|(records, newest)| Call::MergeBack { records, newest }),
        2 => prop::collection::vec(foreign(), 0..4).prop_map(Call::Merge),
        2 => (1..3_u8).prop_map(Call::SetPolicy),
        1 => prop::bool::weighted(0.7).prop_map(Call::SetEnabled),
        3 => prop::bool::weighted(0.7).prop_map(Call::Listen),
        1 => (-300..300_i32).prop_map(|ahead| Call::Due { ahead }),
        2 => any::<i8>().prop_map(Call::Clock),
        2 => any::<u8>().prop_map(Call::Wrong),
    ]
}

/// Most start with someone who listens; some end an instance and begin another in the same storage.
fn calls() -> impl Strategy<Value = Vec<Call>> {
    let part = || prop::collection::vec(call(), 0..80);
    let listens = prop::bool::weighted(0.8).prop_map(Call::Listen);
    (listens, part(), prop::option::weighted(0.1, part())).prop_map(|(listens, first, second)| {
        let mut calls = vec![listens];
        calls.extend(first);
        if let Some(second) = second {
            calls.push(Call::Restart);
            calls.extend(second);
        }
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
    let result = runner(2000).run(&(config(), calls()), |(config, calls)| {
        run::<S>(&config, &calls);
        sequences.set(sequences.get() + 1);
        made.set(made.get() + calls.len() as u64);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    println!("evidence model {}: {} sequences, {} calls, no difference", S::NAME, sequences.get(), made.get());
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
fn any_bytes_are_a_sequence_without_a_difference() {
    let result = runner(500).run(&prop::collection::vec(any::<u8>(), 0..500), |bytes| {
        run_bytes(&bytes);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}
