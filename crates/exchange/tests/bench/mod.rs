//! A bench for the exchange: phones that say exactly what a test lets them say, and a virtual clock.
#![allow(dead_code, reason = "each test file uses its own part of the bench")]
#![allow(clippy::unwrap_used, reason = "a bench for tests")]

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use selsius_exchange::{
    AnchorOrder, CannotForward, Config, Exchange, Input, Notice, Output, Peer, SessionId, Time, TrunkOrder,
    WallClock,
    record::{CallEnded, DeviceEventKind, Record, RedirectKind, WallTime},
    remembered::{ForwardKind, LineState},
};
use selsius_site::{Action, Button, Device, Line, Pattern, Route, Site};
use selsius_wire::{
    Context, Dialect, ManagerMessage, StationMessage, frame, message,
    value::{Codec, DeviceType, Features, KeypadKey, LampMode, MediaStatus, SoftKey, StimulusType, Text},
};

/// 2026-11-24 02:30:00 UTC, a Tuesday.
pub(crate) const START: i64 = 1_795_487_400_000_000;

/// The exchange under test.
pub(crate) struct Bench {
    pub(crate) exchange: Exchange,
    pub(crate) now: Time,
    pub(crate) records: Vec<Record>,
    pub(crate) events: Vec<String>,
    pub(crate) closed: Vec<SessionId>,
    /// What trunks were told, and what the mixer.
    pub(crate) orders: Vec<TrunkOrder>,
    pub(crate) mixer: Vec<AnchorOrder>,
    pub(crate) notices: Vec<Notice>,
    /// The version that [`Self::phone`] offers.
    pub(crate) version: u8,
    dialects: BTreeMap<SessionId, Dialect>,
    sent: BTreeMap<SessionId, Vec<ManagerMessage>>,
    names: BTreeMap<SessionId, String>,
    hosts: BTreeMap<SessionId, u8>,
    next: u64,
}

/// A site with the numbers 1001 to 1004 on four phones of their own, and some routes.
pub(crate) fn office() -> Site {
    let mut site = Site::default();
    site.settings.name = "Test office".into();
    for (number, name) in [("1001", "Alice"), ("1002", "Bob"), ("1003", "Carol"), ("1004", "Dave")] {
        site.lines.insert(number.parse().unwrap(), Line { name: name.into(), ..Line::default() });
        let button = Button::Line { number: number.parse().unwrap(), label: format!("{name}'s line") };
        let dial = Button::SpeedDial { number: "1001".parse().unwrap(), label: "Alice".into() };
        let device = Device { buttons: vec![button, dial], ..Device::default() };
        site.devices.insert(device_name(number).parse().unwrap(), device);
    }
    let lines = |numbers: &[&str]| Action::Lines(numbers.iter().map(|n| n.parse().unwrap()).collect());
    let mut route = |pattern: &str, action, emergency| {
        site.routes
            .insert(pattern.parse::<Pattern>().unwrap(), Route { action, emergency, ..Route::default() });
    };
    route("0", lines(&["1003", "1004"]), false);
    route("112", lines(&["1004"]), true);
    route("19XX", Action::Block, false);
    site
}

pub(crate) fn device_name(number: &str) -> String {
    format!("SEP00000000{number}")
}

impl Bench {
    pub(crate) fn new(site: Site) -> Self {
        Self::with(Config::default(), site)
    }

    /// As [`Self::new`], with other settings.
    pub(crate) fn with(config: Config, site: Site) -> Self {
        let wall = WallClock { at: Time::ZERO, wall: WallTime(START), offset_seconds: 3600 };
        Self {
            exchange: Exchange::new(config, site, wall),
            now: Time::ZERO,
            records: Vec::new(),
            events: Vec::new(),
            closed: Vec::new(),
            orders: Vec::new(),
            mixer: Vec::new(),
            notices: Vec::new(),
            version: 17,
            dialects: BTreeMap::new(),
            sent: BTreeMap::new(),
            names: BTreeMap::new(),
            hosts: BTreeMap::new(),
            next: 1,
        }
    }

    /// A connection from 10.0.0.`host`.
    pub(crate) fn open(&mut self, host: u8) -> SessionId {
        let session = SessionId(self.next);
        self.next += 1;
        self.hosts.insert(session, host);
        let remote = SocketAddr::from(([10, 0, 0, host], 50_000));
        let local = SocketAddr::from(([10, 0, 0, 254], 2000));
        self.input(Input::Opened { session, peer: Peer { remote, local } });
        session
    }

    /// A registered phone with this number, version 17 unless told otherwise, that has said what it can do.
    pub(crate) fn phone(&mut self, number: &str) -> SessionId {
        self.phone_as(number, self.version, 436)
    }

