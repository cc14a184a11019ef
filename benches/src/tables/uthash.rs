// SPDX-License-Identifier: MIT OR Apache-2.0
//! uthash, which programs in C use most, through uthash.c.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::marker::PhantomData;

use evagg::ffi::connections::EVAGG_IN;

use super::{Outcome, Overflow, Table, outcome};
use crate::event::{Key, Observed};

unsafe extern "C" {
    fn uthash_table_new(capacity: usize, key_maximum: usize, discards_oldest: bool) -> *mut c_void;
    fn uthash_table_free(table: *mut c_void);
    fn uthash_table_hash(key: *const c_void, key_length: usize) -> u32;
    fn uthash_table_record(
        table: *mut c_void,
        key: *const c_void,
        key_length: usize,
        is_incoming: bool,
        bytes: u32,
        now: u32,
    ) -> c_int;
    fn uthash_table_drain(table: *mut c_void, hit_counts: *mut u32) -> usize;
}

/// With or without a lock.
pub trait Locking: Default {
    const NAME: &'static str;
    fn lock(&self) {}
    fn unlock(&self) {}
}

#[derive(Default)]
pub struct Unlocked;

impl Locking for Unlocked {
    const NAME: &'static str = "uthash";
}

pub struct Spinlock(Box<UnsafeCell<libc::pthread_spinlock_t>>);

impl Default for Spinlock {
    fn default() -> Self {
        let lock = Box::new(UnsafeCell::new(0));
        // SAFETY: it lies in the box until it goes.
        unsafe { libc::pthread_spin_init(lock.get(), libc::PTHREAD_PROCESS_PRIVATE) };
        Self(lock)
    }
}

impl Locking for Spinlock {
    const NAME: &'static str = "uthash, pthread spin lock";

    #[inline]
    fn lock(&self) {
        // SAFETY: it was initialised.
        unsafe { libc::pthread_spin_lock(self.0.get()) };
    }

    #[inline]
    fn unlock(&self) {
        // SAFETY: as for lock.
        unsafe { libc::pthread_spin_unlock(self.0.get()) };
    }
}

pub struct Uthash<K, L> {
    table: *mut c_void,
    hit_counts: Vec<u32>,
    lock: L,
    key: PhantomData<K>,
}

impl<K: Key, L: Locking> Table for Uthash<K, L> {
    type Key = K;

    fn name() -> String {
        format!("{}{}", L::NAME, K::NAME)
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        // SAFETY: it allocates, no more.
        let table = unsafe { uthash_table_new(capacity, K::MAXIMUM, overflow == Overflow::DiscardOldest) };
        Self { table, hit_counts: vec![0; capacity], lock: L::default(), key: PhantomData }
    }

    #[inline]
    fn record(&mut self, key: &K, observed: Observed) -> Outcome {
        let Observed { direction, bytes, now } = observed;
        let key = key.bytes();
        self.lock.lock();
        // SAFETY: the table is live, and the key has that many bytes, no more than the maximum.
        let status = unsafe {
            uthash_table_record(self.table, key.as_ptr().cast(), key.len(), direction == EVAGG_IN, bytes, now)
        };
        self.lock.unlock();
        outcome(status)
    }

    fn drain(&mut self, each: impl FnMut(u32)) {
        self.lock.lock();
        // SAFETY: there is a place for the count of each entry.
        let count = unsafe { uthash_table_drain(self.table, self.hit_counts.as_mut_ptr()) };
        self.lock.unlock();
        self.hit_counts[..count].iter().copied().for_each(each);
    }

    fn public_hash(key: &K) -> Option<u32> {
        let key = key.bytes();
        // SAFETY: the key has that many bytes.
        Some(unsafe { uthash_table_hash(key.as_ptr().cast(), key.len()) })
    }
}

impl<K, L> Drop for Uthash<K, L> {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { uthash_table_free(self.table) };
    }
}
