// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the two handles share: the layout of the caller's storage, and the way in through the lock.
//!
//! The storage holds, without gaps: the instance, the blocks of the sketch, the entries, the heads of the index, the
//! text ring. All of it but the instance's constant part is reached only while the lock is held.
//!
//! What the unsafe blocks rely on, beyond what is checked here: a handle that is not NULL points to readable memory,
//! and if an instance is there, its storage is still the library's alone (between init and deinit the caller keeps
//! storage in place and does not write to it); other pointers point to as many objects as their counts say, which
//! nobody else changes during the call.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::marker::PhantomData;
use core::mem::{align_of, size_of};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};

use super::config::{
    EVAGG_ABI_VERSION, EVAGG_DISCARD_OLDEST, EVAGG_LOCK_DEFAULT, EVAGG_LOCK_NONE, EVAGG_MAXIMUM_CAPACITY,
    EVAGG_MAXIMUM_TEXT_BYTES, EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM, EVAGG_REJECT_NEW, EVAGG_STORAGE_ALIGNMENT,
    EVAGG_WARN_AT_FLUSH, EVAGG_WARN_AT_ONCE, evagg_config_t, evagg_time_t,
};
#[cfg(target_has_atomic = "ptr")]
use super::relax::Relax;
use super::status::{
    EVAGG_COUNTED, EVAGG_DISABLED, EVAGG_DUE, EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_MISALIGNED,
    EVAGG_ERROR_NOT_INITIALISED, EVAGG_ERROR_NULL_ARGUMENT, EVAGG_ERROR_STALE_HEADER, EVAGG_ERROR_STORAGE_TOO_SMALL,
    EVAGG_FIRST, EVAGG_IGNORED, EVAGG_MALFORMED, EVAGG_MORE, EVAGG_OK, EVAGG_REJECTED, evagg_status_t,
};
use super::warning::{evagg_warning_callback_t, give};
use super::window::{evagg_statistics_t, evagg_window_t};
use crate::aggregator::{Aggregator, Found, Outcome, Settings, State, Step};
use crate::event::Event;
use crate::event::packet::Unrecorded;
#[cfg(target_has_atomic = "ptr")]
use crate::lock::BuiltInLock;
use crate::store::OverflowPolicy;
use crate::store::hash::Hasher;
use crate::store::sketch::Block;

/// A kind of event that has a handle.
pub trait Kind: Event {
    /// Marks a live instance of this kind.
    const MAGIC: u32;
    const DEFAULT_CAPACITY: u32;
    const DEFAULT_POLICY: OverflowPolicy;
}

#[repr(C)]
pub struct Instance {
    seed: Hasher,
    body: UnsafeCell<State>,
    magic: AtomicU32,
    capacity: u16,
    text_maximum: u16,
    #[cfg(target_has_atomic = "ptr")]
    built_in: BuiltInLock<Relax>,
    #[cfg(not(target_has_atomic = "ptr"))]
    built_in: [u32; 2],
    lock: Lock,
    warning: UnsafeCell<WarningCallback>,
}

#[derive(Clone, Copy)]
#[repr(usize)]
enum Lock {
    None,
    #[cfg(target_has_atomic = "ptr")]
    BuiltIn,
    Callbacks {
        acquire: unsafe extern "C" fn(context: *mut c_void) -> usize,
        release: unsafe extern "C" fn(context: *mut c_void, state: usize),
        context: *mut c_void,
    },
}

#[repr(C)]
#[derive(Clone, Copy)]
struct WarningCallback {
    callback: evagg_warning_callback_t,
    context: *mut c_void,
}

