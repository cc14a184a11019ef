// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processes: command line and user, with the process ids of the first occurrence.

use super::{Event, Offer, Seen, Time, is_before};
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

    fn take_ids_if_earlier(&mut self, first_seen: Time, ids: (u32, u32)) {
        if is_before(first_seen, self.seen.first) {
            (self.process_id, self.parent_process_id) = ids;
        }
    }

    /// The keyed hash of the whole command line.
    pub fn command_line_hash(&self) -> u64 {
        u64::from(self.hash_high) << 32 | u64::from(self.hash_low)
    }
}

/// A process event that was just observed.
#[derive(Clone, Copy)]
pub struct Observed {
    pub identity: Identity,
    pub now: Time,
}

#[expect(clippy::cast_possible_truncation, reason = "the halves of a 64-bit word are what is wanted")]
impl Offer<Process> for Observed {
    fn hash(&self, seed: Hasher) -> u32 {
        let Identity { hash: wide, full_length, user_id, .. } = self.identity;
        hash(seed, wide as u32, (wide >> 32) as u32, full_length, user_id)
    }

    fn is_same(&self, entry: &Process) -> bool {
        self.resembles(entry)
            && entry.hash_high == (self.identity.hash >> 32) as u32
            && entry.full_length == self.identity.full_length
            && entry.user_id == self.identity.user_id
    }

    fn resembles(&self, entry: &Process) -> bool {
        entry.hash_low == self.identity.hash as u32
    }

    fn add_to(&self, entry: &mut Process) {
        entry.take_ids_if_earlier(self.now, (self.identity.process_id, self.identity.parent_process_id));
        entry.hit_count = entry.hit_count.saturating_add(1);
        entry.seen.again(self.now);
    }

    fn write_to(&self, entry: &mut Process) {
        *entry = Process::new(&self.identity, 1, Seen::once(self.now));
    }
}

fn hash(seed: Hasher, low: u32, high: u32, full_length: u32, user_id: u32) -> u32 {
    let mut hasher = seed.for_keys();
    hasher.four([low, high, full_length, user_id]);
    hasher.finish()
}

impl Event for Process {
    const NOUN: &'static str = "process";
    const HAS_TEXT: bool = true;

    fn hash(&self, seed: Hasher) -> u32 {
        hash(seed, self.hash_low, self.hash_high, self.full_length, self.user_id)
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
        self.take_ids_if_earlier(other.seen.first, other_ids);
        self.hit_count = self.hit_count.saturating_add(other.hit_count);
        self.seen.join(other.seen);
    }

    fn hit_count(&self) -> u32 {
        self.hit_count
    }

    fn is_valid(&self) -> bool {
        self.hit_count != 0 && u32::from(self.text_length) <= self.full_length
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

    fn has_text(&self, text: &[u8], seed: Hasher) -> bool {
        text.len() < self.full_length as usize || self.command_line_hash() == Self::hash_command_line(seed, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observed(process_id: u32, now: Time) -> Observed {
        let identity = Identity { full_length: 3, hash: 9 << 32 | 8, user_id: 7, process_id, parent_process_id: 1 };
        Observed { identity, now }
    }

    fn process(process_id: u32, first_seen: Time) -> Process {
        let mut entry = Process::default();
        observed(process_id, first_seen).write_to(&mut entry);
        entry
    }

    #[test]
    fn each_part_of_the_key_tells_processes_apart() {
        let entry = process(5, 10);
        let seed = Hasher::new(1);
        assert!(observed(6, 11).is_same(&entry) && entry.is_same(&entry));
        assert_eq!(observed(6, 11).hash(seed), entry.hash(seed));
        let changes: [fn(&mut Identity); 4] =
            [|it| it.hash ^= 1, |it| it.hash ^= 1 << 32, |it| it.full_length += 1, |it| it.user_id += 1];
        for change in changes {
            let mut other = observed(5, 10);
            change(&mut other.identity);
            let mut other_entry = Process::default();
            other.write_to(&mut other_entry);
            assert!(!other.is_same(&entry) && !other_entry.is_same(&entry));
            assert_ne!(other.hash(seed), entry.hash(seed));
        }
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
        observed(4, 10).add_to(&mut sum);
        assert_eq!((sum.process_id, sum.hit_count), (5, 2));
    }
}
