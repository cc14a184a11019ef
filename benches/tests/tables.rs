// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is compared does the same work: every table counts the same events, and loses the same ones.

use evagg_benches::event::{FromConnection, Observed, Process, Wide};
use evagg_benches::tables::{
    Array, BuiltIn, ChainedPool, Connections, Fnv, FoldHash, HeaplessMap, LinearScan, LockedMap, Masking, NoOp,
    Outcome, Overflow, Processes, Spinlock, StdMap, Table, Unlocked, Uthash,
};
use evagg_benches::workload::{self, Versions};

const OBSERVED: Observed = Observed { direction: 1, bytes: 40, now: 1 };

fn hits<T: Table>(table: &mut T) -> Vec<u32> {
    let mut hits = Vec::new();
    table.drain(|count| hits.push(count));
    hits.sort_unstable();
    hits
}

/// The n-th of 64 keys comes n times; then a table is full and rejects.
fn counts_and_rejects<T: Table>(keys: &[T::Key], new: Option<&T::Key>) {
    let name = T::name();
    let mut table = T::new(keys.len(), Overflow::Reject);
    for _ in 0..2 {
        for (index, key) in keys.iter().enumerate() {
            assert_eq!(table.record(key, OBSERVED), Outcome::First, "{name}");
            for _ in 0..index {
                assert_eq!(table.record(key, OBSERVED), Outcome::Counted, "{name}");
            }
        }
        if let Some(new) = new {
            assert_eq!(table.record(new, OBSERVED), Outcome::Rejected, "{name}");
            assert_eq!(table.record(&keys[0], OBSERVED), Outcome::Counted, "{name}");
            assert_eq!(hits(&mut table), [vec![2, 2], (3..=64).collect()].concat(), "{name}");
        } else {
            assert_eq!(hits(&mut table), (1..=64).collect::<Vec<_>>(), "{name}");
        }
    }
}

/// A table with room for all keys but one, to which they come in turn, knows none of them when it comes again.
fn discards_the_oldest<T: Table>(keys: &[T::Key]) {
    let name = T::name();
    let mut table = T::new(keys.len() - 1, Overflow::DiscardOldest);
    for _ in 0..3 {
        for key in keys {
            assert_eq!(table.record(key, OBSERVED), Outcome::First, "{name}");
        }
    }
    assert_eq!(table.record(&keys[keys.len() - 1], OBSERVED), Outcome::Counted, "{name}");
    assert_eq!(hits(&mut table), [vec![1; keys.len() - 2], vec![2]].concat(), "{name}");
}

fn form<T: Table<Key: FromConnection>>() -> (Vec<T::Key>, T::Key) {
    let keys = workload::random_connections(64, Versions::Both);
    (keys.iter().map(T::Key::from_connection).collect(), T::Key::from_connection(&workload::never_seen(1)))
}

fn rejecting<T: Table<Key: FromConnection>>() {
    let (keys, new) = form::<T>();
    counts_and_rejects::<T>(&keys, Some(&new));
}

fn rejecting_and_discarding<T: Table<Key: FromConnection>>() {
    rejecting::<T>();
    discards_the_oldest::<T>(&form::<T>().0);
}

#[test]
fn connections() {
    rejecting_and_discarding::<Connections<BuiltIn>>();
    rejecting_and_discarding::<Connections<Masking>>();
    rejecting_and_discarding::<Connections<NoOp>>();
    rejecting_and_discarding::<Uthash<Wide, Unlocked>>();
    rejecting_and_discarding::<Uthash<Wide, Spinlock>>();
    rejecting_and_discarding::<LockedMap<Wide, FoldHash>>();
    rejecting_and_discarding::<LockedMap<Wide, Fnv>>();
    rejecting_and_discarding::<StdMap<Wide>>();
    rejecting_and_discarding::<LinearScan<Wide>>();
    rejecting::<HeaplessMap<Wide, 64>>();
    rejecting::<ChainedPool>();
    counts_and_rejects::<Array>(&form::<Array>().0, None);
}

#[test]
fn processes() {
    fn both<T: Table<Key = Process>>() {
        let mut keys = workload::random_processes(65, 60);
        let new = keys.pop();
        counts_and_rejects::<T>(&keys, new.as_ref());
        discards_the_oldest::<T>(&keys);
    }
    both::<Processes<BuiltIn>>();
    both::<Processes<Masking>>();
    both::<Processes<NoOp>>();
    both::<Uthash<Process, Unlocked>>();
    both::<Uthash<Process, Spinlock>>();
    both::<LockedMap<Process, FoldHash>>();
    both::<LockedMap<Process, Fnv>>();
    both::<StdMap<Process>>();
    both::<LinearScan<Process>>();
}

/// Colliding keys share the bucket of a table whose hash has no secret.
#[test]
fn colliding_keys_collide() {
    fn distinct_hashes<T: Table<Key: FromConnection>>(bits: u32) -> usize {
        let connections = workload::colliding::<T>(64);
        assert_eq!(connections.len(), 64);
        let hash = |connection| T::public_hash(&T::Key::from_connection(connection)).expect("a public hash") & bits;
        connections.iter().map(hash).collect::<std::collections::HashSet<_>>().len()
    }
    assert_eq!(distinct_hashes::<Uthash<Wide, Unlocked>>(63), 1);
    assert_eq!(distinct_hashes::<HeaplessMap<Wide, 64>>(63), 1);
    assert_eq!(distinct_hashes::<LockedMap<Wide, Fnv>>(63), 1);
    assert_eq!(distinct_hashes::<ChainedPool>(63), 1);
}

#[test]
fn fixtures_are_whole() {
    let packets = workload::captures::<Wide>();
    assert_eq!((packets.len(), workload::captured_connections().len()), (14_883, 453));
    let starts = workload::exec_trace();
    assert_eq!(starts.len(), 4000);
    assert!(starts.iter().all(|event| !event.key.command_line().is_empty()));
}
