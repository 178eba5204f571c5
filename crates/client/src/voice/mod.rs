//! The voice of one phone: its ports, and what is heard on them.

mod endpoint;
mod socket;

use std::{
    future::poll_fn,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    path::Path,
    task::Poll,
    time::Duration,
};

use selsius_media::{Codec, Level, PacketTime, Time, rtp::Quality, tone::detect::Content};
use selsius_station::{Counters, Input, MediaOrder};
use selsius_wire::{srtp::Keys, value};

pub use self::socket::Ports;
use self::{endpoint::Endpoint, socket::mark};
use crate::{
    Way,
    audio::{AudioSource, Recorder, WavError},
};

/// What was sent and heard on one port.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamReport {
    /// How the voice is coded.
    pub codec: Option<Codec>,
    /// Packets sent.
    pub packets_sent: u32,
    /// Octets of payload sent.
    pub octets_sent: u32,
    /// What was received.
    pub received: Quality,
    /// Packets that were dropped since they were not encrypted with the keys of the stream, or were there before.
    pub refused: u64,
    /// Milliseconds of sound that were played.
    pub played_ms: u64,
    /// How loud the last tenth of a second was.
    pub level: Option<Level>,
    /// What is heard, if it was the same for two tenths of a second.
    pub heard: Option<Content>,
    /// The tones that were heard, first ones first.
    pub tones: Vec<Tone>,
}

/// A tone that was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// Its frequencies.
    pub content: Content,
    /// For how long, in all.
    pub lasted: Duration,
}

impl StreamReport {
    /// The tone that lasted longest.
    pub fn main_tone(&self) -> Option<&Tone> {
        self.tones.iter().max_by_key(|tone| tone.lasted)
    }

    /// Whether one sine of this frequency is heard now. The detector is right to about 1 Hz.
    pub fn hears(&self, frequency: u16) -> bool {
        matches!(self.heard, Some(Content::Single(peak)) if (peak.frequency - f32::from(frequency)).abs() < 5.0)
    }
}

/// The ports of one phone.
pub(crate) struct Voice {
    ports: Ports,
    fixed_port: Option<u16>,
    source: AudioSource,
    /// Every so manieth packet is lost on its way.
    loses: Option<NonZeroU32>,
    recorder: Option<Recorder>,
    endpoints: Vec<Endpoint>,
    /// The port that was in use last.
    last: StreamReport,
}

/// CallManager 2.x names neither stream nor conference where it opens the fixed port, and closes stream 0.
const FIXED: u32 = 0;

impl Voice {
    pub(crate) fn new(
        ports: Ports,
        fixed_port: Option<u16>,
        source: AudioSource,
        loses: Option<NonZeroU32>,
    ) -> Self {
        Self {
            ports,
            fixed_port,
            source,
            loses,
            recorder: None,
            endpoints: Vec::new(),
            last: StreamReport::default(),
        }
    }

    /// Does what the station wants; its answer, where it waits for one. `address` is the phone's own.
    pub(crate) fn order(&mut self, now: Time, address: IpAddr, order: MediaOrder) -> Vec<Input> {
        match order {
            MediaOrder::OpenReceive { party, conference, codec, keys, .. } => {
                let mut inputs = Vec::from_iter(self.close_receive(party));
                let opened =
                    codec_of(codec).and_then(|codec| self.open(now, address, party, conference, codec, keys));
                inputs.push(match opened {
                    Some(address) => Input::ReceiveOpened { party, address },
                    None => Input::ReceiveFailed { party },
                });
                inputs
            }
            MediaOrder::ReceiveMulticast { party, conference, group, codec, .. } => {
                let mut inputs = Vec::from_iter(self.close_receive(party));
                let joined = codec_of(codec)
                    .is_some_and(|codec| self.join(now, address, party, conference, group, codec));
                inputs.push(if joined {
                    Input::ReceiveOpened { party, address: group }
                } else {
                    Input::ReceiveFailed { party }
                });
                inputs
            }
            MediaOrder::CloseReceive { party } => Vec::from_iter(self.close_receive(party)),
            MediaOrder::StartTransmit {
                party,
                conference,
                remote,
                codec,
                packet_ms,
                precedence,
                keys,
                ..
            } => {
                let mut inputs = Vec::from_iter(self.stop_transmit(party));
                let form = codec_of(codec).zip(PacketTime::from_millis(packet_ms));
                let started = form.and_then(|form| {
                    let endpoint =
                        self.free_endpoint(address, conference, |endpoint| endpoint.sending.is_none())?;
                    mark(&endpoint.socket, endpoint.local.ip(), precedence);
                    if remote.ip().is_multicast() {
                        socket::send_from(&endpoint.socket, endpoint.local.ip());
                    }
                    let local = endpoint.local;
                    let index = self.endpoints.len() - 1;
                    let (source, loses) = (self.source.clone(), self.loses);
                    self.endpoints[index]
                        .send(now, party, (remote, keys), form, &source, loses)
                        .map(|()| local)
                });
                self.remove_idle();
                inputs.push(match started {
                    Some(address) => Input::TransmitStarted { party, address },
                    None => Input::TransmitFailed { party },
                });
                inputs
            }
            MediaOrder::StopTransmit { party } => Vec::from_iter(self.stop_transmit(party)),
            MediaOrder::ReceiveFixed { codec, .. } => {
                self.open_fixed(now, address, codec);
                Vec::new()
            }
        }
    }

