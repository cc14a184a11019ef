// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the two handles share: the layout of the caller's storage, and the way in through the lock.
//!
//! The storage holds, without gaps: the instance, the blocks of the sketch, the entries, the heads of the index, the
//! text ring. All of it but the instance's constant part is reached only while the lock is held.
//!
//! What the unsafe blocks rely on, beyond what is checked here: a handle that is not NULL points to readable memory
//! of the size of an instance, and if an instance is there, its storage is still the library's alone (between init and deinit the caller keeps
//! storage in place and does not write to it); other pointers point to as many objects as their counts say, which
//! nobody else changes during the call.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::sync::atomic::{AtomicU32, Ordering};

use super::config::{
    EVAGG_ABI_VERSION, EVAGG_DISCARD_OLDEST, EVAGG_LOCK_DEFAULT, EVAGG_LOCK_NONE, EVAGG_MAXIMUM_CAPACITY,
    EVAGG_MAXIMUM_TEXT_BYTES, EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM, EVAGG_REJECT_NEW, EVAGG_STORAGE_ALIGNMENT,
    EVAGG_WARN_AT_FLUSH, EVAGG_WARN_AT_ONCE, evagg_config_t, evagg_lock_acquire_t, evagg_lock_release_t,
};
#[cfg(target_has_atomic = "ptr")]
use super::relax::Relax;
use super::status::{
    EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_BUSY, EVAGG_ERROR_LOCK_REQUIRED, EVAGG_ERROR_MISALIGNED,
    EVAGG_ERROR_NOT_INITIALISED, EVAGG_ERROR_NULL_ARGUMENT, EVAGG_ERROR_STALE_HEADER, EVAGG_ERROR_STORAGE_TOO_SMALL,
    EVAGG_OK, evagg_status_t,
};
use super::warning::evagg_warning_callback_t;
use crate::aggregator::{Memory, Parts, Settings, State};
use crate::event::Event;
#[cfg(target_has_atomic = "ptr")]
use crate::lock::BuiltInLock;
use crate::store::OverflowPolicy;
use crate::store::hash::Hasher;
use crate::store::sketch::Block;

/// A kind of event that has a handle.
pub trait Kind: Event {
    /// Marks a live instance of this kind. One byte twice, which Thumb code compares with in one instruction, and zeros
    /// between, which no fill with one byte makes.
    const MAGIC: u32;
    const DEFAULT_CAPACITY: u32;
    const DEFAULT_POLICY: OverflowPolicy;
    /// What flush gives out.
    type Record;

    /// Writes the record of an entry, and its text in two parts with a NUL behind, if there is one.
    unsafe fn write_record(&self, record: *mut Self::Record, text: *mut u8, head: &[u8], tail: &[u8]);
    /// The text that goes with a record; an error for a record that no flush can have given.
    unsafe fn check_record(record: &Self::Record) -> Result<&[u8], evagg_status_t>;
    /// Becomes the entry of a record that was checked.
    fn read_record(&mut self, record: &Self::Record, seed: Hasher, text: &[u8]);
}

// The body comes first: on a microcontroller the instructions that reach the first fields are shorter.
#[repr(C)]
pub struct Instance<E> {
    pub body: UnsafeCell<Body<E>>,
    pub head: Head,
    pub warning: UnsafeCell<WarningCallback>,
}

/// What does not change until deinit, and the built-in lock.
#[repr(C)]
pub struct Head {
    pub magic: AtomicU32,
    pub text_maximum: u16,
    /// Whether the built-in lock is used: no callbacks, and not one context only.
    locks_itself: bool,
    /// Both or neither: then the built-in lock is taken, unless there is nothing to lock.
    acquire: evagg_lock_acquire_t,
    release: evagg_lock_release_t,
    lock_context: *mut c_void,
    /// For those who hash without the lock; the body has its own.
    pub seed: Hasher,
    #[cfg(target_has_atomic = "ptr")]
    built_in: BuiltInLock<Relax>,
    /// So that the storage macros are the same for every target.
    #[cfg(not(target_has_atomic = "ptr"))]
    built_in: [u32; 2],
}