    /// As [`Self::phone`], of another version and model.
    pub(crate) fn phone_as(&mut self, number: &str, version: u8, device_type: u32) -> SessionId {
        let host = number[number.len() - 2..].parse().unwrap();
        let session = self.open(host);
        self.register(session, &device_name(number), version, device_type);
        self.say(session, capabilities(&[Codec::G711Ulaw64k, Codec::G711Alaw64k]));
        self.say(session, message::TimeDateReq);
        self.heard(session);
        session
    }

    pub(crate) fn register(&mut self, session: SessionId, name: &str, version: u8, device_type: u32) {
        self.names.insert(session, name.into());
        self.say(
            session,
            message::Register {
                device_name: Text::new(name.as_bytes()),
                device_type: DeviceType::from(device_type),
                protocol_ver: version,
                features: Features::default(),
                ..message::Register::default()
            },
        );
    }

    /// A message, over the wire in the session's dialect.
    pub(crate) fn say(&mut self, session: SessionId, message: impl Into<StationMessage>) {
        let dialect = self.dialects.get(&session).cloned().unwrap_or_default();
        let message = message.into();
        let mut bytes = Vec::new();
        dialect.encode_station(&message, &mut bytes);
        let frame::Cut::Frame { frame, .. } = frame::cut(&bytes, frame::DEFAULT_LIMIT).unwrap() else {
            panic!("half a frame")
        };
        let context = if dialect.version() == 0 { Context::default() } else { dialect.context() };
        let received = StationMessage::decode(frame, context).unwrap();
        self.input(Input::Message { session, message: received.message });
    }

    /// A frame as the shell hands it over: decoded in the session's dialect, or told as malformed.
    pub(crate) fn say_raw(&mut self, session: SessionId, id: u32, body: &[u8]) {
        let dialect = self.dialects.get(&session).cloned().unwrap_or_default();
        let frame = frame::RawFrame { header_version: 0, id, body };
        self.input(match StationMessage::decode(frame, dialect.context()) {
            Ok(received) => Input::Message { session, message: received.message },
            Err(error) => Input::Malformed { session, problem: error.to_string() },
        });
    }

    pub(crate) fn dialect(&self, session: SessionId) -> Dialect {
        self.dialects.get(&session).cloned().unwrap_or_default()
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.exchange.handle(self.now, input);
        self.collect();
    }

    pub(crate) fn close(&mut self, session: SessionId) {
        self.input(Input::Closed { session, reason: "connection closed".into() });
    }

    /// Was the session closed from our side?
    pub(crate) fn is_closed(&self, session: SessionId) -> bool {
        self.closed.contains(&session)
    }

    /// How often something was refused for this reason.
    pub(crate) fn refused(&self, reason: &str) -> u64 {
        self.exchange.counters().refused.get(reason).copied().unwrap_or(0)
    }

    /// Log lines with this text.
    pub(crate) fn logged(&self, text: &str) -> usize {
        self.events.iter().filter(|event| event.contains(text)).count()
    }

    /// What is kept of a device's history.
    pub(crate) fn history(&self, device: &str) -> Vec<DeviceEventKind> {
        let of_device = self.records.iter().filter_map(|record| match record {
            Record::DeviceEvent(event) if event.device == device => Some(event.kind.clone()),
            _ => None,
        });
        of_device.collect()
    }

    /// Closes every connection that there was.
    pub(crate) fn close_all(&mut self) {
        for session in 1..self.next {
            self.close(SessionId(session));
        }
    }

    /// Lets time pass; these phones keep alive every ten seconds.
    pub(crate) fn wait_alive(&mut self, span: Duration, phones: &[SessionId]) {
        let step = Duration::from_secs(10);
        let end = self.now + span;
        while self.now < end {
            self.wait(step.min(end.since(self.now)));
            for &phone in phones {
                self.say(phone, message::KeepAlive);
            }
        }
    }

    /// Lets time pass, deadline by deadline.
    pub(crate) fn wait(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(at) = self.exchange.poll_timeout().filter(|&at| at <= until) {
            self.now = at.max(self.now);
            self.exchange.handle_timeout(self.now);
            self.collect();
        }
        self.now = until;
    }

    fn collect(&mut self) {
        while let Some(output) = self.exchange.poll_output() {
            match output {
                Output::Send { session, message } => self.sent.entry(session).or_default().push(message),
                Output::Dialect { session, dialect } => {
                    self.dialects.insert(session, dialect);
                }
                Output::Close { session } => self.closed.push(session),
                Output::Store(record) => self.records.push(*record),
                Output::Event(event) => self.events.push(event.text),
                Output::Notice(notice) => self.notices.push(*notice),
                Output::Trunk(order) => self.orders.push(*order),
                Output::Anchor(order) => self.mixer.push(*order),
            }
        }
        self.exchange.check().unwrap();
    }

