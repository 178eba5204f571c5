//! Offers and answers (RFC 3264) of one audio stream, as session descriptions (RFC 8866).
//!
//! Codecs go by their static payload types (RFC 3551): that is what the exchange's names of codecs and the phones mean,
//! and everybody uses them for those four. Opus (RFC 7587) and telephone events (RFC 4733) have dynamic ones; events are counted by
//! the clock of the audio that they are in, which for Opus is another one.

mod crypto;

use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Media, Origin, Session, Time};
use selsius_exchange::srtp::PartyKeys;
use selsius_site::{CodecName, Srtp};
use thiserror::Error;

pub use self::crypto::{Crypto, Secrecy};

/// Descriptions longer than this are not read.
pub const MOST_BYTES: usize = 16 * 1024;
/// Streams beyond this many are not answered: the description is refused.
const MOST_STREAMS: usize = 16;
/// What we offer telephone events as.
const OUR_EVENTS: u8 = 101;
/// The same beside Opus, and what we offer Opus as.
const OUR_OPUS_EVENTS: u8 = 97;
const OUR_OPUS: u8 = 96;
/// What we want of an encoder of Opus: more than 16 kHz of samples are not heard here, and copies of what was lost are.
const OPUS_FORMAT: &str = "useinbandfec=1;maxplaybackrate=16000";

/// Which way audio goes, as the sender of the description sees it (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// From the sender of the description only: it has put the call on hold.
    SendOnly,
    /// To the sender of the description only.
    RecvOnly,
    /// Neither way.
    Inactive,
}

impl Direction {
    const ALL: [(Self, &'static str); 4] = [
        (Self::SendRecv, "sendrecv"),
        (Self::SendOnly, "sendonly"),
        (Self::RecvOnly, "recvonly"),
        (Self::Inactive, "inactive"),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// Does the sender of the description want to hear nothing?
    pub fn is_hold(self) -> bool {
        matches!(self, Self::SendOnly | Self::Inactive)
    }

    /// What we say to this (RFC 3264 section 6.1), with what we want ourselves.
    fn answered(self, ours: Self) -> Self {
        let sends = matches!(ours, Self::SendRecv | Self::SendOnly)
            && matches!(self, Self::SendRecv | Self::RecvOnly);
        let hears = matches!(ours, Self::SendRecv | Self::RecvOnly)
            && matches!(self, Self::SendRecv | Self::SendOnly);
        match (sends, hears) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }
}

/// What the far end said of its audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Where it listens. `None` if it refuses the stream (port 0), or has no address (0.0.0.0, RFC 3264 section 8.4).
    pub address: Option<SocketAddr>,
    /// Which way.
    pub direction: Direction,
    /// What it can do, the best first; only what we know.
    pub codecs: Vec<CodecName>,
    /// Its payload type of telephone events, for audio that counts 8000 ticks a second.
    events: Option<u8>,
    /// The same for Opus, which counts 48,000.
    opus_events: Option<u8>,
    /// Its payload type of Opus.
    opus: Option<u8>,
    /// The packet time that it wants to receive, in milliseconds.
    pub packet_ms: Option<u32>,
    /// Does it insist on encryption (RTP/SAVP)?
    secure: bool,
    /// The keys that it names.
    pub(crate) crypto: Vec<Crypto>,
    /// Which of its streams this is.
    stream: usize,
    /// The streams, with the words that an answer repeats: media, protocol, formats.
    streams: Vec<(String, String, String)>,
}

impl Description {
    /// Its payload type of telephone events in the audio of a codec.
    pub fn events(&self, codec: CodecName) -> Option<u8> {
        if codec == CodecName::Opus { self.opus_events } else { self.events }
    }

    /// Its payload type of a codec that has no static one.
    pub fn dynamic(&self, codec: CodecName) -> Option<u8> {
        self.opus.filter(|_| codec == CodecName::Opus)
    }

