// SPDX-License-Identifier: MIT OR Apache-2.0
//! Warnings and their text, put together without formatting machinery.

use heapless::String;

use crate::event::Event;
use crate::store::OverflowPolicy;

/// The longest text, of a process cache with the largest numbers, and its NUL.
const TEXT_CAPACITY: usize = 141;

pub type Text = String<TEXT_CAPACITY>;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Warning {
    pub reason: Reason,
    pub policy: OverflowPolicy,
    /// The window that lost something.
    pub sequence: u32,
    pub capacity: u32,
    pub text_bytes: u32,
    pub rejected: u32,
    pub discarded: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// The first loss of a window, for want of a free entry.
    CacheFull,
    /// The first loss of a window, for want of room in the text ring.
    TextFull,
    /// A window with losses has been flushed.
    Losses(Losses),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Losses {
    pub recommended_capacity: u32,
    pub recommended_text_bytes: u32,
    /// There were entries enough; only the text ring was too small.
    pub of_text_only: bool,
    /// More distinct events than the estimate is made for: the recommendation is a lower bound.
    pub at_least: bool,
}

impl Warning {
    pub fn lost(&self) -> u32 {
        self.rejected.saturating_add(self.discarded)
    }

    /// The text with a NUL at its end.
    pub fn text<E: Event>(&self) -> Text {
        let mut text = Text::new();
        let mut put = |part: Part| {
            // The capacity fits the longest text, so nothing is cut off.
            let _ = match part {
                Part::Words(words) => text.push_str(words),
                Part::Number(number) => push_decimal(&mut text, number),
            };
        };
        let of_text = match self.reason {
            Reason::CacheFull => false,
            Reason::TextFull => true,
            Reason::Losses(losses) => losses.of_text_only,
        };
        put(Part::Words(E::NOUN));
        if of_text {
            put(Part::Words(" text full: "));
            put(Part::Number(self.text_bytes));
            put(Part::Words(" bytes"));
        } else {
            put(Part::Words(" cache full: "));
            put(Part::Number(self.capacity));
            put(Part::Words(" entries"));
        }
        if let Reason::Losses(losses) = self.reason {
            put(Part::Words(", "));
            put(Part::Number(self.lost()));
            put(Part::Words(match (self.rejected, self.discarded) {
                (_, 0) => " events not cached",
                (0, _) => " events discarded",
                _ => " events not kept",
            }));
            put(Part::Words(if of_text { "; increase it to " } else { "; increase the cache to " }));
            if losses.at_least {
                put(Part::Words("at least "));
            }
            if !of_text {
                put(Part::Number(losses.recommended_capacity));
            }
            if E::HAS_TEXT {
                put(Part::Words(if of_text { "" } else { " entries and " }));
                put(Part::Number(losses.recommended_text_bytes));
                put(Part::Words(if of_text { " bytes" } else { " text bytes" }));
            }
        } else {
            put(Part::Words("; "));
            match self.policy {
                OverflowPolicy::RejectNew => {
                    put(Part::Words("new "));
                    put(Part::Words(E::NOUNS));
                    put(Part::Words(" are not cached until the next flush"));
                }
                OverflowPolicy::DiscardOldest => {
                    put(Part::Words("the oldest "));
                    put(Part::Words(E::NOUNS));
                    put(Part::Words(" are discarded to make room"));
                }
            }
        }
        put(Part::Words("\0"));
        text
    }
}

enum Part {
    Words(&'static str),
    Number(u32),
}

fn push_decimal(text: &mut Text, mut number: u32) -> Result<(), heapless::CapacityError> {
    let mut digits = String::<10>::new();
    loop {
        digits.push(char::from(b'0' + (number % 10) as u8))?;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    for digit in digits.chars().rev() {
        text.push(digit)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::connection::Connection;
    use crate::event::process::Process;

    const LOSSES: Losses =
        Losses { recommended_capacity: 96, recommended_text_bytes: 9000, of_text_only: false, at_least: false };
    const WARNING: Warning = Warning {
        reason: Reason::Losses(LOSSES),
        policy: OverflowPolicy::RejectNew,
        sequence: 0,
        capacity: 64,
        text_bytes: 4096,
        rejected: 131,
        discarded: 0,
    };

    #[test]
    fn the_texts_read_as_documented() {
        let connections = |warning: Warning| warning.text::<Connection>();
        assert_eq!(
            connections(WARNING),
            "connection cache full: 64 entries, 131 events not cached; increase the cache to 96\0"
        );
        let at_least = Reason::Losses(Losses { at_least: true, ..LOSSES });
        assert_eq!(
            connections(Warning { reason: at_least, rejected: 1, discarded: 1, ..WARNING }),
            "connection cache full: 64 entries, 2 events not kept; increase the cache to at least 96\0"
        );
        assert_eq!(
            connections(Warning { reason: Reason::CacheFull, ..WARNING }),
            "connection cache full: 64 entries; new connections are not cached until the next flush\0"
        );
        let discarding = Warning { policy: OverflowPolicy::DiscardOldest, rejected: 0, discarded: 131, ..WARNING };
        assert_eq!(
            discarding.text::<Process>(),
            "process cache full: 64 entries, 131 events discarded; \
             increase the cache to 96 entries and 9000 text bytes\0"
        );
        let of_text = Reason::Losses(Losses { of_text_only: true, ..LOSSES });
        assert_eq!(
            Warning { reason: of_text, ..discarding }.text::<Process>(),
            "process text full: 4096 bytes, 131 events discarded; increase it to 9000 bytes\0"
        );
        assert_eq!(
            Warning { reason: Reason::TextFull, ..discarding }.text::<Process>(),
            "process text full: 4096 bytes; the oldest processes are discarded to make room\0"
        );
    }

    #[test]
    fn the_longest_text_fits() {
        let losses = Losses {
            recommended_capacity: u32::MAX,
            recommended_text_bytes: u32::MAX,
            of_text_only: false,
            at_least: true,
        };
        let warning =
            Warning { reason: Reason::Losses(losses), capacity: 65_535, rejected: u32::MAX, discarded: 0, ..WARNING };
        let text = warning.text::<Process>();
        assert!(text.ends_with(" text bytes\0"), "{text}");
        assert_eq!(text.len(), TEXT_CAPACITY);
    }
}
