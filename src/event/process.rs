// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes: command line and user, with the process ids of the first occurrence.

use super::{Event, Offer, Seen, is_before};
use crate::store::hash::Hasher;

/// Beside its entry goes the command line, as much as is kept of it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    hash_low: u32,
    hash_high: u32,
    pub full_length: u32,
    pub user_id: u32,
    text_start: u32,
    text_length: u16,
    link: u16,
    pub process_id: u32,
    pub parent_process_id: u32,
    hit_count: u32,
    pub seen: Seen,
}

/// What tells one process event from another, and who it was.
#[derive(Clone, Copy)]
pub struct Identity {
    /// Bytes of the whole command line.
    pub full_length: u32,
    /// Keyed hash of the whole command line.
    pub hash: u64,
    pub user_id: u32,
    pub process_id: u32,
    pub parent_process_id: u32,
}

impl Process {
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a 64-bit word are what is wanted")]
    pub fn new(identity: &Identity, hit_count: u32, seen: Seen) -> Self {
        Self {
            hash_low: identity.hash as u32,
            hash_high: (identity.hash >> 32) as u32,
            full_length: identity.full_length,
            user_id: identity.user_id,
            text_start: 0,
            text_length: 0,
            link: 0,
            process_id: identity.process_id,
            parent_process_id: identity.parent_process_id,
            hit_count,
            seen,
        }
    }

    /// The keyed hash of a whole command line.
    pub fn hash_command_line(seed: Hasher, command_line: &[u8]) -> u64 {
        let mut hasher = seed;
        hasher.bytes(command_line);
        hasher.finish_wide()
    }

    fn take_ids_if_earlier(&mut self, other: &Self) {
        if is_before(other.seen.first, self.seen.first) {
            self.process_id = other.process_id;
            self.parent_process_id = other.parent_process_id;
        }
    }

    /// The keyed hash of the whole command line.
    pub fn command_line_hash(&self) -> u64 {
        u64::from(self.hash_high) << 32 | u64::from(self.hash_low)
    }
}

/// A process event that was just observed.
#[derive(Clone, Copy)]
pub struct Observed(pub Process);

impl Offer<Process> for Observed {
    fn hash(&self, seed: Hasher) -> u32 {
        self.0.hash(seed)
    }

    fn is_same(&self, entry: &Process) -> bool {
        entry.is_same(&self.0)
    }

    fn resembles(&self, entry: &Process) -> bool {
        entry.resembles(&self.0)
    }

    fn add_to(&self, entry: &mut Process) {
        entry.take_ids_if_earlier(&self.0);
        entry.hit_count = entry.hit_count.saturating_add(1);
        entry.seen.again(self.0.seen.last);
    }

    fn write_to(&self, entry: &mut Process) {
        *entry = self.0;
    }
}

impl Event for Process {
    const NOUN: &'static str = "process";
    const HAS_TEXT: bool = true;

    fn hash(&self, seed: Hasher) -> u32 {
        let mut hasher = seed.for_keys();
        hasher.four([self.hash_low, self.hash_high, self.full_length, self.user_id]);
        hasher.finish()
    }

    fn is_same(&self, other: &Self) -> bool {
        self.hash_low == other.hash_low
            && self.hash_high == other.hash_high
            && self.full_length == other.full_length
            && self.user_id == other.user_id
    }

    fn resembles(&self, other: &Self) -> bool {
        self.hash_low == other.hash_low
    }

    fn merge(&mut self, other: &Self) {
        let ids = (self.process_id, self.parent_process_id);
        let other_ids = (other.process_id, other.parent_process_id);
        // Of two first occurrences at the same time, the lower ids: any choice will do that does not depend on order.
        if self.seen.first == other.seen.first && other_ids < ids {
            (self.process_id, self.parent_process_id) = other_ids;
        }
        self.take_ids_if_earlier(other);
        self.hit_count = self.hit_count.saturating_add(other.hit_count);
        self.seen.join(other.seen);
    }

    fn hit_count(&self) -> u32 {
        self.hit_count
    }

    fn link(&self) -> u16 {
        self.link
    }

    fn set_link(&mut self, link: u16) {
        self.link = link;
    }

    fn text_start(&self) -> u32 {
        self.text_start
    }

    fn text_length(&self) -> usize {
        usize::from(self.text_length)
    }

    fn set_text(&mut self, start: u32, length: u16) {
        self.text_start = start;
        self.text_length = length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(process_id: u32, first_seen: u32) -> Process {
        let identity = Identity { full_length: 3, hash: 9, user_id: 0, process_id, parent_process_id: 1 };
        Process::new(&identity, 1, Seen::once(first_seen))
    }

    #[test]
    fn the_ids_are_those_of_the_first_occurrence_in_either_order() {
        for (one, other, expected) in [((5, 10), (4, 11), 5), ((5, 10), (4, 10), 4), ((5, 1), (4, u32::MAX), 4)] {
            let (one, other) = (process(one.0, one.1), process(other.0, other.1));
            let mut sum = one;
            sum.merge(&other);
            assert_eq!(sum.process_id, expected);
            let mut sum = other;
            sum.merge(&one);
            assert_eq!(sum.process_id, expected);
        }
    }

    #[test]
    fn the_first_of_two_in_one_tick_keeps_its_ids() {
        let mut sum = process(5, 10);
        Observed(process(4, 10)).add_to(&mut sum);
        assert_eq!((sum.process_id, sum.hit_count), (5, 2));
    }
}
