// SPDX-License-Identifier: MIT OR Apache-2.0
//! The verbs of the two handles, called as C calls them.

use std::ffi::c_void;
use std::ptr::{from_ref, null_mut};

use evagg::ffi::config::*;
use evagg::ffi::status::*;
use evagg::ffi::warning::evagg_warning_callback_t;
use evagg::ffi::window::*;

use super::call::{Config, Lock};
use super::host::{Host, Storage, acquire, listen, release};
use super::naive::{Kind, Record};
use super::packets::Packet;

pub type Init<H> = unsafe extern "C" fn(*mut c_void, usize, *const evagg_config_t, *mut *mut H) -> evagg_status_t;

/// As big as the storage of any instance here and one entry more, of either kind.
const LARGE: usize = 1 << 15;

/// What the two handles have that differs in its name only.
pub struct Verbs<H> {
    pub init: Init<H>,
    pub attach: Init<H>,
    pub deinit: unsafe extern "C" fn(*mut H) -> evagg_status_t,
    pub set_warning_callback: unsafe extern "C" fn(*mut H, evagg_warning_callback_t, *mut c_void) -> evagg_status_t,
    pub set_overflow_policy: unsafe extern "C" fn(*mut H, u8) -> evagg_status_t,
    pub set_enabled: unsafe extern "C" fn(*mut H, u8) -> evagg_status_t,
    pub due: unsafe extern "C" fn(*const H, evagg_time_t) -> evagg_status_t,
    pub length: unsafe extern "C" fn(*const H, *mut u32) -> evagg_status_t,
    pub statistics: unsafe extern "C" fn(*const H, *mut evagg_statistics_t) -> evagg_status_t,
}

/// Where an instance is, and what is there.
pub struct Place(*mut c_void, Vec<u64>);

/// A live handle with what belongs to its caller.
pub struct Instance<H: 'static> {
    pub handle: *mut H,
    pub storage: Storage,
    /// Where the instance is once it was attached; overwritten until then.
    spare: Storage,
    pub host: Box<Host>,
    pub config: Config,
    verbs: &'static Verbs<H>,
}

impl<H> Instance<H> {
    pub fn new(config: &Config, verbs: &'static Verbs<H>, bytes: usize) -> Self {
        let (storage, mut spare, host) = (Storage::new(bytes), Storage::new(bytes), Box::default());
        spare.overwrite();
        let mut it = Self { handle: null_mut(), storage, spare, host, config: *config, verbs };
        it.init();
        it
    }

    fn init(&mut self) {
        let config = self.c_config();
        let (storage, bytes) = (self.storage.pointer(), self.storage.bytes());
        assert_eq!(unsafe { (self.verbs.init)(storage, bytes, &config, &mut self.handle) }, EVAGG_OK);
        assert_eq!(self.handle.cast(), storage);
    }

    fn host(&self) -> *mut c_void {
        from_ref(&*self.host).cast_mut().cast()
    }

    pub fn c_config(&self) -> evagg_config_t {
        let has_callbacks = matches!(self.config.lock, Lock::Callbacks);
        evagg_config_t {
            capacity: self.config.capacity.into(),
            hash_seed: self.config.seed,
            text_bytes: self.config.text_bytes(),
            start: self.config.start,
            interval: self.config.interval,
            text_maximum: self.config.text_maximum,
            overflow_policy: self.config.policy,
            lock: if matches!(self.config.lock, Lock::OneContext) { EVAGG_LOCK_NONE } else { EVAGG_LOCK_DEFAULT },
            warning_delivery: if self.config.warns_at_flush { EVAGG_WARN_AT_FLUSH } else { EVAGG_WARN_AT_ONCE },
            acquire: if has_callbacks { Some(acquire) } else { None },
            release: if has_callbacks { Some(release) } else { None },
            lock_context: self.host(),
            ..evagg_config_t::default()
        }
    }

