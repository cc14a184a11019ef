// SPDX-License-Identifier: MIT OR Apache-2.0
//! Connections: every operation, on one thread.

use std::hint::black_box;
use std::time::Instant;

use crate::common::{self, Group};
use criterion::{Criterion, criterion_group};
use evagg::ffi::connections::{EVAGG_OUT, evagg_connection_t};
use evagg_benches::event::{Event, FromConnection, Narrow, Wide};
use evagg_benches::measure;
use evagg_benches::tables::{
    Array, BuiltIn, ChainedPool, Connections, Fnv, FoldHash, HeaplessMap, LinearScan, LockedMap, Masking, NoOp,
    Overflow, Spinlock, StdMap, Table, Unlocked, Uthash,
};
use evagg_benches::workload::{self, Versions};

/// Calls `$measure::<T>($arguments)` for every table T that can hold so many entries in reasonable time.
macro_rules! each_table {
    ($entries:expr, $measure:ident($($argument:expr),*)) => {{
        let entries: usize = $entries;
        $measure::<Connections<BuiltIn>>($($argument),*);
        $measure::<Connections<Masking>>($($argument),*);
        $measure::<Connections<NoOp>>($($argument),*);
        $measure::<Uthash<Wide, Unlocked>>($($argument),*);
        $measure::<Uthash<Wide, Spinlock>>($($argument),*);
        match entries {
            ..=64 => $measure::<HeaplessMap<Wide, 64>>($($argument),*),
            ..=256 => $measure::<HeaplessMap<Wide, 256>>($($argument),*),
            ..=1024 => $measure::<HeaplessMap<Wide, 1024>>($($argument),*),
            ..=4096 => $measure::<HeaplessMap<Wide, 4096>>($($argument),*),
            _ => $measure::<HeaplessMap<Wide, 65_536>>($($argument),*),
        }
        $measure::<LockedMap<Wide, FoldHash>>($($argument),*);
        $measure::<LockedMap<Wide, Fnv>>($($argument),*);
        $measure::<StdMap<Wide>>($($argument),*);
        if entries <= 4096 {
            $measure::<LinearScan<Wide>>($($argument),*);
            $measure::<ChainedPool>($($argument),*);
        }
    }};
}

/// Of those, the ones that can discard the oldest.
macro_rules! each_ordered_table {
    ($measure:ident($($argument:expr),*)) => {{
        $measure::<Connections<BuiltIn>>($($argument),*);
        $measure::<Connections<NoOp>>($($argument),*);
        $measure::<Uthash<Wide, Unlocked>>($($argument),*);
        $measure::<LockedMap<Wide, FoldHash>>($($argument),*);
        $measure::<StdMap<Wide>>($($argument),*);
        $measure::<LinearScan<Wide>>($($argument),*);
    }};
}

/// Those that can be made for IPv4 alone, with a shorter key.
macro_rules! each_narrow_table {
    ($measure:ident($($argument:expr),*)) => {{
        $measure::<Uthash<Narrow, Unlocked>>($($argument),*);
        $measure::<HeaplessMap<Narrow, 64>>($($argument),*);
        $measure::<LockedMap<Narrow, FoldHash>>($($argument),*);
    }};
}

trait ConnectionTable: Table<Key: FromConnection> {}
impl<T: Table<Key: FromConnection>> ConnectionTable for T {}

fn form<T: ConnectionTable>(connections: &[evagg_connection_t]) -> Vec<T::Key> {
    connections.iter().map(T::Key::from_connection).collect()
}

fn known<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    let keys = form::<T>(connections);
    let events = workload::uniform(&keys);
    group.add::<T>(keys.len(), |count| measure::known::<T>(&keys, &events, count));
}

fn zipf<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    let keys = form::<T>(connections);
    let events = workload::zipf(&keys);
    group.add::<T>(keys.len(), |count| measure::known::<T>(&keys, &events, count));
}

fn colliding<T: ConnectionTable>(group: &mut Group<'_>, entries: usize) {
    let keys = form::<T>(&workload::colliding::<T>(entries));
    let events = workload::uniform(&keys);
    group.add::<T>(entries, |count| measure::known::<T>(&keys, &events, count));
}

fn captures<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    let events: Vec<Event<T::Key>> = workload::captures();
    let keys = form::<T>(connections);
    group.add::<T>(keys.len(), |count| measure::known::<T>(&keys, &events, count));
}

fn first<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    let keys = form::<T>(connections);
    group.add::<T>(keys.len(), |count| measure::first::<T>(&keys, count));
}

fn never_seen<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t], overflow: Overflow) {
    let keys = form::<T>(connections);
    let new: Vec<_> = (0..65_536).map(workload::never_seen).collect();
    let events = workload::in_order(&form::<T>(&new));
    group.add::<T>(keys.len(), |count| measure::unknown::<T>(&keys, &events, overflow, count));
}