    /// The keys that hold if this offer is answered.
    ///
    /// # Errors
    /// If one of both insists on what the other cannot do.
    pub(crate) fn keys(&self, ours: &Secrecy) -> Result<Option<PartyKeys>, SdpError> {
        Ok(ours.answer(&self.crypto, self.secure)?.map(|(_, keys)| keys))
    }
}

/// What we say of our audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    /// Where we listen.
    pub address: SocketAddr,
    /// Which way.
    pub direction: Direction,
    /// What we can do, the best first.
    pub codecs: Vec<CodecName>,
    /// Do we want telephone events?
    pub events: bool,
    /// Packet time in milliseconds.
    pub packet_ms: u32,
    /// Encryption, with our keys.
    pub secrecy: Secrecy,
}

/// Names one of our descriptions: they are told apart by a number that grows (RFC 3264 section 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// The session.
    pub session: u64,
    /// Which description of it.
    pub version: u64,
}

/// A description that we cannot use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SdpError {
    /// It is no session description.
    #[error("no session description")]
    Malformed,
    /// It has no audio stream over RTP/AVP, or RTP/SAVP where that is wanted.
    #[error("no audio stream that we can speak")]
    NoAudio,
    /// One side insists on encryption, and the other does not do it.
    #[error("no way to encrypt in common")]
    NoKeys,
    /// No codec in common.
    #[error("no codec in common")]
    NoCodec,
}

/// The static payload type of a codec (RFC 3551 section 6), if it has one.
pub fn payload_type(codec: CodecName) -> Option<u8> {
    match codec {
        CodecName::Pcmu => Some(0),
        CodecName::Pcma => Some(8),
        CodecName::G722 => Some(9),
        CodecName::G729 => Some(18),
        CodecName::Opus => None,
    }
}

fn by_payload_type(payload: u8) -> Option<CodecName> {
    CodecName::ALL.iter().copied().find(|&codec| payload_type(codec) == Some(payload))
}

/// The name in `a=rtpmap`. G.722 says 8000 although it samples at 16 kHz (RFC 3551 section 4.5.2), Opus always two channels
/// (RFC 7587 section 7).
fn rtpmap(codec: CodecName) -> &'static str {
    match codec {
        CodecName::Pcmu => "PCMU/8000",
        CodecName::Pcma => "PCMA/8000",
        CodecName::G722 => "G722/8000",
        CodecName::G729 => "G729/8000",
        CodecName::Opus => "opus/48000/2",
    }
}

