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
//!
//! Between power-on and `attach` the storage may hold anything. So a field that is read before all is checked is a
//! number, of which any bits are a value, and what is not (callbacks, the lock) is written anew by `attach`.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::mem::{align_of, size_of};
use core::sync::atomic::{AtomicU32, Ordering};

use super::config::{
    EVAGG_DISCARD_OLDEST, EVAGG_MAXIMUM_CAPACITY, EVAGG_MAXIMUM_TEXT_BYTES, EVAGG_REJECT_NEW, EVAGG_STORAGE_ALIGNMENT,
    evagg_config_t, evagg_lock_acquire_t, evagg_lock_release_t,
};
#[cfg(target_has_atomic = "ptr")]
use super::relax::Relax;
use super::status::{
    EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_BUSY, EVAGG_ERROR_MISALIGNED, EVAGG_ERROR_NOT_INITIALISED,
    EVAGG_ERROR_NULL_ARGUMENT, EVAGG_OK, evagg_status_t,
};
use super::warning::evagg_warning_callback_t;
use crate::aggregator::{Memory, Parts, State};
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

// The body comes early: on a microcontroller the instructions that reach the first fields are shorter.
#[repr(C)]
pub struct Instance<E> {
    pub mark: Mark,
    pub body: UnsafeCell<Body<E>>,
    pub head: Head,
    pub warning: UnsafeCell<WarningCallback>,
}

/// What kind of instance this is, and of what layout: at the same place in every version of the library.
#[repr(C)]
pub struct Mark {
    pub magic: AtomicU32,
    /// See [`LAYOUT`].
    pub layout: u8,
    pub text_maximum: u16,
}

/// What does not change until deinit, and the built-in lock.
#[repr(C)]
pub struct Head {
    /// Both or neither: then the built-in lock is taken, unless there is nothing to lock.
    acquire: evagg_lock_acquire_t,
    release: evagg_lock_release_t,
    lock_context: *mut c_void,
    /// For those who hash without the lock; the body has its own.
    pub seed: Hasher,
    busy: AtomicU32,
    /// Whether the built-in lock is used: no callbacks, and not one context only.
    locks_itself: bool,
    #[cfg(target_has_atomic = "ptr")]
    built_in: BuiltInLock<Relax>,
}

/// What is reached only while the lock is held.
#[repr(C)]
pub struct Body<E> {
    pub capacity: u16,
    pub recoveries: u16,
    entries: *mut E,
    heads: *mut u16,
    pub seed: Hasher,
    pub state: State,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct WarningCallback {
    pub callback: evagg_warning_callback_t,
    pub context: *mut c_void,
}

impl WarningCallback {
    pub const NONE: Self = Self { callback: None, context: core::ptr::null_mut() };
}

impl<E: Kind> Memory for Body<E> {
    type Event = E;

    #[inline]
    fn parts(&mut self) -> Parts<'_, E> {
        let (entries, heads) = (self.entries, self.heads);
        // SAFETY: init or attach put the pointers where the parts lie.
        unsafe {
            core::hint::assert_unchecked(!entries.is_null() && !heads.is_null());
            self.parts_at(entries, heads)
        }
    }
}

impl<E: Kind> Body<E> {
    /// The parts, which begin at `entries` and `heads`.
    #[inline]
    unsafe fn parts_at(&mut self, entries: *mut E, heads: *mut u16) -> Parts<'_, E> {
        let capacity = usize::from(self.capacity);
        let text_bytes = if E::HAS_TEXT { self.state.text_bytes() as usize } else { 0 };
        // SAFETY: init laid the parts out there, or attach is about to check that it did; any bytes are values of them. The
        // body is the only way to them: who borrows it borrows them.
        unsafe {
            Parts {
                sketch: core::slice::from_raw_parts_mut(
                    entries.byte_sub(blocks(capacity) * size_of::<Block>()).cast(),
                    blocks(capacity),
                ),
                entries: core::slice::from_raw_parts_mut(entries, capacity),
                heads: core::slice::from_raw_parts_mut(heads, capacity * HEADS_PER_ENTRY),
                text: core::slice::from_raw_parts_mut(heads.add(capacity * HEADS_PER_ENTRY).cast(), text_bytes),
                state: &mut self.state,
                seed: self.seed,
            }
        }
    }

    /// The parts of storage whose own pointers are not to be relied on.
    pub unsafe fn parts_in(&mut self, storage: *mut c_void) -> Parts<'_, E> {
        let (entries, heads) = Self::place(storage, self.capacity);
        // SAFETY: passed on to the caller.
        unsafe { self.parts_at(entries, heads) }
    }

    /// Puts the pointers where the parts lie.
    pub fn place_parts(&mut self, storage: *mut c_void) {
        (self.entries, self.heads) = Self::place(storage, self.capacity);
    }

    fn place(storage: *mut c_void, capacity: u16) -> (*mut E, *mut u16) {
        let entries: *mut E = storage.wrapping_byte_add(entries_offset(capacity.into())).cast();
        (entries, entries.wrapping_add(capacity.into()).cast())
    }
}

