//! Random users, and the invariants that must survive them.

use std::time::Duration;

use rand::RngExt;
use selsius_exchange::{Input, Load, remembered::ForwardKind};
use selsius_site::{DeviceName, LineNumber, Site};
use selsius_station::Action;
use selsius_wire::{
    StationMessage, message,
    value::{KeypadKey, MediaStatus, SoftKey, StimulusType, SubscriptionFeature, Text},
};

use crate::{
    agree::disagreement,
    bed::{Bed, Recorder},
    chaos::Notices,
    network::Network,
    office::{PIN, SHARED, config, name, office, through_the_manager},
    plan,
};

/// What kind of users, and how many.
#[derive(Debug, Clone)]
pub struct Users {
    /// Phones.
    pub phones: usize,
    /// Actions of users.
    pub actions: u64,
    /// Chance's seed.
    pub seed: u64,
    /// Do connections break, audio channels fail and phones lie?
    pub trouble: bool,
}

/// What a run did.
#[derive(Debug, Clone, Copy, Default)]
pub struct Report {
    /// Actions of users.
    pub actions: u64,
    /// Calls with a complete number.
    pub calls: u64,
    /// Calls that were answered.
    pub answered: u64,
    /// Messages to and from phones.
    pub messages: u64,
    /// Recordings of calls.
    pub recordings: u64,
    /// How often all phones were compared with the exchange.
    pub compared: u64,
}

/// What went wrong, and how to see it again.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The run's seed.
    pub seed: u64,
    /// The action after which it was seen.
    pub action: u64,
    /// The last actions, oldest first.
    pub history: Vec<String>,
    /// What was wrong.
    pub what: String,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "seed {}, action {}: {}", self.seed, self.action, self.what)?;
        for line in &self.history {
            writeln!(f, "  {line}")?;
        }
        write!(f, "again: cargo run --release -p selsius-testkit --example bed -- --seed {}", self.seed)
    }
}

/// Everybody hangs up after this many actions, and nothing may be left.
const ROUND: u64 = 250;
/// So long may a parked call go on of which nobody wants to know: it comes back, and rings until nobody answers.
const PARKED: Duration = Duration::from_secs(300);
/// Lines shown of a failing run.
const HISTORY: usize = 40;

struct Run {
    bed: Bed,
    /// The office as it should be; while the run goes on, somebody may have changed it.
    office: Site,
    users: Users,
    report: Report,
    history: Vec<String>,
}

/// Lets random users act.
///
/// # Errors
/// The first violated invariant.
pub fn run(users: &Users) -> Result<Report, Box<Failure>> {
    run_on(users, None)
}

/// As [`run`], and `recorder` gets each record when the exchange wants it stored. The users do the same as without it.
///
/// # Errors
/// The first violated invariant.
pub fn run_recorded(users: &Users, recorder: Recorder) -> Result<Report, Box<Failure>> {
    run_on(users, Some(recorder))
}

fn run_on(users: &Users, recorder: Option<Recorder>) -> Result<Report, Box<Failure>> {
    let mut office = office(users.phones);
    // Half of the offices have all audio from phone to phone that can.
    if users.seed % 2 == 1 {
        through_the_manager(&mut office);
    }
    let mut bed = Bed::new(office.clone(), Network::default(), users.seed);
    bed.recorder = recorder;
    bed.bad_media = if users.trouble { 50 } else { 0 };
    bed.answers.delay = if users.trouble { 0..100_000 } else { 0..0 };
    for phone in 0..users.phones {
        bed.add(config(phone));
    }
    let mut run = Run { bed, office, users: users.clone(), report: Report::default(), history: Vec::new() };
    run.bed.run(Duration::from_secs(10));
    match run.all() {
        Ok(()) => {
            run.count();
            Ok(run.report)
        }
        Err(what) => {
            let (seed, action) = (users.seed, run.report.actions);
            Err(Box::new(Failure { seed, action, history: run.history, what }))
        }
    }
}

impl Run {
    fn all(&mut self) -> Result<(), String> {
        self.agree()?;
        while self.report.actions < self.users.actions {
            self.report.actions += 1;
            self.one_action();
            self.bed.exchange.check()?;
            let gap = match self.bed.rng.random_range(0..100_u32) {
                0..60 => self.bed.rng.random_range(0..5_000),
                60..90 => self.bed.rng.random_range(5_000..500_000),
                90..99 => self.bed.rng.random_range(500_000..10_000_000),
                _ => self.bed.rng.random_range(10_000_000..200_000_000),
            };
            self.bed.run(Duration::from_micros(gap));
            self.bed.exchange.check()?;
            if self.bed.is_quiet() {
                self.agree()?;
            }
            if self.report.actions.is_multiple_of(ROUND) {
                self.everybody_hangs_up()?;
            }
        }
        self.everybody_hangs_up()
    }

