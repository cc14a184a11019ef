// SPDX-License-Identifier: MIT OR Apache-2.0
//! Damaged storage given to attach. It is refused and untouched, or what was taken for an instance does all that an
//! instance does: it records, flushes to the end, and adds up.
//!
//! `EVAGG_LONG=1` tries a hundred times as many images.

#![expect(
    unsafe_code,
    clippy::undocumented_unsafe_blocks,
    reason = "the calls of the C interface, on memory that the test owns"
)]
#![expect(clippy::borrow_as_ptr, clippy::cast_possible_truncation, reason = "a test")]

use std::env::var_os;
use std::ffi::{CStr, c_void};
use std::ops::Range;
use std::ptr::null_mut;
use std::sync::Mutex;

use evagg::ffi::config::*;
use evagg::ffi::connections::*;
use evagg::ffi::processes::*;
use evagg::ffi::status::*;
use evagg::ffi::warning::*;
use evagg::ffi::window::*;

const CAPACITY: usize = 4;
const TEXT_MAXIMUM: usize = 8;
const TEXT_BYTES: u32 = 20;
const REGIONS: [&str; 6] = ["mark", "state", "sketch", "entries", "index", "text"];

/// The image that is tried, to be shown when the library panics, which ends the program.
static TRIED: Mutex<String> = Mutex::new(String::new());

fn config(policy: u8) -> evagg_config_t {
    evagg_config_t {
        capacity: CAPACITY as u32,
        hash_seed: 7,
        text_bytes: TEXT_BYTES,
        start: 100,
        text_maximum: TEXT_MAXIMUM as u16,
        overflow_policy: policy,
        ..evagg_config_t::default()
    }
}

type Start<H> = unsafe extern "C" fn(*mut c_void, usize, *const evagg_config_t, *mut *mut H) -> evagg_status_t;

/// The functions of a kind under one name each.
trait Kind {
    type Handle;
    type Record: Copy;
    const NAME: &'static str;
    const INIT: Start<Self::Handle>;
    const ATTACH: Start<Self::Handle>;
    const DEINIT: unsafe extern "C" fn(*mut Self::Handle) -> evagg_status_t;
    const LISTEN: unsafe extern "C" fn(*mut Self::Handle, evagg_warning_callback_t, *mut c_void) -> evagg_status_t;
    const SET_POLICY: unsafe extern "C" fn(*mut Self::Handle, u8) -> evagg_status_t;
    const DUE: unsafe extern "C" fn(*const Self::Handle, evagg_time_t) -> evagg_status_t;
    const LENGTH: unsafe extern "C" fn(*const Self::Handle, *mut u32) -> evagg_status_t;
    const STATISTICS: unsafe extern "C" fn(*const Self::Handle, *mut evagg_statistics_t) -> evagg_status_t;
    const MERGE: unsafe extern "C" fn(*mut Self::Handle, *const Self::Record, usize) -> evagg_status_t;

    fn storage_size(capacity: usize) -> usize;
    unsafe fn record(handle: *mut Self::Handle, key: u8, now: u32) -> evagg_status_t;
    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record; 2],
        text: &mut [u8; 40],
        window: &mut evagg_window_t,
    ) -> evagg_status_t;
    /// The hits of a record; fails for one that no flush may give.
    fn check(record: &Self::Record, text: &[u8; 40]) -> u32;
    fn hits(record: &mut Self::Record) -> &mut u32;
}

struct Connections;

