//! What an exchange that has failed leaves to the next one. An exchange never fails of what phones say; should one of its
//! own invariants not hold, then it panics, and its driver begins again with what is left.

use alloc::{boxed::Box, collections::BTreeMap, sync::Arc, vec::Vec};

use rand_chacha::rand_core::Rng;
use selsius_site::{DeviceName, LineNumber, Site};
use selsius_wire::Time;

use crate::{
    call::PhoneContact,
    config::{Config, Seed, WallClock},
    counters::Counters,
    exchange::Exchange,
    record::{CallId, EndCause, Record},
    remembered::{DeviceState, LineState},
};

/// All that outlives an exchange: whatever is not a connection, a phone that is there, or a call.
#[derive(Debug)]
pub struct Remains {
    /// Goes on with ids that no call and no phone has seen.
    config: Config,
    site: Site,
    lines: BTreeMap<LineNumber, LineState>,
    devices: BTreeMap<DeviceName, DeviceState>,
    counters: Counters,
    /// Where SIP phones are registered: they do not know that anything has happened.
    phones: BTreeMap<DeviceName, Vec<PhoneContact>>,
    /// What a trunk still says of an old call is of no new one.
    next_trunk_leg: u64,
}

impl Exchange {
    /// The records of the calls that are in progress, as they would be if all were cut off now
    /// ([`EndCause::Interrupted`]). The exchange does not change.
    pub fn cut_off(&self, now: Time) -> Vec<Record> {
        let at = self.wall.wall(now);
        let ended = self.calls.iter().filter_map(|(_, call)| {
            self.record_of(call, at, EndCause::Interrupted).map(|ended| Record::CallEnded(Box::new(ended)))
        });
        ended.collect()
    }

    /// What the next exchange begins with. Nothing of what is left is looked at.
    pub fn remains(mut self) -> Remains {
        // Keys that were given once are not given again.
        let mut seed = Seed::default();
        self.chance.fill_bytes(&mut seed.0);
        let config = Config {
            seed,
            first_call: CallId(self.next_call),
            first_reference: self.next_reference,
            ..self.config
        };
        Remains {
            config,
            site: Arc::unwrap_or_clone(self.site),
            lines: self.line_states,
            devices: self.device_states,
            counters: self.counters,
            phones: self.extensions.contacts(),
            next_trunk_leg: self.next_trunk_leg,
        }
    }

    /// An exchange without phones that goes on where another one has failed.
    pub fn after(remains: Remains, wall: WallClock) -> Self {
        let Remains { config, site, lines, devices, counters, phones, next_trunk_leg } = remains;
        let mut exchange = Self::new(config, site, wall);
        exchange.remember(lines, devices);
        exchange.remember_phones(phones);
        exchange.counters = counters;
        exchange.next_trunk_leg = next_trunk_leg;
        exchange
    }
}
