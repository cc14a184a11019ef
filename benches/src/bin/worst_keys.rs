// SPDX-License-Identifier: MIT OR Apache-2.0
//! Looks for sets of connections that make evagg's chains longer than random ones do, for a remote peer who does not know
//! the seed: `worst_keys [seconds]`.
//!
//! A set is a family of `workload::Family`. The search climbs: it changes a family at random and goes on from there if,
//! over a number of seeds, the look-ups of the set take no fewer steps. What it ends with is then measured with seeds
//! that it has not seen.

use std::time::{Duration, Instant};

use evagg_benches::workload::{Family, Random};

/// The engine's own sources: the hash is not part of the library's interface.
#[expect(dead_code, reason = "only the hash of a connection is used")]
#[path = "../../../src/event/mod.rs"]
mod event;
#[path = "../../../src/store/hash.rs"]
mod hash;
mod store {
    pub(crate) use crate::hash;
}

use event::Offer;
use event::connection::{Direction, Ends, FiveTuple, Observed};
use store::hash::Hasher;

const SEEDS_TO_CLIMB: u64 = 32;
const SEEDS_TO_JUDGE: u64 = 500;

/// The hash of a connection from 10.0.0.1, and how many heads there are for an entry, for a width of the machine.
struct Width {
    name: &'static str,
    hash: fn(Hasher, u64, u8) -> u32,
    heads_per_entry: u32,
}

const WIDTHS: [Width; 2] = [
    Width { name: "64 bits", hash: hash_on_64_bits, heads_per_entry: 2 },
    Width { name: "32 bits", hash: hash_on_32_bits, heads_per_entry: 1 },
];

const LOCAL: [u8; 4] = [10, 0, 0, 1];

fn hash_on_64_bits(seed: Hasher, key: u64, protocol: u8) -> u32 {
    let remote = ((key >> 32) as u32).to_be_bytes();
    let tuple =
        FiveTuple { ports: key as u32, tag: u16::from_le_bytes([protocol, 4]), ends: Ends::V4(&LOCAL, &remote) };
    Observed { tuple, direction: Direction::In, bytes: 0, now: 0 }.hash(seed)
}

/// The same words in the same order.
fn hash_on_32_bits(mut seed: Hasher, key: u64, protocol: u8) -> u32 {
    let remote = u32::from_ne_bytes(((key >> 32) as u32).to_be_bytes());
    seed.four([key as u32, remote, u32::from_ne_bytes(LOCAL), u16::from_le_bytes([protocol, 4]).into()]);
    seed.finish()
}

/// The entries that a look-up passes, the one it finds included, on average over the set and the seeds.
fn steps(width: &Width, keys: &[(u64, u8)], seeds: impl Iterator<Item = u64>) -> f64 {
    let heads = keys.len() as u32 * width.heads_per_entry;
    let (mut total, mut sets) = (0, 0);
    let mut chains = vec![0_u32; heads as usize];
    for seed in seeds {
        chains.fill(0);
        let seed = Hasher::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        for (key, protocol) in keys {
            let hash = (width.hash)(seed, *key, *protocol);
            let chain = &mut chains[hash::place(hash, heads) as usize];
            *chain += 1;
            total += u64::from(*chain);
        }
        sets += 1;
    }
    total as f64 / (f64::from(sets) * keys.len() as f64)
}

fn keys(family: &Family, count: u32) -> Vec<(u64, u8)> {
    (0..count).map(|index| family.key(index)).collect()
}

/// What one climb ends with, and how many sets it tried.
fn climb(width: &Width, start: Family, count: u32, until: Instant, random: &mut Random) -> (Family, u32) {
    let (mut best, mut most, mut next, mut tried) = (start, 0.0, start, 0);
    while Instant::now() < until {
        let set = keys(&next, count);
        if Family::is_of_distinct_keys(&set) {
            tried += 1;
            let steps = steps(width, &set, 0..SEEDS_TO_CLIMB);
            if steps >= most {
                (best, most) = (next, steps);
            }
        }
        next = best;
        next.change(random);
    }
    (best, tried)
}

fn main() {
    let seconds: u64 = std::env::args().nth(1).map_or(60, |word| word.parse().expect("a number of seconds"));
    let starts = Family::starts();
    let each = Duration::from_secs(seconds) / (4 * starts.len() as u32);
    let mut random = Random::new(7);
    for width in &WIDTHS {
        for count in [64, 4096] {
            let judges = 1 << 40..(1 << 40) + SEEDS_TO_JUDGE;
            let mut worst: Option<(Family, f64)> = None;
            let mut all_tried = 0;
            for start in &starts {
                let (found, tried) = climb(width, *start, count, Instant::now() + each, &mut random);
                all_tried += tried;
                let steps = steps(width, &keys(&found, count), judges.clone());
                if worst.is_none_or(|(_, most)| steps > most) {
                    worst = Some((found, steps));
                }
            }
            let (family, most) = worst.expect("there are families to start from");
            let random_keys: Vec<_> =
                (0..count).map(|_| (u64::from(random.word()) << 32 | u64::from(random.word()), 6)).collect();
            let usual = steps(width, &random_keys, judges);
            println!(
                "{}, {count} entries: of {all_tried} sets the worst takes {most:.3} steps, random keys {usual:.3}: {:.3} times",
                width.name,
                most / usual
            );
            println!("    {family:?}");
        }
    }
}