impl Kind for Connections {
    type Handle = evagg_connections_t;
    type Record = evagg_connection_record_t;
    const NAME: &'static str = "connections";
    const INIT: Start<Self::Handle> = evagg_connections_init;
    const ATTACH: Start<Self::Handle> = evagg_connections_attach;
    const DEINIT: unsafe extern "C" fn(*mut Self::Handle) -> evagg_status_t = evagg_connections_deinit;
    const LISTEN: unsafe extern "C" fn(*mut Self::Handle, evagg_warning_callback_t, *mut c_void) -> evagg_status_t =
        evagg_connections_set_warning_callback;
    const SET_POLICY: unsafe extern "C" fn(*mut Self::Handle, u8) -> evagg_status_t =
        evagg_connections_set_overflow_policy;
    const DUE: unsafe extern "C" fn(*const Self::Handle, evagg_time_t) -> evagg_status_t = evagg_connections_due;
    const LENGTH: unsafe extern "C" fn(*const Self::Handle, *mut u32) -> evagg_status_t = evagg_connections_length;
    const STATISTICS: unsafe extern "C" fn(*const Self::Handle, *mut evagg_statistics_t) -> evagg_status_t =
        evagg_connections_statistics;
    const MERGE: unsafe extern "C" fn(*mut Self::Handle, *const Self::Record, usize) -> evagg_status_t =
        evagg_connections_merge;

    fn storage_size(capacity: usize) -> usize {
        evagg_connections_storage_size(capacity as u32)
    }

    unsafe fn record(handle: *mut Self::Handle, key: u8, now: u32) -> evagg_status_t {
        let connection = evagg_connection_t {
            local_address: [key; 16],
            remote_address: [9; 16],
            local_port: key.into(),
            remote_port: 443,
            protocol: 6,
            ip_version: if key & 1 == 0 { 4 } else { 6 },
        };
        unsafe { evagg_connections_record(handle, &connection, EVAGG_IN + (key & 1), 100, now) }
    }

    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record; 2],
        _: &mut [u8; 40],
        window: &mut evagg_window_t,
    ) -> evagg_status_t {
        unsafe { evagg_connections_flush(handle, now, records.as_mut_ptr(), records.len(), window) }
    }

    fn check(record: &Self::Record, _: &[u8; 40]) -> u32 {
        let it = &record.connection;
        assert!(record.hit_count >= 1 && matches!(it.ip_version, 4 | 6));
        assert_eq!(record.flags & !EVAGG_RECORD_SATURATED, 0);
        assert!(it.ip_version == 6 || (it.local_address[4..] == [0; 12] && it.remote_address[4..] == [0; 12]));
        record.hit_count
    }

    fn hits(record: &mut Self::Record) -> &mut u32 {
        &mut record.hit_count
    }
}

struct Processes;

impl Kind for Processes {
    type Handle = evagg_processes_t;
    type Record = evagg_process_record_t;
    const NAME: &'static str = "processes";
    const INIT: Start<Self::Handle> = evagg_processes_init;
    const ATTACH: Start<Self::Handle> = evagg_processes_attach;
    const DEINIT: unsafe extern "C" fn(*mut Self::Handle) -> evagg_status_t = evagg_processes_deinit;
    const LISTEN: unsafe extern "C" fn(*mut Self::Handle, evagg_warning_callback_t, *mut c_void) -> evagg_status_t =
        evagg_processes_set_warning_callback;
    const SET_POLICY: unsafe extern "C" fn(*mut Self::Handle, u8) -> evagg_status_t =
        evagg_processes_set_overflow_policy;
    const DUE: unsafe extern "C" fn(*const Self::Handle, evagg_time_t) -> evagg_status_t = evagg_processes_due;
    const LENGTH: unsafe extern "C" fn(*const Self::Handle, *mut u32) -> evagg_status_t = evagg_processes_length;
    const STATISTICS: unsafe extern "C" fn(*const Self::Handle, *mut evagg_statistics_t) -> evagg_status_t =
        evagg_processes_statistics;
    const MERGE: unsafe extern "C" fn(*mut Self::Handle, *const Self::Record, usize) -> evagg_status_t =
        evagg_processes_merge;

    fn storage_size(capacity: usize) -> usize {
        evagg_processes_storage_size(capacity as u32, TEXT_BYTES)
    }

