// SPDX-License-Identifier: MIT OR Apache-2.0

use core::ffi::{c_char, c_void};

use crate::event::Event;
use crate::warning::{Numbers, Text, Warning, write_text};

/// Warning: the first loss of a window, for want of a free entry.
pub const EVAGG_WARNING_CACHE_FULL: u32 = 1;
/// Warning: the first loss of a window, for want of text bytes.
pub const EVAGG_WARNING_TEXT_FULL: u32 = 2;
/// Warning: a window that lost something has been flushed; these are the totals.
pub const EVAGG_WARNING_LOSSES: u32 = 3;

/// Events are being lost, or were. At most two a window: at its first loss, and when its last page was flushed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_warning_t {
    /// Ready to log, NUL-terminated; valid during the callback.
    pub text: *const c_char,
    /// EVAGG_WARNING_CACHE_FULL, EVAGG_WARNING_TEXT_FULL or EVAGG_WARNING_LOSSES.
    pub code: u32,
    /// The sequence number of the window.
    pub window: u32,
    /// Entries that the cache has.
    pub capacity: u32,
    /// Events of the window that were lost so far: rejected and discarded.
    pub lost: u32,
    /// EVAGG_WARNING_LOSSES: a capacity that would have kept all; 0 in other warnings.
    ///
    /// From an estimate of the distinct events by linear counting (Whang et al. 1990, in the form of Ting 2014) and an
    /// eighth more: in 99 of 100 windows not below their true number and not 30 % above it, from 3 entries on and up to 8
    /// times the capacity.
    /// It may exceed EVAGG_MAXIMUM_CAPACITY; a shorter interval helps then.
    pub recommended_capacity: u32,
    /// EVAGG_WARNING_LOSSES of processes: text bytes that would have kept all; otherwise 0.
    pub recommended_text_bytes: u32,
    /// 1: more than 8 times the capacity, so that the recommendations are lower bounds; otherwise 0.
    pub at_least: u32,
}

/// Called with the lock released, by the call that noticed: record, merge or flush, or only flush with
/// EVAGG_WARN_AT_FLUSH. It may call every function of the library, for this instance too; after deinit, the storage
/// must stay in place until the call that gave the warning has returned. Calls from several threads may overlap.
pub type evagg_warning_callback_t = Option<unsafe extern "C" fn(context: *mut c_void, warning: *const evagg_warning_t)>;

impl evagg_warning_t {
    /// Without its text.
    #[inline]
    pub(super) fn of<E: Event>(warning: &Warning) -> Self {
        let code = if !warning.is_first_loss() {
            EVAGG_WARNING_LOSSES
        } else if E::HAS_TEXT && warning.of_text {
            EVAGG_WARNING_TEXT_FULL
        } else {
            EVAGG_WARNING_CACHE_FULL
        };
        Self {
            text: core::ptr::null(),
            code,
            window: warning.sequence,
            capacity: warning.capacity,
            lost: warning.lost,
            recommended_capacity: warning.recommended_capacity,
            recommended_text_bytes: warning.recommended_text_bytes,
            at_least: warning.at_least.into(),
        }
    }

    /// Writes the text and calls the callback, whose side of the bargain is only not to keep the pointers.
    #[inline]
    pub(super) fn give<E: Event>(
        &mut self,
        warning: &Warning,
        callback: unsafe extern "C" fn(context: *mut c_void, warning: *const evagg_warning_t),
        context: *mut c_void,
    ) {
        let mut text = Text::new();
        let numbers = Numbers {
            capacity: &self.capacity,
            text_bytes: warning.text_bytes,
            lost: &self.lost,
            recommended_capacity: &self.recommended_capacity,
            recommended_text_bytes: &self.recommended_text_bytes,
        };
        write_text::<E>(&mut text, warning, &numbers);
        self.text = text.as_ptr().cast();
        // SAFETY: set_warning_callback asks for a function of this signature that may be called until it is replaced; the
        // warning and its text outlive the call.
        unsafe { callback(context, self) };
    }
}