/// Reads what the far end says of its audio: its first audio stream, an encrypted one before others where that is wanted.
pub fn read(body: &[u8], srtp: Srtp) -> Result<Description, SdpError> {
    if body.len() > MOST_BYTES {
        return Err(SdpError::Malformed);
    }
    let session = Session::parse(body).map_err(|_| SdpError::Malformed)?;
    if session.medias.len() > MOST_STREAMS {
        return Err(SdpError::Malformed);
    }
    let secure = |media: &Media| media.proto.eq_ignore_ascii_case("RTP/SAVP");
    let usable = |media: &Media| {
        let plain = media.proto.eq_ignore_ascii_case("RTP/AVP");
        media.media == "audio" && (plain || srtp != Srtp::Off && secure(media))
    };
    let (stream, media) = session
        .medias
        .iter()
        .enumerate()
        .filter(|(_, media)| usable(media))
        .min_by_key(|(_, media)| (media.port == 0, !secure(media)))
        .ok_or(SdpError::NoAudio)?;
    let lines = media.attributes.iter().filter(|attribute| attribute.attribute == "crypto");
    let crypto = match srtp {
        Srtp::Off => Vec::new(),
        Srtp::Optional | Srtp::Required => {
            Crypto::of(lines.filter_map(|attribute| attribute.value.as_deref()))
        }
    };
    let connection = media.connections.first().or(session.connection.as_ref());
    let ip = match connection {
        Some(connection) => connection
            .connection_address
            .split('/')
            .next()
            .and_then(|address| address.parse::<IpAddr>().ok())
            .ok_or(SdpError::Malformed)?,
        None => return Err(SdpError::Malformed),
    };
    if ip.is_multicast() {
        return Err(SdpError::NoAudio);
    }
    let says =
        |name: &str| media.has_attribute(name) || (!says_direction(media) && session.has_attribute(name));
    let mut direction = Direction::ALL
        .into_iter()
        .find(|(_, name)| says(name))
        .map_or(Direction::SendRecv, |(found, _)| found);
    let address = (media.port != 0 && !ip.is_unspecified()).then(|| SocketAddr::new(ip, media.port));
    if address.is_none() {
        direction = match direction {
            Direction::SendRecv => Direction::SendOnly,
            Direction::RecvOnly => Direction::Inactive,
            other => other,
        };
    }
    let formats = media.fmt.split_ascii_whitespace().filter_map(|format| format.parse::<u8>().ok());
    let mut codecs = Vec::new();
    let (mut events, mut opus_events, mut opus) = (None, None, None);
    for format in formats.take(64) {
        let name = mapped(media, format);
        match (by_payload_type(format), name) {
            (Some(codec), name) if name.is_none_or(|name| same_encoding(name, rtpmap(codec))) => {
                codecs.push(codec);
            }
            (None, Some(name)) if name.eq_ignore_ascii_case("telephone-event/8000") => {
                events = events.or(Some(format));
            }
            (None, Some(name)) if name.eq_ignore_ascii_case("telephone-event/48000") => {
                opus_events = opus_events.or(Some(format));
            }
            (None, Some(name)) if name.eq_ignore_ascii_case(rtpmap(CodecName::Opus)) => {
                opus = opus.or(Some(format));
                codecs.push(CodecName::Opus);
            }
            _ => {}
        }
    }
    let mut seen = Vec::new();
    codecs.retain(|codec| {
        !seen.contains(codec) && {
            seen.push(*codec);
            true
        }
    });
    let packet_ms: Option<u32> = media
        .get_first_attribute_value("ptime")
        .flatten()
        .and_then(|value| value.trim().parse().ok())
        .filter(|time| (1..=200).contains(time));
    let most: Option<u32> = media
        .get_first_attribute_value("maxptime")
        .flatten()
        .and_then(|value| value.trim().parse().ok())
        .filter(|time| (1..=400).contains(time));
    let packet_ms = match (packet_ms, most) {
        (Some(time), Some(most)) => Some(time.min(most)),
        (time, _) => time,
    };
    let streams = session
        .medias
        .iter()
        .map(|media| (media.media.clone(), media.proto.clone(), media.fmt.clone()))
        .collect();
    let secure = secure(media);
    Ok(Description {
        address,
        direction,
        codecs,
        events,
        opus_events,
        opus,
        packet_ms,
        secure,
        crypto,
        stream,
        streams,
    })
}

fn same_encoding(one: &str, other: &str) -> bool {
    let encoding = |name: &str| name.split('/').next().unwrap_or_default().to_ascii_lowercase();
    encoding(one) == encoding(other)
}

fn says_direction(media: &Media) -> bool {
    Direction::ALL.iter().any(|(_, name)| media.has_attribute(name))
}

/// What a payload type stands for, by the stream's attributes.
fn mapped(media: &Media, format: u8) -> Option<&str> {
    media.attributes.iter().filter(|attribute| attribute.attribute == "rtpmap").find_map(|attribute| {
        let (payload, name) = attribute.value.as_deref()?.trim().split_once(' ')?;
        (payload.parse() == Ok(format)).then_some(name.trim())
    })
}

/// Writes an offer.
pub fn offer(local: &Local, version: Version) -> Vec<u8> {
    let codecs: Vec<_> =
        local.codecs.iter().map(|&codec| (codec, payload_type(codec).unwrap_or(OUR_OPUS))).collect();
    let has_opus = local.codecs.contains(&CodecName::Opus);
    let has_others = local.codecs.iter().any(|&codec| codec != CodecName::Opus);
    let events = [(has_others, OUR_EVENTS, 8000), (has_opus, OUR_OPUS_EVENTS, 48_000)];
    let events: Vec<_> = events
        .into_iter()
        .filter(|&(wanted, ..)| wanted && local.events)
        .map(|(_, payload, clock)| (payload, clock))
        .collect();
    let crypto = local.secrecy.offered();
    let spoken = Spoken {
        direction: local.direction,
        codecs: &codecs,
        events: &events,
        secure: local.secrecy.wanted() == Srtp::Required,
        crypto: &crypto,
    };
    write(local, spoken, version, |session, media| session.add_media(media))
}

/// What an answer agrees on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// The codec.
    pub codec: CodecName,
    /// The payload type of telephone events, if both know them.
    pub events: Option<u8>,
    /// Which way audio goes, as we see it.
    pub direction: Direction,
    /// The keys, if it is encrypted.
    pub srtp: Option<PartyKeys>,
}