    unsafe fn record(handle: *mut Self::Handle, key: u8, now: u32) -> evagg_status_t {
        let command_line = vec![b'a' + key; usize::from(key % 5) * 3];
        let process = evagg_process_t {
            command_line: command_line.as_ptr().cast(),
            command_line_length: command_line.len(),
            user_id: key.into(),
            process_id: now,
            parent_process_id: 1,
        };
        unsafe { evagg_processes_record(handle, &process, now) }
    }

    unsafe fn flush(
        handle: *mut Self::Handle,
        now: u32,
        records: &mut [Self::Record; 2],
        text: &mut [u8; 40],
        window: &mut evagg_window_t,
    ) -> evagg_status_t {
        let (text, room) = (text.as_mut_ptr().cast(), text.len());
        unsafe { evagg_processes_flush(handle, now, records.as_mut_ptr(), records.len(), text, room, window) }
    }

    fn check(record: &Self::Record, text: &[u8; 40]) -> u32 {
        let start = record.command_line.addr().checked_sub(text.as_ptr().addr()).expect("it is in the buffer");
        let length = record.command_line_length as usize;
        assert_eq!(text[start + length], 0);
        assert!(record.hit_count >= 1 && length <= TEXT_MAXIMUM && record.command_line_length <= record.full_length);
        let truncated = if record.command_line_length < record.full_length { EVAGG_RECORD_TRUNCATED } else { 0 };
        assert_eq!((record.flags & !EVAGG_RECORD_SATURATED, record.reserved), (truncated, 0));
        record.hit_count
    }

    fn hits(record: &mut Self::Record) -> &mut u32 {
        &mut record.hit_count
    }
}

unsafe extern "C" fn listen(_: *mut c_void, warning: *const evagg_warning_t) {
    let (warning, text) = unsafe { (&*warning, CStr::from_ptr((*warning).text)) };
    let is_right = matches!(warning.code, EVAGG_WARNING_CACHE_FULL..=EVAGG_WARNING_LOSSES)
        && warning.capacity as usize == CAPACITY
        && text.to_str().is_ok_and(|text| text.contains(" full: "));
    assert!(is_right);
}

/// Storage of some bytes, with a word behind that must not change.
struct Storage {
    words: Vec<u64>,
    bytes: usize,
}

impl Storage {
    fn holding(image: &[u8]) -> Self {
        let mut words = vec![u64::MAX / 3; image.len().div_ceil(8) + 1];
        unsafe { words.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(image.as_ptr(), image.len()) };
        Self { words, bytes: image.len() }
    }

    fn start(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    fn image(&self) -> &[u8] {
        unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast(), self.bytes) }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        let all = unsafe { std::slice::from_raw_parts(self.words.as_ptr().cast::<u8>(), self.words.len() * 8) };
        let is_untouched = all[self.bytes..].iter().all(|byte| *byte == 0x55);
        assert!(is_untouched || std::thread::panicking(), "something was written behind the storage");
    }
}

struct Page<K: Kind> {
    status: evagg_status_t,
    window: evagg_window_t,
    records: [K::Record; 2],
    /// What the records point to.
    text: Box<[u8; 40]>,
}

fn page<K: Kind>(handle: *mut K::Handle, now: u32) -> Page<K> {
    let mut page = Page {
        status: 0,
        window: evagg_window_t::default(),
        records: unsafe { std::mem::zeroed() },
        text: Box::new([0xA5; 40]),
    };
    page.status = unsafe { K::flush(handle, now, &mut page.records, &mut page.text, &mut page.window) };
    assert!(matches!(page.status, EVAGG_OK | EVAGG_MORE));
    page
}

/// The numbers of keys to record, pages to flush (with `P`), and more: what an instance went through.
const SITUATIONS: [(&str, u8, &str); 10] = [
    ("empty", EVAGG_REJECT_NEW, ""),
    ("some", EVAGG_REJECT_NEW, "1232"),
    ("full", EVAGG_REJECT_NEW, "5678556"),
    ("rejecting", EVAGG_REJECT_NEW, "567812343"),
    ("discarding", EVAGG_DISCARD_OLDEST, "12341223456789"),
    ("draining", EVAGG_REJECT_NEW, "1234P56P"),
    ("draining and full", EVAGG_REJECT_NEW, "05678P0567"),
    ("draining and discarding", EVAGG_DISCARD_OLDEST, "01234P5678"),
    ("wrapped", EVAGG_DISCARD_OLDEST, "234PP78P9M34"),
    ("saturated", EVAGG_REJECT_NEW, "12P3S45PS"),
];

