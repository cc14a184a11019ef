// SPDX-License-Identifier: MIT OR Apache-2.0
//! A warning as the model expects it, and as it arrived.

use evagg::ffi::warning::*;

use super::call::Config;
use super::naive::Kind;

#[derive(Clone, Copy, Debug)]
pub struct Expected {
    pub window: u32,
    pub lost: u32,
    pub is_first: bool,
    /// Only text was short: at the first loss, or ever.
    pub of_text: bool,
    /// What the loss was, or the losses were.
    pub rejected: bool,
    pub discarded: bool,
    pub short_of_text: bool,
    pub short_of_entries: bool,
    /// Distinct events that were offered for admission.
    pub distinct: u32,
    /// The most entries that the other window held when this one lost something; the recommendation counts them in.
    pub crowding: u32,
}

/// How well the recommendations did that the header makes a promise for.
#[derive(Clone, Copy, Default, Debug)]
pub struct Recommendations {
    pub windows: u64,
    pub too_low: u64,
    pub too_high: u64,
}

impl Recommendations {
    pub fn add(&mut self, other: Self) {
        self.windows += other.windows;
        self.too_low += other.too_low;
        self.too_high += other.too_high;
    }

    fn see(&mut self, expected: &Expected, heard: &Heard, capacity: u32) {
        let is_promised = capacity >= 3 && expected.short_of_entries && expected.distinct <= 8 * capacity;
        if is_promised && !expected.is_first {
            let needed = expected.distinct + expected.crowding;
            self.windows += 1;
            self.too_low += u64::from(heard.recommended_capacity < needed);
            self.too_high += u64::from(heard.recommended_capacity * 10 > (capacity + 1).max(needed) * 13);
        }
    }
}

#[derive(Clone, Debug)]
pub struct Heard {
    pub text: String,
    pub code: u32,
    pub window: u32,
    pub capacity: u32,
    pub lost: u32,
    pub recommended_capacity: u32,
    pub recommended_text_bytes: u32,
    pub at_least: u32,
    pub lock_is_held: bool,
}

impl Expected {
    pub fn check(&self, heard: &Heard, config: &Config, kind: &Kind, recommendations: &mut Recommendations) {
        let code = match (self.is_first, self.of_text) {
            (true, true) => EVAGG_WARNING_TEXT_FULL,
            (true, false) => EVAGG_WARNING_CACHE_FULL,
            _ => EVAGG_WARNING_LOSSES,
        };
        let capacity = u32::from(config.capacity);
        assert_eq!(
            (heard.code, heard.window, heard.capacity, heard.lost),
            (code, self.window, capacity, self.lost),
            "{self:?} {heard:?}"
        );
        assert!(!heard.lock_is_held);
        recommendations.see(self, heard, capacity);
        assert_eq!(heard.text, self.text(heard, config, kind));
        if self.is_first {
            assert_eq!((heard.recommended_capacity, heard.recommended_text_bytes, heard.at_least), (0, 0, 0));
        } else {
            self.check_recommendation(heard, config, kind);
        }
    }

    /// The estimate is not modelled. Of up to 200 events in 480 bits it says, with its eighth, less than the double; and
    /// what another window held beside this one is added.
    fn check_recommendation(&self, heard: &Heard, config: &Config, kind: &Kind) {
        let capacity = u32::from(config.capacity);
        let most = 2 * self.distinct + self.crowding;
        let least = (capacity + u32::from(self.short_of_entries)).max(self.crowding + 1);
        assert!((least..=most.max(least)).contains(&heard.recommended_capacity), "{self:?} {heard:?}");
        assert!(heard.at_least == 0 || (heard.at_least == 1 && 2 * self.distinct > 8 * capacity), "{self:?} {heard:?}");
        let text = if kind.has_text {
            let least = config.text_bytes() + u32::from(self.short_of_text);
            least..=least.max(most * u32::from(config.text_maximum))
        } else {
            0..=0
        };
        assert!(text.contains(&heard.recommended_text_bytes), "{self:?} {heard:?}");
    }

    fn text(&self, heard: &Heard, config: &Config, kind: &Kind) -> String {
        let full = if self.of_text {
            format!("{} text full: {} bytes", kind.noun, config.text_bytes())
        } else {
            format!("{} cache full: {} entries", kind.noun, config.capacity)
        };
        if self.is_first {
            let what = if self.rejected { "new events are not cached" } else { "the oldest are discarded" };
            return format!("{full}; {what}");
        }
        let what = match (self.rejected, self.discarded) {
            (true, false) => "not cached",
            (false, _) => "discarded",
            _ => "not kept",
        };
        let advice = if self.of_text {
            format!("increase it to at least {} bytes", heard.recommended_text_bytes)
        } else {
            format!("increase the cache to at least {}", heard.recommended_capacity)
        };
        format!("{full}, {} events {what}; {advice}", self.lost)
    }
}
