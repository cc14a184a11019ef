// SPDX-License-Identifier: MIT OR Apache-2.0
//! How an instance comes to be: `init` makes one, `attach` takes over the one that a reset has left behind.

use core::ffi::c_void;
use core::sync::atomic::Ordering;

use super::arguments::{status, write};
use super::config::{
    EVAGG_ABI_VERSION, EVAGG_LOCK_DEFAULT, EVAGG_LOCK_NONE, EVAGG_PROCESSES_DEFAULT_TEXT_MAXIMUM,
    EVAGG_STORAGE_ALIGNMENT, EVAGG_WARN_AT_FLUSH, EVAGG_WARN_AT_ONCE, evagg_config_t,
};
use super::instance::{Body, Head, Instance, Kind, LAYOUT, WarningCallback, overflow_policy, storage_size};
use super::status::{
    EVAGG_ERROR_BAD_VALUE, EVAGG_ERROR_CORRUPT, EVAGG_ERROR_LOCK_REQUIRED, EVAGG_ERROR_MISALIGNED,
    EVAGG_ERROR_NOT_INITIALISED, EVAGG_ERROR_NULL_ARGUMENT, EVAGG_ERROR_STALE_HEADER, EVAGG_ERROR_STORAGE_TOO_SMALL,
    evagg_status_t,
};
use crate::aggregator::{Aggregator, Settings};
use crate::store::hash::Hasher;
use crate::store::settle;

/// A configuration that was checked, its defaults filled in.
struct Plan<'a> {
    config: &'a evagg_config_t,
    capacity: u16,
    text_maximum: u16,
    settings: Settings,
    locks_itself: bool,
    /// Bytes of storage.
    needed: usize,
}

/// Checks all that is given, but not what the storage holds.
// Inlined, with what it calls, because most firmware has one caller of it.
#[inline(always)]
unsafe fn plan<'a, E: Kind>(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
) -> Result<Plan<'a>, evagg_status_t> {
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
    #[expect(clippy::cast_possible_truncation, reason = "storage_size checked the range")]
    let capacity = capacity as u16;
    let locks_itself = config.acquire.is_none() && !one_context;
    Ok(Plan { config, capacity, text_maximum, settings, locks_itself, needed })
}

/// Has an instance made of the storage, and gives its handle, or NULL on failure. The handle is the storage's own address.
#[inline]
pub unsafe fn give_handle<H>(
    handle: *mut *mut H,
    storage: *mut c_void,
    start: impl FnOnce() -> Result<(), evagg_status_t>,
) -> evagg_status_t {
    // SAFETY: passed on to the caller.
    unsafe { write(handle, core::ptr::null_mut()) };
    if handle.is_null() {
        return EVAGG_ERROR_NULL_ARGUMENT;
    }
    if !handle.is_aligned() {
        return EVAGG_ERROR_MISALIGNED;
    }
    let result = start();
    if result.is_ok() {
        // SAFETY: passed on to the caller.
        unsafe { write(handle, storage.cast()) };
    }
    status(result)
}

/// Checks everything, then makes an instance in `storage`.
pub unsafe fn init<E: Kind>(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
) -> Result<(), evagg_status_t> {
    // SAFETY: passed on to the caller.
    let plan = unsafe { plan::<E>(storage, storage_bytes, config) }?;
    // SAFETY: the storage is aligned, has `needed` bytes, and is the library's from here on. Zero is a value of every
    // field of an instance. A fill of ones makes every block of the sketch unused and every head the end of its chain;
    // entries and texts may hold anything until they are written.
    let instance = unsafe {
        // What was there before must not be taken for an instance when half of it is overwritten.
        (*storage.cast::<Instance<E>>()).mark.magic.store(0, Ordering::Relaxed);
        settle();
        for byte in 0..plan.needed {
            let fill = if byte < size_of::<Instance<E>>() { 0 } else { 0xFF };
            storage.cast::<u8>().add(byte).write(fill);
        }
        &mut *storage.cast::<Instance<E>>()
    };
    let head = &mut instance.head;
    // SAFETY: the head is part of the storage.
    unsafe { Head::set_lock(head, plan.config, plan.locks_itself) };
    head.seed = Hasher::new(plan.config.hash_seed);
    let body = instance.body.get_mut();
    body.capacity = plan.capacity;
    body.seed = head.seed;
    body.place_parts(storage);
    body.state.begin(&plan.settings, plan.config.start);
    instance.mark.text_maximum = plan.text_maximum;
    instance.mark.layout = LAYOUT;
    settle();
    instance.mark.magic.store(E::MAGIC, Ordering::Relaxed);
    Ok(())
}

/// Checks everything, then takes over the instance in `storage`.
pub unsafe fn attach<E: Kind>(
    storage: *mut c_void,
    storage_bytes: usize,
    config: *const evagg_config_t,
) -> Result<(), evagg_status_t> {
    // SAFETY: passed on to the caller.
    let plan = unsafe { plan::<E>(storage, storage_bytes, config) }?;
    let instance = storage.cast::<Instance<E>>();
    // SAFETY: the storage is aligned and has at least the bytes of an instance. What is read is a number.
    let (magic, layout, text_maximum, seed) = unsafe {
        let mark = &raw const (*instance).mark;
        ((*mark).magic.load(Ordering::Relaxed), (*mark).layout, (*mark).text_maximum, (*instance).head.seed)
    };
    if magic != E::MAGIC {
        return Err(EVAGG_ERROR_NOT_INITIALISED);
    }
    if layout != LAYOUT {
        return Err(EVAGG_ERROR_STALE_HEADER);
    }
    // SAFETY: as above; a body consists of numbers and of pointers that are not followed. Nobody else uses the storage.
    let body = unsafe { &mut *(&raw mut (*instance).body).cast::<Body<E>>() };
    if body.seed != seed {
        return Err(EVAGG_ERROR_CORRUPT);
    }
    let has_same_size = body.capacity == plan.capacity
        && body.state.text_bytes() == plan.settings.text_bytes
        && text_maximum == plan.text_maximum;
    if !has_same_size {
        return Err(EVAGG_ERROR_BAD_VALUE);
    }
    // SAFETY: these are the sizes of the plan, for which the storage has enough bytes. Any bytes are an entry, a block, a
    // head, a text.
    let finding = unsafe { body.parts_in(storage) }.survey(text_maximum.into()).ok_or(EVAGG_ERROR_CORRUPT)?;
    body.place_parts(storage);
    Aggregator(body).recover(&finding, &plan.settings, plan.config.start);
    body.recoveries = body.recoveries.saturating_add(1);
    // SAFETY: the storage is the library's from here on. What is written may have been no value of its type, and is not
    // read before.
    unsafe {
        Head::set_lock(&raw mut (*instance).head, plan.config, plan.locks_itself);
        (&raw mut (*instance).warning).cast::<WarningCallback>().write(WarningCallback::NONE);
    }
    Ok(())
}

#[inline(always)]
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
#[inline(always)]
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