fn image_of<K: Kind>(policy: u8, calls: &str) -> Vec<u8> {
    let mut storage = Storage::holding(&vec![0xAA; K::storage_size(CAPACITY)]);
    let (mut handle, bytes) = (null_mut(), storage.bytes);
    let mut last = None;
    unsafe {
        assert_eq!(K::INIT(storage.start(), bytes, &config(policy), &mut handle), EVAGG_OK);
        for (now, call) in (100..).zip(calls.bytes()) {
            match call {
                b'P' => last = Some(page::<K>(handle, now)),
                b'M' | b'S' => {
                    let Some(Page { records, text: _text, .. }) = &mut last else { panic!("nothing was flushed") };
                    if call == b'S' {
                        *K::hits(&mut records[0]) = u32::MAX;
                    }
                    assert_eq!(K::MERGE(handle, records.as_ptr(), 1), EVAGG_OK);
                }
                key => assert!(K::record(handle, key - b'0', now) >= 0),
            }
        }
    }
    storage.image().to_vec()
}

/// Where the regions are, in the order of their names.
fn regions<K: Kind>() -> [Range<usize>; 6] {
    const BLOCK: usize = 64;
    // Magic number, layout and the most text of an entry.
    const MARK: usize = 8;
    let size = K::storage_size(CAPACITY);
    let each = K::storage_size(2) - K::storage_size(1);
    let index = CAPACITY * size_of::<usize>() / 2;
    let text = if K::NAME == "processes" { TEXT_BYTES as usize } else { 0 };
    let entries = size - text - CAPACITY * each;
    let ends = [MARK, entries - BLOCK, entries, size - text - index, size - text, size];
    let mut start = 0;
    ends.map(|end| std::mem::replace(&mut start, end)..end)
}

fn statistics<K: Kind>(handle: *mut K::Handle) -> evagg_statistics_t {
    let mut it = evagg_statistics_t::default();
    assert_eq!(unsafe { K::STATISTICS(handle, &mut it) }, EVAGG_OK);
    assert!((1..=65_535).contains(&it.recoveries) && it.high_water_mark as usize <= CAPACITY && it.reserved == 0);
    assert_eq!(it.counted, (it.offered + it.merged).saturating_sub(it.rejected));
    it
}

fn length<K: Kind>(handle: *mut K::Handle) -> usize {
    let mut length = 99;
    assert_eq!(unsafe { K::LENGTH(handle, &mut length) }, EVAGG_OK);
    length as usize
}

/// Both windows to their ends, each page merged back if `merges`; the windows as their last pages had them.
fn flush_to_the_end<K: Kind>(handle: *mut K::Handle, now: u32, merges: bool) -> [evagg_window_t; 2] {
    [true, false].map(|is_waiting| {
        let (mut hits, mut is_saturated) = (0_u64, false);
        // Every page but the last, and but one that gives a warning instead, has a record.
        for pages in 0.. {
            assert!(pages <= CAPACITY + 2, "the flush does not end");
            let page = page::<K>(handle, now);
            let records = &page.records[..page.window.records as usize];
            for record in records {
                let of_record = K::check(record, &page.text);
                is_saturated |= of_record == u32::MAX;
                hits += u64::from(of_record);
            }
            if merges {
                assert_eq!(unsafe { K::MERGE(handle, records.as_ptr(), records.len()) }, EVAGG_OK);
            }
            if page.status == EVAGG_OK {
                let it = page.window;
                // Of a window that waits, pages may be gone already. What is saturated does not add up.
                let adds_up = hits == it.kept.into() || (is_waiting && hits < it.kept.into());
                is_saturated |= [it.offered, it.merged, it.rejected, it.discarded, it.kept].contains(&u32::MAX);
                assert!(adds_up || is_saturated, "{hits} hits {:?}", [it.offered, it.merged, it.kept]);
                return it;
            }
        }
        unreachable!()
    })
}

