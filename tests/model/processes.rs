// SPDX-License-Identifier: MIT OR Apache-2.0

use std::ptr::{null, null_mut};

use evagg::ffi::connections::{evagg_connections_attach, evagg_connections_length, evagg_connections_t};
use evagg::ffi::processes::*;
use evagg::ffi::status::*;

use super::call::{Config, Lock};
use super::naive::{Kind, Record};
use super::packets::Packet;
use super::subject::{Instance, Subject, Verbs, dirty_window, numbers};

pub struct Processes {
    it: Instance<evagg_processes_t>,
    /// Of the whole command line of each key, once known.
    hashes: Vec<Option<u64>>,
}

static VERBS: Verbs<evagg_processes_t> = Verbs {
    init: evagg_processes_init,
    attach: evagg_processes_attach,
    deinit: evagg_processes_deinit,
    set_warning_callback: evagg_processes_set_warning_callback,
    set_overflow_policy: evagg_processes_set_overflow_policy,
    set_enabled: evagg_processes_set_enabled,
    due: evagg_processes_due,
    length: evagg_processes_length,
    statistics: evagg_processes_statistics,
};

const EMPTY: evagg_process_record_t = evagg_process_record_t {
    hash: 0,
    command_line: null(),
    command_line_length: 0,
    full_length: 0,
    user_id: 0,
    process_id: 0,
    parent_process_id: 0,
    hit_count: 0,
    first_seen: 0,
    last_seen: 0,
    flags: 99,
    reserved: 0,
};

const UNTOUCHED: u8 = 0xEE;

fn text_length(key: u8) -> usize {
    [0, 1, 2, 5, 8, 9, 17, 17][usize::from(key >> 1 & 7)]
}

/// Of the long ones, most differ in the last byte only, which is often not kept.
fn command_line(key: u8) -> Vec<u8> {
    let length = text_length(key);
    let mut text = vec![b'x'; length];
    if length > 0 {
        text[if text_length(key) == 17 && key & 2 != 0 { 0 } else { length - 1 }] = key >> 4;
    }
    text
}

/// Tells apart what the command line does not.
fn user_id(key: u8) -> u32 {
    let user = 1000 + u32::from(key & 1);
    if text_length(key) == 0 { user + 2 * u32::from(key >> 4) } else { user }
}

fn c_process(command_line: &[u8], record: &Record) -> evagg_process_t {
    evagg_process_t {
        command_line: if command_line.is_empty() { null() } else { command_line.as_ptr().cast() },
        command_line_length: command_line.len(),
        user_id: user_id(record.key),
        process_id: record.ids.0,
        parent_process_id: record.ids.1,
    }
}

impl Processes {
    fn kept(&self, key: u8) -> usize {
        text_length(key).min(self.it.config.text_maximum.into())
    }

    fn record_of(&mut self, record: &evagg_process_record_t) -> Record {
        let key = record.process_id as u8;
        let text = command_line(key);
        let kept =
            unsafe { std::slice::from_raw_parts(record.command_line.cast(), record.command_line_length as usize + 1) };
        assert_eq!(kept.split_last(), Some((&0, &text[..self.kept(key)])));
        assert_eq!((record.full_length as usize, record.user_id, record.reserved), (text.len(), user_id(key), 0));
        assert_eq!(*self.hashes[usize::from(key)].get_or_insert(record.hash), record.hash);
        Record {
            key,
            hits: record.hit_count,
            bytes: [0, 0],
            first_seen: self.it.config.time(record.first_seen),
            last_seen: self.it.config.time(record.last_seen),
            ids: (record.process_id, record.parent_process_id),
            flags: record.flags,
        }
    }

    /// As another instance of the same seed gives it. What is all here is not believed, so it need not be right.
    fn hash(&mut self, key: u8) -> u64 {
        if self.kept(key) == text_length(key) {
            return u64::from(key);
        }
        if self.hashes[usize::from(key)].is_none() {
            let mut other = Self::new(&Config { capacity: 1, lock: Lock::OneContext, ..self.it.config });
            let ids = (key.into(), 0);
            let event = Record { key, hits: 1, bytes: [0, 0], first_seen: 0, last_seen: 0, ids, flags: 0 };
            assert_eq!(other.record(&event, false), EVAGG_FIRST);
            let room = usize::from(self.it.config.text_maximum) + 1;
            assert_eq!(other.flush(0, 1, room).0, EVAGG_OK);
            self.hashes[usize::from(key)] = other.hashes[usize::from(key)];
        }
        self.hashes[usize::from(key)].expect("it was just flushed")
    }

    fn c_record(&mut self, text: &[u8], record: &Record) -> evagg_process_record_t {
        evagg_process_record_t {
            hash: self.hash(record.key),
            command_line: if text.is_empty() { null() } else { text.as_ptr().cast() },
            command_line_length: text.len() as u32,
            full_length: text_length(record.key) as u32,
            user_id: user_id(record.key),
            process_id: record.ids.0,
            parent_process_id: record.ids.1,
            hit_count: record.hits,
            first_seen: self.it.config.tick(record.first_seen),
            last_seen: self.it.config.tick(record.last_seen),
            flags: record.flags,
            reserved: 0,
        }
    }
}

impl Subject for Processes {
    type Handle = evagg_processes_t;
    const NAME: &'static str = "processes";
    const KIND: Kind = Kind { noun: "process", has_text: true, discards_by_default: true, text_length };

    fn new(config: &Config) -> Self {
        let bytes = evagg_processes_storage_size(config.capacity.into(), config.text_bytes());
        Self { it: Instance::new(config, &VERBS, bytes), hashes: vec![None; 256] }
    }