    /// What a phone was sent since the last time, as messages.
    pub(crate) fn messages(&mut self, session: SessionId) -> Vec<ManagerMessage> {
        self.sent.remove(&session).unwrap_or_default()
    }

    /// What a phone was sent since the last time, one line each.
    pub(crate) fn heard(&mut self, session: SessionId) -> Vec<String> {
        self.messages(session).iter().map(brief).collect()
    }

    pub(crate) fn off_hook(&mut self, session: SessionId) {
        self.say(session, message::OffHook::default());
    }

    pub(crate) fn on_hook(&mut self, session: SessionId) {
        self.say(session, message::OnHook::default());
    }

    pub(crate) fn dial(&mut self, session: SessionId, digits: &str) {
        for digit in digits.chars() {
            let kp_button = match digit {
                '*' => KeypadKey::Star,
                '#' => KeypadKey::Pound,
                digit => KeypadKey::from(digit.to_digit(10).unwrap()),
            };
            self.say(session, message::KeypadButton { kp_button, ..message::KeypadButton::default() });
        }
    }

    pub(crate) fn press(&mut self, session: SessionId, key: SoftKey) {
        self.say(session, message::SoftKeyEvent { soft_key_event: key, ..message::SoftKeyEvent::default() });
    }

    /// A soft key on one call, by the number of the call on the phone, from 0.
    pub(crate) fn press_on(&mut self, session: SessionId, key: SoftKey, call: usize) {
        let (line, reference) = self.call_on(session, call);
        self.say(
            session,
            message::SoftKeyEvent { soft_key_event: key, line_instance: line, call_reference: reference },
        );
    }

    /// Line and reference of a call that the phone shows.
    pub(crate) fn call_on(&self, session: SessionId, call: usize) -> (u32, u32) {
        let view = self.view(session);
        let leg = &view.legs[call];
        (leg.line, leg.reference)
    }

    /// What a phone should show.
    pub(crate) fn view(&self, session: SessionId) -> selsius_exchange::view::View {
        let name = &self.names[&session];
        self.exchange.view(&name.parse().unwrap()).unwrap()
    }

