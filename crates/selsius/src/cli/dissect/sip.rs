//! The SIP beside the SCCP in a capture: which messages there are, and which of them belong to a manager's calls.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};

use selsius_inspect::{
    packet::{Segment, Stamp},
    sip::{Message, Start},
    survey::{Call, Device, Party},
};
use selsius_wire::Time;

/// Calls, registrations and the like that are followed, and streams.
const MOST: usize = 4096;

/// The messages that a datagram or segment begins with. What goes on in the next segment is read as far as it is there.
pub(super) fn messages(mut payload: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let message = Message::parse(payload)?;
        payload = payload.get(message.length..)?;
        Some(message)
    })
}

/// Which segments of streams with SIP were seen before.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<(SocketAddr, SocketAddr), u32>);

impl Repeats {
    /// Whether this segment, which begins with a message, is a new one.
    pub(super) fn is_new(&mut self, segment: &Segment<'_>) -> bool {
        let key = (segment.source, segment.destination);
        let end = segment.sequence.wrapping_add(segment.payload.len() as u32);
        if self.0.len() >= MOST && !self.0.contains_key(&key) {
            self.0.clear();
        }
        let before = self.0.insert(key, end);
        // Half of all numbers are later than any other.
        before.is_none_or(|before| segment.sequence.wrapping_sub(before) < 1 << 31)
    }
}

/// Messages with one Call-ID.
#[derive(Debug, Clone)]
pub(super) struct Dialog {
    /// Who sent the first message, and to whom.
    ends: [SocketAddr; 2],
    /// The numbers in it; empty where there is none.
    from: String,
    to: String,
    /// Its first message is the beginning of a call.
    pub(super) is_call: bool,
    first: Time,
    last: Time,
}

/// All of a capture.
#[derive(Debug, Default)]
pub(super) struct Dialogs(BTreeMap<String, Dialog>);

impl Dialogs {
    pub(super) fn message(&mut self, stamp: Stamp, ends: [SocketAddr; 2], message: &Message<'_>) {
        if let Some(known) = self.0.get_mut(message.call_id) {
            known.last = stamp.time;
            return;
        }
        if self.0.len() >= MOST {
            return;
        }
        let is_call = message.method == "INVITE" && matches!(message.start, Start::Request { .. });
        let (from, to) = (message.from.into(), message.called().into());
        let dialog = Dialog { ends, from, to, is_call, first: stamp.time, last: stamp.time };
        self.0.insert(message.call_id.into(), dialog);
    }

    /// Those that these phones' managers have a part in and for which this holds, with who is who in them.
    pub(super) fn of(
        &self,
        devices: &[Device],
        holds: impl Fn(&Dialog) -> bool,
    ) -> BTreeMap<String, (Time, Ends)> {
        let chosen = self.0.iter().filter(|(_, dialog)| holds(dialog));
        chosen.filter_map(|(id, dialog)| Some((id.clone(), (dialog.first, dialog.who(devices)?)))).collect()
    }
}

impl Dialog {
    /// Whether some of it is between the beginning and the end of a call.
    pub(super) fn is_during(&self, call: &Call) -> bool {
        let end = call.legs.iter().map(|leg| leg.last).max().unwrap_or(call.start);
        self.first <= end && call.start <= self.last
    }

    /// Whether this party is in it.
    pub(super) fn has(&self, party: &Party) -> bool {
        self.has_number(&party.number)
    }

    pub(super) fn has_number(&self, number: &str) -> bool {
        !number.is_empty() && (self.from == number || self.to == number)
    }

    fn who(&self, devices: &[Device]) -> Option<Ends> {
        let is_manager = |ip: IpAddr| {
            devices.iter().any(|device| device.messages > 0 && device.manager.ip().to_canonical() == ip)
        };
        let [sender, receiver] = self.ends;
        let sends = match self.ends.map(|end| is_manager(end.ip().to_canonical())) {
            [false, false] => return None,
            // All on one machine: one who calls from a phone's line is the manager.
            [true, true] => devices.iter().any(|device| device.lines.contains(&self.from)),
            [sends, _] => sends,
        };
        let (manager, peer) = if sends { (sender, receiver) } else { (receiver, sender) };
        Some(Ends { manager, peer })
    }
}

/// Who is who in a dialog.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ends {
    manager: SocketAddr,
    pub(super) peer: SocketAddr,
}

impl Ends {
    /// Whether both are on one machine, where only ports tell them apart.
    pub(super) fn share_a_machine(&self) -> bool {
        self.manager.ip() == self.peer.ip()
    }

    /// Whether what comes from there is the manager's.
    pub(super) fn is_manager(&self, from: SocketAddr) -> bool {
        if self.share_a_machine() { from == self.manager } else { from.ip() == self.manager.ip() }
    }
}
