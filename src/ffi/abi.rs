// SPDX-License-Identifier: MIT OR Apache-2.0
//! The sizes and offsets that C sees, where a word has 64 bits and where it has 32. c-tests/header/layout.c asserts the
//! same numbers on the other side.

use core::mem::offset_of;

use super::config::evagg_config_t;
use super::connections::{evagg_connection_record_t, evagg_connection_t};
use super::processes::{evagg_process_record_t, evagg_process_t};
use super::warning::evagg_warning_t;
use super::window::{evagg_statistics_t, evagg_window_t};

const fn word(lp64: usize, ilp32: usize) -> usize {
    if size_of::<usize>() == 8 { lp64 } else { ilp32 }
}

macro_rules! layout {
    ($type:ty, $lp64:literal, $ilp32:literal, $($field:ident: $lp64_offset:literal, $ilp32_offset:literal;)*) => {
        const _: () = {
            assert!(size_of::<$type>() == word($lp64, $ilp32));
            $(assert!(offset_of!($type, $field) == word($lp64_offset, $ilp32_offset));)*
        };
    };
}

layout! {
    evagg_config_t, 64, 56,
    size: 0, 0;
    abi_version: 2, 2;
    capacity: 4, 4;
    hash_seed: 8, 8;
    text_bytes: 16, 16;
    start: 20, 20;
    interval: 24, 24;
    text_maximum: 28, 28;
    overflow_policy: 30, 30;
    lock: 31, 31;
    warning_delivery: 32, 32;
    reserved: 33, 33;
    acquire: 40, 40;
    release: 48, 44;
    lock_context: 56, 48;
}

layout! {
    evagg_warning_t, 40, 32,
    text: 0, 0;
    code: 8, 4;
    window: 12, 8;
    capacity: 16, 12;
    lost: 20, 16;
    recommended_capacity: 24, 20;
    recommended_text_bytes: 28, 24;
    at_least: 32, 28;
}

layout! {
    evagg_window_t, 40, 40,
    sequence: 0, 0;
    start: 4, 4;
    end: 8, 8;
    records: 12, 12;
    remaining: 16, 16;
    offered: 20, 20;
    merged: 24, 24;
    kept: 28, 28;
    rejected: 32, 32;
    discarded: 36, 36;
}

layout! {
    evagg_statistics_t, 72, 72,
    offered: 0, 0;
    merged: 8, 8;
    counted: 16, 16;
    rejected: 24, 24;
    discarded: 32, 32;
    malformed: 40, 40;
    ignored: 44, 44;
    disabled: 48, 48;
    busy: 52, 52;
    high_water_mark: 56, 56;
    windows: 60, 60;
    recoveries: 64, 64;
    reserved: 68, 68;
}

layout! {
    evagg_connection_t, 38, 38,
    local_address: 0, 0;
    remote_address: 16, 16;
    local_port: 32, 32;
    remote_port: 34, 34;
    protocol: 36, 36;
    ip_version: 37, 37;
}

layout! {
    evagg_connection_record_t, 60, 60,
    connection: 0, 0;
    flags: 38, 38;
    hit_count: 40, 40;
    bytes_in: 44, 44;
    bytes_out: 48, 48;
    first_seen: 52, 52;
    last_seen: 56, 56;
}

layout! {
    evagg_process_t, 32, 20,
    command_line: 0, 0;
    command_line_length: 8, 4;
    user_id: 16, 8;
    process_id: 20, 12;
    parent_process_id: 24, 16;
}

layout! {
    evagg_process_record_t, 56, 48,
    hash: 0, 0;
    command_line: 8, 8;
    command_line_length: 16, 12;
    full_length: 20, 16;
    user_id: 24, 20;
    process_id: 28, 24;
    parent_process_id: 32, 28;
    hit_count: 36, 32;
    first_seen: 40, 36;
    last_seen: 44, 40;
    flags: 48, 44;
    reserved: 50, 46;
}
