// SPDX-License-Identifier: MIT OR Apache-2.0
//! What C hands over and gets back: arrays in, outputs and statuses out.

use super::status::{
    EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_BUFFER_TOO_SMALL, EVAGG_ERROR_MISALIGNED, EVAGG_ERROR_NULL_ARGUMENT, EVAGG_OK,
    evagg_status_t,
};
use super::window::evagg_window_t;

pub fn status(result: Result<(), evagg_status_t>) -> evagg_status_t {
    match result {
        Ok(()) => EVAGG_OK,
        Err(status) => status,
    }
}

/// The caller's array; `count` 0 ignores the pointer.
pub unsafe fn array<'a, T>(pointer: *const T, count: usize) -> Result<&'a [T], evagg_status_t> {
    if count == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() {
        return Err(EVAGG_ERROR_NULL_ARGUMENT);
    }
    if !pointer.is_aligned() {
        return Err(EVAGG_ERROR_MISALIGNED);
    }
    if count > isize::MAX.unsigned_abs() / size_of::<T>().max(1) {
        return Err(EVAGG_ERROR_BAD_VALUE);
    }
    // SAFETY: not NULL, aligned, of a size that memory can have; the caller vouches for the contents.
    Ok(unsafe { core::slice::from_raw_parts(pointer, count) })
}

/// Checks the array that flush writes to.
pub fn check_output<T>(
    records: *mut T,
    record_count: usize,
    window: *mut evagg_window_t,
) -> Result<(), evagg_status_t> {
    if window.is_null() || (records.is_null() && record_count != 0) {
        return Err(EVAGG_ERROR_NULL_ARGUMENT);
    }
    if record_count == 0 {
        return Err(EVAGG_ERROR_BUFFER_TOO_SMALL);
    }
    if !records.is_aligned() || !window.is_aligned() {
        return Err(EVAGG_ERROR_MISALIGNED);
    }
    Ok(())
}

/// Writes an output if there is a place for it.
pub unsafe fn write<T>(output: *mut T, value: T) {
    if !output.is_null() && output.is_aligned() {
        // SAFETY: the caller gives a place for one value.
        unsafe { output.write(value) };
    }
}

/// Writes an output, its default on failure, and gives the status.
pub unsafe fn output<T: Default>(output: *mut T, result: Result<T, evagg_status_t>) -> evagg_status_t {
    let (value, status) = match result {
        Ok(value) => (value, EVAGG_OK),
        Err(status) => (T::default(), status),
    };
    // SAFETY: passed on to the caller.
    unsafe { write(output, value) };
    match status {
        EVAGG_OK if output.is_null() => EVAGG_ERROR_NULL_ARGUMENT,
        EVAGG_OK if !output.is_aligned() => EVAGG_ERROR_MISALIGNED,
        status => status,
    }
}
