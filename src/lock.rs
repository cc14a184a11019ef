// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built-in lock, for targets with compare-and-swap.
//!
//! On hosted targets a contended caller relaxes until the lock is free. On bare metal it never waits: on one core that
//! preempts, the holder could not run, so waiting would be for ever. There the caller is told.

use core::mem::forget;
use core::sync::atomic::{AtomicU32, Ordering};

use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

pub struct BuiltInLock<R> {
    mutex: SpinMutex<(), R>,
    busy: AtomicU32,
}

impl<R: RelaxStrategy> BuiltInLock<R> {
    pub const fn new() -> Self {
        Self { mutex: SpinMutex::new(()), busy: AtomicU32::new(0) }
    }

    /// `false`: another context holds it, and waiting is not possible here. Otherwise who acquires releases, through
    /// the mutex itself.
    #[inline]
    pub fn acquire(&self) -> bool {
        #[cfg(not(target_os = "none"))]
        let guard = Some(self.mutex.lock());
        #[cfg(target_os = "none")]
        let guard = self.mutex.try_lock();
        guard.map(forget).is_some()
    }

    pub fn mutex(&self) -> &SpinMutex<(), R> {
        &self.mutex
    }

    pub fn count_busy(&self) {
        self.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events met a lock that was taken and were not recorded.
    pub fn busy(&self) -> u32 {
        self.busy.load(Ordering::Relaxed)
    }
}
