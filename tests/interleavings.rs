// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every order in which a few calls of two or three threads can take the lock: nothing is lost or doubled, no page mixes
//! two windows, nobody waits for ever. The lock is a mutex of loom, handed in by the callbacks.
//!
//! Loom sees its mutex alone: what is explored is the order of the sections that hold it. That the memory is touched
//! nowhere else is for `ThreadSanitizer` and the harness of the C tests to say.

#![expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "the calls of the C interface, on memory that the test owns"
)]
#![expect(clippy::borrow_as_ptr, clippy::cast_possible_truncation, reason = "a test")]

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::c_void;
use std::io::Write;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use evagg::ffi::config::*;
use evagg::ffi::connections::*;
use evagg::ffi::processes::*;
use evagg::ffi::status::*;
use evagg::ffi::warning::*;
use evagg::ffi::window::*;
use loom::sync::MutexGuard;

#[derive(Clone, Copy)]
struct Case {
    of_processes: bool,
    capacity: u32,
    policy: u8,
    delivery: u8,
    /// The callback records, flushes a page and merges it back.
    reenters: bool,
    /// Keys that are cached, and counted, before the threads begin.
    before: &'static [u32],
    recorders: &'static [&'static [u32]],
    /// Pages that each flusher takes.
    flushers: &'static [usize],
}

/// What the calls said, noted outside of the lock. Nothing here makes loom switch threads.
#[derive(Default)]
struct Ledger {
    offered: u64,
    merged: u64,
    left: BTreeMap<u32, u64>,
    ended: BTreeMap<u32, evagg_window_t>,
    pages: BTreeSet<(u32, u32)>,
    warned: BTreeMap<(u32, bool), u32>,
}

struct World {
    case: Case,
    lock: loom::sync::Mutex<()>,
    connections: *mut evagg_connections_t,
    processes: *mut evagg_processes_t,
    /// Windows that are known to be closed.
    closed: AtomicU32,
    reentries: AtomicU32,
    ledger: Mutex<Ledger>,
    storage: Vec<u64>,
}

// What is not synchronised is the handles, which do not change, and the storage, which the library locks.
unsafe impl Send for World {}
unsafe impl Sync for World {}

unsafe extern "C" fn acquire(context: *mut c_void) -> usize {
    let guard = unsafe { &(*context.cast::<World>()).lock }.lock().expect("no thread has panicked");
    Box::into_raw(Box::new(guard)) as usize
}