// A firmware has one copy of these, not one in each function that locks.
impl Instance {
    #[cfg_attr(target_os = "none", inline(never))]
    unsafe fn at(handle: *const Self, magic: u32) -> Result<NonNull<Self>, evagg_status_t> {
        let Some(storage) = NonNull::new(handle.cast_mut()) else {
            return Err(EVAGG_ERROR_NULL_ARGUMENT);
        };
        if !storage.is_aligned() {
            return Err(EVAGG_ERROR_MISALIGNED);
        }
        // SAFETY: the handle points to readable memory; the word is read as a number that may be anything.
        let found: &AtomicU32 = unsafe { &(*storage.as_ptr()).magic };
        if found.load(Ordering::Relaxed) == magic { Ok(storage) } else { Err(EVAGG_ERROR_NOT_INITIALISED) }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn acquire(&self) -> Result<usize, evagg_status_t> {
        match self.lock {
            Lock::None => Ok(0),
            #[cfg(target_has_atomic = "ptr")]
            Lock::BuiltIn if self.built_in.acquire() => Ok(0),
            #[cfg(target_has_atomic = "ptr")]
            Lock::BuiltIn => Err(super::status::EVAGG_ERROR_BUSY),
            // SAFETY: the configuration asks for a function of this signature that may be called until deinit.
            Lock::Callbacks { acquire, context, .. } => Ok(unsafe { acquire(context) }),
        }
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn acquire_for_event(&self) -> Result<usize, evagg_status_t> {
        let result = self.acquire();
        #[cfg(target_has_atomic = "ptr")]
        if result.is_err() {
            self.built_in.count_busy();
        }
        result
    }

    #[cfg_attr(target_os = "none", inline(never))]
    fn release(&self, state: usize) {
        match self.lock {
            Lock::None => {}
            // SAFETY: who releases has acquired it and not released it since.
            #[cfg(target_has_atomic = "ptr")]
            Lock::BuiltIn => unsafe { self.built_in.mutex().force_unlock() },
            // SAFETY: as for acquire.
            Lock::Callbacks { release, context, .. } => unsafe { release(context, state) },
        }
    }
}

/// The storage macros of the header say the same.
const _: () = assert!(size_of::<State>() == 168);
const _: () = assert!(size_of::<Instance>() == 192 + 6 * size_of::<usize>());
const _: () = assert!(align_of::<Instance>() <= EVAGG_STORAGE_ALIGNMENT);
const _: () = assert!(size_of::<Block>() == 64);

/// The bytes that an instance takes; `None` for a value out of range.
pub const fn storage_size<E: Kind>(capacity: u32, text_bytes: u32) -> Option<usize> {
    if capacity == 0 || capacity > EVAGG_MAXIMUM_CAPACITY || text_bytes > EVAGG_MAXIMUM_TEXT_BYTES {
        return None;
    }
    Some(text_offset::<E>(capacity as usize) + text_bytes as usize)
}

const fn entries_offset(capacity: usize) -> usize {
    size_of::<Instance>() + capacity.div_ceil(Block::ENTRIES) * size_of::<Block>()
}

const fn heads_offset<E>(capacity: usize) -> usize {
    entries_offset(capacity) + capacity * size_of::<E>()
}

const fn text_offset<E>(capacity: usize) -> usize {
    heads_offset::<E>(capacity) + capacity * size_of::<u16>()
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
    // SAFETY: not NULL. A caller with another header may have a smaller structure, so only its first two fields,
    // which every version has, are read before they are checked; two bytes each need no alignment to be read so.
    let (size, abi_version) =
        unsafe { ((&raw const (*config).size).read_unaligned(), (&raw const (*config).abi_version).read_unaligned()) };
    if usize::from(size) != size_of::<evagg_config_t>() || abi_version != EVAGG_ABI_VERSION {
        return Err(EVAGG_ERROR_STALE_HEADER);
    }
    // SAFETY: its own size says that it is of this header.
    let config = unsafe { config.read_unaligned() };
    let capacity = if config.capacity == 0 { E::DEFAULT_CAPACITY } else { config.capacity };
    let (settings, text_maximum) = settings::<E>(&config, capacity)?;
    let lock = lock(&config)?;
    let text_bytes = if E::HAS_TEXT { settings.text_bytes } else { 0 };
    let needed = storage_size::<E>(capacity, text_bytes).ok_or(EVAGG_ERROR_BAD_VALUE)?;
    if !storage.cast::<Instance>().is_aligned() || !storage.addr().is_multiple_of(EVAGG_STORAGE_ALIGNMENT) {
        return Err(EVAGG_ERROR_MISALIGNED);
    }
    if storage_bytes < needed {
        return Err(EVAGG_ERROR_STORAGE_TOO_SMALL);
    }
    // SAFETY: the storage is aligned, has `needed` bytes, and is the library's from here on. Zero is a value of every
    // field of an instance. A fill of ones makes every block of the sketch unused and every head the end of its chain;
    // entries and texts may hold anything until they are written.
    let instance = unsafe {
        for byte in 0..needed {
            let fill = if byte < size_of::<Instance>() { 0 } else { 0xFF };
            storage.cast::<u8>().add(byte).write(fill);
        }
        &mut *storage.cast::<Instance>()
    };
    instance.seed = Hasher::new(config.hash_seed);
    instance.body.get_mut().begin(settings, config.start);
    *instance.magic.get_mut() = E::MAGIC;
    #[expect(clippy::cast_possible_truncation, reason = "storage_size checked the range")]
    {
        instance.capacity = capacity as u16;
    }
    instance.text_maximum = text_maximum;
    #[cfg(target_has_atomic = "ptr")]
    {
        instance.built_in = BuiltInLock::new();
    }
    instance.lock = lock;
    Ok(())
}

fn settings<E: Kind>(config: &evagg_config_t, capacity: u32) -> Result<(Settings, u16), evagg_status_t> {
    let policy = match config.overflow_policy {
        0 => E::DEFAULT_POLICY,
        policy => overflow_policy(policy)?,
    };
    let text_maximum = match config.text_maximum {
        0 => EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM,
        maximum => maximum,
    };
    let text_bytes = match config.text_bytes {
        0 => capacity.saturating_mul(128).max(u32::from(text_maximum)),
        bytes => bytes,
    };
    let is_valid = capacity <= EVAGG_MAXIMUM_CAPACITY
        && text_bytes <= EVAGG_MAXIMUM_TEXT_BYTES
        && u32::from(text_maximum) <= text_bytes
        && config.interval <= u32::MAX / 2
        && matches!(config.warning_delivery, EVAGG_WARN_AT_ONCE | EVAGG_WARN_AT_FLUSH)
        && config.reserved == [0; 7];
    if !is_valid {
        return Err(EVAGG_ERROR_BAD_VALUE);
    }
    let settings = Settings {
        interval: config.interval,
        text_bytes,
        policy,
        enabled: true,
        warn_at_flush: config.warning_delivery == EVAGG_WARN_AT_FLUSH,
    };
    Ok((settings, text_maximum))
}

fn lock(config: &evagg_config_t) -> Result<Lock, evagg_status_t> {
    match (config.lock, config.acquire, config.release) {
        (EVAGG_LOCK_DEFAULT, Some(acquire), Some(release)) => {
            Ok(Lock::Callbacks { acquire, release, context: config.lock_context })
        }
        (EVAGG_LOCK_NONE, None, None) => Ok(Lock::None),
        #[cfg(target_has_atomic = "ptr")]
        (EVAGG_LOCK_DEFAULT, None, None) => Ok(Lock::BuiltIn),
        #[cfg(not(target_has_atomic = "ptr"))]
        (EVAGG_LOCK_DEFAULT, None, None) => Err(super::status::EVAGG_ERROR_LOCK_REQUIRED),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}

fn overflow_policy(policy: u8) -> Result<OverflowPolicy, evagg_status_t> {
    match policy {
        EVAGG_REJECT_NEW => Ok(OverflowPolicy::RejectNew),
        EVAGG_DISCARD_OLDEST => Ok(OverflowPolicy::DiscardOldest),
        _ => Err(EVAGG_ERROR_BAD_VALUE),
    }
}

/// A live instance of a kind: the pointer to the whole of its storage.
pub struct Live<E> {
    storage: NonNull<Instance>,
    kind: PhantomData<E>,
}

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
        let storage = unsafe { Instance::at(handle.cast(), E::MAGIC) }?;
        Ok(Self { storage, kind: PhantomData })
    }

    /// The part that does not change, and the cells.
    #[inline]
    fn instance(&self) -> &Instance {
        // SAFETY: init wrote an instance here, and the storage stays in place during the call.
        unsafe { self.storage.as_ref() }
    }

    #[inline]
    fn lock(self) -> Result<Locked<E>, evagg_status_t> {
        Ok(Locked { live: self, state: self.instance().acquire()? })
    }

    /// As `lock`, for an event that is lost to this instance if the lock cannot be had.
    #[inline]
    fn lock_for_event(self) -> Result<Locked<E>, evagg_status_t> {
        Ok(Locked { live: self, state: self.instance().acquire_for_event()? })
    }

    /// Counts an event that just happened.
    #[inline(never)]
    pub fn record(self, event: &E, text: &[u8]) -> evagg_status_t {
        let mut locked = match self.lock_for_event() {
            Ok(locked) => locked,
            Err(status) => return status,
        };
        match locked.contents().count(event, text) {
            Found::Done(Outcome::Counted) => EVAGG_COUNTED,
            Found::Done(_) => EVAGG_DISABLED,
            Found::New { hash } => locked.admit(event, text, hash),
        }
    }

    #[cold]
    pub fn count_unrecorded(self, reason: Unrecorded) -> evagg_status_t {
        let mut locked = match self.lock_for_event() {
            Ok(locked) => locked,
            Err(status) => return status,
        };
        locked.contents().count_unrecorded(reason);
        match reason {
            Unrecorded::Malformed => EVAGG_MALFORMED,
            Unrecorded::OtherProtocol => EVAGG_IGNORED,
        }
    }

    /// Gives the warnings that wait, the lock released.
    #[cold]
    #[inline(never)]
    pub fn give_warnings(self, from_flush: bool) {
        // A callback may end the instance.
        while self.is_live() {
            let Ok(mut locked) = self.lock() else { break };
            let WarningCallback { callback: Some(callback), context } = *locked.warning_callback() else { break };
            let Some(warning) = locked.contents().take_warning(from_flush) else { break };
            drop(locked);
            give::<E>(callback, context, &warning);
        }
    }

    fn is_live(self) -> bool {
        self.instance().magic.load(Ordering::Relaxed) == E::MAGIC
    }

    pub fn set_warning_callback(
        self,
        callback: evagg_warning_callback_t,
        context: *mut c_void,
    ) -> Result<(), evagg_status_t> {
        *self.lock()?.warning_callback() = WarningCallback { callback, context };
        Ok(())
    }

    pub fn set_overflow_policy(self, policy: u8) -> Result<(), evagg_status_t> {
        let policy = overflow_policy(policy)?;
        self.lock()?.contents().set_policy(policy);
        Ok(())
    }

    pub fn set_enabled(self, enabled: u8) -> Result<(), evagg_status_t> {
        if enabled > 1 {
            return Err(EVAGG_ERROR_BAD_VALUE);
        }
        self.lock()?.contents().set_enabled(enabled == 1);
        Ok(())
    }

    /// Copies records of the oldest unflushed window, the lock taken anew for each.
    pub unsafe fn flush(
        self,
        now: evagg_time_t,
        record_count: usize,
        window: *mut evagg_window_t,
        mut copy: impl FnMut(usize, &E, &[u8], &[u8]) -> bool,
    ) -> evagg_status_t {
        let mut sequence = None;
        let mut records = 0;
        let status = loop {
            if sequence.is_none() {
                self.give_warnings(true);
                if !self.is_live() {
                    return EVAGG_ERROR_NOT_INITIALISED;
                }
            }
            let mut locked = match self.lock() {
                Ok(locked) => locked,
                Err(status) if sequence.is_none() => return status,
                // Records are out, so the call succeeds; the next one completes the window.
                Err(_) => break EVAGG_MORE,
            };
            let warns = locked.warning_callback().callback.is_some();
            let mut contents = locked.contents();
            // Between the two locks another flush may have completed a window that lost something.
            if sequence.is_none() && warns && contents.owes_warnings() {
                continue;
            }
            let sequence = *sequence.get_or_insert_with(|| contents.begin_flush(now));
            let step = contents.flush_one(sequence, |entry, head, tail| {
                let has_room = copy(records, entry, head, tail);
                records += usize::from(has_room);
                has_room
            });
            if step == Step::Gone {
                // Its final numbers were told to who completed it.
                // SAFETY: the caller gives a place for a window.
                unsafe { (*window).remaining = 0 };
                break EVAGG_MORE;
            }
            #[expect(clippy::cast_possible_truncation, reason = "a window has at most 65,535 records")]
            let page = evagg_window_t::page(&contents.closed(), records as u32);
            // SAFETY: as above.
            unsafe { *window = page };
            match step {
                Step::Complete => break EVAGG_OK,
                Step::More if records < record_count => {}
                _ => break EVAGG_MORE,
            }
        };
        self.give_warnings(true);
        status
    }

    /// Merges records, the lock taken anew for each.
    ///
    /// Where the built-in lock does not wait, the first may find it busy, and nothing has changed. From the second on
    /// the call cannot be taken back, and need not wait for long: who holds the lock then either interrupted this call
    /// and has returned, or runs on another core.
    pub fn merge<'a>(self, records: impl Iterator<Item = (E, &'a [u8])>) -> Result<(), evagg_status_t> {
        let mut first_loss = false;
        for (index, (record, text)) in records.enumerate() {
            let mut locked = loop {
                match self.lock() {
                    Ok(locked) => break locked,
                    Err(status) if index == 0 => return Err(status),
                    Err(_) => core::hint::spin_loop(),
                }
            };
            first_loss |= locked.contents().merge(&record, text);
        }
        if first_loss {
            self.give_warnings(false);
        }
        Ok(())
    }

    pub fn is_due(self, now: evagg_time_t) -> Result<evagg_status_t, evagg_status_t> {
        Ok(if self.lock()?.contents().is_due(now) { EVAGG_DUE } else { EVAGG_OK })
    }

    pub fn length(self) -> Result<u32, evagg_status_t> {
        Ok(self.lock()?.contents().length().into())
    }

    pub fn statistics(self) -> Result<evagg_statistics_t, evagg_status_t> {
        #[cfg(target_has_atomic = "ptr")]
        let busy = self.instance().built_in.busy();
        #[cfg(not(target_has_atomic = "ptr"))]
        let busy = 0;
        Ok(evagg_statistics_t::of(&self.lock()?.contents().statistics(), busy))
    }

    /// What of a command line is kept.
    pub fn kept(self, command_line: &[u8]) -> &[u8] {
        command_line.get(..self.text_maximum()).unwrap_or(command_line)
    }

    pub fn text_maximum(self) -> usize {
        self.instance().text_maximum.into()
    }

    pub fn seed(self) -> Hasher {
        self.instance().seed
    }

    pub fn deinit(self) {
        self.instance().magic.store(0, Ordering::Relaxed);
    }
}

