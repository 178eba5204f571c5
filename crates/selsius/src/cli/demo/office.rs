//! Who takes part in the demonstration.

use std::net::SocketAddr;

use selsius_client::AudioSource;
use selsius_station::{Config, ModelClass};
use selsius_wire::value::Codec;

/// The manager's site, without the phones.
const SITE: &str = r#"
[settings]
name = "selsius demo"

[lines.1001]
name = "Alice"

[lines.1002]
name = "Bob"
"#;

/// The phones. Their names are locally administered hardware addresses, which no real phone has.
pub(super) const DEVICES: &str = r#"
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]

[devices.SEP020000001002]
model = "7965"
buttons = [{ line = "1002" }]
"#;

/// What is added to reach the numbers with a 9 in front over a trunk. The manager plays the outside itself.
const TRUNK: &str = r#"
[trunks.outside]
kind = "loopback"

[routes."9.XXXX"]
trunks = ["outside"]
"#;

/// Why the trunk leads nowhere else.
const WITHOUT_SIP: &str = "\
Neither SIPp nor baresip is installed here. With one of them (Debian: sip-tester, baresip) the call would go out by SIP, and another\n\
one come in, with both protocols in one picture.\n\n";

/// The manager's site, with or without a trunk.
pub(super) fn site(with_trunk: bool) -> String {
    [SITE, DEVICES, if with_trunk { TRUNK } else { "" }].concat()
}

/// Two people with a phone each.
pub(super) struct Office {
    pub(super) alice: Person,
    pub(super) bob: Person,
    /// Whether the call leads over a trunk.
    pub(super) with_trunk: bool,
}

/// A person with a phone.
pub(super) struct Person {
    pub(super) name: &'static str,
    pub(super) number: &'static str,
    pub(super) device: &'static str,
    pub(super) model: &'static str,
    pub(super) class: ModelClass,
    /// What this person says, as a sine of so many Hz.
    pub(super) voice: u16,
    /// The person's column in the ladder.
    pub(super) column: usize,
}

/// The manager's column in the ladder.
pub(super) const MANAGER: usize = 1;

pub(super) const ALICE: Person = Person {
    name: "Alice",
    number: "1001",
    device: "SEP020000001001",
    model: "7960",
    class: ModelClass::P7960,
    voice: 440,
    column: 0,
};

pub(super) const BOB: Person = Person {
    name: "Bob",
    number: "1002",
    device: "SEP020000001002",
    model: "7965",
    class: ModelClass::P7965,
    voice: 1000,
    column: 2,
};

impl Office {
    pub(super) fn new(with_trunk: bool) -> Self {
        Self { alice: ALICE, bob: BOB, with_trunk }
    }

    /// What Alice dials.
    pub(super) fn dialed(&self) -> String {
        let access = if self.with_trunk { "9" } else { "" };
        format!("{access}{}", self.bob.number)
    }

    pub(super) fn introduction(&self, manager: SocketAddr) -> String {
        let (way, more) = match self.with_trunk {
            true => (", a trunk that leads from 9 and a number back in,", WITHOUT_SIP),
            false => (",", ""),
        };
        let (alice, bob) = (self.alice.introduction(), self.bob.introduction());
        format!("{more}A manager on {manager}{way} and two phones:\n{alice}{bob}")
    }
}

impl Person {
    pub(super) fn config(&self) -> Config {
        let mut config = Config::new(self.device, self.class);
        // What these phones can say and hear themselves.
        config.capabilities.retain(|(codec, _)| matches!(codec, Codec::G711Ulaw64k | Codec::G711Alaw64k));
        config
    }

    pub(super) fn source(&self) -> AudioSource {
        AudioSource::Tone(self.voice)
    }

    /// What stands over the person's column.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.name, self.number)
    }

    /// The person and the phone, as a line.
    pub(super) fn introduction(&self) -> String {
        let Person { name, number, device, model, voice, .. } = self;
        let version = self.config().version;
        format!("  {name:<6} {number}  {model} {device}, protocol version up to {version}, says {voice} Hz\n")
    }
}
