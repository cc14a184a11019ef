// SPDX-License-Identifier: MIT OR Apache-2.0
//! evagg through its C interface, with each way to lock.
//!
//! Its functions are called through pointers, so that no compiler takes them apart at the boundary that they have for
//! their users.

use std::ffi::c_void;
use std::hint::black_box;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

use evagg::ffi::config::{EVAGG_DISCARD_OLDEST, EVAGG_REJECT_NEW, evagg_config_t, evagg_time_t};
use evagg::ffi::connections::{
    evagg_connection_record_t, evagg_connection_t, evagg_connections_flush, evagg_connections_init,
    evagg_connections_merge, evagg_connections_record, evagg_connections_record_packet, evagg_connections_storage_size,
    evagg_connections_t,
};
use evagg::ffi::processes::{
    evagg_process_record_t, evagg_process_t, evagg_processes_flush, evagg_processes_init, evagg_processes_record,
    evagg_processes_storage_size, evagg_processes_t,
};
use evagg::ffi::status::{EVAGG_MORE, EVAGG_OK, evagg_status_t};
use evagg::ffi::window::evagg_window_t;

use super::{Outcome, Overflow, Table, outcome};
use crate::event::{Observed, Process};

const PAGE: usize = 16;
const TEXT_MAXIMUM: u16 = 256;

pub trait Lock {
    const NAME: &'static str;
    fn configure(_: &mut evagg_config_t) {}
}

pub struct BuiltIn;

impl Lock for BuiltIn {
    const NAME: &'static str = "evagg, built-in lock";
}

/// Callbacks that do what masking interrupts does: they read a word, set it, and put it back.
pub struct Masking;

static MASK: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn mask(_: *mut c_void) -> usize {
    let before = MASK.load(Ordering::Relaxed);
    MASK.store(1, Ordering::Relaxed);
    before
}

unsafe extern "C" fn restore(_: *mut c_void, before: usize) {
    MASK.store(before, Ordering::Relaxed);
}

impl Lock for Masking {
    const NAME: &'static str = "evagg, masking callbacks";

    fn configure(config: &mut evagg_config_t) {
        config.acquire = Some(mask);
        config.release = Some(restore);
    }
}

pub struct NoOp;

unsafe extern "C" fn acquire_nothing(_: *mut c_void) -> usize {
    0
}

unsafe extern "C" fn release_nothing(_: *mut c_void, _: usize) {}

impl Lock for NoOp {
    const NAME: &'static str = "evagg, no-op callbacks";

    fn configure(config: &mut evagg_config_t) {
        config.acquire = Some(acquire_nothing);
        config.release = Some(release_nothing);
    }
}