    /// Moves what it left behind and goes on from there. `config` is what holds from now on.
    pub fn attach(&mut self, config: &Config, start: u32) {
        assert!(self.spare.is_overwritten(), "something was written to where the instance was");
        self.spare.put_back(&self.storage.copy());
        self.storage.overwrite();
        std::mem::swap(&mut self.storage, &mut self.spare);
        self.config = *config;
        let config = evagg_config_t { start, hash_seed: !self.config.seed, ..self.c_config() };
        let (storage, bytes) = (self.storage.pointer(), self.storage.bytes());
        assert_eq!(unsafe { (self.verbs.attach)(storage, bytes, &config, &mut self.handle) }, EVAGG_OK);
        assert_eq!(self.handle.cast(), storage);
    }

    pub fn save(&self) -> Place {
        Place(self.storage.pointer(), self.storage.copy())
    }

    pub fn restore(&mut self, place: &Place, config: &Config) {
        if self.storage.pointer() != place.0 {
            std::mem::swap(&mut self.storage, &mut self.spare);
            self.spare.overwrite();
        }
        self.handle = self.storage.pointer().cast();
        self.storage.put_back(&place.1);
        self.config = *config;
    }

    pub fn restart(&mut self) {
        unsafe {
            assert_eq!((self.verbs.deinit)(self.handle), EVAGG_OK);
            assert_eq!((self.verbs.deinit)(self.handle), EVAGG_ERROR_NOT_INITIALISED);
            assert_eq!((self.verbs.set_enabled)(self.handle, 1), EVAGG_ERROR_NOT_INITIALISED);
            assert_eq!((self.verbs.due)(self.handle, 0), EVAGG_ERROR_NOT_INITIALISED);
        }
        self.init();
    }

    pub fn listen(&self, listens: bool) -> evagg_status_t {
        let callback: evagg_warning_callback_t = if listens { Some(listen) } else { None };
        unsafe { (self.verbs.set_warning_callback)(self.handle, callback, self.host()) }
    }

    pub fn set_policy(&self, policy: u8) -> evagg_status_t {
        unsafe { (self.verbs.set_overflow_policy)(self.handle, policy) }
    }

    pub fn set_enabled(&self, enabled: u8) -> evagg_status_t {
        unsafe { (self.verbs.set_enabled)(self.handle, enabled) }
    }

    pub fn due(&self, now: i64) -> evagg_status_t {
        unsafe { (self.verbs.due)(self.handle, self.config.tick(now)) }
    }

    pub fn length(&self) -> u32 {
        let mut length = u32::MAX;
        assert_eq!(unsafe { (self.verbs.length)(self.handle, &mut length) }, EVAGG_OK);
        length
    }

    /// Field by field.
    pub fn statistics(&self) -> [u64; 12] {
        let mut it = evagg_statistics_t::default();
        assert_eq!(unsafe { (self.verbs.statistics)(self.handle, &mut it) }, EVAGG_OK);
        [
            it.offered,
            it.merged,
            it.counted,
            it.rejected,
            it.discarded,
            it.malformed.into(),
            it.ignored.into(),
            it.disabled.into(),
            it.busy.into(),
            it.high_water_mark.into(),
            it.windows.into(),
            it.recoveries.into(),
        ]
    }

    /// How many calls `wrong` knows.
    pub const WRONG: u8 = 26;

