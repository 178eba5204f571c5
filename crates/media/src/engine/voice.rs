//! From samples to payloads and back. The one place in the engine that knows how a codec works.

use alloc::vec::Vec;

use crate::{Codec, Law, PacketTime};

/// Samples that the engine works with at a time: 20 ms.
pub(super) const FRAME: usize = crate::jitter::FRAME;

/// 20 ms of sound.
pub(super) type Frame = [i16; FRAME];

/// Whether the sound of a codec can be made and heard here. Packets of the others can only be passed on.
pub(super) fn is_understood(codec: Codec) -> bool {
    codec.law().is_some()
}

/// What makes samples of a party's payloads.
#[derive(Debug)]
pub(super) struct Decoder(Law);

impl Decoder {
    /// `None` for a codec that is not understood.
    pub(super) fn new(codec: Codec) -> Option<Self> {
        codec.law().map(Self)
    }

    /// Appends the samples of a payload.
    pub(super) fn decode(&mut self, payload: &[u8], samples: &mut Vec<i16>) {
        self.0.decode(payload, samples);
    }
}

/// What makes payloads of samples.
#[derive(Debug)]
struct Encoder(Law);

impl Encoder {
    fn encode(&mut self, samples: &[i16], payload: &mut Vec<u8>) {
        self.0.encode(samples, payload);
    }
}

/// How a stream is packed: streams that are alike may have one encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) codec: Codec,
    pub(super) packet_time: PacketTime,
}

/// Collects frames until a packet is full.
#[derive(Debug)]
pub(super) struct Packer {
    form: Form,
    /// `None` for a codec that is not understood: then time passes, and nothing else.
    encoder: Option<Encoder>,
    pending: Vec<i16>,
}

impl Packer {
    pub(super) fn new(form: Form) -> Self {
        Self { form, encoder: form.codec.law().map(Encoder), pending: Vec::new() }
    }

    pub(super) const fn form(&self) -> Form {
        self.form
    }

    /// Adds a frame.
    pub(super) fn add(&mut self, frame: &Frame) {
        self.pending.extend_from_slice(frame);
    }

    /// Makes the next full packet's payload in `payload`, if there is one. It stays empty for a codec that is not
    /// understood.
    pub(super) fn pack(&mut self, payload: &mut Vec<u8>) -> bool {
        payload.clear();
        let len = self.form.packet_time.samples();
        let Some(samples) = self.pending.get(..len) else { return false };
        if let Some(encoder) = &mut self.encoder {
            encoder.encode(samples, payload);
        }
        self.pending.drain(..len);
        true
    }

    /// Goes on in the place of another one, with what that one has collected.
    pub(super) fn take_over(&mut self, other: &Self) {
        self.pending.clear();
        self.pending.extend_from_slice(&other.pending);
    }

    /// Forgets what was collected.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }
}
