// SPDX-License-Identifier: MIT OR Apache-2.0

use std::ptr::{null, null_mut};

use evagg::ffi::connections::*;
use evagg::ffi::processes::{evagg_processes_attach, evagg_processes_length, evagg_processes_t};
use evagg::ffi::status::*;

use super::call::Config;
use super::naive::{Kind, Record};
use super::packets::{Packet, connection, key_of};
use super::subject::{Instance, Subject, Verbs, dirty_window, numbers};

pub struct Connections(Instance<evagg_connections_t>);

static VERBS: Verbs<evagg_connections_t> = Verbs {
    init: evagg_connections_init,
    attach: evagg_connections_attach,
    deinit: evagg_connections_deinit,
    set_warning_callback: evagg_connections_set_warning_callback,
    set_overflow_policy: evagg_connections_set_overflow_policy,
    set_enabled: evagg_connections_set_enabled,
    due: evagg_connections_due,
    length: evagg_connections_length,
    statistics: evagg_connections_statistics,
};

const EMPTY: evagg_connection_record_t = evagg_connection_record_t {
    connection: evagg_connection_t {
        local_address: [0; 16],
        remote_address: [0; 16],
        local_port: 0,
        remote_port: 0,
        protocol: 0,
        ip_version: 0,
    },
    flags: 99,
    hit_count: 0,
    bytes_in: 0,
    bytes_out: 0,
    first_seen: 0,
    last_seen: 0,
};

fn direction(is_out: bool) -> u8 {
    if is_out { EVAGG_OUT } else { EVAGG_IN }
}

/// As a caller may give it: of IPv4, the bytes that are not read hold anything.
fn littered(key: u8, litter: u8) -> evagg_connection_t {
    let mut connection = connection(key);
    if connection.ip_version == 4 {
        connection.local_address[4..].fill(litter);
        connection.remote_address[4..].fill(litter);
    }
    connection
}

impl Connections {
    fn c_record(&self, record: &Record) -> evagg_connection_record_t {
        evagg_connection_record_t {
            connection: littered(record.key, record.hits as u8),
            flags: record.flags,
            hit_count: record.hits,
            bytes_in: record.bytes[0],
            bytes_out: record.bytes[1],
            first_seen: self.0.config.tick(record.first_seen),
            last_seen: self.0.config.tick(record.last_seen),
        }
    }

    fn record_of(&self, record: &evagg_connection_record_t) -> Record {
        Record {
            key: key_of(&record.connection).expect("only such connections were recorded"),
            hits: record.hit_count,
            bytes: [record.bytes_in, record.bytes_out],
            first_seen: self.0.config.time(record.first_seen),
            last_seen: self.0.config.time(record.last_seen),
            ids: (0, 0),
            flags: record.flags,
        }
    }
}

impl Subject for Connections {
    type Handle = evagg_connections_t;
    const NAME: &'static str = "connections";
    const KIND: Kind = Kind { noun: "connection", has_text: false, discards_by_default: false, text_length: |_| 0 };

    fn new(config: &Config) -> Self {
        Self(Instance::new(config, &VERBS, evagg_connections_storage_size(config.capacity.into())))
    }

    fn instance(&mut self) -> &mut Instance<evagg_connections_t> {
        &mut self.0
    }

    fn record(&mut self, event: &Record, is_out: bool) -> evagg_status_t {
        let connection = littered(event.key, event.first_seen as u8);
        let (bytes, now) = (event.bytes[usize::from(is_out)], self.0.config.tick(event.first_seen));
        unsafe { evagg_connections_record(self.0.handle, &connection, direction(is_out), bytes, now) }
    }

    fn record_packet(&mut self, packet: Packet, now: i64) -> Option<evagg_status_t> {
        let (bytes, direction, now) = (packet.bytes(), direction(packet.is_out), self.0.config.tick(now));
        let pointer = if bytes.is_empty() { null() } else { bytes.as_ptr().cast() };
        Some(unsafe { evagg_connections_record_packet(self.0.handle, pointer, bytes.len(), direction, now) })
    }

