//! What an operator may do from outside: use a phone in its user's place, write on its screen, watch it.

use alloc::{boxed::Box, string::String};

use selsius_site::{DeviceName, LineNumber};
use selsius_wire::{PhoneText, Time};
use thiserror::Error;

use crate::{
    arena::Handle,
    call::{Leg, LegState},
    device::Device,
    exchange::Exchange,
    io::Output,
    status::CallStatus,
    view::View,
};

/// Something that an operator does at a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Lifts (or takes what is lifted) and dials a number.
    Dial(LineNumber),
    /// Answers what rings.
    Answer,
    /// Ends the call that is up, else the one that waits longest.
    HangUp,
    /// Puts the call that is up on hold.
    Hold,
    /// Takes up what is on hold.
    Resume,
    /// Writes a text on the screen for a while. A phone shows about 30 characters of it.
    Message(String),
}

/// Why an operator's wish could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OperationError {
    /// No such phone is registered.
    #[error("the phone is not registered")]
    NotRegistered,
    /// The phone has no call in the state that it takes.
    #[error("the phone has no call for that")]
    NoCall,
    /// The phone is busy with making another call, or has no line with room.
    #[error("the phone is busy with another call")]
    Busy,
}

/// Something that those who watch the exchange want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A phone that is watched shows something else.
    Face {
        /// Which phone.
        device: DeviceName,
        /// What it shows now.
        view: Box<View>,
    },
    /// A watched phone is gone, or was not there.
    FaceGone {
        /// Which phone.
        device: DeviceName,
    },
    /// A call has gone on: told with each change of its phase or parties.
    Call(CallStatus),
}

impl Exchange {
    /// Does something at a phone. Afterwards take all outputs.
    ///
    /// # Errors
    /// If it cannot be done; nothing has changed then.
    pub fn operate(
        &mut self,
        now: Time,
        device: &DeviceName,
        operation: &Operation,
    ) -> Result<(), OperationError> {
        let handle = *self.by_name.get(device).ok_or(OperationError::NotRegistered)?;
        match operation {
            Operation::Dial(number) => self.dial_for(now, handle, number),
            Operation::Answer => {
                let leg = self.leg_in(handle, |state| state == LegState::RingIn)?;
                self.answer(now, leg);
                Ok(())
            }
            Operation::HangUp => {
                let up = self.active_leg(handle).or_else(|| self.held_leg(handle, None));
                self.hang_up(now, up.ok_or(OperationError::NoCall)?);
                Ok(())
            }
            Operation::Hold => {
                let leg = self.leg_in(handle, |state| state == LegState::Connected)?;
                self.hold(now, leg);
                Ok(())
            }
            Operation::Resume => {
                let leg = self.held_leg(handle, None).ok_or(OperationError::NoCall)?;
                self.resume(now, leg);
                Ok(())
            }
            Operation::Message(text) => {
                self.notify(handle, &PhoneText::from(crate::device::printable(text).as_str()));
                Ok(())
            }
        }
    }

    fn dial_for(
        &mut self,
        now: Time,
        device: Handle<Device>,
        number: &LineNumber,
    ) -> Result<(), OperationError> {
        let idle = |&leg: &Handle<Leg>| self.legs.get(leg).is_some_and(|leg| leg.state == LegState::DialTone);
        let leg = self.active_leg(device).filter(idle).or_else(|| self.new_call_on(now, device, 0));
        self.dial_all(now, leg.ok_or(OperationError::Busy)?, number.as_str());
        Ok(())
    }

    fn leg_in(
        &self,
        device: Handle<Device>,
        fits: impl Fn(LegState) -> bool,
    ) -> Result<Handle<Leg>, OperationError> {
        let legs = self.devices.get(device).map(|device| device.legs.as_slice()).unwrap_or_default();
        let found = legs.iter().copied().find(|&leg| self.legs.get(leg).is_some_and(|leg| fits(leg.state)));
        found.ok_or(OperationError::NoCall)
    }

    /// Begins or ends to tell what a phone shows ([`Notice::Face`]), registered or not. It is told at once.
    pub fn watch(&mut self, device: &DeviceName, watch: bool) {
        if !watch {
            self.watched.remove(device);
            return;
        }
        self.watched.insert(device.clone());
        self.tell_face(device);
    }

    /// Tells what a phone shows, if somebody watches it.
    pub(crate) fn tell_face(&mut self, device: &DeviceName) {
        if !self.watched.contains(device) {
            return;
        }
        let notice = match self.view(device) {
            Some(view) => Notice::Face { device: device.clone(), view: Box::new(view) },
            None => Notice::FaceGone { device: device.clone() },
        };
        self.out.push_back(Output::Notice(Box::new(notice)));
    }

    /// The phones whose faces are told.
    pub fn watched_phones(&self) -> impl Iterator<Item = &DeviceName> {
        self.watched.iter()
    }

    /// Begins or ends to tell of all calls ([`Notice::Call`]).
    pub fn watch_calls(&mut self, watch: bool) {
        self.calls_watched = watch;
    }
}
