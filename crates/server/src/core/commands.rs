//! What other threads ask of the exchange, done.

use std::sync::mpsc::TryRecvError;

use selsius_exchange::{CannotForward, Exchange, Input, Load, Time};
use selsius_site::LineNumber;
use selsius_store::Remembered;

use super::{
    Command, Core, Face, LineChange, Metrics, NetworkCounters, Status,
    clock::{ZoneTable, wall_clock, zone},
};
use crate::office::carry_over;

/// What objects of operators are sent as: no application of the exchange, so that nothing comes of the answer.
const NO_APPLICATION: u32 = 0;

impl Core {
    pub(super) fn commands(&mut self) {
        for command in std::mem::take(&mut self.late) {
            self.command(command);
        }
        loop {
            match self.commands.try_recv() {
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.stop(),
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = self.now();
        // Whoever asked may have gone; then the answer is not needed.
        match command {
            Command::Status(answer) => {
                let _ = answer.send(Status {
                    devices: self.exchange.device_status(),
                    calls: self.exchange.call_status(),
                    counters: self.exchange.counters().clone(),
                    network: self.network(),
                });
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
            Command::Presence(answer) => {
                let _ = answer.send(self.exchange.presence());
            }
            Command::Reset(device, kind, answer) => {
                self.exchange.handle(now, Input::Reset { device, kind });
                let _ = answer.send(());
            }
            Command::Device(name, answer) => {
                let status = self.exchange.device_status_of(&name).zip(self.exchange.view(&name));
                let found = status.map(|(status, view)| (status, Face::new(&self.exchange, &name, view)));
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
            Command::Media(mixing) => self.mixer.connect(mixing),
            Command::Mixer { party, address } => {
                self.exchange.handle(now, Input::Mixer { party, address });
            }
            Command::Services(far_end) => self.trunks.connect(far_end),
            Command::Trunk(event) => {
                self.trunks.heard(&event);
                self.exchange.handle(now, Input::Trunk(*event));
            }
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
