// SPDX-License-Identifier: MIT OR Apache-2.0
//! One raw packet, given to the library in both directions, with etherparse as the oracle.
//!
//! The input: a byte of which bit 0 is the direction and bits 1 to 3 the misalignment, then the packet.

use std::ptr::null_mut;

use etherparse::err::ip_auth::{HeaderError, HeaderSliceError};
use etherparse::*;
use evagg::ffi::config::*;
use evagg::ffi::connections::*;
use evagg::ffi::status::*;
use evagg::ffi::window::*;

use crate::{Storage, counts};

/// What a record is to say of a packet, without regard to its direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Seen {
    /// Source and destination.
    addresses: [[u8; 16]; 2],
    ports: [u16; 2],
    protocol: u8,
    ip_version: u8,
    bytes: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Unrecorded {
    Malformed,
    Ignored,
}

type Outcome = Result<Seen, Unrecorded>;

/// What is unequal to `Len` in etherparse and no error in evagg is commented.
fn expected(packet: &[u8]) -> Outcome {
    match packet.first().map(|byte| byte >> 4) {
        Some(4) => expected_v4(packet),
        Some(6) => expected_v6(packet),
        _ => Err(Unrecorded::Malformed),
    }
}

fn expected_v4(packet: &[u8]) -> Outcome {
    let header = Ipv4HeaderSlice::from_slice(packet).map_err(|_| Unrecorded::Malformed)?;
    let bytes = header.payload_len().map_err(|_| Unrecorded::Malformed)?;
    let payload = up_to(&packet[header.slice().len()..], bytes);
    Ok(Seen {
        addresses: [header.source(), header.destination()].map(|address| {
            let mut wide = [0; 16];
            wide[..4].copy_from_slice(&address);
            wide
        }),
        // etherparse walks over an authentication header. Behind IPv4, evagg takes it for another protocol.
        ports: expected_ports(header.protocol(), header.fragments_offset().value() != 0, payload)?,
        protocol: header.protocol().0,
        ip_version: 4,
        bytes: bytes.into(),
    })
}

fn expected_v6(packet: &[u8]) -> Outcome {
    let header = Ipv6HeaderSlice::from_slice(packet).map_err(|_| Unrecorded::Malformed)?;
    // etherparse takes a payload length of 0 for a jumbogram or for a segment that the hardware will cut; evagg for 0.
    let bytes = header.payload_length();
    let mut payload = up_to(&packet[header.slice().len()..], bytes);
    let mut protocol = header.next_header();
    let mut is_later_fragment = false;
    // Unlike etherparse, evagg takes hop-by-hop options at any place and knows three more extension headers, and does
    // not look for extension headers in the data of a later fragment.
    while !is_later_fragment {
        let (next, length) = match protocol {
            ip_number::IPV6_HOP_BY_HOP
            | ip_number::IPV6_ROUTE
            | ip_number::IPV6_DEST_OPTIONS
            | ip_number::MOBILITY
            | ip_number::HIP
            | ip_number::SHIM6 => {
                let header = Ipv6RawExtHeaderSlice::from_slice(payload).map_err(|_| Unrecorded::Malformed)?;
                (header.next_header(), header.slice().len())
            }
            ip_number::IPV6_FRAG => {
                let header = Ipv6FragmentHeaderSlice::from_slice(payload).map_err(|_| Unrecorded::Malformed)?;
                is_later_fragment = header.fragment_offset().value() != 0;
                (header.next_header(), header.slice().len())
            }
            ip_number::AUTH => match IpAuthHeaderSlice::from_slice(payload) {
                Ok(header) => (header.next_header(), header.slice().len()),
                // etherparse asks for the twelve bytes of RFC 4302; evagg goes by the length field alone.
                Err(HeaderSliceError::Content(HeaderError::ZeroPayloadLen)) => (IpNumber(payload[0]), 8),
                Err(HeaderSliceError::Len(_)) if payload.len() >= 8 && payload[1] == 0 => (IpNumber(payload[0]), 8),
                Err(HeaderSliceError::Len(_)) => return Err(Unrecorded::Malformed),
            },
            _ => break,
        };
        (protocol, payload) = (next, &payload[length..]);
    }
    Ok(Seen {
        addresses: [header.source(), header.destination()],
        ports: expected_ports(protocol, is_later_fragment, payload)?,
        protocol: protocol.0,
        ip_version: 6,
        bytes: bytes.into(),
    })
}

fn up_to(bytes: &[u8], length: u16) -> &[u8] {
    &bytes[..bytes.len().min(length.into())]
}

