// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs that the two handles share, from the handle through the lock to the aggregator and back to C.

use core::ffi::c_void;
use core::ptr::NonNull;
use core::sync::atomic::Ordering;

use super::arguments::array;
use super::config::evagg_time_t;
use super::instance::{Body, Head, Instance, Kind, WarningCallback, overflow_policy};
use super::status::{
    EVAGG_COUNTED, EVAGG_DISABLED, EVAGG_DUE, EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_BUSY, EVAGG_FIRST, EVAGG_IGNORED,
    EVAGG_MALFORMED, EVAGG_MORE, EVAGG_OK, EVAGG_REJECTED, evagg_status_t,
};
use super::warning::{evagg_warning_callback_t, evagg_warning_t};
use super::window::{evagg_statistics_t, evagg_window_t};
use crate::aggregator::{Aggregator, Outcome, Room, Step};
use crate::event::Offer;
use crate::event::packet::Unrecorded;
use crate::store::hash::Hasher;

/// A live instance of a kind: the pointer to the whole of its storage.
pub struct Live<E>(NonNull<Instance<E>>);

impl<E> Clone for Live<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Live<E> {}

impl<E: Kind> Live<E> {
    /// The instance behind a handle.
    #[inline]
    pub unsafe fn at<H>(handle: *const H) -> Result<Self, evagg_status_t> {
        // SAFETY: passed on to the caller.
        match unsafe { Head::check::<E>(handle.cast(), E::MAGIC) } {
            // SAFETY: an instance was found there.
            EVAGG_OK => Ok(Self(unsafe { NonNull::new_unchecked(handle.cast_mut().cast()) })),
            error => Err(error),
        }
    }

    #[inline]
    fn instance(&self) -> &Instance<E> {
        // SAFETY: init or attach left an instance here, and the storage stays in place during the call.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn head(&self) -> &Head {
        &self.instance().head
    }

    /// The instance behind a handle, its lock held.
    #[inline]
    pub unsafe fn open<H>(handle: *const H) -> Result<Locked<E>, evagg_status_t> {
        // SAFETY: passed on to the caller. The head lies at the same place in every kind.
        let state = unsafe { Head::check_and_acquire(handle.cast(), E::MAGIC) }?;
        // SAFETY: an instance was found there.
        Ok(Locked { live: Self(unsafe { NonNull::new_unchecked(handle.cast_mut().cast()) }), state })
    }

    #[inline]
    fn lock(self) -> Result<Locked<E>, evagg_status_t> {
        // SAFETY: an instance was found there before.
        unsafe { Self::open(self.0.as_ptr()) }
    }

    /// Counts an event that just happened.
    #[inline(always)]
    pub fn record(self, event: &(impl Offer<E> + Copy), text: &[u8]) -> evagg_status_t {
        let hash = event.hash(self.seed());
        let mut locked = match self.head().acquire() {
            Ok(state) => Locked { live: self, state },
            Err(status) => {
                self.head().count_busy();
                return status;
            }
        };
        match locked.contents().count_known(event, text, hash) {
            Outcome::Counted => {
                locked.release();
                EVAGG_COUNTED
            }
            Outcome::Disabled => EVAGG_DISABLED,
            Outcome::New => self.admit(locked, *event, text, hash),
        }
    }

    /// Makes an entry of a new event, or accounts for it.
    // On a hosted system apart from `record`, so that a known event does not save registers for this.
    #[cfg_attr(not(target_os = "none"), cold, inline(never))]
    #[cfg_attr(target_os = "none", inline(always))]
    fn admit(self, mut locked: Locked<E>, event: impl Offer<E> + Copy, text: &[u8], hash: u32) -> evagg_status_t {
        let Room { has_room, first_loss } = locked.contents().make_room(text, hash, 1);
        if has_room {
            locked.contents().insert(&event, text, hash);
        }
        drop(locked);
        let status = if has_room { EVAGG_FIRST } else { EVAGG_REJECTED };
        if first_loss { self.give_warnings(false, status) } else { status }
    }

    #[cold]
    pub fn count_unrecorded(self, reason: Unrecorded) -> evagg_status_t {
        match self.lock() {
            Ok(mut locked) => {
                locked.contents().count_unrecorded(reason);
                match reason {
                    Unrecorded::Malformed => EVAGG_MALFORMED,
                    Unrecorded::OtherProtocol => EVAGG_IGNORED,
                }
            }
            Err(status) => {
                self.head().count_busy();
                status
            }
        }
    }

