//! What can be wrong with what phones and managers say, and what becomes of it.

use core::fmt;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Odd; real phones and managers do such things at times.
    Low,
    /// What no phone or manager that is known does.
    Medium,
    /// What breaks into other products, or listens to somebody else's calls.
    High,
}

impl Severity {
    /// `info`, `low`, `medium` or `high`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is done about a finding; the later ones include what the earlier ones do. Of several findings in one message the
/// hardest action counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Nothing: it is not even told.
    Allow,
    /// It is told, and the message goes on.
    Log,
    /// What is no part of the message becomes zero, and the message goes on.
    Scrub,
    /// The message does not go on.
    Drop,
    /// The connection is reset, on both sides.
    Reset,
    /// The connection is reset, and its source gets no other one for a time.
    Block,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Allow, Self::Log, Self::Scrub, Self::Drop, Self::Reset, Self::Block];

    /// The word in policies and logs: `allow`, `log`, `scrub`, `drop`, `reset` or `block`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Log => "log",
            Self::Scrub => "scrub",
            Self::Drop => "drop",
            Self::Reset => "reset",
            Self::Block => "block",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! findings {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:literal $severity:ident $balanced:ident $strict:ident,)+) => {
        /// What can be found. The name of each is stable: policies, logs and metrics use it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind {
            $($(#[doc = $doc])+ $kind,)+
        }

        impl FindingKind {
            /// All of them, in the order of the documentation.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$kind),+];

            /// Its stable name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// How much it matters.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$kind => Severity::$severity,)+
                }
            }

            /// Why it is one.
            pub const fn reason(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+),)+
                }
            }

            /// What the presets `balanced` and `strict` do about it.
            pub(super) const fn usual(self) -> [Action; 2] {
                match self {
                    $(Self::$kind => [Action::$balanced, Action::$strict],)+
                }
            }
        }
    };
}

findings! {
    // Framing.
    /// A length field that no message can have: below 4, or above the limit. Nothing behind it can be read any more.
    LengthImpossible "length-impossible" High Reset Block,
    /// The connection ends in the middle of a message.
    MessageIncomplete "message-incomplete" Low Log Log,
    /// A message that began is not complete after a while: whoever sends it holds a connection for nothing.
    MessageSlow "message-slow" Medium Reset Reset,

    // The form of a message.
    /// A message that only the other side sends: a Reset or StartMediaTransmission of a phone, say.
    WrongDirection "wrong-direction" High Drop Reset,
    /// A message id that nobody has documented.
    MessageUnknown "message-unknown" Low Log Drop,
    /// A message that the policy does not let through.
    MessageDenied "message-denied" Medium Drop Drop,
    /// The word after the length is neither 0 nor a version of the protocol.
    HeaderVersion "header-version" Low Log Drop,
    /// A message shorter than its shortest known form.
    TooShort "too-short" Medium Drop Drop,
    /// A message ends in the middle of a field.
    FieldCut "field-cut" Medium Drop Drop,
    /// A count above the places that the message has, or above what was sent.
    CountTooLarge "count-too-large" High Drop Reset,
    /// A text longer than its field allows.
    TextTooLong "text-too-long" Medium Drop Drop,
    /// A text without an end in a field where one belongs.
    TextUnended "text-unended" Medium Log Drop,
    /// More bytes behind the known fields than any known form has.
    TooLong "too-long" Low Log Log,
    /// Old memory of the sender behind the end of a text, of an address or of the message.
    DirtyPadding "dirty-padding" Info Allow Scrub,
    /// A value that its enumeration does not have.
    ValueUnknown "value-unknown" Low Log Log,

    // Registration.
    /// A phone says something that needs a registration, without one.
    BeforeRegister "before-register" Medium Drop Reset,
    /// A manager orders something of a phone that is not registered.
    OrderBeforeRegister "order-before-register" Medium Log Drop,
    /// A device name that the policy's rules, or the protocol, do not allow.
    DeviceName "device-name" High Drop Reset,
    /// A device that is registered from another address already.
    DeviceElsewhere "device-elsewhere" High Log Drop,
    /// One source asks for many different device names.
    NameGuessing "name-guessing" High Block Block,
    /// A connection that is registered as one device registers as another one.
    DeviceChanged "device-changed" Medium Log Reset,
    /// The manager chooses a version that the phone did not offer.
    VersionRaised "version-raised" Medium Log Drop,
    /// KeepAlives much faster than the manager asked for, or answers to none.
    KeepAliveOdd "keepalive-odd" Low Log Log,

    // Calls.
    /// A phone speaks of a call that the manager has not told it of, or that is long over.
    CallUnknown "call-unknown" Medium Log Drop,
    /// An answer that nobody asked for: the way in which ports for strangers are opened.
    AnswerUnasked "answer-unasked" High Drop Reset,

    // Media.
    /// A phone wants its audio sent to an address that is not its own.
    MediaAddressForeign "media-address-foreign" High Drop Reset,
    /// The manager sends a phone's audio to an address that the policy does not list.
    MediaTargetForeign "media-target-foreign" High Log Drop,
    /// Audio to a group of listeners, or from one, that the policy does not allow.
    MediaMulticast "media-multicast" Medium Log Drop,
    /// A port that is no port of media: below the policy's lowest, or 65535 and more.
    MediaPort "media-port" Medium Drop Drop,
    /// A copy of a phone's audio goes to a recorder.
    RecorderFork "recorder-fork" Info Log Log,

    // Too much of it.
    /// More connections of one source, or of all together, than the policy allows.
    TooManyConnections "too-many-connections" Medium Reset Reset,
    /// Connections of one source come faster than the policy allows.
    ConnectionRate "connection-rate" Medium Reset Reset,
    /// A source registers more often than the policy allows.
    RegisterRate "register-rate" Medium Drop Drop,
    /// More messages a second than the policy allows.
    MessageRate "message-rate" Medium Drop Reset,
    /// More bytes a second than the policy allows.
    ByteRate "byte-rate" Medium Reset Reset,
    /// More calls a minute of one phone than the policy allows.
    CallRate "call-rate" Medium Drop Drop,
    /// More calls of one phone at once than the policy allows.
    TooManyCalls "too-many-calls" Medium Log Drop,
    /// More keys in one call than any number has.
    TooManyDigits "too-many-digits" High Drop Reset,
    /// Something that the guard has to remember, and has no room for.
    NoRoom "no-room" Medium Drop Drop,

    // What needs no bug.
    /// A phone dials a number that the policy does not allow.
    NumberDenied "number-denied" High Drop Drop,
    /// The calls of a line are forwarded to a number that the policy does not allow.
    ForwardDenied "forward-denied" High Log Log,
    /// A screen that makes a phone dial, or fetch something.
    XmlPushed "xml-pushed" Medium Log Log,
    /// The manager restarts a phone again and again.
    ResetFlood "reset-flood" Medium Log Drop,
}

impl FindingKind {
    /// The kind with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it is about a whole connection: then there is no message to drop, and the connection is reset instead.
    pub const fn is_of_connection(self) -> bool {
        matches!(
            self,
            Self::LengthImpossible
                | Self::MessageSlow
                | Self::TooManyConnections
                | Self::ConnectionRate
                | Self::ByteRate
        )
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