    /// Adds what this exchange has counted since its start.
    fn count(&mut self) {
        let counters = self.bed.exchange.counters();
        self.report.calls += counters.calls;
        self.report.messages += counters.messages_in + counters.messages_out;
    }

    /// Compares every registered phone with the exchange. Nothing may be in flight.
    fn agree(&mut self) -> Result<(), String> {
        self.report.compared += 1;
        for phone in &self.bed.phones {
            if !phone.station.face().registered {
                continue;
            }
            let name: DeviceName = phone.station.config().name.parse().map_err(|error| format!("{error}"))?;
            let Some(view) = self.bed.exchange.view(&name) else { continue };
            if let Some(what) = disagreement(phone, &self.bed.exchange, &name, &view) {
                return Err(format!("{name}: {what}"));
            }
        }
        Ok(())
    }

    fn everybody_hangs_up(&mut self) -> Result<(), String> {
        self.history.push("everybody hangs up".into());
        self.bed.change_site(self.office.clone());
        self.bed.exchange(Input::Load(Load::Normal));
        if self.bed.rng.random_ratio(1, 2) {
            self.let_calls_through();
        }
        // A phone that is out of touch hears of it when it is back.
        for _ in 0..2 {
            self.bed.run(Duration::from_secs(30));
            self.bed.sip_phones_hang_up();
            for phone in 0..self.users.phones {
                self.end_calls(phone);
                self.bed.forge(phone, &message::OnHook::default().into());
                self.bed.act(phone, Action::OnHook);
            }
        }
        self.bed.run(Duration::from_secs(30));
        if !self.bed.settle(Duration::from_secs(60)) {
            return Err("the network never falls silent".into());
        }
        self.agree()?;
        // Who transfers both ends of a call through the trunk to each other makes a ring without a phone.
        if self.bed.trunk_calls() == self.bed.exchange.sizes().legs {
            self.bed.cut_trunk();
            // The exchange may hear of it late.
            self.bed.settle(Duration::from_secs(60));
        }
        if self.bed.trunk_calls() != 0 {
            // A call over the trunk to itself that both its ends have parked: it goes back to them, who do not answer.
            self.bed.run(PARKED);
        }
        if self.bed.trunk_calls() != 0 {
            let (trunk, calls) = (self.bed.trunk_calls(), self.bed.exchange.call_status());
            return Err(format!("everybody hung up, and a trunk has {trunk} calls: {calls:?}"));
        }
        if self.bed.sip_calls() != 0 {
            return Err(format!("everybody hung up, and SIP phones have {} calls", self.bed.sip_calls()));
        }
        let sizes = self.bed.exchange.sizes();
        let services = &self.bed.services;
        if let Some(wrong) = &services.wrong {
            return Err(format!("an order to the media services makes no sense: {wrong}"));
        }
        if services.len() != 0 || services.recording() != 0 {
            return Err(format!("everybody hung up, and {services:?} are left"));
        }
        if services.unrecorded() != 0 {
            return Err(format!("{} times audio has left no record", services.unrecorded()));
        }
        self.report.recordings += self.bed.services.forget_recordings() as u64;
        if (sizes.calls, sizes.legs, sizes.parties) != (0, 0, 0) || sizes.timers > sizes.sessions {
            let calls = self.bed.exchange.call_status();
            return Err(format!("everybody hung up, and this is left: {sizes:?}, {calls:?}"));
        }
        if !self.bed.begun.is_empty() {
            return Err(format!("everybody hung up, and these calls have no record: {:?}", self.bed.begun));
        }
        let registered = self.bed.exchange.device_status().len();
        if registered != self.users.phones {
            return Err(format!("{registered} of {} phones are registered", self.users.phones));
        }
        self.report.answered +=
            self.bed.ended.drain(..).filter(|call| call.answered.is_some()).count() as u64;
        Ok(())
    }

    /// Ends every forwarding, and lets everybody disturb.
    fn let_calls_through(&mut self) {
        let lines: Vec<_> = self.office.lines.keys().cloned().collect();
        self.bed.administer(|exchange, now| {
            for line in lines {
                exchange.set_do_not_disturb(now, &line, false);
                for kind in ForwardKind::ALL {
                    // To forward no longer is never refused.
                    let _ = exchange.set_forward(now, &line, kind, None);
                }
            }
        });
    }