    /// Gives the warnings that wait, the lock released. Answers with `status`: a call that ends in this one has left the
    /// stack before a callback is on it.
    #[cold]
    #[inline(never)]
    pub fn give_warnings(self, from_flush: bool, status: evagg_status_t) -> evagg_status_t {
        // It cannot be locked if a callback has ended the instance, or another context holds the lock: then the warning
        // stays owed.
        while let Ok(mut locked) = self.lock() {
            let WarningCallback { callback: Some(callback), context } = *locked.warning_callback() else { break };
            let Some(warning) = locked.contents().take_warning(from_flush) else { break };
            let mut given = evagg_warning_t::of::<E>(&warning);
            // Once it is known to others, the compiler does not keep its numbers on the stack a second time.
            let given = core::hint::black_box(&mut given);
            drop(locked);
            given.give::<E>(&warning, callback, context);
        }
        // If the compiler knew it for the argument, callers would keep it on their own stack.
        core::hint::black_box(status)
    }

    /// Copies records of the oldest unflushed window, the lock taken anew for each.
    #[inline(always)]
    pub unsafe fn flush(
        self,
        now: evagg_time_t,
        records: *mut E::Record,
        record_count: usize,
        text: *mut u8,
        text_bytes: usize,
        window: *mut evagg_window_t,
    ) -> evagg_status_t {
        // SAFETY: passed on to the caller.
        let status = unsafe { self.flush_page(now, records, record_count, text, text_bytes, window) };
        if status < 0 { status } else { self.give_warnings(true, status) }
    }

    // Apart from `flush`, so that a warning callback does not have this on the stack.
    #[inline(never)]
    unsafe fn flush_page(
        self,
        now: evagg_time_t,
        records: *mut E::Record,
        record_count: usize,
        text: *mut u8,
        text_bytes: usize,
        window: *mut evagg_window_t,
    ) -> evagg_status_t {
        let mut locked = match self.lock() {
            Ok(locked) => locked,
            Err(status) => return status,
        };
        // The next window to close would forget them. They are given now, and the next call gives records.
        if locked.warning_callback().callback.is_some() && locked.contents().owes_warnings() {
            return EVAGG_MORE;
        }
        let sequence = locked.contents().begin_flush(now);
        let (mut count, mut text_used) = (0, 0);
        loop {
            let mut contents = locked.contents();
            let step = contents.flush_one(sequence, |entry, head, tail| {
                if E::HAS_TEXT && text_bytes - text_used <= entry.text_length() {
                    return false;
                }
                // SAFETY: the caller gives a place for record_count records, of which this is not yet one behind, and
                // for the text and its NUL, as was just seen. Without a text nothing is added to its pointer.
                unsafe { entry.write_record(records.add(count), text.add(text_used), head, tail) };
                count += 1;
                if E::HAS_TEXT {
                    text_used += entry.text_length() + 1;
                }
                true
            });
            if step == Step::Gone {
                // Its final numbers were told to who completed it.
                // SAFETY: the caller gives a place for a window.
                unsafe { (*window).remaining = 0 };
                return EVAGG_MORE;
            }
            #[expect(clippy::cast_possible_truncation, reason = "a window has at most 65,535 records")]
            let page = evagg_window_t::page(&contents.closed(), count as u32);
            // SAFETY: as above.
            unsafe { *window = page };
            match step {
                Step::Complete => return EVAGG_OK,
                Step::More if count < record_count => {}
                _ => return EVAGG_MORE,
            }
            drop(locked);
            locked = match self.lock() {
                Ok(locked) => locked,
                // Records are out, so the call succeeds; the next one completes the window.
                Err(_) => return EVAGG_MORE,
            };
        }
    }

    /// Merges records, the lock taken anew for each.
    ///
    /// Where the built-in lock does not wait, the first may find it busy, and nothing has changed. From the second on
    /// the call cannot be taken back, and need not wait for long: who holds the lock then either interrupted this call
    /// and has returned, or runs on another core.
    #[inline(always)]
    pub unsafe fn merge(self, records: *const E::Record, record_count: usize) -> evagg_status_t {
        // SAFETY: passed on to the caller.
        let (status, first_loss) = unsafe { self.merge_all(records, record_count) };
        if first_loss { self.give_warnings(false, status) } else { status }
    }