    /// The states of the calls that a phone shows.
    pub(crate) fn states(&self, session: SessionId) -> Vec<&'static str> {
        self.view(session).legs.iter().map(|leg| leg.state.name()).collect()
    }

    /// The soft keys of a call that a phone shows.
    pub(crate) fn keys(&self, session: SessionId, call: usize) -> Vec<&'static str> {
        self.exchange.soft_keys(&self.names[&session].parse().unwrap(), Some(&self.view(session).legs[call]))
    }

    /// A call between two phones, with audio. What was said is forgotten.
    pub(crate) fn talk(&mut self, caller: SessionId, called: SessionId, number: &str) {
        self.off_hook(caller);
        self.dial(caller, number);
        self.off_hook(called);
        self.open_audio(&[caller, called]);
    }

    /// Answers every OpenReceiveChannel of these phones, on the port 10000 of the session's own address, and forgets
    /// what they were told.
    pub(crate) fn open_audio(&mut self, phones: &[SessionId]) {
        for _ in 0..2 {
            for &phone in phones {
                let host = self.hosts[&phone];
                self.media(phone, host, 10_000);
            }
        }
    }

    /// The last number of the address that a session speaks from.
    pub(crate) fn host(&self, session: SessionId) -> u8 {
        self.hosts[&session]
    }

    /// The mixer says where it listens to each party that it was told of.
    pub(crate) fn mixer_answers(&mut self) {
        for order in self.mixer.clone() {
            if let AnchorOrder::Join { party, .. } = order {
                let address = SocketAddr::from(([10, 0, 9, 1], 20_000 + (party % 1000) as u16));
                self.input(Input::Anchored { party, address: Some(address) });
            }
        }
    }

    /// Where a phone sends audio to.
    pub(crate) fn sends_to(&self, session: SessionId) -> Option<String> {
        let view = self.view(session);
        view.legs.iter().find_map(|leg| leg.transmit.map(|(_, address)| address.to_string()))
    }

    /// An operator does something at a phone.
    pub(crate) fn operate(
        &mut self,
        session: SessionId,
        operation: selsius_exchange::Operation,
    ) -> Result<(), selsius_exchange::OperationError> {
        let name = self.names[&session].parse().unwrap();
        let done = self.exchange.operate(self.now, &name, &operation);
        self.collect();
        done
    }

    /// Answers every OpenReceiveChannel that the phone got, with this port.
    pub(crate) fn media(&mut self, session: SessionId, host: u8, port: u16) -> Vec<String> {
        let messages = self.messages(session);
        let heard = messages.iter().map(brief).collect();
        for message in messages {
            if let ManagerMessage::OpenReceiveChannel(open) = message {
                self.ack(session, open.pass_through_party_id, host, port, MediaStatus::Ok);
            }
        }
        heard
    }

    pub(crate) fn ack(&mut self, session: SessionId, party: u32, host: u8, port: u16, status: MediaStatus) {
        self.say(
            session,
            message::OpenReceiveChannelAck {
                media_reception_status: status,
                ip_addr: std::net::IpAddr::from([10, 0, 0, host]).into(),
                port_number: port.into(),
                pass_through_party_id: party,
                ..message::OpenReceiveChannelAck::default()
            },
        );
    }

    /// The finished calls, and forgets them.
    pub(crate) fn ended(&mut self) -> Vec<CallEnded> {
        let mut ended = Vec::new();
        self.records.retain(|record| match record {
            Record::CallEnded(call) => {
                ended.push((**call).clone());
                false
            }
            _ => true,
        });
        ended
    }

    /// Nothing of any call is left.
    pub(crate) fn assert_quiet(&self) {
        let sizes = self.exchange.sizes();
        assert_eq!((sizes.calls, sizes.legs, sizes.parties), (0, 0, 0), "{sizes:?}");
        assert_eq!(sizes.timers, sizes.sessions, "only the silence of each connection is watched");
    }

    /// A button of a kind.
    pub(crate) fn button(&mut self, session: SessionId, stimulus: StimulusType, instance: u32) {
        self.say(
            session,
            message::Stimulus { stimulus, line_instance: instance, ..message::Stimulus::default() },
        );
    }

    /// The states of buttons that a phone was told since the last time, by number; other messages are forgotten.
    pub(crate) fn told_states(&mut self, session: SessionId) -> Vec<(u32, u32)> {
        let messages = self.messages(session);
        let told = messages.iter().filter_map(|message| match message {
            ManagerMessage::FeatureStatV2(stat) => Some((stat.feature_index, stat.feature_status)),
            ManagerMessage::FeatureStat(stat) => Some((stat.feature_index, stat.feature_status)),
            _ => None,
        });
        told.collect()
    }

    /// The lamps of a kind that a phone shows, by number.
    pub(crate) fn lamps(&self, session: SessionId, kind: StimulusType) -> Vec<(u32, &'static str)> {
        let view = self.view(session);
        let lamps = view.lamps.iter().filter(|lamp| lamp.button == kind);
        lamps.map(|lamp| (lamp.instance, lamp.mode.name())).collect()
    }

    /// The notices that a phone has been shown since the last time; forgets the rest.
    pub(crate) fn notices(&mut self, session: SessionId) -> Vec<String> {
        let text =
            |bytes: &[u8]| selsius_wire::PhoneText::parse(bytes, selsius_wire::Encoding::Latin1).to_plain();
        let notice = |message: &ManagerMessage| match message {
            ManagerMessage::DisplayNotify(m) => Some(text(m.notify.bytes())),
            ManagerMessage::DisplayNotifyV2(m) => Some(text(m.notify.bytes())),
            _ => None,
        };
        self.messages(session).iter().filter_map(notice).collect()
    }

    /// The kinds of redirection of the only call that has ended.
    pub(crate) fn only_redirections(&mut self) -> Vec<&'static str> {
        let ended = self.ended();
        let [call] = &ended[..] else { panic!("not one call: {ended:?}") };
        call.redirections.iter().map(|redirection| redirection.kind.name()).collect()
    }

    /// The prompt of a call that the phone shows, by the number of the call on the phone.
    pub(crate) fn prompt(&self, session: SessionId, call: usize) -> String {
        self.view(session).legs[call].prompt.to_plain()
    }

    /// Lifts the handset, dials, and gives the states that the phone then shows.
    pub(crate) fn calls(&mut self, session: SessionId, number: &str) -> Vec<&'static str> {
        self.off_hook(session);
        self.dial(session, number);
        self.states(session)
    }

    /// The last offer to a trunk: which trunk, whom it is to call, who calls.
    pub(crate) fn offered(&self) -> Option<(String, String, selsius_exchange::record::Party)> {
        self.orders.iter().rev().find_map(|order| match order {
            TrunkOrder::Offer { trunk, number, calling, .. } => {
                Some((trunk.clone(), number.clone(), calling.clone()))
            }
            _ => None,
        })
    }

    /// A button with a fixed meaning.
    pub(crate) fn stimulus(&mut self, session: SessionId, stimulus: StimulusType, line_instance: u32) {
        self.say(session, message::Stimulus { stimulus, line_instance, ..message::Stimulus::default() });
    }

    /// The lamp of a button, off if it is dark.
    pub(crate) fn lamp(&self, session: SessionId, button: StimulusType, instance: u32) -> LampMode {
        let view = self.view(session);
        let found = view.lamps.iter().find(|lamp| (lamp.button, lamp.instance) == (button, instance));
        found.map_or(LampMode::Off, |lamp| lamp.mode)
    }

    /// What was stored of a line last.
    pub(crate) fn stored(&self, line: &str) -> Option<LineState> {
        self.records.iter().rev().find_map(|record| match record {
            Record::LineState { line: of, state } if of.as_str() == line => Some(state.clone()),
            _ => None,
        })
    }

    /// The redirections of the call that ended last: how, and by whom.
    pub(crate) fn redirections(&mut self) -> Vec<(RedirectKind, String)> {
        let ended = self.ended();
        let last = ended.last().unwrap();
        last.redirections.iter().map(|by| (by.kind, by.by.number.clone())).collect()
    }

    /// An operator forwards a line.
    pub(crate) fn forward(&mut self, line: &str, kind: ForwardKind, to: &str) -> Result<(), CannotForward> {
        let (line, to) = (line.parse().unwrap(), to.parse().unwrap());
        self.administer(|exchange, now| exchange.set_forward(now, &line, kind, Some(to)))
    }

    /// What an operator does, through the exchange's own functions.
    pub(crate) fn administer<T>(&mut self, act: impl FnOnce(&mut Exchange, Time) -> T) -> T {
        let done = act(&mut self.exchange, self.now);
        self.collect();
        done
    }
}

