// SPDX-License-Identifier: MIT OR Apache-2.0
//! The caller's side of an instance: its memory, its lock, and who hears the warnings.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, c_void};

use evagg::ffi::warning::evagg_warning_t;

use super::warnings::Heard;

const UNTOUCHED: u64 = 0xA5A5_A5A5_A5A5_A5A5;

const OVERWRITTEN: u8 = 0x5A;

/// Memory for an instance, with a word behind it that must not change.
pub struct Storage {
    words: *mut [u64],
    bytes: usize,
}

impl Storage {
    pub fn new(bytes: usize) -> Self {
        let words = vec![UNTOUCHED; bytes.div_ceil(8) + 1].into_boxed_slice();
        Self { words: Box::into_raw(words), bytes }
    }

    pub fn pointer(&self) -> *mut c_void {
        self.words.cast()
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What was in it is gone; the word behind it is as it was.
    pub fn overwrite(&mut self) {
        unsafe { self.pointer().cast::<u8>().write_bytes(OVERWRITTEN, self.bytes) };
    }

    pub fn is_overwritten(&self) -> bool {
        let bytes = unsafe { std::slice::from_raw_parts(self.pointer().cast::<u8>(), self.bytes) };
        bytes.iter().all(|byte| *byte == OVERWRITTEN)
    }

    pub fn copy(&self) -> Vec<u64> {
        unsafe { (*self.words).to_vec() }
    }

    pub fn is_still(&self, copy: &[u64]) -> bool {
        unsafe { *self.words == *copy }
    }

    pub fn put_back(&mut self, copy: &[u64]) {
        unsafe { (*self.words).copy_from_slice(copy) };
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let words = unsafe { Box::from_raw(self.words) };
        if !std::thread::panicking() {
            let end = words.as_ptr().cast::<u8>();
            let behind = unsafe { std::slice::from_raw_parts(end.add(self.bytes), words.len() * 8 - self.bytes) };
            assert!(behind.iter().all(|byte| *byte == 0xA5), "something was written behind the storage");
        }
    }
}

#[derive(Default)]
pub struct Host {
    is_held: Cell<bool>,
    turns: Cell<usize>,
    is_misused: Cell<bool>,
    heard: RefCell<Vec<Heard>>,
}

impl Host {
    pub fn take_heard(&self) -> Vec<Heard> {
        self.heard.take()
    }

    pub fn lock_is_at_rest(&self) -> bool {
        !self.is_held.get() && !self.is_misused.get()
    }
}

pub unsafe extern "C" fn acquire(context: *mut c_void) -> usize {
    let host = unsafe { &*context.cast::<Host>() };
    host.is_misused.set(host.is_misused.get() || host.is_held.get());
    host.is_held.set(true);
    host.turns.set(host.turns.get() + 1);
    host.turns.get()
}

pub unsafe extern "C" fn release(context: *mut c_void, state: usize) {
    let host = unsafe { &*context.cast::<Host>() };
    let is_right = host.is_held.get() && state == host.turns.get();
    host.is_misused.set(host.is_misused.get() || !is_right);
    host.is_held.set(false);
}

/// Only takes it down: a panic must not cross the library.
pub unsafe extern "C" fn listen(context: *mut c_void, warning: *const evagg_warning_t) {
    let (host, warning) = unsafe { (&*context.cast::<Host>(), &*warning) };
    let text = unsafe { CStr::from_ptr(warning.text) }.to_string_lossy().into_owned();
    host.heard.borrow_mut().push(Heard {
        text,
        code: warning.code,
        window: warning.window,
        capacity: warning.capacity,
        lost: warning.lost,
        recommended_capacity: warning.recommended_capacity,
        recommended_text_bytes: warning.recommended_text_bytes,
        at_least: warning.at_least,
        lock_is_held: host.is_held.get(),
    });
}
