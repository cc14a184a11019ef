// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes: command lines of one length, and those of a real build.

use std::collections::HashSet;

use crate::common::{self, Group};
use criterion::{Criterion, criterion_group};
use evagg_benches::event::{Event, Process};
use evagg_benches::measure;
use evagg_benches::tables::{
    BuiltIn, Fnv, FoldHash, HeaplessMap, LinearScan, LockedMap, Masking, NoOp, Overflow, Processes, Spinlock, StdMap,
    Table, Unlocked, Uthash,
};
use evagg_benches::workload;

/// Those that can discard the oldest.
macro_rules! each_ordered_table {
    ($measure:ident($($argument:expr),*)) => {{
        $measure::<Processes<BuiltIn>>($($argument),*);
        $measure::<Processes<Masking>>($($argument),*);
        $measure::<Processes<NoOp>>($($argument),*);
        $measure::<Uthash<Process, Unlocked>>($($argument),*);
        $measure::<Uthash<Process, Spinlock>>($($argument),*);
        $measure::<LockedMap<Process, FoldHash>>($($argument),*);
        $measure::<LockedMap<Process, Fnv>>($($argument),*);
        $measure::<StdMap<Process>>($($argument),*);
        $measure::<LinearScan<Process>>($($argument),*);
    }};
}

fn known<T: Table<Key = Process>>(group: &mut Group<'_>, keys: &[Process], events: &[Event<Process>]) {
    group.add::<T>(keys.len(), |count| measure::known::<T>(keys, events, count));
}

fn first<T: Table<Key = Process>>(group: &mut Group<'_>, keys: &[Process]) {
    group.add::<T>(keys.len(), |count| measure::first::<T>(keys, count));
}

fn overflowing<T: Table<Key = Process>>(group: &mut Group<'_>, capacity: usize, events: &[Event<Process>]) {
    group.add::<T>(capacity, |count| measure::overflowing::<T>(capacity, events, Overflow::DiscardOldest, count));
}

fn processes(criterion: &mut Criterion) {
    for length in [20, 60, 250] {
        let mut group = common::group(criterion, &format!("process, known, {length} bytes"));
        let keys = workload::random_processes(32, length);
        let events = workload::uniform(&keys);
        each_ordered_table!(known(&mut group, &keys, &events));
        known::<HeaplessMap<Process, 32>>(&mut group, &keys, &events);
        group.finish();
    }
    let mut group = common::group(criterion, "process, first, 60 bytes");
    let keys = workload::random_processes(32, 60);
    each_ordered_table!(first(&mut group, &keys));
    first::<HeaplessMap<Process, 32>>(&mut group, &keys);
    group.finish();

    let trace = workload::exec_trace();
    let mut seen = HashSet::new();
    let distinct: Vec<Process> =
        trace.iter().map(|event| event.key.clone()).filter(|key| seen.insert(key.clone())).collect();
    let mut group = common::group(criterion, "process, known, exec trace");
    each_ordered_table!(known(&mut group, &distinct, &trace));
    group.finish();
    let mut group = common::group(criterion, "process, discarding, exec trace");
    each_ordered_table!(overflowing(&mut group, 32, &trace));
    group.finish();
}

criterion_group!(name = benches; config = common::configuration(); targets = processes);