/// What is reached only while the lock is held.
#[repr(C)]
pub struct Body<E> {
    capacity: u16,
    entries: *mut E,
    heads: *mut u16,
    seed: Hasher,
    state: State,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct WarningCallback {
    pub callback: evagg_warning_callback_t,
    pub context: *mut c_void,
}

impl<E: Kind> Memory for Body<E> {
    type Event = E;

    #[inline]
    fn parts(&mut self) -> Parts<'_, E> {
        let capacity = usize::from(self.capacity);
        let text_bytes = if E::HAS_TEXT { self.state.text_bytes() as usize } else { 0 };
        // SAFETY: init laid the parts out there, each initialised, and the body is the only way to them: who borrows it
        // borrows them.
        unsafe {
            core::hint::assert_unchecked(!self.entries.is_null() && !self.heads.is_null());
            Parts {
                sketch: core::slice::from_raw_parts_mut(
                    self.entries.byte_sub(blocks(capacity) * size_of::<Block>()).cast(),
                    blocks(capacity),
                ),
                entries: core::slice::from_raw_parts_mut(self.entries, capacity),
                heads: core::slice::from_raw_parts_mut(self.heads, capacity * HEADS_PER_ENTRY),
                text: core::slice::from_raw_parts_mut(self.heads.add(capacity * HEADS_PER_ENTRY).cast(), text_bytes),
                state: &mut self.state,
                seed: self.seed,
            }
        }
    }
}

impl Head {
    #[inline]
    pub unsafe fn check<E>(handle: *const Instance<E>, magic: u32) -> evagg_status_t {
        if handle.is_null() {
            return EVAGG_ERROR_NULL_ARGUMENT;
        }
        if !handle.is_aligned() {
            return EVAGG_ERROR_MISALIGNED;
        }
        // SAFETY: the handle points to readable memory of that size; the word is read as a number that may be anything.
        let found: &AtomicU32 = unsafe { &(*handle).head.magic };
        if found.load(Ordering::Relaxed) == magic { EVAGG_OK } else { EVAGG_ERROR_NOT_INITIALISED }
    }

    /// Both, for calls that are not made for every event.
    #[cfg_attr(target_os = "none", inline(never))]
    pub unsafe fn check_and_acquire(handle: *const Instance<()>, magic: u32) -> Result<usize, evagg_status_t> {
        // SAFETY: passed on to the caller.
        match unsafe { Self::check(handle, magic) } {
            // SAFETY: an instance was found there.
            EVAGG_OK => unsafe { &(*handle).head }.acquire(),
            error => Err(error),
        }
    }

    #[inline]
    pub fn acquire(&self) -> Result<usize, evagg_status_t> {
        // Asked first where it is the common case.
        if cfg!(not(target_os = "none")) && self.locks_itself {
            return if self.acquire_built_in() { Ok(0) } else { Err(EVAGG_ERROR_BUSY) };
        }
        match self.acquire {
            // SAFETY: the configuration asks for a function of this signature that may be called until deinit.
            Some(acquire) => Ok(unsafe { acquire(self.lock_context) }),
            None if self.acquire_built_in() => Ok(0),
            None => Err(EVAGG_ERROR_BUSY),
        }
    }

    #[inline]
    pub fn release(&self, state: usize) {
        if cfg!(not(target_os = "none")) && self.locks_itself {
            return self.release_built_in();
        }
        match self.release {
            // SAFETY: as for acquire.
            Some(release) => unsafe { release(self.lock_context, state) },
            None => self.release_built_in(),
        }
    }

    #[cfg(target_has_atomic = "ptr")]
    #[cfg_attr(target_os = "none", cold, inline(never))]
    fn acquire_built_in(&self) -> bool {
        !self.locks_itself || self.built_in.acquire()
    }