    /// Something of a screen that a phone shows, or away from it. Conferences are rare: who is in one looks who else is.
    fn choose(&mut self, phone: usize) -> String {
        let faces: Vec<_> = self.bed.phones.iter().map(|phone| phone.station.face()).collect();
        let at = self.bed.rng.random_range(0..6);
        if let Some(phone) =
            faces.iter().position(|face| face.has_soft_key("ConfList") && face.screen.is_none())
        {
            return self.act(phone, Action::SoftKey("ConfList".into()));
        }
        let shown = faces.iter().position(|face| face.screen.is_some()).unwrap_or(phone);
        match faces[shown].screen.as_ref().and_then(|screen| screen.choice(at)) {
            Some(name) => self.act(shown, Action::Choose(name.into())),
            None => self.act(shown, Action::LeaveScreen),
        }
    }

    /// Ends all calls of a phone, those on hold too.
    fn end_calls(&mut self, phone: usize) {
        let view = name(phone).parse().ok().and_then(|name| self.bed.exchange.view(&name));
        for leg in view.iter().flat_map(|view| &view.legs).filter(|leg| !leg.remote) {
            let key = message::SoftKeyEvent {
                soft_key_event: SoftKey::EndCall,
                line_instance: leg.line,
                call_reference: leg.reference,
            };
            self.bed.forge(phone, &key.into());
        }
    }

    fn one_action(&mut self) {
        let mut phone = self.bed.rng.random_range(0..self.users.phones);
        let mut choice = self.bed.rng.random_range(0..1000_u32);
        // Who hears it ring goes there, more often than not.
        if self.bed.rng.random_ratio(1, 4)
            && let Some(ringing) = self.bed.phones.iter().position(|phone| phone.rings)
        {
            (phone, choice) = (ringing, 0);
        }
        // Somebody takes a call that is parked.
        let parked = if self.bed.rng.random_ratio(1, 30) { self.parked() } else { None };
        if parked.is_some() {
            choice = 500;
        }
        let note = match choice {
            0..200 => self.act(phone, Action::OffHook),
            200..330 => self.act(phone, Action::OnHook),
            330..500 => {
                let key = KeypadKey::from(self.bed.rng.random_range(0..=16_u32));
                self.act(phone, Action::Digit(key))
            }
            500..700 => {
                let number = parked.unwrap_or_else(|| self.number());
                self.act(phone, Action::Dial(number))
            }
            700..850 => {
                let at = self.bed.rng.random_range(0..10);
                self.act(phone, Action::SoftKeyAt(at))
            }
            850..900 => {
                let line = self.bed.rng.random_range(0..4);
                self.act(phone, Action::Line(line))
            }
            900..910 => self.choose(phone),
            910..916 => self.travel(phone),
            916..930 => {
                let place = self.bed.rng.random_range(1..16);
                self.act(phone, Action::Button(place))
            }
            930..945 => self.act(phone, Action::Speaker),
            945..952 => {
                let keys = [StimulusType::ForwardAll, StimulusType::DoNotDisturb, StimulusType::VoiceMail];
                let key = keys[self.bed.rng.random_range(0..keys.len())];
                self.act(phone, Action::Stimulus(key, 0))
            }
            952..955 => self.administer(phone),
            955..960 => self.sip_phone(),
            _ if !self.users.trouble => self.act(phone, Action::OffHook),
            960..978 => self.lie(phone),
            978..983 => self.act(phone, Action::Unregister),
            983..986 => self.carry(phone),
            986..988 => self.impostor(phone),
            988..990 => self.change_site(phone),
            990..993 => self.stall(phone),
            993 if self.bed.rng.random_ratio(1, 10) => self.restart_manager(),
            994 if self.bed.rng.random_ratio(1, 10) => self.stand_still(),
            995 => self.set_clock(),
            996 => self.change_load(),
            _ => self.cut(phone),
        };
        if self.history.len() >= HISTORY {
            self.history.remove(0);
        }
        self.history.push(format!("{} {} phone {phone}: {note}", self.report.actions, self.bed.now));
    }

    /// The user of a SIP phone does something.
    fn sip_phone(&mut self) -> String {
        let number = self.number();
        self.bed.sip_phone_acts(&number);
        format!("a SIP phone, {number}")
    }