/// Writes the answer to an offer: every stream of it has one in the answer, and all but one are refused (RFC 3264
/// section 6). The codec is the first of ours that the offer has.
pub fn answer(offer: &Description, local: &Local, version: Version) -> Result<(Vec<u8>, Agreed), SdpError> {
    let chosen = local.secrecy.answer(&offer.crypto, offer.secure)?;
    let agreed = agree(offer, local, chosen.map(|(_, keys)| keys))?;
    let payload = payload_type(agreed.codec).or(offer.dynamic(agreed.codec)).ok_or(SdpError::NoCodec)?;
    let clock = if agreed.codec == CodecName::Opus { 48_000 } else { 8000 };
    let events: Vec<_> = agreed.events.map(|payload| (payload, clock)).into_iter().collect();
    let codecs = [(agreed.codec, payload)];
    let spoken = Spoken {
        direction: agreed.direction,
        codecs: &codecs,
        events: &events,
        secure: offer.secure,
        crypto: &Vec::from_iter(chosen.map(|(line, _)| line)),
    };
    let body = write(local, spoken, version, |session, media| {
        for (at, (kind, proto, formats)) in offer.streams.iter().enumerate() {
            if at == offer.stream {
                session.add_media(media.clone());
                continue;
            }
            let mut refused = media.clone();
            refused.media.clone_from(kind);
            refused.proto.clone_from(proto);
            refused.fmt.clone_from(formats);
            refused.port = 0;
            refused.attributes.clear();
            session.add_media(refused);
        }
    });
    Ok((body, agreed))
}

/// What both can do.
fn agree(remote: &Description, local: &Local, srtp: Option<PartyKeys>) -> Result<Agreed, SdpError> {
    let codec =
        local.codecs.iter().copied().find(|codec| remote.codecs.contains(codec)).ok_or(SdpError::NoCodec)?;
    Ok(Agreed {
        codec,
        events: remote.events(codec).filter(|_| local.events),
        direction: remote.direction.answered(local.direction),
        srtp,
    })
}

/// Reads what an answer to our offer agrees on.
pub fn agreed(offered: &Local, answer: &Description) -> Result<Agreed, SdpError> {
    // The answerer's order counts here: what it lists first is what it will send.
    let codec = answer
        .codecs
        .iter()
        .copied()
        .find(|codec| offered.codecs.contains(codec))
        .ok_or(SdpError::NoCodec)?;
    let srtp = offered.secrecy.answered(&answer.crypto, answer.secure)?;
    agree(answer, &Local { codecs: vec![codec], ..offered.clone() }, srtp)
}

/// What a description of ours says.
struct Spoken<'a> {
    direction: Direction,
    codecs: &'a [(CodecName, u8)],
    events: &'a [(u8, u32)],
    secure: bool,
    crypto: &'a [Crypto],
}

