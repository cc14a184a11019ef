// SPDX-License-Identifier: MIT OR Apache-2.0
//! The chained table over a pool of objects, through pool.c.

use std::ffi::{c_int, c_void};

use evagg::ffi::connections::EVAGG_IN;

use super::{Outcome, Overflow, Table, outcome};
use crate::event::{Key, Observed, Wide};

unsafe extern "C" {
    fn pool_table_new(capacity: usize) -> *mut c_void;
    fn pool_table_free(table: *mut c_void);
    fn pool_table_hash(key: *const c_void) -> u32;
    fn pool_table_record(table: *mut c_void, key: *const c_void, is_incoming: bool, bytes: u32, now: u32) -> c_int;
    fn pool_table_drain(table: *mut c_void, hit_counts: *mut u32) -> usize;
}

pub struct ChainedPool {
    table: *mut c_void,
    hit_counts: Vec<u32>,
}

impl Table for ChainedPool {
    type Key = Wide;

    fn name() -> String {
        "chained pool, XOR hash".into()
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        assert_eq!(overflow, Overflow::Reject, "it does not know which object is the oldest");
        // SAFETY: it allocates, no more.
        Self { table: unsafe { pool_table_new(capacity) }, hit_counts: vec![0; capacity] }
    }

    #[inline]
    fn record(&mut self, key: &Wide, observed: Observed) -> Outcome {
        let Observed { direction, bytes, now } = observed;
        // SAFETY: the table is live, and the key has as many bytes as it expects.
        outcome(unsafe {
            pool_table_record(self.table, key.bytes().as_ptr().cast(), direction == EVAGG_IN, bytes, now)
        })
    }

    fn drain(&mut self, each: impl FnMut(u32)) {
        // SAFETY: there is a place for the count of each object.
        let count = unsafe { pool_table_drain(self.table, self.hit_counts.as_mut_ptr()) };
        self.hit_counts[..count].iter().copied().for_each(each);
    }

    fn public_hash(key: &Wide) -> Option<u32> {
        // SAFETY: the key has as many bytes as it expects.
        Some(unsafe { pool_table_hash(key.bytes().as_ptr().cast()) })
    }
}

impl Drop for ChainedPool {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { pool_table_free(self.table) };
    }
}