    /// A call that must fail: what it says, and what it has to say.
    pub fn wrong(&self, which: u8) -> (evagg_status_t, evagg_status_t) {
        let (handle, verbs, mut config) = (self.handle, self.verbs, self.c_config());
        let misaligned: *mut H = handle.wrapping_byte_add(1);
        unsafe {
            match which {
                0 => ((verbs.deinit)(null_mut()), EVAGG_ERROR_NULL_ARGUMENT),
                1 => ((verbs.set_warning_callback)(misaligned, None, null_mut()), EVAGG_ERROR_MISALIGNED),
                2 => ((verbs.set_overflow_policy)(handle, 0), EVAGG_ERROR_BAD_VALUE),
                3 => ((verbs.set_overflow_policy)(handle, 3), EVAGG_ERROR_BAD_VALUE),
                4 => ((verbs.set_enabled)(handle, 2), EVAGG_ERROR_BAD_VALUE),
                5 => ((verbs.due)(null_mut(), 0), EVAGG_ERROR_NULL_ARGUMENT),
                6 => ((verbs.length)(handle, null_mut()), EVAGG_ERROR_NULL_ARGUMENT),
                7 => {
                    let mut length = 7;
                    let status = (verbs.length)(null_mut(), &mut length);
                    assert_eq!(length, 0);
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                8 => ((verbs.statistics)(handle, null_mut()), EVAGG_ERROR_NULL_ARGUMENT),
                9 => ((verbs.set_enabled)(misaligned, 1), EVAGG_ERROR_MISALIGNED),
                10 => (self.init_over(&config, self.storage.bytes() - 1), EVAGG_ERROR_STORAGE_TOO_SMALL),
                11 => {
                    config.abi_version += 1;
                    (self.init_over(&config, self.storage.bytes()), EVAGG_ERROR_STALE_HEADER)
                }
                12 => {
                    config.overflow_policy = 3;
                    (self.init_over(&config, self.storage.bytes()), EVAGG_ERROR_BAD_VALUE)
                }
                13 => {
                    config.release = if config.release.is_some() { None } else { Some(release) };
                    (self.init_over(&config, self.storage.bytes()), EVAGG_ERROR_BAD_VALUE)
                }
                14 => (self.attach_over(&config, self.storage.bytes() - 1), EVAGG_ERROR_STORAGE_TOO_SMALL),
                15 => {
                    config.abi_version += 1;
                    (self.attach_over(&config, self.storage.bytes()), EVAGG_ERROR_STALE_HEADER)
                }
                16 => {
                    config.warning_delivery = 2;
                    (self.attach_over(&config, self.storage.bytes()), EVAGG_ERROR_BAD_VALUE)
                }
                17 => {
                    config.release = if config.release.is_some() { None } else { Some(release) };
                    (self.attach_over(&config, self.storage.bytes()), EVAGG_ERROR_BAD_VALUE)
                }
                18 => {
                    config.capacity += 1;
                    (self.attach_copy(self.verbs.attach, &config, &[]), EVAGG_ERROR_BAD_VALUE)
                }
                19 => {
                    config.capacity = config.capacity % 70 + 1;
                    (self.attach_copy(self.verbs.attach, &config, &[]), EVAGG_ERROR_BAD_VALUE)
                }
                20 => {
                    let mut handle = handle;
                    let status = (verbs.attach)(null_mut(), self.storage.bytes(), &config, &mut handle);
                    assert!(handle.is_null());
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                21 => {
                    let storage = self.storage.pointer();
                    let status = (verbs.attach)(storage, self.storage.bytes(), &config, null_mut());
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                22 => (self.attach_copy(verbs.attach, &config, &[self.magic()]), EVAGG_ERROR_NOT_INITIALISED),
                23 => {
                    // Zeros of the magic number.
                    let wrong = [self.magic() + 1, self.magic() + 3];
                    (self.attach_copy(verbs.attach, &config, &wrong), EVAGG_ERROR_NOT_INITIALISED)
                }
                24 => {
                    // Behind the magic number, in every version of the library.
                    let layout = self.magic() + 4;
                    (self.attach_copy(verbs.attach, &config, &[layout]), EVAGG_ERROR_STALE_HEADER)
                }
                _ => {
                    let ended = Storage::new(LARGE);
                    self.copy_to(&ended);
                    assert_eq!((verbs.deinit)(ended.pointer().cast()), EVAGG_OK);
                    (refusal(&ended, verbs.attach, &config), EVAGG_ERROR_NOT_INITIALISED)
                }
            }
        }
    }

    /// Where the magic number is: it is all that deinit takes.
    fn magic(&self) -> usize {
        let (copy, ended) = (Storage::new(self.storage.bytes()), Storage::new(self.storage.bytes()));
        self.copy_to(&copy);
        self.copy_to(&ended);
        assert_eq!(unsafe { (self.verbs.deinit)(ended.pointer().cast()) }, EVAGG_OK);
        let words = copy.copy().into_iter().zip(ended.copy());
        let bytes = words.flat_map(|(before, after)| before.to_ne_bytes().into_iter().zip(after.to_ne_bytes()));
        let changed: Vec<_> = bytes.enumerate().filter(|(_, (before, after))| before != after).collect();
        let [(first, (mark, 0)), (second, (other, 0))] = changed[..] else { panic!("{changed:?}") };
        assert_eq!((first % 4, second, mark), (0, first + 2, other));
        first
    }

    fn copy_to(&self, storage: &Storage) {
        let (from, to) = (self.storage.pointer().cast::<u8>(), storage.pointer().cast());
        unsafe { from.copy_to_nonoverlapping(to, self.storage.bytes()) };
    }

    /// What attach says of a copy in a place with room for any size, in which those bytes are wrong.
    pub fn attach_copy<K>(&self, attach: Init<K>, config: &evagg_config_t, wrong: &[usize]) -> evagg_status_t {
        let copy = Storage::new(LARGE);
        self.copy_to(&copy);
        for position in wrong {
            unsafe { *copy.pointer().cast::<u8>().add(*position) ^= 1 };
        }
        refusal(&copy, attach, config)
    }

    fn attach_over(&self, config: &evagg_config_t, bytes: usize) -> evagg_status_t {
        let mut handle = self.handle;
        let status = unsafe { (self.verbs.attach)(self.storage.pointer(), bytes, config, &mut handle) };
        assert!(handle.is_null());
        status
    }

    /// An init that fails leaves the storage alone, and so the instance in it.
    fn init_over(&self, config: &evagg_config_t, bytes: usize) -> evagg_status_t {
        let mut handle = self.handle;
        let status = unsafe { (self.verbs.init)(self.storage.pointer(), bytes, config, &mut handle) };
        assert!(handle.is_null());
        status
    }
}

/// An attach that fails leaves the storage alone.
fn refusal<K>(storage: &Storage, attach: Init<K>, config: &evagg_config_t) -> evagg_status_t {
    let (before, mut handle) = (storage.copy(), storage.pointer().cast());
    let status = unsafe { attach(storage.pointer(), storage.bytes(), config, &mut handle) };
    assert!(handle.is_null());
    assert!(storage.is_still(&before), "a refused attach changed something");
    status
}

pub fn numbers(it: &evagg_window_t) -> [u32; 10] {
    [it.sequence, it.start, it.end, it.records, it.remaining, it.offered, it.merged, it.kept, it.rejected, it.discarded]
}

/// A window that a flush must overwrite.
pub fn dirty_window() -> evagg_window_t {
    evagg_window_t { sequence: 99, start: 99, end: 99, records: 99, remaining: 99, ..evagg_window_t::default() }
}

/// One of the two handles.
pub trait Subject {
    type Handle: 'static;
    const NAME: &'static str;
    const KIND: Kind;

    fn new(config: &Config) -> Self;
    fn instance(&mut self) -> &mut Instance<Self::Handle>;
    fn record(&mut self, event: &Record, is_out: bool) -> evagg_status_t;
    /// `None` if this kind has none.
    fn record_packet(&mut self, packet: Packet, now: i64) -> Option<evagg_status_t>;
    /// Text room is what is given beyond the least that flush asks for.
    fn flush(&mut self, now: i64, count: usize, text_room: usize) -> (evagg_status_t, Vec<Record>, [u32; 10]);
    fn merge(&mut self, records: &[Record]) -> evagg_status_t;
    /// As for an instance, with the calls that the other kind does not have.
    fn wrong(&mut self, which: u8) -> (evagg_status_t, evagg_status_t);
}
