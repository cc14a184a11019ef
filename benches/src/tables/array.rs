// SPDX-License-Identifier: MIT OR Apache-2.0
//! No table at all: the key says where its entry is. No table can be faster, so this is what the machine's memory costs.

use evagg::ffi::connections::evagg_connection_t;

use super::{Outcome, Overflow, Table};
use crate::event::{Counts, FromConnection, Observed};

/// The place, which the workloads write into the local port, in a key of the size of the others.
#[derive(Clone, Copy)]
pub struct Place(evagg_connection_t);

impl FromConnection for Place {
    fn from_connection(connection: &evagg_connection_t) -> Self {
        Self(*connection)
    }
}

/// As large as an entry of evagg.
#[derive(Clone, Copy)]
struct Entry {
    counts: Counts,
    _key: [u32; 10],
}

pub struct Array(Vec<Entry>);

impl Table for Array {
    type Key = Place;

    fn name() -> String {
        "array, no look-up".into()
    }

    fn new(capacity: usize, _: Overflow) -> Self {
        Self(vec![Entry { counts: Counts::default(), _key: [0; 10] }; capacity])
    }

    #[inline(never)]
    fn record(&mut self, key: &Place, observed: Observed) -> Outcome {
        let counts = &mut self.0[usize::from(key.0.local_port)].counts;
        if counts.hit_count == 0 {
            *counts = Counts::once(observed);
            return Outcome::First;
        }
        counts.add(observed);
        Outcome::Counted
    }

    fn drain(&mut self, mut each: impl FnMut(u32)) {
        for entry in &mut self.0 {
            each(entry.counts.hit_count);
            entry.counts = Counts::default();
        }
    }
}