impl Head {
    /// Writes how to lock, and the lock, open, over what may be no value of theirs.
    pub unsafe fn set_lock(head: *mut Self, config: &evagg_config_t, locks_itself: bool) {
        // SAFETY: the caller gives a place for a head that nobody else uses.
        unsafe {
            (&raw mut (*head).locks_itself).write(locks_itself);
            (&raw mut (*head).acquire).write(config.acquire);
            (&raw mut (*head).release).write(config.release);
            (&raw mut (*head).lock_context).write(config.lock_context);
            #[cfg(target_has_atomic = "ptr")]
            (&raw mut (*head).built_in).write(BuiltInLock::new());
        }
    }

    #[inline]
    pub unsafe fn check<E>(handle: *const Instance<E>, magic: u32) -> evagg_status_t {
        if handle.is_null() {
            return EVAGG_ERROR_NULL_ARGUMENT;
        }
        if !handle.is_aligned() {
            return EVAGG_ERROR_MISALIGNED;
        }
        // SAFETY: the handle points to readable memory of that size; the word is read as a number that may be anything.
        let found: &AtomicU32 = unsafe { &(*handle).mark.magic };
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
        self.busy.load(Ordering::Relaxed)
    }

    /// An event could not be recorded.
    #[cfg_attr(target_os = "none", cold, inline(never))]
    pub fn count_busy(&self) {
        #[cfg(target_has_atomic = "ptr")]
        self.busy.fetch_add(1, Ordering::Relaxed);
    }
}

/// The storage macros of the header say the same.
const _: () = assert!(size_of::<Instance<()>>() == 192 + 9 * size_of::<*const ()>());
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

/// One more whenever what the bytes of an instance mean is changed: a field, its place, or a hash.
pub const LAYOUT: u8 = 1;

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

pub fn overflow_policy(policy: u8) -> Result<OverflowPolicy, evagg_status_t> {
    match policy {
        EVAGG_REJECT_NEW => Ok(OverflowPolicy::RejectNew),
        EVAGG_DISCARD_OLDEST => Ok(OverflowPolicy::DiscardOldest),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::connection::Connection;
    use crate::event::process::Process;

    #[test]
    fn sizes_are_the_sums_of_the_parts_and_there_is_none_out_of_range() {
        let entry = size_of::<Connection>() + HEADS_PER_ENTRY * size_of::<u16>();
        let rest = size_of::<Instance<()>>() + size_of::<Block>();
        assert_eq!(storage_size::<Connection>(1, 0), Some(rest + entry));
        assert_eq!(storage_size::<Connection>(64, 0), Some(rest + 64 * entry));
        assert_eq!(storage_size::<Connection>(65, 0), Some(rest + size_of::<Block>() + 65 * entry));
        assert_eq!(HEADS_PER_ENTRY, if size_of::<usize>() == 8 { 2 } else { 1 });
        for (capacity, text_bytes, is_some) in [
            (0, 0, false),
            (EVAGG_MAXIMUM_CAPACITY, EVAGG_MAXIMUM_TEXT_BYTES, true),
            (EVAGG_MAXIMUM_CAPACITY + 1, 0, false),
            (u32::MAX, 0, false),
            (1, EVAGG_MAXIMUM_TEXT_BYTES + 1, false),
            (1, u32::MAX, false),
        ] {
            assert_eq!(storage_size::<Process>(capacity, text_bytes).is_some(), is_some, "{capacity} {text_bytes}");
        }
    }
}