    fn instance(&mut self) -> &mut Instance<evagg_processes_t> {
        &mut self.it
    }

    fn record(&mut self, event: &Record, _: bool) -> evagg_status_t {
        let command_line = command_line(event.key);
        let process = c_process(&command_line, event);
        unsafe { evagg_processes_record(self.it.handle, &process, self.it.config.tick(event.first_seen)) }
    }

    fn record_packet(&mut self, _: Packet, _: i64) -> Option<evagg_status_t> {
        None
    }

    fn flush(&mut self, now: i64, count: usize, text_room: usize) -> (evagg_status_t, Vec<Record>, [u32; 10]) {
        let mut records = vec![EMPTY; count + 1];
        let mut text = vec![UNTOUCHED; text_room + 1];
        let (mut window, now) = (dirty_window(), self.it.config.tick(now));
        let status = unsafe {
            let (handle, page, text) = (self.it.handle, records.as_mut_ptr(), text.as_mut_ptr().cast());
            evagg_processes_flush(handle, now, page, count, text, text_room, &mut window)
        };
        let (page, rest) = records.split_at(window.records as usize);
        assert!(rest.iter().all(|record| record.flags == EMPTY.flags), "more was written than is said");
        let used: usize = page.iter().map(|record| record.command_line_length as usize + 1).sum();
        assert!(text[used..].iter().all(|byte| *byte == UNTOUCHED), "more text was written than is said");
        (status, page.iter().map(|record| self.record_of(record)).collect(), numbers(&window))
    }

    fn merge(&mut self, records: &[Record]) -> evagg_status_t {
        let texts: Vec<_> =
            records.iter().map(|record| command_line(record.key)[..self.kept(record.key)].to_vec()).collect();
        let records: Vec<_> = records.iter().zip(&texts).map(|(record, text)| self.c_record(text, record)).collect();
        let pointer = if records.is_empty() { null() } else { records.as_ptr() };
        unsafe { evagg_processes_merge(self.it.handle, pointer, records.len()) }
    }

    fn wrong(&mut self, which: u8) -> (evagg_status_t, evagg_status_t) {
        let handle = self.it.handle;
        let mut good = evagg_process_t {
            command_line: c"x".as_ptr(),
            command_line_length: 1,
            user_id: 1,
            process_id: 1,
            parent_process_id: 1,
        };
        let mut records = [evagg_process_record_t { hit_count: 1, flags: 0, ..EMPTY }; 2];
        let least = usize::from(self.it.config.text_maximum) + 1;
        let mut text = vec![UNTOUCHED; least];
        let mut window = dirty_window();
        let (page, text) = (records.as_mut_ptr(), text.as_mut_ptr().cast());
        let (status, expected) = unsafe {
            match which % (Instance::<Self::Handle>::WRONG + 17) {
                0 => (evagg_processes_record(null_mut(), &good, 0), EVAGG_ERROR_NULL_ARGUMENT),
                1 => (evagg_processes_record(handle, null(), 0), EVAGG_ERROR_NULL_ARGUMENT),
                2 => {
                    good.command_line = null();
                    (evagg_processes_record(handle, &good, 0), EVAGG_ERROR_NULL_ARGUMENT)
                }
                3 => {
                    let (room, window) = (least - 1, &mut window);
                    let status = evagg_processes_flush(handle, 9, page, 1, text, room, window);
                    (status, EVAGG_ERROR_BUFFER_TOO_SMALL)
                }
                4 => {
                    let status = evagg_processes_flush(handle, 9, page, 0, text, least, &mut window);
                    (status, EVAGG_ERROR_BUFFER_TOO_SMALL)
                }
                5 => {
                    let status = evagg_processes_flush(handle, 9, page, 1, null_mut(), least, &mut window);
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                6 => {
                    let status = evagg_processes_flush(handle, 9, null_mut(), 1, text, least, &mut window);
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                7 => {
                    let status = evagg_processes_flush(handle, 9, page, 1, text, least, null_mut());
                    (status, EVAGG_ERROR_NULL_ARGUMENT)
                }
                8 => (evagg_processes_merge(handle, null(), 1), EVAGG_ERROR_NULL_ARGUMENT),
                9 => {
                    records[1].hit_count = 0;
                    (evagg_processes_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_BAD_VALUE)
                }
                10 => {
                    records[1].flags = 4;
                    (evagg_processes_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_BAD_VALUE)
                }
                11 => {
                    records[1].command_line_length = 1;
                    (evagg_processes_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_NULL_ARGUMENT)
                }
                12 => {
                    let other: *const evagg_connections_t = handle.cast();
                    (evagg_connections_length(other, &mut window.records), EVAGG_ERROR_NOT_INITIALISED)
                }
                13 => {
                    let config = self.it.c_config();
                    (self.it.attach_copy(evagg_connections_attach, &config, &[]), EVAGG_ERROR_NOT_INITIALISED)
                }
                wrong @ 14..17 => {
                    let mut config = self.it.c_config();
                    match wrong {
                        14 => config.text_bytes += 1,
                        15 => config.text_maximum -= 1,
                        _ => {
                            config.text_bytes += 1;
                            config.text_maximum += 1;
                        }
                    }
                    (self.it.attach_copy(evagg_processes_attach, &config, &[]), EVAGG_ERROR_BAD_VALUE)
                }
                shared => self.it.wrong(shared - 17),
            }
        };
        assert!(!(3..=6).contains(&which) || numbers(&window) == [0; 10]);
        (status, expected)
    }
}