/// Changes a line of a site.
pub(crate) fn edit_line(site: &mut Site, line: &str, edit: impl FnOnce(&mut Line)) {
    edit(site.lines.get_mut(&line.parse().unwrap()).unwrap());
}

/// Changes the phone with this number of [`office`].
pub(crate) fn edit_phone(site: &mut Site, number: &str, edit: impl FnOnce(&mut Device)) {
    edit(site.devices.get_mut(&device_name(number).parse().unwrap()).unwrap());
}

pub(crate) fn capabilities(codecs: &[Codec]) -> message::CapabilitiesRes {
    let caps: Vec<_> = codecs.iter().map(|&codec| message::AudioCapability::new(codec, 40)).collect();
    message::CapabilitiesRes::new(&caps)
}

/// A message in one line: its name and what matters of it.
pub(crate) fn brief(message: &ManagerMessage) -> String {
    use ManagerMessage as M;
    let text =
        |bytes: &[u8]| selsius_wire::PhoneText::parse(bytes, selsius_wire::Encoding::Latin1).to_plain();
    match message {
        M::SetRinger(m) => format!("SetRinger {}", m.ring_mode.name()),
        M::SetSpeakerMode(m) => format!("SetSpeakerMode {}", m.speaker_mode.name()),
        M::SetLamp(m) => format!("SetLamp {} {}", m.stimulus_instance, m.lamp_mode.name()),
        M::CallState(m) => format!("CallState {}", m.call_state.name()),
        M::CallHistoryInfo(m) => format!("CallHistory {}", m.call_history_disposition.name()),
        M::SelectSoftKeys(m) => format!("SelectSoftKeys {}", u32::from(m.soft_key_set_index)),
        M::DisplayPromptStatus(m) => format!("Prompt {}", text(m.prompt_status.bytes())),
        M::DisplayPromptStatusV2(m) => format!("Prompt {}", text(m.prompt_status.bytes())),
        M::DisplayPriNotifyV2(m) => format!("PriNotify {}", text(m.notify.bytes())),
        M::DialedNumber(m) => format!("DialedNumber {}", m.dialed_number),
        M::StartTone(m) => format!("StartTone {}", m.tone.name()),
        M::CallInfoV2(m) => format!("CallInfo {} to {}", m.calling_party, m.called_party),
        M::StartMediaTransmission(m) => {
            format!("StartMediaTransmission {}:{}", m.remote_ip_addr.ip, m.remote_port_number)
        }
        M::RegisterReject(m) => format!("RegisterReject {}", m.text),
        M::BackSpaceReq(_) => "BackSpace".into(),
        other => other.name().to_owned(),
    }
}
