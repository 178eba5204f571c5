//! Voice over the network, without the network: RTP, RTCP, codecs, tones and playout.
//!
//! Nothing here opens a socket, starts a thread or reads a clock. The caller owns the socket and the
//! sound device, gives every function the [`Time`] it happens at, and gets bytes, samples and figures
//! back. The same code therefore runs behind a real phone, in `selsius demo` and on a virtual clock.
//!
//! ```text
//!  microphone, Tone ──samples──> Encoder ──> rtp::Sender ──bytes──> socket
//!  socket ──bytes──> RtpPacket::parse ──> ReceiverStats (how good is it)
//!                                    └──> PlayoutBuffer ──samples──> loudspeaker, ToneDetector
//! ```
//!
//! A second of 440 Hz, sent and heard:
//!
//! ```
//! use selsius_media::jitter::{Delay, FRAME, PlayoutBuffer};
//! use selsius_media::rtp::StreamStart;
//! use selsius_media::tone::{Plan, Signal, detect::ToneDetector};
//! use selsius_media::*;
//!
//! // The numbers come from the caller's randomness.
//! let start = StreamStart { ssrc: Ssrc(7), sequence: SequenceNumber(9), timestamp: RtpTimestamp(11) };
//! let mut sender = Sender::new(Codec::Pcmu, PacketTime::DEFAULT, start);
//! let mut tone = ToneGenerator::new(Plan::NorthAmerica.tone(Signal::Hz440));
//! let mut stats = ReceiverStats::new(Codec::Pcmu.clock_rate());
//! let mut playout = PlayoutBuffer::new(Delay::default());
//! let mut detector = ToneDetector::new();
//!
//! let mut samples = [0; FRAME];
//! for packet in 0..50 {
//!     let now = Time::from_millis(packet * 20);
//!     let (mut payload, mut datagram) = (Vec::new(), Vec::new());
//!     tone.fill(&mut samples);
//!     Law::Mu.encode(&samples, &mut payload);
//!     sender.send(&payload, &mut datagram)?;
//!
//!     let received = RtpPacket::parse(&datagram)?;
//!     stats.receive(now, &received.header, received.payload.len());
//!     playout.push(now, &received);
//!     playout.pull(now, &mut samples);
//!     detector.push(&samples);
//! }
//! assert_eq!((stats.quality().packets, stats.quality().lost), (50, 0));
//! assert_eq!(detector.steady().map(|heard| heard.content.to_string()).as_deref(), Some("440 Hz"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what lives there |
//! |---|---|
//! | [`rtp`] | packets, the sending side's state, the receiving side's statistics (RFC 3550) |
//! | [`rtcp`] | sender and receiver reports, CNAME, BYE |
//! | [`g711`] | µ-law and A-law |
//! | [`codec`] | the codecs that are known by name, and their packet sizes |
//! | [`coder`] | an encoder and a decoder for each codec that is understood: G.711, G.722 and Opus |
//! | [`comfort`] | comfort noise (RFC 3389) |
//! | [`tone`] | call progress tones and DTMF, made and recognised |
//! | [`jitter`] | the playout buffer and its concealment |
//! | [`dtmf`] | digits as telephone events (RFC 4733) |
//! | [`engine`] | what a manager does with the streams of calls: relay, conferences, music, digits |
//!
//! Samples are 16-bit linear, at 8 kHz ([`SAMPLE_RATE`]) where nothing else is said. Levels are [`Level`]s in dBm0.
//!
//! **Panics and bounds.** Bytes from the network never panic and never make the crate keep more than a
//! bounded amount of memory: parsers borrow, lists have the limits of their wire format, the playout
//! buffer has a fixed size.

#![cfg_attr(not(test), no_std)]

extern crate alloc;

pub mod codec;
pub mod coder;
pub mod comfort;
pub mod dtmf;
pub mod engine;
pub mod g711;
pub mod jitter;
mod level;
mod reader;
pub mod rtcp;
pub mod rtp;
mod time;
pub mod tone;

pub use codec::{Band, Codec, PacketTime};
pub use dtmf::Digit;
pub use g711::Law;
pub use jitter::PlayoutBuffer;
pub use level::Level;
pub use rtp::{PayloadType, ReceiverStats, RtpHeader, RtpPacket, RtpTimestamp, Sender, SequenceNumber, Ssrc};
pub use time::Time;
pub use tone::{Tone, ToneGenerator};

/// Samples per second of linear audio in this crate, unless it is wide-band ([`Band::Wide`]): narrow-band telephony.
pub const SAMPLE_RATE: u32 = 8000;
