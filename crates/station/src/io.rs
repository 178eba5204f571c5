//! What goes into a station and what comes out of it.

use alloc::string::String;
use core::net::{IpAddr, SocketAddr};

use selsius_wire::{
    ManagerMessage, StationMessage,
    srtp::Keys,
    value::{CallState, Codec, KeypadKey, RingDuration, RingMode, StimulusType, Tone},
};

/// What happened outside.
#[derive(Debug)]
pub enum Input {
    /// The connection to the manager is up: registration starts.
    Connected,
    /// The manager said something.
    Message(ManagerMessage),
    /// The connection is gone, without an [`Output::Close`].
    Disconnected,
    /// The user did something.
    User(Action),
    /// A stream can be received: the answer to [`MediaOrder::OpenReceive`].
    ReceiveOpened {
        /// The stream.
        party: u32,
        /// Where the voice shall be sent to.
        address: SocketAddr,
    },
    /// A stream cannot be received.
    ReceiveFailed {
        /// The stream.
        party: u32,
    },
    /// A stream is sent: the answer to [`MediaOrder::StartTransmit`].
    TransmitStarted {
        /// The stream.
        party: u32,
        /// Where the voice comes from.
        address: SocketAddr,
    },
    /// A stream cannot be sent.
    TransmitFailed {
        /// The stream.
        party: u32,
    },
    /// How a stream goes, or went. Give it when a stream ends, and before that as often as you like: the latest
    /// counters answer ConnectionStatisticsReq, which managers send right after they closed the streams.
    Counters {
        /// The stream.
        party: u32,
        /// Its counters, both directions.
        counters: Counters,
    },
}

/// What was sent and received on one stream, both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets sent.
    pub packets_sent: u32,
    /// Octets of payload sent.
    pub octets_sent: u32,
    /// Packets received.
    pub packets_received: u32,
    /// Octets of payload received.
    pub octets_received: u32,
    /// Packets lost on the way here.
    pub packets_lost: u32,
    /// Interarrival jitter, in milliseconds.
    pub jitter: u32,
    /// Latency, in milliseconds.
    pub latency: u32,
}

/// What a user does with a phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Lifts the handset. With a number typed beforehand that number is dialled; a ringing call is answered.
    OffHook,
    /// Puts the handset down, or switches the speaker or headset off: hangs up.
    OnHook,
    /// Presses the speaker key: off hook on the speaker, from handset to speaker, or off.
    Speaker,
    /// Presses the headset key: likewise.
    Headset,
    /// Presses a key of the keypad: dials, sends DTMF, or, on an idle phone, types a number that goes out as a whole.
    Digit(KeypadKey),
    /// Dials a number: as a whole on an idle phone, digit by digit when the handset is up. Characters other than `0`
    /// to `9`, `*`, `#`, `+` and `A` to `D` are skipped.
    Dial(String),
    /// Presses the soft key that shows this label; case and spaces do not matter.
    SoftKey(String),
    /// Presses the soft key at this place, from 0.
    SoftKeyAt(usize),
    /// Presses the button of this line instance.
    Line(u32),
    /// Presses the button of this speed dial.
    SpeedDial(u32),
    /// Presses the button at this place of the template, from 0.
    Button(usize),
    /// Presses a fixed key of the phone (Hold, Transfer, VoiceMail, ...), with its instance.
    Stimulus(StimulusType, u32),
    /// Flashes the hook, as one does on phones without a hold key (6901).
    HookFlash,
    /// Moves the cursor to the call with this reference: soft keys and prompt are those of that call.
    Select(u32),
    /// Chooses the item or the soft key of this name on the screen.
    Choose(String),
    /// Leaves the screen.
    LeaveScreen,
    /// Leaves the manager in order.
    Unregister,
    /// Registers on a connection that was only kept alive ([`Role::Standby`](crate::Role::Standby)).
    TakeOver,
}

/// What shall happen outside.
#[derive(Debug)]
pub enum Output {
    /// Send a message, in the station's dialect.
    Send(StationMessage),
    /// Close the connection after what was sent is written. No [`Input::Disconnected`] is expected for it.
    Close(CloseReason),
    /// Do something about the voice.
    Media(MediaOrder),
    /// Something that a script waits for or a log tells.
    Event(Event),
}

/// Why a phone closes its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseReason {
    /// The manager refused the registration.
    Rejected,
    /// The manager wants the phone to start from its firmware on.
    Reset,
    /// The manager wants the phone to fetch its configuration and register again.
    Restart,
    /// The phone unregistered.
    Unregistered,
    /// The manager did not answer the registration.
    RegistrationTimeout,
    /// The manager did not acknowledge three keepalives.
    KeepAliveLost,
}

