// SPDX-License-Identifier: MIT OR Apache-2.0
//! The hash maps of Rust: heapless, hashbrown, and that of the standard library.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;

use hash32::Hasher as _;
use hashbrown::HashMap as BrownMap;
use heapless::index_map::FnvIndexMap;
use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

use super::{Outcome, Overflow, Table};
use crate::event::{Counts, Key, Observed};

pub struct HeaplessMap<K, const N: usize> {
    map: Box<FnvIndexMap<K, Counts, N>>,
    capacity: usize,
}

impl<K: Key + Send + 'static, const N: usize> Table for HeaplessMap<K, N> {
    type Key = K;

    fn name() -> String {
        format!("heapless FnvIndexMap{}", K::NAME)
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        assert_eq!(overflow, Overflow::Reject, "it cannot remove the oldest and keep the order of the others");
        // The largest is on the stack before it is in its box.
        let builder = thread::Builder::new().stack_size(64 << 20);
        let map = builder.spawn(|| Box::new(FnvIndexMap::new())).expect("a thread").join().expect("a map");
        Self { map, capacity }
    }

    #[inline(never)]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        if let Some(counts) = self.map.get_mut(key) {
            counts.add(observed);
            return Outcome::Counted;
        }
        if self.map.len() < self.capacity && self.map.insert(key.clone(), Counts::once(observed)).is_ok() {
            return Outcome::First;
        }
        Outcome::Rejected
    }

    fn drain(&mut self, mut each: impl FnMut(u32)) {
        self.map.values().for_each(|counts| each(counts.hit_count));
        self.map.clear();
    }

    fn public_hash(key: &K) -> Option<u32> {
        let mut hasher = hash32::FnvHasher::default();
        hasher.write(key.bytes());
        Some(hasher.finish32())
    }
}

/// What hashbrown and the standard library call by the same names.
trait Map<K> {
    fn with_capacity(capacity: usize) -> Self;
    fn len(&self) -> usize;
    fn get_mut(&mut self, key: &K) -> Option<&mut Counts>;
    fn insert(&mut self, key: K, counts: Counts);
    fn remove(&mut self, key: &K);
    fn drain(&mut self, each: impl FnMut(u32));
}

macro_rules! map {
    ($map:ident) => {
        impl<K: Key, S: BuildHasher + Default> Map<K> for $map<K, Counts, S> {
            fn with_capacity(capacity: usize) -> Self {
                Self::with_capacity_and_hasher(capacity, S::default())
            }
            #[inline]
            fn len(&self) -> usize {
                self.len()
            }
            #[inline]
            fn get_mut(&mut self, key: &K) -> Option<&mut Counts> {
                self.get_mut(key)
            }
            #[inline]
            fn insert(&mut self, key: K, counts: Counts) {
                self.insert(key, counts);
            }
            #[inline]
            fn remove(&mut self, key: &K) {
                self.remove(key);
            }
            fn drain(&mut self, mut each: impl FnMut(u32)) {
                self.drain().for_each(|(_, counts)| each(counts.hit_count));
            }
        }
    };
}

map!(BrownMap);
map!(HashMap);

/// A map that holds no more than its capacity, with the order of admission beside it where the oldest must go.
struct Bounded<M, K> {
    map: M,
    order: VecDeque<K>,
    capacity: usize,
    overflow: Overflow,
}

impl<K: Key, M: Map<K>> Bounded<M, K> {
    fn new(capacity: usize, overflow: Overflow) -> Self {
        Self { map: M::with_capacity(capacity), order: VecDeque::with_capacity(capacity), capacity, overflow }
    }

    #[inline]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        if let Some(counts) = self.map.get_mut(key) {
            counts.add(observed);
            return Outcome::Counted;
        }
        if self.map.len() >= self.capacity {
            if self.overflow == Overflow::Reject {
                return Outcome::Rejected;
            }
            if let Some(oldest) = self.order.pop_front() {
                self.map.remove(&oldest);
            }
        }
        if self.overflow == Overflow::DiscardOldest {
            self.order.push_back(key.clone());
        }
        self.map.insert(key.clone(), Counts::once(observed));
        Outcome::First
    }

    fn drain(&mut self, each: impl FnMut(u32)) {
        self.map.drain(each);
        self.order.clear();
    }
}

pub struct Yield;

impl RelaxStrategy for Yield {
    fn relax() {
        thread::yield_now();
    }
}

pub trait NamedHash: BuildHasher + Default {
    const NAME: &'static str;

    /// Where the hash has no secret.
    fn public_hash(_bytes: &[u8]) -> Option<u32> {
        None
    }
}

pub type FoldHash = foldhash::fast::RandomState;
pub type Fnv = fnv::FnvBuildHasher;

impl NamedHash for FoldHash {
    const NAME: &'static str = "hashbrown, foldhash";
}

impl NamedHash for Fnv {
    const NAME: &'static str = "hashbrown, FNV";

    #[expect(clippy::cast_possible_truncation, reason = "the map takes its place from the lower bits")]
    fn public_hash(bytes: &[u8]) -> Option<u32> {
        let mut hasher = Self::default().build_hasher();
        hasher.write(bytes);
        Some(hasher.finish() as u32)
    }
}

/// hashbrown behind the lock that evagg has built in.
pub struct LockedMap<K, S>(SpinMutex<Bounded<BrownMap<K, Counts, S>, K>, Yield>);

impl<K: Key, S: NamedHash> Table for LockedMap<K, S> {
    type Key = K;

    fn name() -> String {
        format!("{}, spin lock{}", S::NAME, K::NAME)
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        Self(SpinMutex::new(Bounded::new(capacity, overflow)))
    }

    #[inline(never)]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        self.0.lock().record(key, observed)
    }

    fn drain(&mut self, each: impl FnMut(u32)) {
        self.0.lock().drain(each);
    }

    fn public_hash(key: &K) -> Option<u32> {
        S::public_hash(key.bytes())
    }
}

/// The map of the standard library, with its hash, SipHash.
pub struct StdMap<K>(Bounded<HashMap<K, Counts, RandomState>, K>);

impl<K: Key> Table for StdMap<K> {
    type Key = K;

    fn name() -> String {
        format!("std HashMap{}", K::NAME)
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        Self(Bounded::new(capacity, overflow))
    }

    #[inline(never)]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        self.0.record(key, observed)
    }

    fn drain(&mut self, each: impl FnMut(u32)) {
        self.0.drain(each);
    }
}