    fn act(&mut self, phone: usize, action: Action) -> String {
        let note = format!("{action:?}");
        self.bed.act(phone, action);
        note
    }

    fn number(&mut self) -> String {
        let own = |rng: &mut rand_chacha::ChaCha8Rng| 1001 + rng.random_range(0..self.users.phones);
        match self.bed.rng.random_range(0..22_u32) {
            0 => "0".into(),
            10 => {
                // Mostly what lets calls through again.
                let codes = ["*72", "*90", "*92", "*73", "*73", "*73", "*78", "*79", "*79", "*97"];
                let code = codes[self.bed.rng.random_range(0..codes.len())];
                let target = (1001 + self.bed.rng.random_range(0..self.users.phones)).to_string();
                let follows = matches!(code, "*72" | "*90" | "*92");
                [code, if follows { &target } else { "" }].concat()
            }
            1 => "112".into(),
            2 => "1999".into(),
            3 => SHARED.into(),
            4 => match self.bed.rng.random_range(0..4_u32) {
                0 => "**1#".into(),
                1 => "**2#".into(),
                2 => "*69".into(),
                _ => SHARED.into(),
            },
            5 => format!("7{}", own(&mut self.bed.rng)),
            6 => format!("60{}", self.bed.rng.random_range(0..5_u32)),
            7 => format!("8{}", self.bed.rng.random_range(0..5_u32)),
            8 => self.waiting_code(),
            9 => "*82".into(),
            11 => plan::ALL_PAGE.into(),
            12 => plan::FEW_PAGE.into(),
            13 => {
                let codes = plan::CODES;
                format!("{}{}", codes[self.bed.rng.random_range(0..codes.len())], own(&mut self.bed.rng))
            }
            14 => {
                let numbers = plan::NUMBERS;
                numbers[self.bed.rng.random_range(0..numbers.len())].into()
            }
            _ => own(&mut self.bed.rng).to_string(),
        }
    }

    /// A slot with a call.
    fn parked(&self) -> Option<String> {
        let calls = self.bed.exchange.call_status();
        calls.into_iter().find(|call| call.phase == "parked").map(|call| call.called)
    }

    /// A code of pickup, park, callback or hunt groups.
    fn waiting_code(&mut self) -> String {
        let phone = 1001 + self.bed.rng.random_range(0..self.users.phones);
        let codes = ["*84", "*88", "*68", "*66", "*95", "*96", "*96"];
        match self.bed.rng.random_range(0..codes.len() + 3) {
            0 => format!("*87{phone}"),
            1 => format!("*66{phone}"),
            2 => format!("*688{}", self.bed.rng.random_range(0..5_u32)),
            code => codes.get(code - 3).copied().unwrap_or_default().into(),
        }
    }

    /// An operator forwards a line or ends that, or a message comes in for it.
    fn administer(&mut self, phone: usize) -> String {
        let Ok(line) = (1001 + phone).to_string().parse::<LineNumber>() else { return String::new() };
        let rng = &mut self.bed.rng;
        let (new, old) = (rng.random_range(0..3), rng.random_range(0..3));
        let kind = ForwardKind::ALL[rng.random_range(0..4)];
        let to = (1001 + rng.random_range(0..self.users.phones)).to_string().parse().ok();
        let to: Option<LineNumber> = to.filter(|_| rng.random_ratio(1, 3));
        let note = format!("operator: {line} {} to {to:?}, {new} and {old} messages", kind.name());
        self.bed.administer(|exchange, now| {
            // A circle is refused, and that is right.
            let _ = exchange.set_forward(now, &line, kind, to);
            exchange.set_messages(now, &line, new, old);
        });
        note
    }

    /// Somebody logs in, mostly with the right PIN.
    fn travel(&mut self, phone: usize) -> String {
        let number = 1001 + self.bed.rng.random_range(0..self.users.phones);
        let pin = if self.bed.rng.random_ratio(1, 5) { "1111" } else { PIN };
        self.act(phone, Action::Dial(format!("*81{number}#")));
        self.act(phone, Action::Dial(format!("{pin}#")));
        format!("logs in as {number} with {pin}")
    }

