// SPDX-License-Identifier: MIT OR Apache-2.0

use core::ffi::c_void;

/// A point in time: ticks of the caller's clock, seconds or milliseconds as the caller likes.
///
/// Differences are taken modulo 2^32, so the clock may wrap; two times that are compared must lie less than 2^31
/// ticks apart.
pub type evagg_time_t = u32;

/// What changes when the layout of a structure of this header does.
pub const EVAGG_ABI_VERSION: u16 = 1;
/// Storage must be aligned to this many bytes.
pub const EVAGG_STORAGE_ALIGNMENT: usize = 8;
/// The most entries that an instance can have.
pub const EVAGG_MAXIMUM_CAPACITY: u32 = 65_535;
/// The most bytes of text that an instance can have.
pub const EVAGG_MAXIMUM_TEXT_BYTES: u32 = 0x0FFF_FFFF;
/// Capacity of connections when the configuration says 0.
pub const EVAGG_CONNECTIONS_DEFAULT_CAPACITY: u32 = 64;
/// Capacity of processes when the configuration says 0.
pub const EVAGG_PROCESSES_DEFAULT_CAPACITY: u32 = 32;
/// Text bytes of processes at the default capacity: 128 for each entry.
pub const EVAGG_PROCESSES_DEFAULT_TEXT_BYTES: u32 = 4096;
/// Bytes kept of one command line when the configuration says 0.
pub const EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM: u16 = 256;

/// Overflow policy: what is new is not cached until the next flush. The default of connections.
pub const EVAGG_REJECT_NEW: u8 = 1;
/// Overflow policy: the entry that was admitted longest ago makes room. The default of processes.
pub const EVAGG_DISCARD_OLDEST: u8 = 2;

/// Lock: the callbacks of the configuration, or the built-in lock when there are none.
///
/// The built-in lock is for threads. On a hosted system it yields the processor while it waits. On bare metal it
/// never waits, because that could be for ever: the call returns EVAGG_ERROR_BUSY.
pub const EVAGG_LOCK_DEFAULT: u8 = 0;
/// Lock: none; the caller makes all calls for the instance from one context, one after the other.
pub const EVAGG_LOCK_NONE: u8 = 1;

/// Warnings are given by the call in which the loss happens.
pub const EVAGG_WARN_AT_ONCE: u8 = 0;
/// Warnings wait for the next flush, for callers of record that must not log.
pub const EVAGG_WARN_AT_FLUSH: u8 = 1;

/// Takes the caller's lock and returns a word that release gets back, such as the interrupt mask before.
///
/// Masking interrupts, a mutex of the operating system or a pthread mutex all fit. Calls are never nested: the
/// library releases before it calls anything else of the caller's. With callbacks that mask interrupts, record and
/// record_packet may be called from an interrupt handler.
pub type evagg_lock_acquire_t = Option<unsafe extern "C" fn(context: *mut c_void) -> usize>;

/// Releases the caller's lock; `state` is what acquire returned.
pub type evagg_lock_release_t = Option<unsafe extern "C" fn(context: *mut c_void, state: usize)>;

/// What an instance is to be. Fill it with EVAGG_CONFIG_INIT, then change what differs; 0 is the default everywhere.
/// It is read during init and attach only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct evagg_config_t {
    /// Of this structure in bytes; set by EVAGG_CONFIG_INIT.
    pub size: u16,
    /// Set by EVAGG_CONFIG_INIT.
    pub abi_version: u16,
    /// Entries: 1 to EVAGG_MAXIMUM_CAPACITY. 0: 64 connections, 32 processes.
    pub capacity: u32,
    /// A random number from the hardware, new for each device: without it a remote peer could choose connections that
    /// collide. Instances whose process records are merged share it.
    pub hash_seed: u64,
    /// Processes: bytes that the command lines share, text_maximum to EVAGG_MAXIMUM_TEXT_BYTES. 0: 128 for each entry,
    /// or text_maximum where that is more.
    pub text_bytes: u32,
    /// When the first window starts.
    pub start: evagg_time_t,
    /// The collection interval in ticks, to 2^31 - 1, for due. 0: due as soon as something is cached or lost.
    pub interval: evagg_time_t,
    /// Processes: bytes kept of one command line, 1 to 65,535. 0: 256.
    pub text_maximum: u16,
    /// EVAGG_REJECT_NEW or EVAGG_DISCARD_OLDEST. 0: reject new connections, discard the oldest processes.
    pub overflow_policy: u8,
    /// EVAGG_LOCK_DEFAULT or EVAGG_LOCK_NONE.
    pub lock: u8,
    /// EVAGG_WARN_AT_ONCE or EVAGG_WARN_AT_FLUSH.
    pub warning_delivery: u8,
    /// Zero.
    pub reserved: [u8; 7],
    /// Both or neither; neither with EVAGG_LOCK_NONE.
    pub acquire: evagg_lock_acquire_t,
    /// See acquire.
    pub release: evagg_lock_release_t,
    /// Handed to acquire and release.
    pub lock_context: *mut c_void,
}

/// As EVAGG_CONFIG_INIT, for Rust.
impl Default for evagg_config_t {
    fn default() -> Self {
        Self {
            #[expect(clippy::cast_possible_truncation, reason = "a small structure")]
            size: size_of::<Self>() as u16,
            abi_version: EVAGG_ABI_VERSION,
            capacity: 0,
            hash_seed: 0,
            text_bytes: 0,
            start: 0,
            interval: 0,
            text_maximum: 0,
            overflow_policy: 0,
            lock: EVAGG_LOCK_DEFAULT,
            warning_delivery: EVAGG_WARN_AT_ONCE,
            reserved: [0; 7],
            acquire: None,
            release: None,
            lock_context: core::ptr::null_mut(),
        }
    }
}