/// Whatever was attached does what instances do.
fn use_to_the_end<K: Kind>(handle: *mut K::Handle, random: &mut Random) {
    let now = 1000;
    let mut recorded = 0;
    let mut fill = |random: &mut Random| {
        for policy in [EVAGG_REJECT_NEW, EVAGG_DISCARD_OLDEST] {
            assert_eq!(unsafe { K::SET_POLICY(handle, policy) }, EVAGG_OK);
            for _ in 0..=CAPACITY {
                assert!(unsafe { K::record(handle, random.below(10) as u8, now) } >= 0);
                assert!(length::<K>(handle) <= CAPACITY);
                recorded += 1;
            }
        }
    };
    let before = statistics::<K>(handle);
    unsafe {
        assert!(matches!(K::DUE(handle, now), EVAGG_OK | EVAGG_DUE));
        assert!(length::<K>(handle) <= CAPACITY);
        if random.below(2) == 0 {
            assert_eq!(K::LISTEN(handle, Some(listen), null_mut()), EVAGG_OK);
        }
    }
    if random.below(2) == 0 {
        fill(random);
    }
    flush_to_the_end::<K>(handle, now, true);
    fill(random);
    flush_to_the_end::<K>(handle, now, false);
    let after = statistics::<K>(handle);
    // A window's counter may have stood so near its maximum that it saturated.
    let offered = after.offered - before.offered;
    assert!(offered == recorded || (offered < recorded && after.offered >= u32::MAX.into()));
    assert!(after.merged >= before.merged && after.discarded >= before.discarded && after.rejected >= before.rejected);
    assert_eq!(length::<K>(handle), 0);
    // And now nothing of the damage is left.
    for key in [1, 2, 2, 3] {
        assert!(matches!(unsafe { K::record(handle, key, now) }, EVAGG_FIRST | EVAGG_COUNTED));
    }
    let [window, next] = flush_to_the_end::<K>(handle, now + 1, false);
    assert_eq!([window.offered, window.kept, window.merged, window.rejected, window.discarded], [4, 4, 0, 0, 0]);
    assert_eq!((window.start, window.end), (now, now + 1));
    assert_eq!((next.offered, next.kept, next.sequence), (0, 0, window.sequence.wrapping_add(1)));
    assert_eq!(unsafe { K::DEINIT(handle) }, EVAGG_OK);
}

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ it >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ it >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ it >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn within(&mut self, range: &Range<usize>) -> usize {
        range.start + self.below(range.len())
    }
}

fn flip(image: &mut [u8], random: &mut Random, region: &Range<usize>) {
    image[random.within(region)] ^= 1 << random.below(8);
}

#[derive(Default)]
struct Tally {
    refused: u64,
    accepted: u64,
    /// Refused and all, of single flips in each region.
    flips: [[u64; 2]; 6],
}

/// Refused and untouched, or accepted and usable. True if it was refused.
fn attach<K: Kind>(image: &[u8], bytes: usize, random: &mut Random) -> bool {
    let mut storage = Storage::holding(&image[..bytes]);
    let (policy, mut handle) = (random.below(3) as u8, storage.start().cast());
    let config = evagg_config_t { start: random.below(200) as u32, ..config(policy) };
    let status = unsafe { K::ATTACH(storage.start(), bytes, &config, &mut handle) };
    if status < 0 {
        assert!(handle.is_null());
        assert!(storage.image() == &image[..bytes], "a refusal has changed the storage");
        assert_eq!(bytes < image.len(), status == EVAGG_ERROR_STORAGE_TOO_SMALL);
        let statuses = [
            EVAGG_ERROR_STORAGE_TOO_SMALL,
            EVAGG_ERROR_STALE_HEADER,
            EVAGG_ERROR_BAD_VALUE,
            EVAGG_ERROR_NOT_INITIALISED,
            EVAGG_ERROR_CORRUPT,
        ];
        assert!(statuses.contains(&status), "{status}");
        return true;
    }
    assert_eq!((status, handle.cast(), bytes), (EVAGG_OK, storage.start(), image.len()));
    use_to_the_end::<K>(handle, random);
    false
}

