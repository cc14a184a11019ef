// SPDX-License-Identifier: MIT OR Apache-2.0
//! The built-in lock, for targets with compare-and-swap.
//!
//! On hosted targets a contended caller relaxes until the lock is free. On bare metal it never waits: on one core that
//! preempts, the holder could not run, so waiting would be for ever. There the caller is told.

use core::mem::forget;

use spin::mutex::SpinMutex;
use spin::relax::RelaxStrategy;

pub struct BuiltInLock<R>(SpinMutex<(), R>);

impl<R: RelaxStrategy> BuiltInLock<R> {
    pub const fn new() -> Self {
        Self(SpinMutex::new(()))
    }

    /// `false`: another context holds it, and waiting is not possible here. Otherwise who acquires releases, through
    /// the mutex itself.
    #[inline]
    pub fn acquire(&self) -> bool {
        #[cfg(not(target_os = "none"))]
        let guard = Some(self.0.lock());
        #[cfg(target_os = "none")]
        let guard = self.0.try_lock();
        guard.map(forget).is_some()
    }

    pub fn mutex(&self) -> &SpinMutex<(), R> {
        &self.0
    }
}