/// Of the transport header, evagg asks only that the shortest form is there.
fn expected_ports(protocol: IpNumber, is_later_fragment: bool, payload: &[u8]) -> Result<[u16; 2], Unrecorded> {
    let is_known = matches!(protocol, ip_number::TCP | ip_number::UDP | ip_number::ICMP | ip_number::IPV6_ICMP);
    if !is_known {
        return Err(Unrecorded::Ignored);
    }
    if is_later_fragment {
        return Ok([0, 0]);
    }
    let ports = match protocol {
        ip_number::TCP => payload.first_chunk::<{ TcpHeader::MIN_LEN }>().map(|shortest| {
            // etherparse checks the data offset too; evagg does not.
            let mut valid = *shortest;
            valid[12] = 5 << 4;
            let header = TcpHeaderSlice::from_slice(&valid).expect("a header without options");
            [header.source_port(), header.destination_port()]
        }),
        ip_number::UDP => {
            let header = UdpHeaderSlice::from_slice(payload).ok();
            header.map(|header| [header.source_port(), header.destination_port()])
        }
        // etherparse asks for more than the eight bytes of other messages where it is a timestamp.
        ip_number::ICMP => match Icmpv4Slice::from_slice(payload) {
            Err(error) if error.required_len == Icmpv4Header::MIN_LEN => None,
            _ => Some([0, 0]),
        },
        // etherparse asks for eight bytes; evagg for the four that RFC 4443 has in every message.
        _ => match Icmpv6Slice::from_slice(payload) {
            Err(error) if error.len < 4 => None,
            _ => Some([0, 0]),
        },
    };
    ports.ok_or(Unrecorded::Malformed)
}

/// The ports, where etherparse finds a transport header by itself; `expected` only took single headers from it.
fn found_by_etherparse(packet: &[u8]) -> Option<[u16; 2]> {
    let sliced = LaxSlicedPacket::from_ip(packet).ok()?;
    match sliced.net? {
        LaxNetSlice::Ipv4(ip) if ip.header().payload_len().is_err() || ip.extensions().auth.is_some() => return None,
        LaxNetSlice::Ipv6(ip) if ip.header().payload_length() == 0 => return None,
        _ => {}
    }
    match sliced.transport? {
        TransportSlice::Tcp(header) => Some([header.source_port(), header.destination_port()]),
        TransportSlice::Udp(header) => Some([header.source_port(), header.destination_port()]),
        TransportSlice::Icmpv4(_) | TransportSlice::Icmpv6(_) => Some([0, 0]),
        _ => None,
    }
}

/// What the IP header says is the end of the packet.
fn stated_length(packet: &[u8]) -> usize {
    match packet {
        [first, _, high, low, ..] if first >> 4 == 4 => u16::from_be_bytes([*high, *low]).into(),
        [first, _, _, _, high, low, ..] if first >> 4 == 6 => 40 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => packet.len(),
    }
}

struct Instance {
    handle: *mut evagg_connections_t,
    storage: Storage,
    statistics: [u64; 11],
}

const OFFERED: usize = 0;
const COUNTED: usize = 2;
const MALFORMED: usize = 5;
const IGNORED: usize = 6;
const DISABLED: usize = 7;
const HIGH_WATER_MARK: usize = 9;
const WINDOWS: usize = 10;

impl Instance {
    fn new() -> Self {
        let mut storage = Storage::new(evagg_connections_storage_size(2));
        let mut handle = null_mut();
        let config = evagg_config_t { capacity: 2, hash_seed: 7, ..evagg_config_t::default() };
        // SAFETY: the storage has that size.
        let status = unsafe { evagg_connections_init(storage.start(), storage.size(), &config, &mut handle) };
        assert_eq!(status, EVAGG_OK);
        Self { handle, storage, statistics: [0; 11] }
    }

    /// Gives it a copy of the packet that ends where its allocation ends.
    fn record(&mut self, packet: &[u8], misalignment: usize, direction: u8, now: u32) -> evagg_status_t {
        let copy = [&vec![0; misalignment][..], packet].concat().into_boxed_slice();
        let start = copy[misalignment..].as_ptr().cast();
        // SAFETY: the packet has that length.
        unsafe { evagg_connections_record_packet(self.handle, start, packet.len(), direction, now) }
    }

    fn check_record(&mut self, packet: &[u8], misalignment: usize, direction: u8, now: u32, expected: Expected) {
        let before = self.storage.image();
        let status = self.record(packet, misalignment, direction, now);
        assert_eq!(status, expected.0);
        for count in expected.1 {
            self.statistics[*count] += 1;
        }
        self.statistics[HIGH_WATER_MARK] = self.statistics[COUNTED].min(1);
        assert_eq!(self.statistics(), self.statistics);
        if !matches!(status, EVAGG_FIRST | EVAGG_COUNTED) {
            // The lowest byte of the one counter.
            let changed = before.iter().zip(self.storage.image()).filter(|(before, after)| **before != *after);
            assert_eq!(changed.count(), 1);
        }
    }

