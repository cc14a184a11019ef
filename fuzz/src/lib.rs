// SPDX-License-Identifier: MIT OR Apache-2.0
//! The bodies of the fuzz targets, a module each, so that the tests can replay the corpora without a fuzzer.

pub mod attach;
pub mod calls;
pub mod command_lines;
pub mod packets;

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ffi::c_void;
use std::ptr::NonNull;

use evagg::ffi::config::*;
use evagg::ffi::window::evagg_statistics_t;

/// Reads a fuzz input from the front. Behind its end come zeros.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As many bytes as there are, at most `count`.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let taken = self.take(N);
        let mut array = [0; N];
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    pub fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}

/// Memory for an instance, exactly as large as asked for, so that a sanitizer sees every access beyond it.
pub struct Storage {
    start: NonNull<u8>,
    layout: Layout,
}

impl Storage {
    /// Holds what a device may hold before the first use.
    pub fn new(bytes: usize) -> Self {
        Self::holding(&vec![0xAA; bytes])
    }

    pub fn holding(image: &[u8]) -> Self {
        let layout = Layout::from_size_align(image.len(), EVAGG_STORAGE_ALIGNMENT).expect("a small size");
        if layout.size() == 0 {
            return Self { start: NonNull::<u64>::dangling().cast(), layout };
        }
        // SAFETY: the size is not zero, and the copy fills the allocation.
        unsafe {
            let start = NonNull::new(alloc(layout)).unwrap_or_else(|| handle_alloc_error(layout));
            start.copy_from_nonoverlapping(NonNull::from(image).cast(), image.len());
            Self { start, layout }
        }
    }

    pub fn start(&mut self) -> *mut c_void {
        self.start.as_ptr().cast()
    }

    pub fn size(&self) -> usize {
        self.layout.size()
    }

    pub fn image(&self) -> Vec<u8> {
        // SAFETY: the whole allocation was written, and no call of the library is under way.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.size()) }.to_vec()
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        if self.size() != 0 {
            // SAFETY: it was allocated with this layout.
            unsafe { dealloc(self.start.as_ptr(), self.layout) };
        }
    }
}

/// In the order of the structure.
pub fn counts(statistics: &evagg_statistics_t) -> [u64; 11] {
    let it = statistics;
    let [malformed, ignored, disabled, busy, high_water_mark, windows] =
        [it.malformed, it.ignored, it.disabled, it.busy, it.high_water_mark, it.windows].map(u64::from);
    [
        it.offered,
        it.merged,
        it.counted,
        it.rejected,
        it.discarded,
        malformed,
        ignored,
        disabled,
        busy,
        high_water_mark,
        windows,
    ]
}