    #[cfg(target_has_atomic = "ptr")]
    #[cfg_attr(target_os = "none", cold, inline(never))]
    fn release_built_in(&self) {
        if self.locks_itself {
            // SAFETY: who releases has acquired it and not released it since.
            unsafe { self.built_in.mutex().force_unlock() };
        }
    }

    #[cfg(not(target_has_atomic = "ptr"))]
    fn acquire_built_in(&self) -> bool {
        !self.locks_itself
    }

    #[cfg(not(target_has_atomic = "ptr"))]
    fn release_built_in(&self) {}

    /// How many events met a lock that was taken and were not recorded.
    pub fn busy(&self) -> u32 {
        #[cfg(target_has_atomic = "ptr")]
        return self.built_in.busy();
        #[cfg(not(target_has_atomic = "ptr"))]
        0
    }

    /// An event could not be recorded.
    #[cfg_attr(target_os = "none", cold, inline(never))]
    pub fn count_busy(&self) {
        #[cfg(target_has_atomic = "ptr")]
        self.built_in.count_busy();
    }
}

/// The storage macros of the header say the same.
const _: () = assert!(size_of::<Instance<()>>() == 208 + 6 * size_of::<usize>());
const _: () = assert!(align_of::<Instance<()>>() <= EVAGG_STORAGE_ALIGNMENT);
const _: () = assert!(size_of::<Block>() == 64);

/// The bytes that an instance takes; `None` for a value out of range.
pub const fn storage_size<E: Kind>(capacity: u32, text_bytes: u32) -> Option<usize> {
    if capacity == 0 || capacity > EVAGG_MAXIMUM_CAPACITY || text_bytes > EVAGG_MAXIMUM_TEXT_BYTES {
        return None;
    }
    Some(text_offset::<E>(capacity as usize) + text_bytes as usize)
}

/// One on a small machine. Where memory is cheaper than a mispredicted branch, two: chains are shorter.
const HEADS_PER_ENTRY: usize = size_of::<usize>() / 4;

const fn blocks(capacity: usize) -> usize {
    capacity.div_ceil(Block::ENTRIES)
}

const fn entries_offset(capacity: usize) -> usize {
    size_of::<Instance<()>>() + blocks(capacity) * size_of::<Block>()
}

const fn heads_offset<E>(capacity: usize) -> usize {
    entries_offset(capacity) + capacity * size_of::<E>()
}

const fn text_offset<E>(capacity: usize) -> usize {
    heads_offset::<E>(capacity) + capacity * HEADS_PER_ENTRY * size_of::<u16>()
}