/// An instance whose lock is held; released when this goes.
struct Locked<E: Kind> {
    live: Live<E>,
    /// What `acquire` returned.
    state: usize,
}

impl<E: Kind> Locked<E> {
    #[inline]
    fn contents(&mut self) -> Aggregator<'_, E> {
        let Instance { seed, capacity, ref body, .. } = *self.live.instance();
        let base = self.live.storage.as_ptr().cast::<u8>();
        let capacity = usize::from(capacity);
        // SAFETY: init laid the parts out at these offsets, each initialised. The lock is held, or the caller has said
        // that there is one context only, so nobody else has a reference to any of them, and this one ends before
        // the next is made, because it borrows from the one who holds the lock.
        unsafe {
            let state = &mut *body.get();
            let text_bytes = if E::HAS_TEXT { state.settings().text_bytes as usize } else { 0 };
            Aggregator {
                state,
                sketch: core::slice::from_raw_parts_mut(
                    base.add(size_of::<Instance>()).cast(),
                    capacity.div_ceil(Block::ENTRIES),
                ),
                entries: core::slice::from_raw_parts_mut(base.add(entries_offset(capacity)).cast(), capacity),
                heads: core::slice::from_raw_parts_mut(base.add(heads_offset::<E>(capacity)).cast(), capacity),
                text: core::slice::from_raw_parts_mut(base.add(text_offset::<E>(capacity)), text_bytes),
                seed,
            }
        }
    }

    fn warning_callback(&mut self) -> &mut WarningCallback {
        // SAFETY: as for the contents, of which this is no part.
        unsafe { &mut *self.live.instance().warning.get() }
    }

    /// Makes an entry of a new event, apart from `record` so that a known event pays nothing for it.
    #[cold]
    #[inline(never)]
    fn admit(mut self, event: &E, text: &[u8], hash: u32) -> evagg_status_t {
        let live = self.live;
        let (outcome, first_loss) = self.contents().admit(event, text, hash);
        drop(self);
        if first_loss {
            live.give_warnings(false);
        }
        if outcome == Outcome::First { EVAGG_FIRST } else { EVAGG_REJECTED }
    }
}

impl<E: Kind> Drop for Locked<E> {
    #[inline]
    fn drop(&mut self) {
        self.live.instance().release(self.state);
    }
}
