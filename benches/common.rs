// SPDX-License-Identifier: MIT OR Apache-2.0
//! Short measurements: `scripts/bench.py` makes several rounds of them and compares within a round, because a machine
//! that is shared is faster at one time than at another.

use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode};
use evagg_benches::tables::Table;

pub fn configuration() -> Criterion {
    Criterion::default().sample_size(10).warm_up_time(WARM_UP).measurement_time(SHORT).nresamples(1000).without_plots()
}

const WARM_UP: Duration = Duration::from_millis(20);
const SHORT: Duration = Duration::from_millis(100);

pub struct Group<'a>(BenchmarkGroup<'a, WallTime>);

pub fn group<'a>(criterion: &'a mut Criterion, workload: &str) -> Group<'a> {
    let mut group = criterion.benchmark_group(workload);
    // Samples of one length: a short one would see little but the caches at its start.
    group.sampling_mode(SamplingMode::Flat);
    Group(group)
}

impl Group<'_> {
    /// `measure` tells how long so many operations take.
    pub fn add<T: Table>(&mut self, entries: usize, mut measure: impl FnMut(u64) -> Duration) {
        // What does not fit into the caches takes a while until it is in its steady state.
        let times = if entries > 4096 { 10 } else { 1 };
        self.0.warm_up_time(WARM_UP * times).measurement_time(SHORT * times);
        self.0.bench_function(BenchmarkId::new(T::name(), entries), |bencher| bencher.iter_custom(&mut measure));
    }

    /// Longer, because starting a thread must not count.
    pub fn for_threads(&mut self, name: &str, threads: usize, mut measure: impl FnMut(u64) -> Duration) {
        self.0.measurement_time(SHORT * 10);
        self.0.bench_function(BenchmarkId::new(name, threads), |bencher| bencher.iter_custom(&mut measure));
    }

    pub fn finish(self) {
        self.0.finish();
    }
}