fn write(
    local: &Local,
    spoken: Spoken<'_>,
    version: Version,
    place: impl FnOnce(&mut Session, Media),
) -> Vec<u8> {
    let Spoken { direction, codecs, events, secure, crypto } = spoken;
    let formats: Vec<String> = codecs
        .iter()
        .map(|(_, payload)| payload.to_string())
        .chain(events.iter().map(|(payload, _)| payload.to_string()))
        .collect();
    let mut media = Media::new(
        sdp_types::MediaType::Audio,
        local.address.port(),
        if secure { sdp_types::TransportProto::RtpSavp } else { sdp_types::TransportProto::RtpAvp },
        formats.join(" "),
    );
    for &(codec, payload) in codecs {
        media.add_attribute(Attribute::with_value("rtpmap", format!("{payload} {}", rtpmap(codec))));
        let format = match codec {
            // Without this, annex B (silence suppression) would be agreed on (RFC 4856 section 2.1.9).
            CodecName::G729 => "annexb=no",
            CodecName::Opus => OPUS_FORMAT,
            CodecName::Pcmu | CodecName::Pcma | CodecName::G722 => continue,
        };
        media.add_attribute(Attribute::with_value("fmtp", format!("{payload} {format}")));
    }
    for (payload, clock) in events {
        media.add_attribute(Attribute::with_value("rtpmap", format!("{payload} telephone-event/{clock}")));
        media.add_attribute(Attribute::with_value("fmtp", format!("{payload} 0-15")));
    }
    for line in crypto {
        media.add_attribute(Attribute::with_value("crypto", line.value()));
    }
    media.add_attribute(Attribute::with_value("ptime", local.packet_ms));
    media.add_attribute(Attribute::new(direction.name()));
    let ip = local.address.ip().to_canonical();
    let origin = Origin::with_ip_addr(version.session, version.version, ip);
    let mut session = Session::new(origin, "-");
    session.set_connection(Connection::from_ip_addr(ip));
    session.add_time(Time::new(0, 0));
    place(&mut session, media);
    let mut body = Vec::new();
    if session.write(&mut body).is_err() {
        // Writing into memory does not fail.
        body.clear();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSION: Version = Version { session: 7, version: 2 };

    fn local(codecs: &[CodecName]) -> Local {
        Local {
            address: "192.0.2.1:4000".parse().unwrap(),
            direction: Direction::SendRecv,
            codecs: codecs.to_vec(),
            events: true,
            packet_ms: 20,
            secrecy: Secrecy::default(),
        }
    }

    fn described(lines: &str) -> Result<Description, SdpError> {
        let head = "v=0\r\no=x 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n";
        read(format!("{head}{}", lines.replace('\n', "\r\n")).as_bytes(), Srtp::Off)
    }

    #[test]
    fn offers_say_what_there_is() {
        let text = String::from_utf8(offer(&local(&[CodecName::G722, CodecName::G729]), VERSION)).unwrap();
        assert_eq!(
            text,
            "v=0\r\no=- 7 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
             m=audio 4000 RTP/AVP 9 18 101\r\na=rtpmap:9 G722/8000\r\na=rtpmap:18 G729/8000\r\n\
             a=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n\
             a=sendrecv\r\n"
        );
        let six = Local { address: "[2001:db8::1]:4000".parse().unwrap(), ..local(&[CodecName::Pcmu]) };
        let read = read(&offer(&six, VERSION), Srtp::Off).unwrap();
        let events = read.events(CodecName::Pcmu);
        assert_eq!((read.address, events, read.packet_ms), (Some(six.address), Some(101), Some(20)));
    }

    #[test]
    fn opus_has_the_number_and_the_clock_that_were_agreed_on() {
        let ours = local(&[CodecName::Opus, CodecName::Pcma]);
        let text = String::from_utf8(offer(&ours, VERSION)).unwrap();
        assert!(text.contains("m=audio 4000 RTP/AVP 96 8 101 97\r\n"), "{text}");
        let fmtp = "a=fmtp:96 useinbandfec=1;maxplaybackrate=16000\r\n";
        assert!(text.contains("a=rtpmap:96 opus/48000/2\r\n") && text.contains(fmtp), "{text}");
        assert!(text.contains("a=rtpmap:97 telephone-event/48000\r\n"), "{text}");
        let theirs = described(
            "m=audio 5000 RTP/AVP 111 0 110 126\na=rtpmap:111 OPUS/48000/2\na=rtpmap:110 telephone-event/48000\n\
             a=rtpmap:126 telephone-event/8000\na=fmtp:111 useinbandfec=1\n",
        )
        .unwrap();
        assert_eq!(theirs.codecs, [CodecName::Opus, CodecName::Pcmu]);
        let (body, agreed) = answer(&theirs, &ours, VERSION).unwrap();
        assert_eq!((agreed.codec, agreed.events), (CodecName::Opus, Some(110)));
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("m=audio 4000 RTP/AVP 111 110\r\n"), "{text}");
        assert!(text.contains("a=rtpmap:110 telephone-event/48000\r\n"), "{text}");
        let (_, agreed) = answer(&theirs, &local(&[CodecName::Pcmu]), VERSION).unwrap();
        assert_eq!((agreed.codec, agreed.events), (CodecName::Pcmu, Some(126)));
        // One channel or another clock is something else.
        for other in ["opus/48000", "opus/16000/2", "opus/48000/1"] {
            let lines = format!("m=audio 5000 RTP/AVP 96\na=rtpmap:96 {other}\n");
            assert!(described(&lines).unwrap().codecs.is_empty(), "{other}");
        }
    }

    #[test]
    fn answers_have_each_stream_of_the_offer() {
        let offer = described(
            "m=video 6000 RTP/AVP 97\na=rtpmap:97 H264/90000\nm=audio 5000 RTP/AVP 0 8 96\n\
             a=rtpmap:96 telephone-event/8000\na=ptime:30\na=sendonly\n",
        )
        .unwrap();
        let (body, agreed) = answer(&offer, &local(&[CodecName::Pcma, CodecName::Pcmu]), VERSION).unwrap();
        assert_eq!((agreed.codec, agreed.events, offer.packet_ms), (CodecName::Pcma, Some(96), Some(30)));
        assert_eq!(agreed.direction, Direction::RecvOnly);
        let text = String::from_utf8(body).unwrap();
        assert!(text.contains("m=video 0 RTP/AVP 97\r\nm=audio 4000 RTP/AVP 8 96\r\n"), "{text}");
        assert!(text.contains("a=recvonly\r\n") && !text.contains("sendrecv"), "{text}");
    }

    #[test]
    fn what_cannot_be_spoken_is_refused() {
        let ours = local(&[CodecName::Pcma]);
        let other = described("m=audio 5000 RTP/AVP 0\n").unwrap();
        assert_eq!(answer(&other, &ours, VERSION).unwrap_err(), SdpError::NoCodec);
        assert_eq!(described("m=audio 5000 RTP/SAVP 0\n").unwrap_err(), SdpError::NoAudio);
        assert_eq!(
            described("m=audio 5000 RTP/AVP 0\nc=IN IP4 224.2.0.1/127\n").unwrap_err(),
            SdpError::NoAudio
        );
        assert_eq!(
            described("m=audio 5000 RTP/AVP 0\nc=IN IP4 a.example\n").unwrap_err(),
            SdpError::Malformed
        );
        assert_eq!(
            described(&"m=audio 5000 RTP/AVP 0\n".repeat(MOST_STREAMS + 1)).unwrap_err(),
            SdpError::Malformed
        );
        assert_eq!(read(b"\xff\xfe", Srtp::Off).unwrap_err(), SdpError::Malformed);
        assert_eq!(read(&vec![b'v'; MOST_BYTES + 1], Srtp::Off).unwrap_err(), SdpError::Malformed);
        // A number that means something else here is not ours.
        assert!(described("m=audio 5000 RTP/AVP 8\na=rtpmap:8 opus/48000/2\n").unwrap().codecs.is_empty());
    }

    #[test]
    fn holds_are_understood_in_all_their_forms() {
        for (lines, direction, address) in [
            ("m=audio 5000 RTP/AVP 0\n", Direction::SendRecv, true),
            ("m=audio 5000 RTP/AVP 0\na=inactive\n", Direction::Inactive, true),
            ("a=sendonly\nm=audio 5000 RTP/AVP 0\n", Direction::SendOnly, true),
            ("a=sendonly\nm=audio 5000 RTP/AVP 0\na=recvonly\n", Direction::RecvOnly, true),
            ("m=audio 5000 RTP/AVP 0\nc=IN IP4 0.0.0.0\n", Direction::SendOnly, false),
            ("m=audio 0 RTP/AVP 0\na=recvonly\n", Direction::Inactive, false),
        ] {
            let read = described(lines).unwrap();
            assert_eq!((read.direction, read.address.is_some()), (direction, address), "{lines}");
        }
    }

    #[test]
    fn directions_are_answered_as_the_table_says() {
        use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
        // RFC 3264 section 6.1, then what our own hold makes of it.
        for (theirs, ours, expected) in [
            (SendRecv, SendRecv, SendRecv),
            (SendOnly, SendRecv, RecvOnly),
            (RecvOnly, SendRecv, SendOnly),
            (Inactive, SendRecv, Inactive),
            (SendRecv, SendOnly, SendOnly),
            (SendOnly, SendOnly, Inactive),
            (RecvOnly, SendOnly, SendOnly),
            (SendRecv, Inactive, Inactive),
        ] {
            assert_eq!(theirs.answered(ours), expected, "{theirs:?} {ours:?}");
        }
    }
}
