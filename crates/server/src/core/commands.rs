//! What other threads ask of the exchange, done.

use std::sync::mpsc::TryRecvError;

use selsius_exchange::{CannotForward, Exchange, Input, Load, Time};
use selsius_site::LineNumber;
use selsius_store::Remembered;

use super::{
    Command, Core, Counts, Face, LineChange, Metrics, NetworkCounters, PAGE,
    clock::{ZoneTable, wall_clock, zone},
};
use crate::office::carry_over;

/// What objects of operators are sent as: no application of the exchange, so that nothing comes of the answer.
const NO_APPLICATION: u32 = 0;

impl Core {
    pub(super) fn commands(&mut self) {
        loop {
            let command = match self.late.pop_front().map_or_else(|| self.commands.try_recv(), Ok) {
                Ok(command) => command,
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.stop(),
            };
            let much = matches!(command, Command::Devices(..) | Command::Calls(..) | Command::Presence(..));
            self.command(command);
            if much {
                // Whoever asks for all pages, and how many do, nobody waits for more than one.
                self.commands_wait = true;
                return;
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        // Whoever asked may have gone; then the answer is not needed.
        match command {
            Command::Counts(answer) => {
                let counters = self.exchange.counters().clone();
                let _ = answer.send(Counts { counters, network: self.network() });
            }
            Command::Devices(after, answer) => {
                let _ = answer.send(self.exchange.device_status_after(after.as_ref(), PAGE));
            }
            Command::Calls(place, answer) => {
                let _ = answer.send(self.exchange.call_status_from(place, PAGE));
            }
            Command::Metrics(answer) => {
                let _ = answer.send(Box::new(self.metrics()));
            }
            Command::Site { mut site, base, answer } => {
                carry_over(self.exchange.site(), &base, &mut site);
                self.zone = zone(&site);
                self.wall = wall_clock(now, &self.zone);
                self.exchange.handle(now, Input::Wall(self.wall));
                self.zones = ZoneTable::of(&site);
                self.tell_zones();
                let _ = answer.send(site.clone());
                self.exchange.handle(now, Input::Site(site));
            }
            Command::Remembered(answer) => {
                let (lines, devices) = self.exchange.remembered();
                let _ = answer.send(Remembered { lines: lines.clone(), devices: devices.clone() });
            }
            Command::Recall(Remembered { lines, devices }, answer) => {
                self.exchange.handle(now, Input::Recall { lines, devices });
                let _ = answer.send(());
            }
            Command::CurrentSite(answer) => {
                let _ = answer.send(self.exchange.shared_site());
            }
            Command::Presence(after, answer) => {
                let _ = answer.send(self.exchange.presence_after(after.as_ref(), PAGE));
            }
            Command::Reset(device, kind, answer) => {
                self.exchange.handle(now, Input::Reset { device, kind });
                let _ = answer.send(());
            }
            Command::Device(name, answer) => {
                // What a SIP phone shows is its own affair.
                let found = self.exchange.device_status_of(&name).map(|status| {
                    let view = self.exchange.view(&name).unwrap_or_default();
                    (status, Face::new(&self.exchange, &name, view))
                });
                let _ = answer.send(found);
            }
            Command::Operate(device, operation, answer) => {
                let _ = answer.send(self.exchange.operate(now, &device, &operation));
            }
            Command::Push(device, xml, answer) => {
                let _ = answer.send(self.exchange.push(&device, NO_APPLICATION, &xml));
            }
            Command::ChangeLine(line, change, answer) => {
                let _ = answer.send(change_line(&mut self.exchange, now, &line, change));
            }
            Command::Parked(answer) => {
                let _ = answer.send(self.exchange.parked_calls());
            }
            Command::Watch(watch, to) => self.watchers.add(&mut self.exchange, watch, to),
            Command::Limits(sockets, exchange) => {
                self.limits = *sockets;
                self.exchange.set_limits(*exchange);
            }
            Command::Media(anchoring) => self.anchors.connect(anchoring),
            Command::FarEnd(kind, far_end) => self.trunks.connect(kind, far_end),
            Command::Trunk(event) => {
                self.trunks.heard(self.exchange.site(), &event);
                self.exchange.handle(now, Input::Trunk(*event));
            }
            Command::Phone(phone, contacts) => self.exchange.handle(now, Input::Phone { phone, contacts }),
            Command::Music(music) => self.anchors.music = music,
            Command::Talks { party, talks } => self.exchange.handle(now, Input::Talks { party, talks }),
            Command::Tell(news) => self.watchers.tell(&mut self.exchange, &news),
            Command::Anchored { party, address } => {
                self.exchange.handle(now, Input::Anchored { party, address });
            }
            Command::RecordingFailed { name, kept } => {
                self.exchange.handle(now, Input::RecordingFailed { name, kept });
            }
            Command::Left { party, figures } => self.exchange.handle(now, Input::Left { party, figures }),
            Command::Drain(grace) => {
                self.draining = Some(now + grace);
                self.exchange.handle(now, Input::Drain);
            }
            Command::Stop => self.stop(),
        }
    }

    fn network(&self) -> NetworkCounters {
        NetworkCounters { connections: self.connections.len(), unread: self.unread, ..self.counters.clone() }
    }

    fn metrics(&self) -> Metrics {
        Metrics {
            sizes: self.exchange.sizes(),
            calls: self.exchange.calls_by_phase().into(),
            configured: self.exchange.site().devices.len(),
            unregistered: self.admission.unregistered(),
            accepting: self.accepting,
            overloaded: self.lateness.load() == Load::Overloaded,
            stopping: self.draining.is_some() || self.stopping.is_some(),
            counters: self.exchange.counters().clone(),
            network: self.network(),
            tally: self.tally.clone(),
        }
    }
}

fn change_line(
    exchange: &mut Exchange,
    now: Time,
    line: &LineNumber,
    change: LineChange,
) -> Result<(), CannotForward> {
    if !exchange.site().lines.contains_key(line) {
        return Err(CannotForward::UnknownLine);
    }
    match change {
        LineChange::Forward(kind, to) => exchange.set_forward(now, line, kind, to)?,
        LineChange::DoNotDisturb(on) => exchange.set_do_not_disturb(now, line, on),
        LineChange::Messages { new, old } => exchange.set_messages(now, line, new, old),
    }
    Ok(())
}
