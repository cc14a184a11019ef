// SPDX-License-Identifier: MIT OR Apache-2.0
//! The header walk: from a raw IP packet to its five-tuple and byte count.
//!
//! Headers must lie within the bytes at hand and within the length that the IP header states; the payload need not
//! be at hand (a packet cut by a snap length, or the first buffer of a chain).

use super::connection::{Addresses, Direction, FiveTuple};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Why a packet is not recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unrecorded {
    /// A header is cut off or contradicts itself.
    Malformed,
    /// A transport protocol other than TCP, UDP, ICMP and ICMPv6.
    OtherProtocol,
}

/// What the IP headers say, the source taken for the local end.
struct Payload<'a> {
    addresses: Addresses<'a>,
    protocol: u8,
    /// A fragment that holds no transport header.
    is_later_fragment: bool,
    /// As stated, which may be more than is at hand.
    length: u16,
    bytes: &'a [u8],
}

/// The five-tuple and the bytes of IP payload: total length less header length for IPv4 (RFC 791), the payload length
/// field for IPv6 (RFC 8200: extension headers are part of the payload).
#[inline]
pub fn parse(packet: &[u8], direction: Direction) -> Result<(FiveTuple<'_>, u32), Unrecorded> {
    let payload = match packet.first().map(|byte| byte >> 4) {
        Some(4) => payload_v4(packet),
        Some(6) => payload_v6(packet),
        _ => Err(Unrecorded::Malformed),
    }?;
    let (source_port, destination_port) = ports(&payload)?;
    let sent = FiveTuple {
        protocol: payload.protocol,
        local_port: source_port,
        remote_port: destination_port,
        addresses: payload.addresses,
    };
    Ok((if direction == Direction::In { sent.reversed() } else { sent }, payload.length.into()))
}

#[inline]
fn payload_v4(packet: &[u8]) -> Result<Payload<'_>, Unrecorded> {
    let Some((
        [version, _, length_high, length_low, _, _, fragment_high, fragment_low, _, protocol, _, _, addresses @ ..],
        _,
    )) = packet.split_first_chunk::<20>()
    else {
        return Err(Unrecorded::Malformed);
    };
    let header_length = u16::from(version & 15) * 4;
    let total_length = big_endian(*length_high, *length_low);
    if header_length < 20 || total_length < header_length {
        return Err(Unrecorded::Malformed);
    }
    let ([local, remote], _) = addresses.as_chunks() else { return Err(Unrecorded::Malformed) };
    let length = total_length - header_length;
    let bytes = packet.get(header_length.into()..).ok_or(Unrecorded::Malformed)?;
    Ok(Payload {
        addresses: Addresses::V4 { local, remote },
        protocol: *protocol,
        is_later_fragment: big_endian(*fragment_high, *fragment_low) & 0x1FFF != 0,
        length,
        bytes: up_to(bytes, length),
    })
}

#[inline]
fn payload_v6(packet: &[u8]) -> Result<Payload<'_>, Unrecorded> {
    let Some(([_, _, _, _, length_high, length_low, next_header, _, addresses @ ..], rest)) =
        packet.split_first_chunk::<40>()
    else {
        return Err(Unrecorded::Malformed);
    };
    let ([local, remote], _) = addresses.as_chunks() else { return Err(Unrecorded::Malformed) };
    let length = big_endian(*length_high, *length_low);
    let mut payload = Payload {
        addresses: Addresses::V6 { local, remote },
        protocol: *next_header,
        is_later_fragment: false,
        length,
        bytes: up_to(rest, length),
    };
    // Each extension header takes at least eight bytes of the payload, so the walk ends. Behind the header of a later
    // fragment comes data, whatever its next header says.
    while !payload.is_later_fragment && is_extension(payload.protocol) {
        let [next_header, length, high, low, ..] = *payload.bytes else { return Err(Unrecorded::Malformed) };
        let length = match payload.protocol {
            FRAGMENT => {
                payload.is_later_fragment = big_endian(high, low) & 0xFFF8 != 0;
                8
            }
            AUTHENTICATION => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        payload.protocol = next_header;
        payload.bytes = payload.bytes.get(length..).ok_or(Unrecorded::Malformed)?;
    }
    Ok(payload)
}

fn up_to(bytes: &[u8], length: u16) -> &[u8] {
    bytes.get(..length.into()).unwrap_or(bytes)
}

fn is_extension(next_header: u8) -> bool {
    matches!(
        next_header,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY | SHIM6
    )
}

/// Source and destination port; zero for ICMP and for later fragments.
#[inline]
fn ports(payload: &Payload<'_>) -> Result<(u16, u16), Unrecorded> {
    // RFC 9293, RFC 768, RFC 792 and RFC 4443: the shortest header of each.
    let (header_length, has_ports) = match payload.protocol {
        TCP => (20, true),
        UDP => (8, true),
        ICMP => (8, false),
        ICMP_V6 => (4, false),
        _ => return Err(Unrecorded::OtherProtocol),
    };
    if payload.is_later_fragment {
        return Ok((0, 0));
    }
    match *payload.bytes {
        [a, b, c, d, ..] if payload.bytes.len() >= header_length => {
            Ok(if has_ports { (big_endian(a, b), big_endian(c, d)) } else { (0, 0) })
        }
        _ => Err(Unrecorded::Malformed),
    }
}