    fn statistics(&self) -> [u64; 11] {
        let mut statistics = evagg_statistics_t::default();
        // SAFETY: the instance is live.
        assert_eq!(unsafe { evagg_connections_statistics(self.handle, &mut statistics) }, EVAGG_OK);
        counts(&statistics)
    }

    fn flush(&mut self, now: u32) -> Vec<evagg_connection_record_t> {
        // SAFETY: zero is a value of each of its fields.
        let mut records = vec![unsafe { std::mem::zeroed() }; 2];
        let mut window = evagg_window_t::default();
        // SAFETY: there is room for two records.
        let status = unsafe { evagg_connections_flush(self.handle, now, records.as_mut_ptr(), 2, &mut window) };
        assert_eq!(status, EVAGG_OK);
        self.statistics[WINDOWS] += 1;
        records.truncate(window.records as usize);
        let hits: u32 = records.iter().map(|record| record.hit_count).sum();
        assert_eq!(window.offered, window.kept);
        assert_eq!((window.kept, window.merged, window.rejected, window.discarded), (hits, 0, 0, 0));
        records
    }
}

/// A status, and what the statistics then have one more of.
#[derive(Clone, Copy)]
struct Expected(evagg_status_t, &'static [usize]);

const FIRST: Expected = Expected(EVAGG_FIRST, &[OFFERED, COUNTED]);
const AGAIN: Expected = Expected(EVAGG_COUNTED, &[OFFERED, COUNTED]);

fn check_flushed(record: &evagg_connection_record_t, seen: &Seen, direction: u8, hits: u32, times: [u32; 2]) {
    let [mut local, mut remote] = [0, 1].map(|end| (seen.addresses[end], seen.ports[end]));
    let mut bytes = [0, seen.bytes * hits];
    if direction == EVAGG_IN {
        (local, remote) = (remote, local);
        bytes.reverse();
    }
    let connection = &record.connection;
    assert_eq!((connection.local_address, connection.local_port), local);
    assert_eq!((connection.remote_address, connection.remote_port), remote);
    assert_eq!((connection.protocol, connection.ip_version), (seen.protocol, seen.ip_version));
    assert_eq!([record.bytes_in, record.bytes_out], bytes);
    assert_eq!((record.flags, record.hit_count), (0, hits));
    assert_eq!([record.first_seen, record.last_seen], times);
}

pub fn run(data: &[u8]) {
    let Some((control, packet)) = data.split_first() else { return };
    let direction = if control & 1 == 0 { EVAGG_IN } else { EVAGG_OUT };
    let misalignment = usize::from(control >> 1 & 7);
    let outcome = expected(packet);
    if let Some(ports) = found_by_etherparse(packet) {
        assert_eq!(outcome.map(|seen| seen.ports), Ok(ports));
    }
    let (first, again, disabled) = match outcome {
        Ok(_) => (FIRST, AGAIN, Expected(EVAGG_DISABLED, &[DISABLED])),
        Err(Unrecorded::Malformed) => [Expected(EVAGG_MALFORMED, &[MALFORMED]); 3].into(),
        Err(Unrecorded::Ignored) => [Expected(EVAGG_IGNORED, &[IGNORED]); 3].into(),
    };
    let mut instance = Instance::new();
    instance.check_record(packet, misalignment, direction, 1, first);
    // What is behind the stated length makes no difference, even by not being there.
    let stated = &packet[..stated_length(packet).min(packet.len())];
    instance.check_record(stated, misalignment ^ 1, direction, 2, again);
    let records = instance.flush(3);
    match outcome {
        Ok(seen) => {
            let [record] = &records[..] else { panic!("{} records of one connection", records.len()) };
            check_flushed(record, &seen, direction, 2, [1, 2]);
        }
        Err(_) => assert!(records.is_empty()),
    }
    let other_direction = EVAGG_IN + EVAGG_OUT - direction;
    instance.check_record(packet, misalignment, other_direction, 4, first);
    let records = instance.flush(5);
    assert_eq!(records.len(), usize::from(outcome.is_ok()));
    if let (Ok(seen), [record]) = (outcome, &records[..]) {
        check_flushed(record, &seen, other_direction, 1, [4, 4]);
    }
    // SAFETY: the instance is live.
    unsafe {
        assert_eq!(evagg_connections_set_enabled(instance.handle, 0), EVAGG_OK);
        instance.check_record(packet, misalignment, direction, 6, disabled);
        assert_eq!(evagg_connections_deinit(instance.handle), EVAGG_OK);
    }
}