    fn flush(&mut self, now: i64, count: usize, _: usize) -> (evagg_status_t, Vec<Record>, [u32; 10]) {
        let mut records = vec![EMPTY; count + 1];
        let (mut window, now) = (dirty_window(), self.0.config.tick(now));
        let status = unsafe { evagg_connections_flush(self.0.handle, now, records.as_mut_ptr(), count, &mut window) };
        let (page, rest) = records.split_at(window.records as usize);
        assert!(rest.iter().all(|record| record.flags == EMPTY.flags), "more was written than is said");
        (status, page.iter().map(|record| self.record_of(record)).collect(), numbers(&window))
    }

    fn merge(&mut self, records: &[Record]) -> evagg_status_t {
        let records: Vec<_> = records.iter().map(|record| self.c_record(record)).collect();
        let pointer = if records.is_empty() { null() } else { records.as_ptr() };
        unsafe { evagg_connections_merge(self.0.handle, pointer, records.len()) }
    }

    fn wrong(&mut self, which: u8) -> (evagg_status_t, evagg_status_t) {
        let handle = self.0.handle;
        let mut good = connection(0);
        let fine = evagg_connection_record_t { connection: good, flags: 0, hit_count: 1, ..EMPTY };
        let mut records = [fine; 2];
        let mut window = dirty_window();
        let page = records.as_mut_ptr();
        let (status, expected) = unsafe {
            match which % (Instance::<Self::Handle>::WRONG + 16) {
                0 => (evagg_connections_record(null_mut(), &good, EVAGG_IN, 1, 0), EVAGG_ERROR_NULL_ARGUMENT),
                1 => (evagg_connections_record(handle, null(), EVAGG_IN, 1, 0), EVAGG_ERROR_NULL_ARGUMENT),
                2 => (evagg_connections_record(handle, &good, 0, 1, 0), EVAGG_ERROR_BAD_VALUE),
                3 => (evagg_connections_record(handle, &good, 3, 1, 0), EVAGG_ERROR_BAD_VALUE),
                4 => {
                    good.ip_version = 5;
                    (evagg_connections_record(handle, &good, EVAGG_OUT, 1, 0), EVAGG_ERROR_BAD_VALUE)
                }
                5 => (evagg_connections_record_packet(handle, null(), 20, EVAGG_IN, 0), EVAGG_ERROR_NULL_ARGUMENT),
                6 => (evagg_connections_record_packet(handle, null(), 0, 0, 0), EVAGG_ERROR_BAD_VALUE),
                7 => (evagg_connections_flush(handle, 9, page, 0, &mut window), EVAGG_ERROR_BUFFER_TOO_SMALL),
                8 => (evagg_connections_flush(handle, 9, null_mut(), 1, &mut window), EVAGG_ERROR_NULL_ARGUMENT),
                9 => (evagg_connections_flush(handle, 9, page, 1, null_mut()), EVAGG_ERROR_NULL_ARGUMENT),
                10 => (evagg_connections_merge(handle, null(), 1), EVAGG_ERROR_NULL_ARGUMENT),
                11 => {
                    records[1].hit_count = 0;
                    (evagg_connections_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_BAD_VALUE)
                }
                12 => {
                    records[1].connection.ip_version = 5;
                    (evagg_connections_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_BAD_VALUE)
                }
                13 => {
                    records[1].flags = 2;
                    (evagg_connections_merge(handle, records.as_ptr(), 2), EVAGG_ERROR_BAD_VALUE)
                }
                14 => {
                    let other: *const evagg_processes_t = handle.cast();
                    (evagg_processes_length(other, &mut window.records), EVAGG_ERROR_NOT_INITIALISED)
                }
                15 => {
                    let config = self.0.c_config();
                    (self.0.attach_copy(evagg_processes_attach, &config, &[]), EVAGG_ERROR_NOT_INITIALISED)
                }
                shared => self.0.wrong(shared - 16),
            }
        };
        assert!(!(7..=8).contains(&which) || numbers(&window) == [0; 10]);
        (status, expected)
    }
}