fn big_endian(high: u8, low: u8) -> u16 {
    u16::from_be_bytes([high, low])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Hits;
    use crate::event::connection::Connection;
    use std::vec;
    use std::vec::Vec;

    fn v4(protocol: u8, options: usize, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 20 + options];
        packet[0] = 0x40 | (5 + options as u8 / 4);
        let total = (packet.len() + payload.len()) as u16;
        packet[2..4].copy_from_slice(&total.to_be_bytes());
        packet[9] = protocol;
        packet[12..16].copy_from_slice(&[10, 0, 0, 1]);
        packet[16..20].copy_from_slice(&[10, 0, 0, 2]);
        packet.extend_from_slice(payload);
        packet
    }

    fn v6(next_header: u8, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![0; 40];
        packet[0] = 0x60;
        packet[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        packet[6] = next_header;
        packet[23] = 1;
        packet[39] = 2;
        packet.extend_from_slice(payload);
        packet
    }

    fn udp() -> Vec<u8> {
        vec![0x12, 0x34, 0x00, 0x35, 0, 8, 0, 0]
    }

    fn seen(packet: &[u8], direction: Direction) -> Result<Connection, Unrecorded> {
        parse(packet, direction).map(|(tuple, bytes)| Connection::event(&tuple, direction, bytes, 7))
    }

    #[test]
    fn ports_addresses_and_bytes_follow_the_direction() {
        let packet = v4(UDP, 0, &udp());
        let out = seen(&packet, Direction::Out).unwrap();
        assert_eq!((out.local_port, out.remote_port, out.bytes_in, out.bytes_out), (0x1234, 53, 0, 8));
        assert_eq!((out.local_address()[3], out.remote_address()[3]), (1, 2));
        let incoming = seen(&packet, Direction::In).unwrap();
        assert_eq!(
            (incoming.local_port, incoming.remote_port, incoming.bytes_in, incoming.bytes_out),
            (53, 0x1234, 8, 0)
        );
        assert_eq!((incoming.local_address()[3], incoming.remote_address()[3]), (2, 1));
        assert_eq!(incoming.hits, Hits::one(7));
    }

    #[test]
    fn options_and_extension_headers_are_walked_over() {
        let event = seen(&v4(UDP, 40, &udp()), Direction::Out).unwrap();
        assert_eq!((event.local_port, event.bytes_out), (0x1234, 8));
        let mut payload = vec![DESTINATION_OPTIONS, 1];
        payload.resize(16, 0);
        payload.extend([AUTHENTICATION, 0, 0, 0, 0, 0, 0, 0]);
        payload.extend([FRAGMENT, 2]);
        payload.resize(16 + 8 + 16, 0);
        payload.extend([UDP, 0, 0, 1, 0, 0, 0, 9]);
        payload.extend(udp());
        let event = seen(&v6(HOP_BY_HOP, &payload), Direction::Out).unwrap();
        assert_eq!((event.protocol, event.local_port, event.bytes_out), (UDP, 0x1234, 56));
    }

    #[test]
    fn later_fragments_have_no_ports_even_when_they_are_short() {
        let mut packet = v4(TCP, 0, &[0xFF]);
        packet[7] = 1;
        let event = seen(&packet, Direction::In).unwrap();
        assert_eq!((event.local_port, event.remote_port, event.protocol, event.bytes_in), (0, 0, TCP, 1));
        let event = seen(&v6(FRAGMENT, &[UDP, 0, 0, 8, 0, 0, 0, 1, 0xEE]), Direction::In).unwrap();
        assert_eq!((event.local_port, event.remote_port, event.protocol), (0, 0, UDP));
    }

    #[test]
    fn what_follows_a_later_fragment_is_data_and_not_a_header() {
        let packet = v6(FRAGMENT, &[DESTINATION_OPTIONS, 0, 0, 8, 0, 0, 0, 1, TCP, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::OtherProtocol));
    }

    #[test]
    fn no_truncation_of_the_headers_is_taken_for_a_packet() {
        let mut payload = vec![TCP, 0, 0, 0, 0, 0, 0, 0];
        payload.resize(8 + 20, 7);
        for (packet, headers) in [
            (v4(UDP, 8, &udp()), 36),
            (v4(TCP, 0, &[7; 30]), 40),
            (v4(ICMP, 0, &[8; 20]), 28),
            (v6(HOP_BY_HOP, &payload), 68),
            (v6(ICMP_V6, &[128; 8]), 44),
        ] {
            for length in 0..packet.len() {
                let result = seen(&packet[..length], Direction::In);
                assert_eq!(result.is_ok(), length >= headers, "{length} of {} bytes", packet.len());
                assert!(result.is_ok() || result.err() == Some(Unrecorded::Malformed));
            }
        }
    }

    #[test]
    fn contradictory_lengths_are_malformed() {
        let good = v4(UDP, 0, &udp());
        for (offset, value) in [(0, 0x44), (0, 0x4F), (0, 0x50), (3, 0), (3, 19), (3, 27)] {
            let mut packet = good.clone();
            packet[offset] = value;
            assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::Malformed), "{offset}: {value:#x}");
        }
        let mut packet = v6(UDP, &udp());
        packet[5] = 7;
        assert_eq!(seen(&packet, Direction::In).err(), Some(Unrecorded::Malformed));
    }

    #[test]
    fn bytes_behind_the_stated_length_are_not_read() {
        let mut packet = v4(UDP, 0, &udp());
        packet.extend([0xAA; 18]);
        assert_eq!(seen(&packet, Direction::In).unwrap().bytes_in, 8);
    }

    #[test]
    fn other_protocols_are_told_from_malformed_packets() {
        assert_eq!(seen(&v4(47, 0, &[0; 8]), Direction::In).err(), Some(Unrecorded::OtherProtocol));
        assert_eq!(seen(&v6(59, &[]), Direction::In).err(), Some(Unrecorded::OtherProtocol));
        assert_eq!(seen(&[], Direction::In).err(), Some(Unrecorded::Malformed));
    }
}