/// Checks everything, then makes an instance in `storage`. The handle is the storage's own address.
pub unsafe fn init<E: Kind>(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
) -> Result<(), evagg_status_t> {
    if storage.is_null() || config.is_null() {
        return Err(EVAGG_ERROR_NULL_ARGUMENT);
    }
    if !storage.cast::<Instance<E>>().is_aligned()
        || !storage.addr().is_multiple_of(EVAGG_STORAGE_ALIGNMENT)
        || !config.is_aligned()
    {
        return Err(EVAGG_ERROR_MISALIGNED);
    }
    // SAFETY: not NULL, and aligned. A caller with another header may have a smaller structure, so only its first two
    // fields, which every version has, are read before they are checked.
    let (size, abi_version) = unsafe { ((*config).size, (*config).abi_version) };
    if usize::from(size) != size_of::<evagg_config_t>() || abi_version != EVAGG_ABI_VERSION {
        return Err(EVAGG_ERROR_STALE_HEADER);
    }
    // SAFETY: its own size says that it is of this header.
    let config = unsafe { &*config };
    let capacity = if config.capacity == 0 { E::DEFAULT_CAPACITY } else { config.capacity };
    let (settings, text_maximum) = settings::<E>(config, capacity)?;
    let one_context = is_for_one_context(config)?;
    let needed = storage_size::<E>(capacity, settings.text_bytes).ok_or(EVAGG_ERROR_BAD_VALUE)?;
    if storage_bytes < needed {
        return Err(EVAGG_ERROR_STORAGE_TOO_SMALL);
    }
    // SAFETY: the storage is aligned, has `needed` bytes, and is the library's from here on. Zero is a value of every
    // field of an instance. A fill of ones makes every block of the sketch unused and every head the end of its chain;
    // entries and texts may hold anything until they are written.
    let instance = unsafe {
        for byte in 0..needed {
            let fill = if byte < size_of::<Instance<E>>() { 0 } else { 0xFF };
            storage.cast::<u8>().add(byte).write(fill);
        }
        &mut *storage.cast::<Instance<E>>()
    };
    let head = &mut instance.head;
    head.text_maximum = text_maximum;
    head.locks_itself = config.acquire.is_none() && !one_context;
    head.acquire = config.acquire;
    head.release = config.release;
    head.lock_context = config.lock_context;
    head.seed = Hasher::new(config.hash_seed);
    #[cfg(target_has_atomic = "ptr")]
    {
        head.built_in = BuiltInLock::new();
    }
    let body = instance.body.get_mut();
    body.seed = head.seed;
    body.entries = storage.wrapping_byte_add(entries_offset(capacity as usize)).cast();
    body.heads = body.entries.wrapping_add(capacity as usize).cast();
    body.state.begin(&settings, config.start);
    #[expect(clippy::cast_possible_truncation, reason = "storage_size checked the range")]
    {
        body.capacity = capacity as u16;
    }
    *head.magic.get_mut() = E::MAGIC;
    Ok(())
}

fn settings<E: Kind>(config: &evagg_config_t, capacity: u32) -> Result<(Settings, u16), evagg_status_t> {
    let policy = match config.overflow_policy {
        0 => E::DEFAULT_POLICY,
        policy => overflow_policy(policy)?,
    };
    let (mut text_bytes, mut text_maximum) = (0, 0);
    if E::HAS_TEXT {
        text_maximum = match config.text_maximum {
            0 => EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM,
            maximum => maximum,
        };
        text_bytes = match config.text_bytes {
            0 => capacity.saturating_mul(128).max(u32::from(text_maximum)),
            bytes => bytes,
        };
        if u32::from(text_maximum) > text_bytes {
            return Err(EVAGG_ERROR_BAD_VALUE);
        }
    }
    let is_valid = config.interval <= u32::MAX / 2
        && matches!(config.warning_delivery, EVAGG_WARN_AT_ONCE | EVAGG_WARN_AT_FLUSH)
        && config.reserved == [0; 7];
    if !is_valid {
        return Err(EVAGG_ERROR_BAD_VALUE);
    }
    let settings = Settings {
        interval: config.interval,
        text_bytes,
        policy,
        warn_at_flush: config.warning_delivery == EVAGG_WARN_AT_FLUSH,
    };
    Ok((settings, text_maximum))
}

/// Whether there is nothing to lock; an error unless there is one way to lock.
fn is_for_one_context(config: &evagg_config_t) -> Result<bool, evagg_status_t> {
    let has_callbacks = config.acquire.is_some();
    if has_callbacks != config.release.is_some() {
        return Err(EVAGG_ERROR_BAD_VALUE);
    }
    match config.lock {
        EVAGG_LOCK_DEFAULT if has_callbacks || cfg!(target_has_atomic = "ptr") => Ok(false),
        EVAGG_LOCK_DEFAULT => Err(EVAGG_ERROR_LOCK_REQUIRED),
        EVAGG_LOCK_NONE if !has_callbacks => Ok(true),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}

pub fn overflow_policy(policy: u8) -> Result<OverflowPolicy, evagg_status_t> {
    match policy {
        EVAGG_REJECT_NEW => Ok(OverflowPolicy::RejectNew),
        EVAGG_DISCARD_OLDEST => Ok(OverflowPolicy::DiscardOldest),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}