    // Apart from `merge`, so that a warning callback does not have this on the stack, and may use the records' memory.
    #[inline(never)]
    unsafe fn merge_all(self, records: *const E::Record, record_count: usize) -> (evagg_status_t, bool) {
        // SAFETY: passed on to the caller.
        let records = match unsafe { array(records, record_count) } {
            Ok(records) => records,
            Err(status) => return (status, false),
        };
        for record in records {
            // SAFETY: passed on to the caller.
            if let Err(status) = unsafe { E::check_record(record) } {
                return (status, false);
            }
        }
        let mut first_loss = false;
        for (index, record) in records.iter().enumerate() {
            // SAFETY: passed on to the caller.
            let Ok(text) = (unsafe { E::check_record(record) }) else { continue };
            let mut entry = E::default();
            entry.read_record(record, self.seed(), text);
            let mut locked = loop {
                match self.lock() {
                    Ok(locked) => break locked,
                    Err(EVAGG_ERROR_BUSY) if index > 0 => core::hint::spin_loop(),
                    // Behind the first only if the instance was ended beside this call, which is not allowed.
                    Err(status) => return (status, first_loss),
                }
            };
            first_loss |= locked.contents().merge(&entry, self.kept(text));
        }
        (EVAGG_OK, first_loss)
    }

    /// What of a command line is kept.
    pub fn kept(self, command_line: &[u8]) -> &[u8] {
        command_line.get(..self.text_maximum()).unwrap_or(command_line)
    }

    pub fn text_maximum(self) -> usize {
        self.instance().mark.text_maximum.into()
    }

    #[inline]
    pub fn seed(self) -> Hasher {
        self.head().seed
    }

    pub fn deinit(self) {
        self.instance().mark.magic.store(0, Ordering::Relaxed);
    }
}

/// An instance whose lock is held; released when this goes.
pub struct Locked<E: Kind> {
    live: Live<E>,
    /// What `acquire` returned.
    state: usize,
}

impl<E: Kind> Locked<E> {
    pub fn set_warning_callback(mut self, callback: evagg_warning_callback_t, context: *mut c_void) {
        *self.warning_callback() = WarningCallback { callback, context };
    }

    pub fn set_overflow_policy(mut self, policy: u8) -> Result<(), evagg_status_t> {
        self.contents().set_policy(overflow_policy(policy)?);
        Ok(())
    }

    pub fn set_enabled(mut self, enabled: u8) -> Result<(), evagg_status_t> {
        if enabled > 1 {
            return Err(EVAGG_ERROR_BAD_VALUE);
        }
        self.contents().set_enabled(enabled == 1);
        Ok(())
    }

    pub fn due(mut self, now: evagg_time_t) -> evagg_status_t {
        if self.contents().is_due(now) { EVAGG_DUE } else { EVAGG_OK }
    }

    pub fn length(mut self) -> u32 {
        self.contents().length().into()
    }

    pub fn statistics(mut self) -> evagg_statistics_t {
        let mut contents = self.contents();
        let recoveries = contents.0.recoveries;
        evagg_statistics_t::of(&contents.statistics(), self.live.head().busy(), recoveries)
    }

    #[inline]
    fn contents(&mut self) -> Aggregator<'_, Body<E>> {
        // SAFETY: The lock is held, or the caller has said that there is one context only, so nobody else has a reference
        // to the body, and this one ends before the next is made, because it borrows from the one who holds the lock.
        Aggregator(unsafe { &mut *self.live.instance().body.get() })
    }

    /// As by dropping it, in place.
    #[inline]
    fn release(self) {
        self.live.head().release(self.state);
        core::mem::forget(self);
    }

    fn warning_callback(&mut self) -> &mut WarningCallback {
        // SAFETY: as for the contents, of which this is no part.
        unsafe { &mut *self.live.instance().warning.get() }
    }
}

impl<E: Kind> Drop for Locked<E> {
    #[cfg_attr(target_os = "none", inline(never))]
    fn drop(&mut self) {
        self.live.head().release(self.state);
    }
}