/// Each instance has a seed of its own, the same ones in every run: how long chains are differs from seed to seed.
fn config<L: Lock>(capacity: usize, overflow: Overflow) -> evagg_config_t {
    static INSTANCES: AtomicUsize = AtomicUsize::new(1);
    let mut config = evagg_config_t {
        capacity: u32::try_from(capacity).expect("a capacity"),
        hash_seed: (INSTANCES.fetch_add(1, Ordering::Relaxed) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        overflow_policy: match overflow {
            Overflow::Reject => EVAGG_REJECT_NEW,
            Overflow::DiscardOldest => EVAGG_DISCARD_OLDEST,
        },
        ..evagg_config_t::default()
    };
    L::configure(&mut config);
    config
}

/// Aligned to a cache line, as the storage of instances should be that belong to different threads.
#[repr(align(64))]
#[derive(Clone)]
struct Line(#[expect(dead_code, reason = "only its size counts")] [u8; 64]);

fn storage(bytes: usize) -> Vec<Line> {
    vec![Line([0; 64]); bytes.div_ceil(64)]
}

type Record =
    unsafe extern "C" fn(*mut evagg_connections_t, *const evagg_connection_t, u8, u32, evagg_time_t) -> evagg_status_t;
type RecordPacket =
    unsafe extern "C" fn(*mut evagg_connections_t, *const c_void, usize, u8, evagg_time_t) -> evagg_status_t;

pub struct Connections<L> {
    handle: *mut evagg_connections_t,
    record: Record,
    record_packet: RecordPacket,
    _storage: Vec<Line>,
    lock: PhantomData<L>,
}

// SAFETY: the storage moves with the handle, and the library's functions may be called from any thread.
unsafe impl<L> Send for Connections<L> {}
// SAFETY: as above; what takes `&self` relies on the library's own lock.
unsafe impl Sync for Connections<BuiltIn> {}

impl<L: Lock> Connections<L> {
    #[inline]
    pub fn record_shared(&self, key: &evagg_connection_t, observed: Observed) -> Outcome {
        let Observed { direction, bytes, now } = observed;
        // SAFETY: the handle is live.
        outcome(unsafe { (self.record)(self.handle, key, direction, bytes, now) })
    }

    #[inline]
    pub fn record_packet(&mut self, packet: &[u8], direction: u8, now: u32) -> Outcome {
        // SAFETY: as for record; the packet has that many bytes.
        outcome(unsafe { (self.record_packet)(self.handle, packet.as_ptr().cast(), packet.len(), direction, now) })
    }

    /// Flushes page by page.
    pub fn flush(&mut self, mut each_page: impl FnMut(&[evagg_connection_record_t])) {
        let mut page = Vec::with_capacity(PAGE);
        loop {
            let mut window = evagg_window_t::default();
            // SAFETY: the handle is live, and there is room for a page; the library has written as many records as it says.
            let status = unsafe {
                let status = evagg_connections_flush(self.handle, 0, page.as_mut_ptr(), PAGE, &raw mut window);
                page.set_len(window.records as usize);
                status
            };
            each_page(&page);
            match status {
                EVAGG_OK => return,
                status => assert_eq!(status, EVAGG_MORE),
            }
        }
    }

    pub fn merge(&mut self, records: &[evagg_connection_record_t]) {
        // SAFETY: the handle is live, and there are that many records.
        let status = unsafe { evagg_connections_merge(self.handle, records.as_ptr(), records.len()) };
        assert_eq!(status, EVAGG_OK);
    }
}

impl<L: Lock> Table for Connections<L> {
    type Key = evagg_connection_t;

    fn name() -> String {
        L::NAME.into()
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        let config = config::<L>(capacity, overflow);
        let bytes = evagg_connections_storage_size(config.capacity);
        let (mut storage, mut handle) = (storage(bytes), null_mut());
        // SAFETY: the storage is as large as it says, and goes with the handle.
        let status =
            unsafe { evagg_connections_init(storage.as_mut_ptr().cast(), bytes, &raw const config, &raw mut handle) };
        assert_eq!(status, EVAGG_OK);
        let record: Record = evagg_connections_record;
        let record_packet: RecordPacket = evagg_connections_record_packet;
        Self {
            handle,
            record: black_box(record),
            record_packet: black_box(record_packet),
            _storage: storage,
            lock: PhantomData,
        }
    }

    #[inline]
    fn record(&mut self, key: &evagg_connection_t, observed: Observed) -> Outcome {
        self.record_shared(key, observed)
    }

    fn drain(&mut self, mut each: impl FnMut(u32)) {
        self.flush(|page| page.iter().for_each(|record| each(record.hit_count)));
    }
}

type RecordProcess =
    unsafe extern "C" fn(*mut evagg_processes_t, *const evagg_process_t, evagg_time_t) -> evagg_status_t;

pub struct Processes<L> {
    handle: *mut evagg_processes_t,
    record: RecordProcess,
    _storage: Vec<Line>,
    lock: PhantomData<L>,
}

impl<L: Lock> Table for Processes<L> {
    type Key = Process;

    fn name() -> String {
        L::NAME.into()
    }

    fn new(capacity: usize, overflow: Overflow) -> Self {
        let mut config = config::<L>(capacity, overflow);
        config.text_maximum = TEXT_MAXIMUM;
        config.text_bytes = config.capacity * u32::from(TEXT_MAXIMUM);
        let bytes = evagg_processes_storage_size(config.capacity, config.text_bytes);
        let (mut storage, mut handle) = (storage(bytes), null_mut());
        // SAFETY: the storage is as large as it says, and goes with the handle.
        let status =
            unsafe { evagg_processes_init(storage.as_mut_ptr().cast(), bytes, &raw const config, &raw mut handle) };
        assert_eq!(status, EVAGG_OK);
        let record: RecordProcess = evagg_processes_record;
        Self { handle, record: black_box(record), _storage: storage, lock: PhantomData }
    }

    #[inline]
    fn record(&mut self, key: &Process, observed: Observed) -> Outcome {
        let process = evagg_process_t {
            command_line: key.command_line().as_ptr().cast(),
            command_line_length: key.command_line().len(),
            user_id: key.user_id(),
            process_id: observed.bytes,
            parent_process_id: 1,
        };
        // SAFETY: the handle is live, and the command line has that many bytes.
        outcome(unsafe { (self.record)(self.handle, &raw const process, observed.now) })
    }

    fn drain(&mut self, mut each: impl FnMut(u32)) {
        let mut page = Vec::<evagg_process_record_t>::with_capacity(PAGE);
        let mut text = vec![0; PAGE * (usize::from(TEXT_MAXIMUM) + 1)];
        loop {
            let mut window = evagg_window_t::default();
            // SAFETY: as for connections, and there is room for the text of a page.
            let status = unsafe {
                let (records, text_bytes) = (page.as_mut_ptr(), text.len());
                let text = text.as_mut_ptr();
                let status = evagg_processes_flush(self.handle, 0, records, PAGE, text, text_bytes, &raw mut window);
                page.set_len(window.records as usize);
                status
            };
            page.iter().for_each(|record| each(record.hit_count));
            match status {
                EVAGG_OK => return,
                status => assert_eq!(status, EVAGG_MORE),
            }
        }
    }
}
