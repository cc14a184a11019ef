// SPDX-License-Identifier: MIT OR Apache-2.0
//! Threads: on one instance, and with an instance each whose records are merged in the end. Times are for each event of
//! all threads together.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group};
use evagg::ffi::connections::evagg_connection_t;
use evagg_benches::event::{Event, Observed};
use evagg_benches::tables::{BuiltIn, Connections, Overflow, Table, Yield};
use evagg_benches::workload::{self, Versions};
use spin::mutex::SpinMutex;

use crate::common;

const ENTRIES: usize = 48;
const BEFORE: Observed = Observed { direction: 1, bytes: 1, now: 0 };

/// How long it takes until all threads are through with their share of `count` calls of `each`.
fn together(threads: usize, count: u64, each: impl Fn(usize, u64) + Sync) -> Duration {
    let barrier = Barrier::new(threads + 1);
    thread::scope(|scope| {
        for index in 0..threads {
            let (barrier, each) = (&barrier, &each);
            scope.spawn(move || {
                barrier.wait();
                each(index, count / threads as u64);
                barrier.wait();
            });
        }
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        start.elapsed()
    })
}

fn instance(connections: &[evagg_connection_t]) -> Connections<BuiltIn> {
    let mut instance = Connections::new(connections.len(), Overflow::Reject);
    for connection in connections {
        instance.record(connection, BEFORE);
    }
    instance
}

fn record(instance: &Connections<BuiltIn>, events: &[Event<evagg_connection_t>], first: usize, count: u64) {
    let mut next = first;
    for _ in 0..count {
        let Event { key, observed } = &events[next];
        black_box(instance.record_shared(key, *observed));
        next += 1;
        if next == events.len() {
            next = 0;
        }
    }
}

fn threads(criterion: &mut Criterion) {
    let connections = workload::random_connections(ENTRIES, Versions::V4);
    let events = workload::uniform(&connections);
    let mut group = common::group(criterion, "threads");
    group.for_threads("an instance each", 1, |count| {
        let instance = instance(&connections);
        together(1, count, |_, share| record(&instance, &events, 0, share))
    });
    group.for_threads("one instance", 2, |count| {
        let instance = instance(&connections);
        together(2, count, |thread, share| record(&instance, &events, thread * events.len() / 2, share))
    });
    group.for_threads("an instance each", 2, |count| {
        let mut instances = [(); 2].map(|()| instance(&connections));
        let recording = together(2, count, |thread, share| {
            record(&instances[thread], &events, thread * events.len() / 2, share);
        });
        let start = Instant::now();
        let [sum, other] = &mut instances;
        other.flush(|page| sum.merge(page));
        recording + start.elapsed()
    });
    for threads in [1, 2] {
        group.for_threads("the lock alone", threads, |count| {
            let lock = SpinMutex::<_, Yield>::new(0_u64);
            together(threads, count, |_, share| {
                for _ in 0..share {
                    *black_box(&lock).lock() += 1;
                }
            })
        });
    }
    group.finish();
}

criterion_group!(name = benches; config = common::configuration(); targets = threads);