fn damage<K: Kind>(count: u64, tally: &mut Tally) {
    let regions = regions::<K>();
    let images = SITUATIONS.map(|(_, policy, calls)| image_of::<K>(policy, calls));
    for number in 0..count {
        let mut random = Random(number);
        let situation = random.below(images.len());
        TRIED.lock().expect("no other thread").clone_from(&format!(
            "image {number} of {}, which was {}",
            K::NAME,
            SITUATIONS[situation].0
        ));
        let mut image = images[situation].clone();
        let everything = 0..image.len();
        let (mut bytes, mut flipped) = (image.len(), None);
        let chosen = random.below(regions.len());
        let region = if regions[chosen].is_empty() { &everything } else { &regions[chosen] };
        match random.below(12) {
            0..6 => {
                flip(&mut image, &mut random, region);
                flipped = (region != &everything).then_some(chosen);
            }
            6..8 => (0..2 + random.below(7)).for_each(|_| flip(&mut image, &mut random, &everything)),
            8 => image.fill_with(|| random.next() as u8),
            9 => image[region.clone()].fill_with(|| random.next() as u8),
            10 => {
                // Another situation from somewhere on, as if half of it had not been written.
                let from = random.below(image.len());
                image[from..].copy_from_slice(&images[random.below(images.len())][from..]);
            }
            _ if random.below(2) == 0 => bytes = random.below(image.len()),
            _ => {
                // A field with a small number, or with the largest.
                let field = random.below(image.len()) / 4 * 4;
                let value = [[0; 4], [1, 0, 0, 0], [random.below(16) as u8, 0, 0, 0], [0xFF; 4]][random.below(4)];
                image[field..].iter_mut().zip(value).for_each(|(byte, value)| *byte = value);
            }
        }
        let is_refused = attach::<K>(&image, bytes, &mut random);
        *(if is_refused { &mut tally.refused } else { &mut tally.accepted }) += 1;
        if let Some(region) = flipped {
            let [refused, all] = &mut tally.flips[region];
            (*refused, *all) = (*refused + u64::from(is_refused), *all + 1);
        }
    }
}

#[test]
fn what_is_damaged_is_refused_or_usable() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        eprintln!("{}", TRIED.try_lock().map(|tried| tried.clone()).unwrap_or_default());
        hook(info);
    }));
    let each = if var_os("EVAGG_LONG").is_some() { 1_000_000 } else { 10_000 };
    for situation in SITUATIONS {
        assert!(!attach::<Connections>(
            &image_of::<Connections>(situation.1, situation.2),
            Connections::storage_size(CAPACITY),
            &mut Random(0)
        ));
        assert!(!attach::<Processes>(
            &image_of::<Processes>(situation.1, situation.2),
            Processes::storage_size(CAPACITY),
            &mut Random(0)
        ));
    }
    let mut tally = Tally::default();
    damage::<Connections>(each, &mut tally);
    damage::<Processes>(each, &mut tally);
    let Tally { refused, accepted, flips } = tally;
    assert!(refused > each / 4 && accepted > each / 4);
    let shares: Vec<_> = REGIONS
        .iter()
        .zip(flips)
        .map(|(name, [refused, all])| format!("{name} {}%", (refused * 100 + all / 2) / all.max(1)))
        .collect();
    println!("evidence single bit flips refused: {}", shares.join(", "));
    println!(
        "evidence damaged images: {} images, {refused} refused untouched, {accepted} accepted and usable",
        refused + accepted
    );
}