    /// What the microphone hears from now on, in calls that are up too.
    pub(crate) fn play(&mut self, source: AudioSource) {
        for endpoint in &mut self.endpoints {
            endpoint.play(&source);
        }
        self.source = source;
    }

    /// Writes what is heard to this file from now on; `None` stops.
    pub(crate) fn record(&mut self, path: Option<&Path>) -> Result<(), WavError> {
        if let Some(recorder) = self.recorder.take() {
            recorder.finish()?;
        }
        self.recorder = path.map(Recorder::create).transpose()?;
        Ok(())
    }

    /// Waits until a port has something to read. Never ends without a port.
    pub(crate) async fn readable(&self) {
        poll_fn(|cx| {
            let ready = self.endpoints.iter().any(|endpoint| endpoint.socket.poll_recv_ready(cx).is_ready());
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    pub(crate) fn read(&mut self, now: Time, mut tap: impl FnMut(Way, SocketAddr, SocketAddr, &[u8])) {
        for endpoint in &mut self.endpoints {
            endpoint.read(now, &mut tap);
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Time> {
        self.endpoints.iter().filter_map(Endpoint::poll_timeout).min()
    }

    /// Sends and plays what is due.
    ///
    /// # Errors
    /// Where the recording cannot be written; it ends then.
    pub(crate) fn handle_timeout(
        &mut self,
        now: Time,
        mut tap: impl FnMut(Way, SocketAddr, SocketAddr, &[u8]),
    ) -> Result<(), WavError> {
        let Self { endpoints, recorder, .. } = self;
        let mut written = Ok(());
        for endpoint in endpoints {
            let record = |samples: &[i16]| {
                if let (Some(recorder), Ok(())) = (recorder.as_mut(), &written) {
                    written = recorder.write(samples);
                }
            };
            endpoint.handle_timeout(now, record, &mut tap);
        }
        if written.is_err() {
            self.recorder = None;
        }
        written
    }

    /// The port in use, or the one that was used last.
    pub(crate) fn report(&self) -> StreamReport {
        self.endpoints.last().map_or_else(|| self.last.clone(), |endpoint| endpoint.report.clone())
    }

    /// What the station answers questions about its streams with.
    pub(crate) fn counters(&self) -> impl Iterator<Item = Input> {
        self.endpoints.iter().flat_map(|endpoint| {
            let parties = [
                endpoint.receiving.as_ref().map(|receiving| receiving.party),
                endpoint.sending.as_ref().map(|sending| sending.party),
            ];
            let counters: Counters = endpoint.report.counters();
            parties.into_iter().flatten().map(move |party| Input::Counters { party, counters })
        })
    }

    /// Completes the recording.
    pub(crate) fn finish(mut self) -> Result<(), WavError> {
        self.record(None)
    }

    fn open(
        &mut self,
        now: Time,
        address: IpAddr,
        party: u32,
        conference: u32,
        codec: Codec,
        keys: Option<Keys>,
    ) -> Option<SocketAddr> {
        let endpoint = self.free_endpoint(address, conference, |endpoint| endpoint.receiving.is_none())?;
        endpoint.receive(now, party, codec, keys);
        Some(endpoint.local)
    }

    /// Listens to a group, on a port that others on this machine may listen at too.
    fn join(
        &mut self,
        now: Time,
        address: IpAddr,
        party: u32,
        conference: u32,
        group: SocketAddr,
        codec: Codec,
    ) -> bool {
        match socket::join(group, address) {
            Ok(socket) => {
                let mut endpoint = Endpoint::new(conference, socket, group);
                endpoint.receive(now, party, codec, None);
                self.endpoints.push(endpoint);
                true
            }
            Err(error) => {
                tracing::warn!(%error, %group, "cannot listen to a group");
                false
            }
        }
    }

    fn open_fixed(&mut self, now: Time, address: IpAddr, codec: value::Codec) {
        let (Some(port), Some(codec)) = (self.fixed_port, codec_of(codec)) else { return };
        self.close_receive(FIXED);
        match socket::bind(SocketAddr::new(address, port)) {
            Ok(socket) => {
                let mut endpoint = Endpoint::new(FIXED, socket, SocketAddr::new(address, port));
                endpoint.receive(now, FIXED, codec, None);
                self.endpoints.push(endpoint);
            }
            Err(error) => tracing::warn!(%error, port, "cannot receive voice"),
        }
    }

    /// A port of this conference that is free in one direction, or a new one. It is the last in the list then.
    fn free_endpoint(
        &mut self,
        address: IpAddr,
        conference: u32,
        is_free: impl Fn(&Endpoint) -> bool,
    ) -> Option<&mut Endpoint> {
        let known =
            self.endpoints.iter().position(|endpoint| endpoint.conference == conference && is_free(endpoint));
        let endpoint = match known {
            Some(index) => self.endpoints.remove(index),
            None => {
                let bound = self.ports.bind(address).and_then(|socket| Ok((socket.local_addr()?, socket)));
                match bound {
                    Ok((local, socket)) => Endpoint::new(conference, socket, local),
                    Err(error) => {
                        tracing::warn!(%error, "no port for voice");
                        return None;
                    }
                }
            }
        };
        self.endpoints.push(endpoint);
        self.endpoints.last_mut()
    }

    /// The last counters of a stream go out with its end, so that they are there when the manager asks for them.
    fn close_receive(&mut self, party: u32) -> Option<Input> {
        let is_it =
            |endpoint: &&mut Endpoint| endpoint.receiving.as_ref().is_some_and(|it| it.party == party);
        let endpoint = self.endpoints.iter_mut().find(is_it)?;
        endpoint.receiving = None;
        endpoint.report.heard = None;
        endpoint.report.level = None;
        let counters = endpoint.report.counters();
        self.remove_idle();
        Some(Input::Counters { party, counters })
    }

    fn stop_transmit(&mut self, party: u32) -> Option<Input> {
        let is_it = |endpoint: &&mut Endpoint| endpoint.sending.as_ref().is_some_and(|it| it.party == party);
        let endpoint = self.endpoints.iter_mut().find(is_it)?;
        endpoint.sending = None;
        let counters = endpoint.report.counters();
        self.remove_idle();
        Some(Input::Counters { party, counters })
    }

    fn remove_idle(&mut self) {
        let Some(index) = self.endpoints.iter().position(Endpoint::is_idle) else { return };
        let endpoint = self.endpoints.remove(index);
        if endpoint.report != StreamReport::default() {
            self.last = endpoint.report;
        }
    }
}

/// The codecs that streams can have. G.711 and G.722 are spoken and heard, of what comes in G.722 the lower half of the band; of G.729
/// only the figures are kept.
fn codec_of(codec: value::Codec) -> Option<Codec> {
    Some(match codec {
        value::Codec::G711Ulaw64k => Codec::Pcmu,
        value::Codec::G711Alaw64k => Codec::Pcma,
        value::Codec::G722_64k => Codec::G722,
        value::Codec::G729
        | value::Codec::G729AnnexA
        | value::Codec::G729AnnexB
        | value::Codec::G729AnnexAwAnnexB => Codec::G729,
        _ => return None,
    })
}