unsafe extern "C" fn release(_: *mut c_void, state: usize) {
    drop(unsafe { Box::from_raw(state as *mut MutexGuard<'_, ()>) });
}

unsafe extern "C" fn warn(context: *mut c_void, warning: *const evagg_warning_t) {
    let world = unsafe { &*context.cast::<World>() };
    let warning = unsafe { &*warning };
    *world.note().warned.entry((warning.window, warning.code == EVAGG_WARNING_LOSSES)).or_default() += 1;
    if world.case.reenters && world.reentries.fetch_add(1, SeqCst) == 0 {
        world.record(9);
        world.flush(true);
    }
}

fn connection(key: u32) -> evagg_connection_t {
    evagg_connection_t {
        local_address: [1; 16],
        remote_address: [9; 16],
        local_port: key as u16,
        remote_port: 443,
        protocol: 6,
        ip_version: 6,
    }
}

impl World {
    fn new(case: Case) -> Arc<Self> {
        let bytes = if case.of_processes {
            evagg_processes_storage_size(case.capacity, case.capacity)
        } else {
            evagg_connections_storage_size(case.capacity)
        };
        let mut world = Arc::new(Self {
            case,
            lock: loom::sync::Mutex::new(()),
            connections: null_mut(),
            processes: null_mut(),
            closed: AtomicU32::new(0),
            reentries: AtomicU32::new(0),
            ledger: Mutex::default(),
            storage: vec![0; bytes.div_ceil(8)],
        });
        let config = evagg_config_t {
            capacity: case.capacity,
            hash_seed: 42,
            text_bytes: case.capacity,
            text_maximum: 1,
            overflow_policy: case.policy,
            warning_delivery: case.delivery,
            acquire: Some(acquire),
            release: Some(release),
            lock_context: Arc::as_ptr(&world).cast_mut().cast(),
            ..evagg_config_t::default()
        };
        let context = config.lock_context;
        let own = Arc::get_mut(&mut world).expect("it is new");
        let storage = own.storage.as_mut_ptr().cast();
        let statuses = unsafe {
            if case.of_processes {
                let made = evagg_processes_init(storage, bytes, &config, &mut own.processes);
                (made, evagg_processes_set_warning_callback(own.processes, Some(warn), context))
            } else {
                let made = evagg_connections_init(storage, bytes, &config, &mut own.connections);
                (made, evagg_connections_set_warning_callback(own.connections, Some(warn), context))
            }
        };
        assert_eq!(statuses, (EVAGG_OK, EVAGG_OK));
        world
    }

    fn note(&self) -> std::sync::MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no thread has panicked")
    }

    /// The time of an event is the number of windows known to be closed when it is given.
    fn record(&self, key: u32) {
        let now = self.closed.load(SeqCst);
        self.note().offered += 1;
        let status = unsafe {
            if self.case.of_processes {
                let text = [b'0' + key as u8];
                let process = evagg_process_t {
                    command_line: text.as_ptr().cast(),
                    command_line_length: 1,
                    user_id: key,
                    process_id: 1,
                    parent_process_id: 1,
                };
                evagg_processes_record(self.processes, &process, now)
            } else {
                evagg_connections_record(self.connections, &connection(key), EVAGG_IN, 1, now)
            }
        };
        assert!(matches!(status, EVAGG_FIRST | EVAGG_COUNTED | EVAGG_REJECTED));
    }

    /// A page of one record, which may be merged back.
    fn flush(&self, is_put_back: bool) -> evagg_status_t {
        let now = self.closed.load(SeqCst);
        let mut window = evagg_window_t::default();
        let (status, key, hits, last_seen);
        unsafe {
            if self.case.of_processes {
                let mut record = std::mem::zeroed::<evagg_process_record_t>();
                let mut text = [0; 2];
                let (to, size) = (text.as_mut_ptr(), text.len());
                status = evagg_processes_flush(self.processes, now, &mut record, 1, to.cast(), size, &mut window);
                (key, hits, last_seen) = (record.user_id, record.hit_count, record.last_seen);
                if window.records == 1 {
                    assert_eq!(text, [b'0' + key as u8, 0]);
                    if is_put_back {
                        self.note().merged += u64::from(hits);
                        assert_eq!(evagg_processes_merge(self.processes, &record, 1), EVAGG_OK);
                    }
                }
            } else {
                let mut record = std::mem::zeroed::<evagg_connection_record_t>();
                status = evagg_connections_flush(self.connections, now, &mut record, 1, &mut window);
                (key, hits, last_seen) = (record.connection.local_port.into(), record.hit_count, record.last_seen);
                assert_eq!((record.bytes_in, record.bytes_out), (hits, 0));
                if window.records == 1 && is_put_back {
                    self.note().merged += u64::from(hits);
                    assert_eq!(evagg_connections_merge(self.connections, &record, 1), EVAGG_OK);
                }
            }
        }
        assert!(matches!(status, EVAGG_OK | EVAGG_MORE));
        let mut ledger = self.note();
        if window.records == 1 {
            assert!(last_seen <= window.sequence, "an event of a later window");
            assert!(ledger.pages.insert((window.sequence, key)), "a record of a window twice");
            *ledger.left.entry(window.sequence).or_default() += u64::from(hits);
        }
        if status == EVAGG_OK {
            let entered = u64::from(window.offered) + u64::from(window.merged);
            assert_eq!(entered, u64::from(window.kept) + u64::from(window.rejected) + u64::from(window.discarded));
            if let Some(told) = ledger.ended.insert(window.sequence, window) {
                assert_eq!((told.kept, told.offered), (window.kept, window.offered));
                assert_eq!((told.rejected, told.discarded), (window.rejected, window.discarded));
            }
            // A page that comes as its window is complete says which that was; others may be without a window.
            self.closed.fetch_max(window.sequence + 1, SeqCst);
        } else if window.records == 1 {
            self.closed.fetch_max(window.sequence + 1, SeqCst);
        }
        status
    }

    fn statistics(&self) -> evagg_statistics_t {
        let mut statistics = evagg_statistics_t::default();
        let status = unsafe {
            if self.case.of_processes {
                evagg_processes_statistics(self.processes, &mut statistics)
            } else {
                evagg_connections_statistics(self.connections, &mut statistics)
            }
        };
        assert_eq!(status, EVAGG_OK);
        statistics
    }

    fn check(&self) {
        let statistics = self.statistics();
        let ledger = self.note();
        assert_eq!((statistics.offered, statistics.merged), (ledger.offered, ledger.merged));
        let left: u64 = ledger.left.values().sum();
        assert_eq!(ledger.offered + ledger.merged, left + statistics.rejected + statistics.discarded);
        assert_eq!(ledger.ended.len(), statistics.windows as usize);
        for (sequence, window) in &ledger.ended {
            assert_eq!(u64::from(window.kept), ledger.left.get(sequence).copied().unwrap_or(0));
            let is_lossy = window.rejected + window.discarded > 0;
            for is_last in [false, true] {
                assert_eq!(ledger.warned.get(&(*sequence, is_last)).copied(), is_lossy.then_some(1));
            }
        }
    }
}

/// Runs every order; answers with how many there are.
fn explore(case: Case) -> u64 {
    let schedules = Arc::new(AtomicU64::new(0));
    let counter = schedules.clone();
    loom::model::Builder::new().check(move || {
        counter.fetch_add(1, SeqCst);
        let world = World::new(case);
        case.before.iter().for_each(|&key| world.record(key));
        let mut threads = Vec::new();
        for &keys in case.recorders {
            let world = world.clone();
            threads.push(loom::thread::spawn(move || keys.iter().for_each(|&key| world.record(key))));
        }
        for &pages in case.flushers {
            let world = world.clone();
            threads.push(loom::thread::spawn(move || {
                for _ in 0..pages {
                    world.flush(false);
                }
            }));
        }
        for thread in threads {
            thread.join().expect("it does not panic");
        }
        // What waits, what is current, and a last one for what the callback did meanwhile.
        for _ in 0..3 {
            while world.flush(false) == EVAGG_MORE {}
        }
        world.check();
    });
    schedules.load(SeqCst)
}

/// Small ones; with EVAGG_LONG set, larger ones in every variant, which take minutes.
fn cases() -> Vec<Case> {
    let is_long = std::env::var_os("EVAGG_LONG").is_some();
    let recording = Case {
        of_processes: false,
        capacity: 2,
        policy: EVAGG_REJECT_NEW,
        delivery: EVAGG_WARN_AT_ONCE,
        reenters: false,
        before: &[1],
        recorders: if is_long { &[&[1, 2], &[3]] } else { &[&[1], &[2]] },
        flushers: &[2],
    };
    let reentering = Case { reenters: true, before: &[1, 2], recorders: &[&[3]], ..recording };
    let two_flushers =
        Case { before: &[1, 2], recorders: &[&[1]], flushers: if is_long { &[2, 2] } else { &[1, 1] }, ..recording };
    let mut cases = Vec::new();
    for case in [recording, reentering, two_flushers] {
        for of_processes in [false, true] {
            for policy in [EVAGG_REJECT_NEW, EVAGG_DISCARD_OLDEST] {
                cases.push(Case { of_processes, policy, ..case });
                if is_long || case.reenters {
                    cases.push(Case { of_processes, policy, delivery: EVAGG_WARN_AT_FLUSH, ..case });
                }
            }
        }
    }
    cases
}

#[test]
fn every_interleaving_of_small_cases_is_accounted_for() {
    let cases = cases();
    let schedules: u64 = cases.iter().copied().map(explore).sum();
    // Past the capture of a test's output.
    let line = format!("evidence interleavings: {schedules} schedules of {} cases, totals exact\n", cases.len());
    std::io::stdout().write_all(line.as_bytes()).expect("it can be printed");
}
