// SPDX-License-Identifier: MIT OR Apache-2.0

use super::config::evagg_time_t;
use crate::aggregator::{Closed, Statistics};

/// Flag of a record: a counter stands at its maximum and means at least that many.
pub const EVAGG_RECORD_SATURATED: u16 = 1;
/// Flag of a process record: only the beginning of the command line was kept.
pub const EVAGG_RECORD_TRUNCATED: u16 = 2;

/// The window that a page of flush belongs to, and its accounting: offered + merged = kept + rejected + discarded.
///
/// The counts are of events, not of records. They saturate at 4,294,967,295, and then do not add up: `kept`, which is
/// worked out from the others, is not exact. While pages remain, new events can still
/// discard entries that wait, if that is the policy: the counts are final with EVAGG_OK. A page that flush could not
/// give yet, EVAGG_MORE with `records` 0, has no accounting but zeros.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct evagg_window_t {
    /// 0 for the first window after init, then one more each.
    pub sequence: u32,
    /// When the window began: the config's start, or the end of the window before.
    pub start: evagg_time_t,
    /// When the first page of the window was flushed.
    pub end: evagg_time_t,
    /// Records in this page.
    pub records: u32,
    /// Records of this window that remain after this page.
    pub remaining: u32,
    /// Events given to record while aggregation was on.
    pub offered: u32,
    /// Hits brought in by merge.
    pub merged: u32,
    /// Hits in the records of all pages.
    pub kept: u32,
    /// Hits that were new to a full cache.
    pub rejected: u32,
    /// Hits of entries that made room.
    pub discarded: u32,
}

impl evagg_window_t {
    pub(super) fn page(closed: &Closed, records: u32) -> Self {
        let [offered, merged, rejected, discarded] = closed.counts;
        let arrived = u64::from(offered) + u64::from(merged);
        let lost = u64::from(rejected) + u64::from(discarded);
        let kept = u32::try_from(arrived.saturating_sub(lost)).unwrap_or(u32::MAX);
        Self {
            sequence: closed.sequence,
            start: closed.start,
            end: closed.end,
            records,
            remaining: closed.remaining.into(),
            offered,
            merged,
            kept,
            rejected,
            discarded,
        }
    }
}

/// What happened since init, warm resets or not. Every event that was given to the library is in exactly one of offered,
/// malformed,
/// ignored, disabled and busy. The wide counts are sums over windows, each of which saturates at 4,294,967,295.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct evagg_statistics_t {
    /// Events given to record while aggregation was on.
    pub offered: u64,
    /// Hits brought in by merge.
    pub merged: u64,
    /// Events and hits that found or made an entry: offered + merged - rejected.
    pub counted: u64,
    /// Hits that were new to a full cache.
    pub rejected: u64,
    /// Hits of entries that made room.
    pub discarded: u64,
    /// Packets with a header that is cut off, or an IP header that contradicts itself.
    pub malformed: u32,
    /// Packets of a transport protocol other than TCP, UDP, ICMP and ICMPv6.
    pub ignored: u32,
    /// Events given while aggregation was off.
    pub disabled: u32,
    /// Events whose call ended with EVAGG_ERROR_BUSY.
    pub busy: u32,
    /// The most entries that were cached at one time.
    pub high_water_mark: u32,
    /// Windows whose last page was flushed, modulo 2^32 as their sequence numbers.
    pub windows: u32,
    /// How often attach took the instance over after a reset. By each, one event or record may be lost or counted in
    /// part. To 65,535.
    pub recoveries: u32,
    /// Zero.
    pub reserved: u32,
}

impl evagg_statistics_t {
    pub(super) fn of(statistics: &Statistics, busy: u32, recoveries: u16) -> Self {
        let [offered, merged, rejected, discarded] = statistics.counts;
        Self {
            offered,
            merged,
            counted: (offered + merged).saturating_sub(rejected),
            rejected,
            discarded,
            malformed: statistics.malformed,
            ignored: statistics.ignored,
            disabled: statistics.disabled,
            busy,
            high_water_mark: statistics.high_water.into(),
            windows: statistics.windows,
            recoveries: recoveries.into(),
            reserved: 0,
        }
    }
}