    /// A message that no user's action explains.
    fn lie(&mut self, phone: usize) -> String {
        let rng = &mut self.bed.rng;
        let number = rng.random_range(0..200_u32);
        let message: StationMessage = match rng.random_range(0..8_u32) {
            0 => message::OpenReceiveChannelAck {
                media_reception_status: MediaStatus::from(rng.random_range(0..3_u32)),
                port_number: 9,
                pass_through_party_id: number,
                ..message::OpenReceiveChannelAck::default()
            }
            .into(),
            1 => message::SoftKeyEvent {
                soft_key_event: SoftKey::from(rng.random_range(0..34_u32)),
                line_instance: rng.random_range(0..5),
                call_reference: number,
            }
            .into(),
            2 => message::OffHook { line_instance: number, call_reference: number }.into(),
            3 => message::KeypadButton {
                kp_button: KeypadKey::from(number),
                line_instance: number,
                call_reference: number,
            }
            .into(),
            7 => message::Stimulus {
                stimulus: StimulusType::from(rng.random_range(0x7B..0x8D_u32)),
                ..message::Stimulus::default()
            }
            .into(),
            4 => message::ForwardStatReq { line_number: number }.into(),
            6 => message::SubscriptionStatReq {
                transaction_id: number,
                subscription_feature_id: SubscriptionFeature::Blf,
                timer: rng.random_range(0..3),
                subscription_id: Text::new((1000 + number % 20).to_string()),
            }
            .into(),
            5 => message::MediaTransmissionFailure {
                pass_through_party_id: number,
                ..message::MediaTransmissionFailure::default()
            }
            .into(),
            _ => message::KeepAlive.into(),
        };
        let note = format!("lies {message:?}");
        self.bed.forge(phone, &message);
        note
    }

    fn carry(&mut self, phone: usize) -> String {
        let address = [10, 2, self.bed.rng.random(), self.bed.rng.random()].into();
        self.bed.carry(phone, address);
        format!("is carried to {address}")
    }

    fn impostor(&mut self, phone: usize) -> String {
        let span = Duration::from_millis(self.bed.rng.random_range(0..20_000));
        self.bed.impostor(phone, [10, 3, 0, 1].into(), span);
        format!("somebody else says to be it, for {span:?}")
    }

    fn stall(&mut self, phone: usize) -> String {
        let span = Duration::from_millis(self.bed.rng.random_range(0..40_000));
        self.bed.stall(phone, span);
        format!("nothing gets through for {span:?}")
    }

    fn restart_manager(&mut self) -> String {
        if self.bed.rng.random_ratio(1, 2) {
            self.bed.crash_exchange();
            return "the exchange crashes and another one goes on".into();
        }
        self.count();
        self.bed.restart_manager();
        "the manager crashes and comes back".into()
    }

    fn stand_still(&mut self) -> String {
        let span = Duration::from_secs(self.bed.rng.random_range(1..20_000));
        self.bed.jump(span);
        format!("the machine stands still for {span:?}")
    }

    fn change_load(&mut self) -> String {
        let load = if self.bed.rng.random_ratio(1, 2) { Load::Overloaded } else { Load::Normal };
        self.bed.exchange(Input::Load(load));
        format!("the manager is {load:?}")
    }

    /// The time of day is wrong by up to a month, or right again.
    fn set_clock(&mut self) -> String {
        const MONTH: i64 = 31 * 24 * 3600 * 1_000_000;
        let rng = &mut self.bed.rng;
        let wrong = if rng.random_ratio(1, 2) { rng.random_range(-MONTH..MONTH) } else { 0 };
        let offset = rng.random_range(-14..15) * 3600;
        let wall = self.bed.right_time(wrong);
        self.bed.set_wall(wall, offset);
        format!("the clock is set to {}", wall.0)
    }

    /// The phone loses its place or its second line, the office its park slots or hunt groups; or all is as it should be
    /// again.
    fn change_site(&mut self, phone: usize) -> String {
        let mut site = self.office.clone();
        let change = self.bed.rng.random_range(0..5_u32);
        if let Ok(name) = name(phone).parse() {
            match change {
                0 => drop(site.devices.remove(&name)),
                1 => {
                    site.devices.entry(name).and_modify(|device| device.buttons.truncate(1));
                }
                2 => site.parking.slots.clear(),
                3 => site.hunt_groups.clear(),
                _ => {}
            }
        }
        self.bed.change_site(site);
        format!("site change {change}")
    }

    fn cut(&mut self, phone: usize) -> String {
        let rng = &mut self.bed.rng;
        let notices = Duration::from_millis(rng.random_range(0..2_000));
        let manager = rng.random_ratio(2, 3).then_some(notices);
        let notices = Duration::from_millis(rng.random_range(0..2_000));
        self.bed.cut(phone, Notices { manager, phone: Some(notices) });
        format!("connection breaks, manager notices after {manager:?}, phone after {notices:?}")
    }
}
