// SPDX-License-Identifier: MIT OR Apache-2.0
//! An instance and the model side by side: every call goes to both, and after it everything that can be seen is
//! compared.

use evagg::ffi::status::*;

use super::call::{Attach, Call, Config, Foreign, Start};
use super::naive::{Model, Record};
use super::packets::{Meaning, Packet};
use super::subject::{Place, Subject};
use super::warnings::Recommendations;

pub struct Run<S> {
    config: Config,
    subject: S,
    model: Model,
    unsent: Vec<Record>,
    now: i64,
    /// Of the next event, for its process ids.
    serial: u32,
    pub recommendations: Recommendations,
}

/// Everything that a call can change.
pub struct Saved {
    config: Config,
    place: Place,
    model: Model,
    unsent: Vec<Record>,
    now: i64,
    serial: u32,
}

impl<S: Subject> Run<S> {
    pub fn new(config: &Config) -> Self {
        let (subject, model) = (S::new(config), Model::new(*config, S::KIND));
        Self {
            config: *config,
            subject,
            model,
            unsent: Vec::new(),
            now: 0,
            serial: 0,
            recommendations: Recommendations::default(),
        }
    }

    pub fn model(&self) -> &Model {
        &self.model
    }

    pub fn save(&mut self) -> Saved {
        Saved {
            config: self.config,
            place: self.subject.instance().save(),
            model: self.model.clone(),
            unsent: self.unsent.clone(),
            now: self.now,
            serial: self.serial,
        }
    }

    pub fn restore(&mut self, saved: &Saved) {
        self.config = saved.config;
        self.subject.instance().restore(&saved.place, &self.config);
        self.model.clone_from(&saved.model);
        self.unsent.clone_from(&saved.unsent);
        (self.now, self.serial) = (saved.now, saved.serial);
    }

    pub fn apply(&mut self, call: &Call) {
        self.now += 1;
        match call {
            Call::Record { key, is_out, bytes } => self.record(*key, *is_out, *bytes),
            Call::Packet { key, is_out, shape, payload } => {
                let key = self.config.key(*key);
                self.record_packet(Packet { key, is_out: *is_out, shape: *shape, payload: *payload });
            }
            Call::Flush { records, text_spare } => self.flush((*records).into(), (*text_spare).into()),
            Call::MergeBack { records, newest } => {
                let count = usize::from(*records).min(self.unsent.len());
                let start = if *newest { self.unsent.len() - count } else { 0 };
                let back: Vec<_> = self.unsent.drain(start..start + count).collect();
                self.merge(&back);
            }
            Call::Merge(records) => {
                let records: Vec<_> = records.iter().map(|record| self.foreign(record)).collect();
                self.merge(&records);
            }
            Call::SetPolicy(policy) => {
                assert_eq!(self.subject.instance().set_policy(*policy), EVAGG_OK);
                self.model.set_policy(*policy);
            }
            Call::SetEnabled(enabled) => {
                assert_eq!(self.subject.instance().set_enabled((*enabled).into()), EVAGG_OK);
                self.model.set_enabled(*enabled);
            }
            Call::Listen(listens) => {
                assert_eq!(self.subject.instance().listen(*listens), EVAGG_OK);
                self.model.listen(*listens);
            }
            Call::Due { ahead } => self.compare_due(self.now + i64::from(*ahead)),
            Call::Clock(ticks) => self.now += i64::from(*ticks),
            Call::Restart => {
                self.subject.instance().restart();
                self.model = Model::new(self.config, S::KIND);
            }
            Call::Attach(attach) => self.attach(attach),
            Call::Wrong(which) => {
                let before = self.subject.instance().storage.copy();
                let (status, expected) = self.subject.wrong(*which);
                assert_eq!(status, expected, "wrong call {which}");
                assert!(self.subject.instance().storage.is_still(&before), "wrong call {which} changed something");
            }
        }
        self.compare();
    }

    fn event(&mut self, key: u8, is_out: bool, bytes: u32) -> Record {
        let mut event =
            Record { key, hits: 1, bytes: [0, 0], first_seen: self.now, last_seen: self.now, ids: (0, 0), flags: 0 };
        if S::KIND.has_text {
            event.ids = self.ids(key);
        } else {
            event.bytes[usize::from(is_out)] = bytes;
        }
        event
    }

    /// The key can be read from the process id, which does not grow with time.
    fn ids(&mut self, key: u8) -> (u32, u32) {
        self.serial += 1;
        (self.serial.wrapping_mul(0x9E_3779) << 8 | u32::from(key), self.serial)
    }

    fn record(&mut self, key: u8, is_out: bool, bytes: u32) {
        let event = self.event(self.config.key(key), is_out, bytes);
        assert_eq!(self.subject.record(&event, is_out), self.model.record(event));
    }

    fn record_packet(&mut self, packet: Packet) {
        let Some(status) = self.subject.record_packet(packet, self.now) else {
            let event = self.event(packet.key, false, 0);
            assert_eq!(self.subject.record(&event, false), self.model.record(event));
            return;
        };
        let expected = match packet.meaning() {
            Meaning::Event { key, bytes } => {
                let event = self.event(key, packet.is_out, bytes);
                self.model.record(event)
            }
            Meaning::Malformed => self.model.malformed(),
            Meaning::Ignored => self.model.ignored(),
        };
        assert_eq!(status, expected, "{packet:?}");
    }

    fn flush(&mut self, records: usize, text_spare: usize) {
        let text_room = usize::from(self.config.text_maximum) + 1 + text_spare;
        let given = self.subject.flush(self.now, records, text_room);
        assert_eq!(given, self.model.flush(self.now, records, text_room));
        self.unsent.extend(given.1);
    }

    fn merge(&mut self, records: &[Record]) {
        assert_eq!(self.subject.merge(records), self.model.merge(records));
    }

    fn foreign(&mut self, record: &Foreign) -> Record {
        let key = self.config.key(record.key);
        let first_seen = self.now - i64::from(record.age);
        let ids = if S::KIND.has_text { self.ids(key) } else { (0, 0) };
        let bytes = if S::KIND.has_text { [0, 0] } else { record.bytes };
        let last_seen = first_seen + i64::from(record.span);
        Record { key, hits: record.hits, bytes, first_seen, last_seen, ids, flags: 0 }
    }

    fn attach(&mut self, attach: &Attach) {
        let start = match attach.start {
            Start::Clock(ticks) => {
                self.now += i64::from(ticks);
                self.config.tick(self.now)
            }
            Start::Zero => {
                // The model cannot follow a clock that jumps half around.
                let zero = self.config.time(0);
                if (zero - self.now).abs() < 1 << 30 {
                    self.now = zero;
                }
                0
            }
        };
        self.config = self.config.attached(attach);
        self.subject.instance().attach(&self.config, start);
        self.model.attach(attach, start);
    }

    fn compare_due(&mut self, now: i64) {
        let expected = if self.model.is_due(now) { EVAGG_DUE } else { EVAGG_OK };
        assert_eq!(self.subject.instance().due(now), expected, "due at {now}");
    }

    fn compare(&mut self) {
        self.compare_due(self.now);
        let instance = self.subject.instance();
        let (heard, said) = (instance.host.take_heard(), &mut self.model.said);
        assert_eq!(heard.len(), said.len(), "{heard:?} {said:?}");
        for (heard, said) in heard.iter().zip(said.drain(..)) {
            said.check(heard, &self.config, &S::KIND, &mut self.recommendations);
        }
        assert_eq!(instance.length() as usize, self.model.length());
        assert_eq!(instance.statistics(), self.model.statistics());
        assert!(instance.host.lock_is_at_rest());
    }
}