fn drain<T: ConnectionTable>(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    let keys = form::<T>(connections);
    group.add::<T>(keys.len(), |count| measure::drain::<T>(&keys, count));
}

fn known_connections(criterion: &mut Criterion) {
    let mut group = common::group(criterion, "known, IPv4");
    for entries in [1, 8, 48, 64, 256, 1024, 4096, 65_535] {
        let connections = workload::random_connections(entries, Versions::V4);
        each_table!(entries, known(&mut group, &connections));
        known::<Array>(&mut group, &connections);
        if entries == 48 {
            each_narrow_table!(known(&mut group, &connections));
        }
    }
    group.finish();
    for (name, versions) in [("known, IPv6", Versions::V6), ("known, IPv4 and IPv6", Versions::Both)] {
        let mut group = common::group(criterion, name);
        let connections = workload::random_connections(48, versions);
        each_table!(48, known(&mut group, &connections));
        group.finish();
    }
    let mut group = common::group(criterion, "known, Zipf");
    for entries in [64, 4096, 65_535] {
        let connections = workload::random_connections(entries, Versions::V4);
        each_table!(entries, zipf(&mut group, &connections));
        zipf::<Array>(&mut group, &connections);
    }
    group.finish();
    let mut group = common::group(criterion, "known, captures");
    let connections = workload::captured_connections();
    each_table!(connections.len(), captures(&mut group, &connections));
    group.finish();
    let mut group = common::group(criterion, "known, colliding");
    for entries in [64, 4096] {
        each_table!(entries, colliding(&mut group, entries));
    }
    group.finish();
}

fn new_connections(criterion: &mut Criterion) {
    let all = [64, 4096].map(|entries| workload::random_connections(entries, Versions::V4));
    let mut group = common::group(criterion, "first");
    for connections in &all {
        each_table!(connections.len(), first(&mut group, connections));
    }
    group.finish();
    let mut group = common::group(criterion, "rejected");
    for connections in &all {
        each_table!(connections.len(), never_seen(&mut group, connections, Overflow::Reject));
    }
    group.finish();
    let mut group = common::group(criterion, "discarding");
    for connections in &all {
        each_ordered_table!(never_seen(&mut group, connections, Overflow::DiscardOldest));
    }
    group.finish();
}

fn collected_connections(criterion: &mut Criterion) {
    let all = [64, 4096].map(|entries| workload::random_connections(entries, Versions::V4));
    let mut group = common::group(criterion, "flush");
    for connections in &all {
        each_table!(connections.len(), drain(&mut group, connections));
    }
    group.finish();
    let mut group = common::group(criterion, "merge, known");
    for connections in &all {
        merge(&mut group, connections);
    }
    group.finish();
}

/// Records that are in the instance already, put into it once more.
fn merge(group: &mut Group<'_>, connections: &[evagg_connection_t]) {
    group.add::<Connections<BuiltIn>>(connections.len(), |count| {
        let mut instance = Connections::<BuiltIn>::new(connections.len(), Overflow::Reject);
        let mut records = Vec::new();
        for event in workload::in_order(connections) {
            instance.record(&event.key, event.observed);
        }
        instance.flush(|page| records.extend_from_slice(page));
        instance.merge(&records);
        measure::rounds(records.len(), count, || {
            let start = Instant::now();
            instance.merge(black_box(&records));
            start.elapsed()
        })
    });
}

fn packets(criterion: &mut Criterion) {
    for (name, versions) in [("packet, IPv4", Versions::V4), ("packet, IPv6", Versions::V6)] {
        let mut group = common::group(criterion, name);
        let connections = workload::random_connections(48, versions);
        let packets: Vec<_> =
            workload::uniform(&connections).iter().map(|event| workload::packet(&event.key)).collect();
        packet::<BuiltIn>(&mut group, &connections, &packets);
        packet::<Masking>(&mut group, &connections, &packets);
        packet::<NoOp>(&mut group, &connections, &packets);
        group.finish();
    }
}

fn packet<L: evagg_benches::tables::Lock>(
    group: &mut Group<'_>,
    connections: &[evagg_connection_t],
    packets: &[Vec<u8>],
) {
    group.add::<Connections<L>>(connections.len(), |count| {
        let mut instance = Connections::<L>::new(connections.len(), Overflow::Reject);
        let start = Instant::now();
        let mut next = 0;
        for _ in 0..count {
            black_box(instance.record_packet(&packets[next], EVAGG_OUT, 1));
            next += 1;
            if next == packets.len() {
                next = 0;
            }
        }
        start.elapsed()
    });
}

criterion_group!(
    name = benches;
    config = common::configuration();
    targets = known_connections, packets, new_connections, collected_connections
);
