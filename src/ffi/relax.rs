// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a thread does while it waits for the built-in lock: on hosted targets it lets others run.

#[cfg(target_os = "none")]
pub use spin::relax::Spin as Relax;

#[cfg(not(target_os = "none"))]
pub struct Relax;

#[cfg(not(target_os = "none"))]
impl spin::relax::RelaxStrategy for Relax {
    fn relax() {
        // SAFETY: sched_yield takes no argument and touches no memory of the caller.
        unsafe { libc::sched_yield() };
    }
}