/// An order to whoever carries the voice. A stream is named by its pass-through party id, which the manager chose; a
/// stream that is received and one that is sent can have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaOrder {
    /// Open a port and receive; answer with [`Input::ReceiveOpened`] or [`Input::ReceiveFailed`]. An order for a stream
    /// that is open replaces it.
    OpenReceive {
        /// The stream.
        party: u32,
        /// The conversation it belongs to.
        conference: u32,
        /// The call it belongs to; 0 where the manager did not say.
        call: u32,
        /// How the voice is coded.
        codec: Codec,
        /// Milliseconds of voice in a packet.
        packet_ms: u32,
        /// Where the voice will come from, where the manager said it. It may come from elsewhere: managers change
        /// their mind, and packets leave from other ports than the one that was signalled (wire-facts.md).
        source: Option<SocketAddr>,
        /// Payload type of telephone events, where the manager wants them.
        dtmf_payload: Option<u8>,
        /// The keys of what will come, if it is encrypted (SRTP): what is not is to be dropped then.
        keys: Option<Keys>,
    },
    /// Close the port.
    CloseReceive {
        /// The stream.
        party: u32,
    },
    /// Listen to a multicast group; answer with [`Input::ReceiveOpened`] or [`Input::ReceiveFailed`]. It ends with
    /// [`MediaOrder::CloseReceive`].
    ReceiveMulticast {
        /// The stream.
        party: u32,
        /// The conversation it belongs to.
        conference: u32,
        /// The call it belongs to; 0 where the manager did not say.
        call: u32,
        /// The group and its port.
        group: SocketAddr,
        /// How the voice is coded.
        codec: Codec,
        /// Milliseconds of voice in a packet.
        packet_ms: u32,
    },
    /// Send to this address, which may be a multicast group; answer with [`Input::TransmitStarted`] or [`Input::TransmitFailed`]. An order for a
    /// stream that is being sent replaces it.
    StartTransmit {
        /// The stream.
        party: u32,
        /// The conversation it belongs to.
        conference: u32,
        /// The call it belongs to; 0 where the manager did not say.
        call: u32,
        /// Where to.
        remote: SocketAddr,
        /// How the voice is coded.
        codec: Codec,
        /// Milliseconds of voice in a packet.
        packet_ms: u32,
        /// Type of service byte of the packets (184 is expedited forwarding).
        precedence: u8,
        /// Payload type of telephone events, where the manager wants them.
        dtmf_payload: Option<u8>,
        /// The keys to encrypt with, if it is to be encrypted.
        keys: Option<Keys>,
    },
    /// Stop sending.
    StopTransmit {
        /// The stream.
        party: u32,
    },
    /// CallManager 2.x only: receive on the port that the phone named in IpPort, from this host. Nothing is answered.
    ReceiveFixed {
        /// Where the voice will come from.
        source: IpAddr,
        /// How the voice is coded.
        codec: Codec,
        /// Milliseconds of voice in a packet.
        packet_ms: u32,
    },
}

/// Something that a script waits for or a log tells. What stays can be read from [`Face`](crate::Face) instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The manager accepted the registration, with this protocol version and keepalive interval.
    Accepted {
        /// The version that both speak from here on.
        version: u8,
        /// Seconds between keepalives.
        keepalive_s: u32,
    },
    /// Everything that the phone asks at registration was answered, or waited for in vain: it can be used.
    Registered,
    /// The manager refused the registration, with this text.
    Rejected(String),
    /// The manager has no room yet; the phone asks for a token again after so many seconds.
    TokenRefused {
        /// Seconds.
        wait_s: u32,
    },
    /// A call got a state.
    Call {
        /// Line instance.
        line: u32,
        /// Call reference.
        reference: u32,
        /// The state; `OnHook` is the end of the call.
        state: CallState,
    },
    /// A tone began, or sounded once.
    Tone(Tone),
    /// The bell began, or rang once.
    Ring(RingMode, RingDuration),
    /// The user did something that a person could not have done, or that does nothing now.
    Refused(RejectReason),
}

/// Why an [`Action`] did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum RejectReason {
    /// The phone is not registered; the hook is remembered all the same.
    #[error("the phone is not registered")]
    NotRegistered,
    /// The key is not on the phone, or not shown now.
    #[error("there is no such key now")]
    NoSuchKey,
    /// There is no such call.
    #[error("there is no such call")]
    NoSuchCall,
    /// The hook is already there, or the phone has no such thing.
    #[error("nothing changes by that")]
    NoEffect,
    /// There is no digit in the number.
    #[error("there is no digit in the number")]
    NoDigits,
}
