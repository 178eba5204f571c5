//! Connections that are not as they should be: some say nothing, some read nothing.

use std::io::Write;

use mio::{Interest, Token, net::TcpStream};
use selsius_wire::{Dialect, Time, message};
use socket2::SockRef;

use super::{Fleet, link::connect};

/// How often a phone that reads nothing asks.
pub(super) const ASK: std::time::Duration = std::time::Duration::from_millis(50);
/// Questions at a time; the answers are some hundred bytes each.
const QUESTIONS: usize = 100;

/// A connection that says nothing, or half a message.
pub(super) struct HalfOpen {
    stream: Option<TcpStream>,
    /// Half a message was said, or nothing is to be.
    said: bool,
}

impl Fleet {
    /// Opens a connection that says nothing; every second one says the first half of a KeepAlive.
    pub(super) fn half_open(&mut self) {
        let place = self.strangers.len();
        let source = self.source(u32::try_from(place).unwrap_or(0));
        self.director.tally.strangers.half_open += 1;
        let token = Token(self.handsets.len() + place);
        let stream = connect(self.plan.target, source).and_then(|mut stream| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut stream, token, interest).map(|()| stream)
        });
        let said = place.is_multiple_of(2);
        match stream {
            Ok(stream) => self.strangers.push(HalfOpen { stream: Some(stream), said }),
            Err(_) => {
                self.director.tally.strangers.half_open_closed += 1;
                self.strangers.push(HalfOpen { stream: None, said });
            }
        }
    }

    pub(super) fn half_open_ready(&mut self, place: usize, ended: bool) {
        let Some(stranger) = self.strangers.get_mut(place) else { return };
        let Some(stream) = &mut stranger.stream else { return };
        if !stranger.said {
            stranger.said = true;
            let mut bytes = Vec::new();
            Dialect::default().encode_station(&message::KeepAlive.into(), &mut bytes);
            // One that cannot say it has been refused, which is told as well.
            let _ = stream.write(&bytes[..bytes.len() / 2]);
        }
        if ended {
            stranger.stream = None;
            self.director.tally.strangers.half_open_closed += 1;
        }
    }

    /// From now on a phone asks and asks, and reads nothing.
    pub(super) fn deafen(&mut self, now: Time, phone: u32) {
        if let Some(handset) = self.handsets.get_mut(phone as usize) {
            handset.deaf = true;
            if let Some(stream) = &handset.link.stream {
                // Else the system would take megabytes for it before the server notices anything.
                let _ = SockRef::from(stream).set_recv_buffer_size(4096);
            }
            self.deaf.push(phone);
            self.next_ask = self.next_ask.min(now);
        }
    }

    pub(super) fn ask(&mut self, now: Time) {
        if self.next_ask > now {
            return;
        }
        self.next_ask = now + ASK;
        for place in 0..self.deaf.len() {
            let phone = self.deaf[place];
            let Some(handset) = self.handsets.get_mut(phone as usize).filter(|handset| handset.link.up)
            else {
                continue;
            };
            // One that the server does not read from waits, as a phone would.
            if handset.link.out.is_empty() {
                let question = message::SoftKeyTemplateReq.into();
                for _ in 0..QUESTIONS {
                    handset.station.dialect().encode_station(&question, &mut handset.link.out);
                }
                self.director.tally.sent += QUESTIONS as u64;
                self.flush(phone);
            }
        }
    }
}
