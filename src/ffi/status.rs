// SPDX-License-Identifier: MIT OR Apache-2.0

use core::ffi::c_char;

/// What a call came to: zero and positive are outcomes, negative are errors.
///
/// A call that ends in an error has changed nothing in the instance but the count of busy calls. Codes are never given
/// a new meaning.
pub type evagg_status_t = i32;

/// Done. After flush: the window is complete.
pub const EVAGG_OK: evagg_status_t = 0;
/// record: the first of its kind in this window; it is cached now.
pub const EVAGG_FIRST: evagg_status_t = 1;
/// record: counted into the entry of the same event.
pub const EVAGG_COUNTED: evagg_status_t = 2;
/// record: the cache is full and the event is not in it. It is accounted for as rejected.
pub const EVAGG_REJECTED: evagg_status_t = 3;
/// record: aggregation is switched off; send the event as it is.
pub const EVAGG_DISABLED: evagg_status_t = 4;
/// record_packet: a transport protocol other than TCP, UDP, ICMP and ICMPv6.
pub const EVAGG_IGNORED: evagg_status_t = 5;
/// record_packet: a header is cut off, or the IP header contradicts itself.
pub const EVAGG_MALFORMED: evagg_status_t = 6;
/// flush: call again for more records of this window. A page can be without records: see flush.
pub const EVAGG_MORE: evagg_status_t = 7;
/// due: it is time to flush.
pub const EVAGG_DUE: evagg_status_t = 8;
/// A pointer that must not be NULL is NULL.
pub const EVAGG_ERROR_NULL_ARGUMENT: evagg_status_t = -1;
/// init, attach: the storage has fewer bytes than storage_size says for this configuration.
pub const EVAGG_ERROR_STORAGE_TOO_SMALL: evagg_status_t = -2;
/// A pointer is not aligned for its type, or the storage or a handle not to EVAGG_STORAGE_ALIGNMENT.
pub const EVAGG_ERROR_MISALIGNED: evagg_status_t = -3;
/// init, attach: the caller was compiled with another version of this header, or did not use EVAGG_CONFIG_INIT. attach:
/// the storage was left by another version of the library.
pub const EVAGG_ERROR_STALE_HEADER: evagg_status_t = -4;
/// A value is out of its range, or two contradict each other.
pub const EVAGG_ERROR_BAD_VALUE: evagg_status_t = -5;
/// There is no live instance of this kind at the handle, or in the storage given to attach.
pub const EVAGG_ERROR_NOT_INITIALISED: evagg_status_t = -6;
/// attach: the storage holds an instance that this library cannot have left there. It is untouched.
pub const EVAGG_ERROR_CORRUPT: evagg_status_t = -7;
/// The built-in lock is held by another context and this target cannot wait. The call can be made again; events are
/// counted in the statistics.
pub const EVAGG_ERROR_BUSY: evagg_status_t = -8;
/// init, attach: this target has no compare-and-swap. Give lock callbacks, or set EVAGG_LOCK_NONE.
pub const EVAGG_ERROR_LOCK_REQUIRED: evagg_status_t = -9;
/// flush: room for no record, or a text buffer of less than text_maximum + 1 bytes.
pub const EVAGG_ERROR_BUFFER_TOO_SMALL: evagg_status_t = -10;

/// The name of a status as it is written in this header, such as "EVAGG_ERROR_BUSY".
///
/// Any value may be given; one that this library does not know is "EVAGG_STATUS_UNKNOWN". The string is constant.
/// May be called from anywhere.
#[unsafe(no_mangle)]
pub extern "C" fn evagg_status_name(status: evagg_status_t) -> *const c_char {
    let name = match status {
        EVAGG_OK => c"EVAGG_OK",
        EVAGG_FIRST => c"EVAGG_FIRST",
        EVAGG_COUNTED => c"EVAGG_COUNTED",
        EVAGG_REJECTED => c"EVAGG_REJECTED",
        EVAGG_DISABLED => c"EVAGG_DISABLED",
        EVAGG_IGNORED => c"EVAGG_IGNORED",
        EVAGG_MALFORMED => c"EVAGG_MALFORMED",
        EVAGG_MORE => c"EVAGG_MORE",
        EVAGG_DUE => c"EVAGG_DUE",
        EVAGG_ERROR_NULL_ARGUMENT => c"EVAGG_ERROR_NULL_ARGUMENT",
        EVAGG_ERROR_STORAGE_TOO_SMALL => c"EVAGG_ERROR_STORAGE_TOO_SMALL",
        EVAGG_ERROR_MISALIGNED => c"EVAGG_ERROR_MISALIGNED",
        EVAGG_ERROR_STALE_HEADER => c"EVAGG_ERROR_STALE_HEADER",
        EVAGG_ERROR_BAD_VALUE => c"EVAGG_ERROR_BAD_VALUE",
        EVAGG_ERROR_NOT_INITIALISED => c"EVAGG_ERROR_NOT_INITIALISED",
        EVAGG_ERROR_CORRUPT => c"EVAGG_ERROR_CORRUPT",
        EVAGG_ERROR_BUSY => c"EVAGG_ERROR_BUSY",
        EVAGG_ERROR_LOCK_REQUIRED => c"EVAGG_ERROR_LOCK_REQUIRED",
        EVAGG_ERROR_BUFFER_TOO_SMALL => c"EVAGG_ERROR_BUFFER_TOO_SMALL",
        _ => c"EVAGG_STATUS_UNKNOWN",
    };
    name.as_ptr()
}

/// The version of the library that is linked, such as "0.1.0"; compare it with EVAGG_VERSION.
///
/// The string is constant. May be called from anywhere.
#[unsafe(no_mangle)]
pub extern "C" fn evagg_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
#[expect(unsafe_code, clippy::undocumented_unsafe_blocks, reason = "reads the constant strings")]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::ffi::CStr;
    use std::string::ToString;

    fn text(string: *const c_char) -> &'static str {
        assert!(!string.is_null());
        unsafe { CStr::from_ptr(string) }.to_str().unwrap()
    }

    #[test]
    fn names_are_those_of_the_header() {
        let header = include_str!("../../include/evagg.h");
        let values: HashMap<_, _> = header
            .lines()
            .filter_map(|line| line.strip_prefix("#define ")?.split_once(' '))
            .map(|(name, value)| (name, value.trim_matches(['(', ')'])))
            .collect();
        let mut known = 0;
        for status in -100..=100 {
            let name = text(evagg_status_name(status));
            if name != "EVAGG_STATUS_UNKNOWN" {
                assert_eq!(values.get(name), Some(&&*status.to_string()), "{name}");
                known += 1;
            }
        }
        assert_eq!(known, 19);
        assert_eq!(text(evagg_version()), env!("CARGO_PKG_VERSION"));
    }
}
