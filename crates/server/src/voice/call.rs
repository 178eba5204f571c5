//! One call: between the exchange, the media thread, the disk and the application.

use std::{
    collections::VecDeque,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use selsius_exchange::{
    RemoteAudio, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_media::{
    Codec, Law, PacketTime, SAMPLE_RATE,
    engine::{Clip, Event, Format, Place, Voice as Heed},
};
use selsius_site::{Application as Kind, ApplicationKind, CodecName, Site};
use selsius_voice::{
    Access, Application, Call, Input, Keys, Language, Limits, Mailbox, Output, Role, Rules, Say, Stay, Way,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

use super::{Ending, Voice, mailbox_of, rooms::Inside};
use crate::{
    core::zone,
    media::{self, Happening, Opening, Order, SILENCE, Watcher},
};

/// What the exchange offered.
#[derive(Debug)]
pub(super) struct Offer {
    pub(super) leg: TrunkLegId,
    pub(super) number: String,
    pub(super) calling: Party,
    pub(super) redirecting: Option<Party>,
    pub(super) codecs: Vec<CodecName>,
    pub(super) packet_ms: u32,
    /// The caller opens the room that the number is.
    pub(super) meet_me: bool,
    pub(super) reached: Option<IpAddr>,
}

/// What the media thread tells.
enum Heard {
    Played,
    Key(char),
    Said(Box<[i16]>),
    Talks(bool),
    Lost,
}

/// Happenings that may wait: sound of some seconds. What does not fit is missing in the recording.
const HAPPENINGS: usize = 500;
/// More is never recorded, whatever the application forgets: five minutes of µ-law.
const MOST_RECORDED: usize = 300 * SAMPLE_RATE as usize;

/// Answers a call, and stays until it is over.
pub(super) async fn run(voice: Arc<Voice>, offer: Offer, orders: mpsc::Receiver<TrunkOrder>) {
    let (leg, cause) = (offer.leg, EndCause::CalledHungUp);
    let mut ending = Ending { voice: Arc::clone(&voice), leg, cause, said: false, party: None };
    match Talk::begin(voice, offer, orders).await {
        Ok(mut talk) => {
            ending.party = Some(talk.party);
            talk.run().await;
            ending.said = talk.over;
        }
        Err(cause) => ending.cause = cause,
    }
}

/// A call that is answered.
struct Talk {
    voice: Arc<Voice>,
    leg: TrunkLegId,
    /// The number that was called.
    number: String,
    calling: Party,
    /// Who can be called back.
    caller: String,
    site: Arc<Site>,
    zone: TimeZone,
    language: Language,
    party: media::Party,
    format: Format,
    orders: mpsc::Receiver<TrunkOrder>,
    happenings: mpsc::Receiver<Heard>,
    call: Call,
    keys: Keys,
    began: Instant,
    /// Does the caller hear us?
    heard: bool,
    deadline: Option<Instant>,
    /// Is something played whose end the application wants to know?
    playing: bool,
    /// What happened while the end of a clip was looked for.
    backlog: VecDeque<Heard>,
    recording: bool,
    /// What was recorded, as µ-law codes.
    recorded: Vec<u8>,
    mailbox: String,
    /// The room that the caller is in, or wanted to come into.
    inside: Option<Inside>,
    /// The exchange has ended it.
    over: bool,
}

impl Talk {
    async fn begin(
        voice: Arc<Voice>,
        offer: Offer,
        orders: mpsc::Receiver<TrunkOrder>,
    ) -> Result<Self, EndCause> {
        let site = voice.site().await.ok_or(EndCause::Shutdown)?;
        let mut application = application(&site, &offer).ok_or(EndCause::UnknownNumber)?;
        if let Application::Room(access) = &mut application {
            // Whoever guesses from outside does not keep those out who belong to the office.
            access.barred = offer.calling.device.is_none() && voice.rooms.is_barred(&offer.number);
        }
        let (name, codec) = offer
            .codecs
            .iter()
            .find_map(|&name| Some((name, codec(name)?)))
            .ok_or(EndCause::NoCommonCodec)?;
        let packet_time = PacketTime::from_millis(offer.packet_ms).unwrap_or(PacketTime::DEFAULT);
        let format = format(codec, packet_time);
        // Where no phone is in the call, the manager itself is at the other end.
        let address = offer.reached.unwrap_or(Ipv4Addr::LOCALHOST.into());
        let (happens, happenings) = mpsc::channel(HAPPENINGS);
        let (learning, place) = (voice.learning, Place::Nowhere);
        let opening = Opening { format, address, remote: None, learning, place, srtp: None };
        let opened = voice.media.open(opening, Some(watcher(happens))).await;
        let (party, address) = opened.ok().flatten().ok_or(EndCause::MediaFailure)?;
        voice.tell(answered(offer.leg, name, address)).await;
        let calling = offer.calling;
        let caller = if calling.restricted { String::new() } else { calling.number.clone() };
        let language = match site.settings.language {
            selsius_site::Language::German => Language::German,
            _ => Language::English,
        };
        Ok(Self {
            leg: offer.leg,
            number: offer.number,
            calling,
            caller,
            zone: zone(&site),
            site,
            language,
            party,
            format,
            orders,
            happenings,
            call: Call::new(application, Limits::default()),
            keys: Keys::default(),
            began: Instant::now(),
            heard: false,
            deadline: None,
            playing: false,
            backlog: VecDeque::new(),
            recording: false,
            recorded: Vec::new(),
            mailbox: String::new(),
            inside: None,
            over: false,
            voice,
        })
    }

    async fn run(&mut self) {
        while !self.call.is_over() {
            if let Some(heard) = self.backlog.pop_front() {
                if let Some(input) = self.happened(Some(heard)) {
                    self.handle(input).await;
                }
                continue;
            }
            let deadline = self.deadline;
            let wait = async move {
                match deadline {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            let inside = &mut self.inside;
            let notice = async {
                match inside {
                    Some(inside) => inside.notices.recv().await,
                    None => std::future::pending().await,
                }
            };
            let input = tokio::select! {
                notice = notice => Some(notice.map_or(Input::HungUp, Input::Room)),
                order = self.orders.recv() => self.ordered(order),
                heard = self.happenings.recv() => self.happened(heard),
                () = wait => {
                    self.deadline = None;
                    Some(Input::Timeout)
                }
            };
            if let Some(input) = input {
                self.handle(input).await;
            }
        }
    }

    fn ordered(&mut self, order: Option<TrunkOrder>) -> Option<Input> {
        match order {
            Some(TrunkOrder::Media { audio, address, .. }) => {
                if let Some(time) = PacketTime::from_millis(audio.packet_ms)
                    && time != self.format.packet_time
                {
                    self.format = format(self.format.codec, time);
                    self.media(Order::Format(self.party, self.format));
                }
                self.media(Order::Remote(self.party, address, self.voice.learning));
                (!std::mem::replace(&mut self.heard, true)).then_some(Input::Begin)
            }
            Some(TrunkOrder::Digit { digit, .. }) => self.key(Way::Signalling, digit),
            Some(TrunkOrder::HangUp { .. }) => {
                self.over = true;
                Some(Input::HungUp)
            }
            None => Some(Input::HungUp),
            Some(_) => None,
        }
    }

    fn happened(&mut self, heard: Option<Heard>) -> Option<Input> {
        match heard {
            Some(Heard::Played) if self.playing => {
                self.playing = false;
                Some(Input::Played)
            }
            Some(Heard::Key(key)) => self.key(Way::Audio, key),
            Some(Heard::Talks(talking)) => {
                if let Some(inside) = &self.inside {
                    inside.talks(talking);
                }
                None
            }
            Some(Heard::Said(samples)) => {
                if self.recording && self.recorded.len() < MOST_RECORDED {
                    Law::Mu.encode(&samples, &mut self.recorded);
                }
                None
            }
            Some(Heard::Lost) | None => Some(Input::HungUp),
            Some(Heard::Played) => None,
        }
    }

    fn key(&mut self, way: Way, key: char) -> Option<Input> {
        self.keys.is_new(self.began.elapsed(), way, key).then_some(Input::Key(key))
    }

    async fn handle(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            self.call.handle(self.now(), input);
            while let Some(output) = self.call.poll_output() {
                // An application waits for one answer at a time.
                next = self.output(output).await.or(next);
            }
        }
    }

    fn now(&self) -> DateTime {
        self.zone.to_datetime(Timestamp::now())
    }

    /// Does what the application wants; gives its answer.
    async fn output(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Play(said) => return self.play(said).await,
            Output::Silence => self.quieten().await,
            Output::Echo => self.media(Order::Place(self.party, Place::Echo)),
            Output::Wait(time) => self.deadline = Some(Instant::now() + time),
            Output::Record => {
                self.recorded.clear();
                self.recording = true;
                self.media(Order::Tap(self.party, true));
                // Who hears no packets takes the call for dead, and so do trunks.
                self.media(Order::Play(self.party, Clip::Loop([0; 160].into())));
            }
            Output::StopRecording => {
                self.recording = false;
                self.deadline = None;
                self.media(Order::Tap(self.party, false));
                self.media(Order::Stop(self.party));
                let micros = self.recorded.len() as u64 * 1_000_000 / u64::from(SAMPLE_RATE);
                return Some(Input::Recorded(Duration::from_micros(micros)));
            }
            Output::Open(number) => return Some(Input::Mailbox(self.open(number).await)),
            Output::Keep(number) => {
                let (caller, sound) = (self.caller.clone(), std::mem::take(&mut self.recorded));
                let mailbox = number.clone();
                let kept =
                    self.change(number.clone(), move |voice| voice.mailboxes.keep(&mailbox, &caller, &sound));
                let kept = kept.await;
                if let Some(id) = kept {
                    self.voice.send_letters(&self.site, &number, id, self.language);
                }
                return Some(Input::Done(kept.is_some()));
            }
            Output::SetGreeting(number, own) => {
                let sound = own.then(|| std::mem::take(&mut self.recorded));
                let mailbox = number.clone();
                let set = self
                    .change(number, move |voice| voice.mailboxes.set_greeting(&mailbox, sound.as_deref()));
                return Some(Input::Done(set.await.is_some()));
            }
            Output::SetPin(number, pin) => {
                let mailbox = number.clone();
                let set = self.change(number, move |voice| voice.mailboxes.set_pin(&mailbox, &pin));
                return Some(Input::Done(set.await.is_some()));
            }
            Output::Heard(number, id) => {
                let mailbox = number.clone();
                self.change(number, move |voice| voice.mailboxes.heard(&mailbox, id)).await;
            }
            Output::Delete(number, id) => {
                let mailbox = number.clone();
                self.change(number, move |voice| voice.mailboxes.delete(&mailbox, id)).await;
            }
            Output::WrongPin(number) => {
                if self.is_mailbox(&number) {
                    self.voice.mailboxes.wrong_pin(&number);
                }
            }
            Output::Enter(role) => self.enter(role),
            Output::Act(act) => {
                if let Some(inside) = &self.inside {
                    inside.act(act);
                }
            }
            Output::Stay(stay) => self.stay(stay),
            Output::Mute(muted) => {
                let voice = if muted { Heed::Muted } else { Heed::Heard };
                self.media(Order::Voice(self.party, voice));
            }
            Output::WrongRoomPin => self.voice.rooms.wrong_pin(&self.number),
            // Where it is refused, the call is still there, and ends with the task.
            Output::Redirect(number) => {
                self.voice.tell(TrunkEvent::Redirect { leg: self.leg, number }).await;
            }
            // The end of the task says it.
            Output::HangUp => {}
        }
        None
    }

    async fn play(&mut self, said: Vec<Say>) -> Option<Input> {
        self.deadline = None;
        let (language, mailbox) = (self.language, self.mailbox.clone());
        let recorded = if said.contains(&Say::Recording) { self.recorded.clone() } else { Vec::new() };
        let rendered = self
            .voice
            .disk(move |voice| voice.sounds.render(&said, language, &mailbox, &voice.mailboxes, &recorded));
        let samples = rendered.await.unwrap_or_default();
        self.quieten().await;
        self.playing = !samples.is_empty();
        if !self.playing {
            return Some(Input::Played);
        }
        self.media(Order::Play(self.party, Clip::Pcm(samples.into())));
        None
    }

    /// Ends what is being played. That it ended by itself just before is not to be taken for the end of what comes next.
    async fn quieten(&mut self) {
        if !std::mem::replace(&mut self.playing, false) {
            return;
        }
        self.media(Order::Stop(self.party));
        // The answer comes after everything that happened until then.
        let _ = self.voice.media.ask(|answer| Order::Figures(self.party, answer)).await;
        while let Ok(heard) = self.happenings.try_recv() {
            if !matches!(heard, Heard::Played) {
                self.backlog.push_back(heard);
            }
        }
    }

    fn enter(&mut self, role: Role) {
        let mut applications = self.site.applications.iter();
        let Some((_, room)) = applications.find(|(number, _)| number.as_str() == self.number) else { return };
        let most = usize::try_from(room.most).unwrap_or(usize::MAX);
        let rules = Rules { most, waits: room.wait_for_moderator, tones: room.entry_tones };
        self.inside = Some(self.voice.rooms.enter(&self.number, rules, role, self.calling.clone()));
    }

    /// Puts the caller to the others, or has him hear music.
    fn stay(&self, stay: Stay) {
        let music = || {
            let name = self.site.settings.music.as_ref();
            name.and_then(|name| self.voice.music.borrow().get(name).copied()).unwrap_or(SILENCE)
        };
        let place = match (stay, &self.inside) {
            (Stay::Together, Some(inside)) => Place::Bridge(inside.bridge),
            _ => Place::Source(music()),
        };
        self.media(Order::Place(self.party, place));
    }

    async fn open(&mut self, number: String) -> Option<Mailbox> {
        if !self.is_mailbox(&number) {
            return None;
        }
        self.mailbox.clone_from(&number);
        let zone = self.zone.clone();
        self.voice.disk(move |voice| voice.mailboxes.look(&number, &zone)).await.ok()
    }

    fn is_mailbox(&self, number: &str) -> bool {
        self.site.lines.keys().any(|line| mailbox_of(&self.site, line.as_str()) == Some(number))
    }

    /// Changes something in a mailbox, and has the lamps follow.
    async fn change<T: Send + 'static>(
        &self,
        mailbox: String,
        work: impl FnOnce(&Voice) -> std::io::Result<T> + Send + 'static,
    ) -> Option<T> {
        let done = self.voice.disk(work).await.map_err(std::io::Error::other).flatten();
        if let Err(error) = &done {
            tracing::error!(mailbox, %error, "a mailbox cannot be written");
        }
        self.voice.tell_counts(&self.site, &mailbox).await;
        done.ok()
    }

    /// A queue that is full takes nothing away but sound; the application goes on.
    fn media(&self, order: Order) {
        if let Err(error) = self.voice.media.send(order) {
            tracing::warn!(%error, "an order to the media thread is lost");
        }
    }
}

fn answered(leg: TrunkLegId, codec: CodecName, address: SocketAddr) -> TrunkEvent {
    let audio = RemoteAudio { codecs: [codec].into(), address: Some(address), ..RemoteAudio::default() };
    TrunkEvent::Answered { leg, audio }
}

/// Those that the engine can encode. Opus of trunks ends at the trunk.
fn codec(name: CodecName) -> Option<Codec> {
    match name {
        CodecName::Pcmu => Some(Codec::Pcmu),
        CodecName::Pcma => Some(Codec::Pcma),
        CodecName::G722 => Some(Codec::G722),
        CodecName::G729 | CodecName::Opus => None,
    }
}

/// How a caller's streams are packed. Whether he has events at all is known to nobody here, so tones are listened for, too.
fn format(codec: Codec, packet_time: PacketTime) -> Format {
    Format { tones: true, ..Format::new(codec, packet_time) }
}

/// What a call is for, by the site's words.
fn application(site: &Site, offer: &Offer) -> Option<Application> {
    let (_, Kind { kind, file, line, pin, moderator_pin, .. }) =
        site.applications.iter().find(|(number, _)| number.as_str() == offer.number)?;
    let mailbox = |number: &str| mailbox_of(site, number).unwrap_or(number).to_owned();
    Some(match (kind, &offer.redirecting) {
        (ApplicationKind::Echo, _) => Application::Echo,
        (ApplicationKind::Clock, _) => Application::Clock,
        (ApplicationKind::Announcement, _) => Application::Announcement(file.clone()),
        (ApplicationKind::Room, _) => Application::Room(Access {
            pin: pin.as_str().into(),
            moderator_pin: moderator_pin.as_str().into(),
            opens: offer.meet_me,
            barred: false,
        }),
        (ApplicationKind::Message, _) => Application::Leave(mailbox(line.as_ref()?.as_str())),
        (ApplicationKind::Mailbox, Some(by)) => Application::Leave(mailbox(&by.number)),
        (ApplicationKind::Mailbox, None) => Application::Listen(own(site, &offer.calling)),
    })
}

/// The mailbox that is the caller's own: one of a line that is on the phone that calls. The number alone proves nothing, since
/// it may be what others are shown instead of the line.
fn own(site: &Site, calling: &Party) -> Option<String> {
    let device = site.devices.get(calling.device.as_ref()?)?;
    let mut lines = device.lines();
    let calls = |number: &&selsius_site::LineNumber| {
        let line = site.lines.get(*number);
        let shown =
            line.and_then(|line| line.external_number.as_ref()).map(|mask| mask.apply(number.as_str()));
        number.as_str() == calling.number || shown.as_ref() == Some(&calling.number)
    };
    let line = lines.find(calls)?;
    mailbox_of(site, line.as_str()).map(Into::into)
}

fn watcher(to: mpsc::Sender<Heard>) -> Watcher {
    Box::new(move |happening| {
        let heard = match happening {
            Happening::Event(Event::ClipFinished) => Heard::Played,
            Happening::Event(Event::Digit(digit)) => Heard::Key(digit.as_char()),
            Happening::Event(Event::Learnt(_)) => return,
            Happening::Talks(talking) => Heard::Talks(talking),
            Happening::Sound { said, .. } => Heard::Said(said.into()),
            Happening::Lost => Heard::Lost,
        };
        // This thread waits for nobody.
        let _ = to.try_send(heard);
    })
}

#[cfg(test)]
mod tests {
    use selsius_site::SiteFile;

    use super::*;

    const OFFICE: &str = r#"
[settings]
voicemail = "1999"
[trunks.house]
kind = "services"
[routes."199X"]
trunks = ["house"]
[applications.1999]
kind = "mailbox"
[applications.1998]
kind = "message"
line = "1002"
[lines.1001]
external-number = "0301XXXX"
[lines.1002]
mailbox = "8002"
[lines.1003]
voicemail = false
[devices.SEP020000000001]
buttons = [{ line = "1001" }, { line = "1003" }]
"#;

    fn offer(number: &str, calling: &str, device: Option<&str>, by: Option<&str>) -> Offer {
        let device = device.map(|name| name.parse().unwrap());
        let calling = Party { number: calling.into(), device, ..Party::default() };
        let redirecting = by.map(|number| Party { number: number.into(), ..Party::default() });
        let (codecs, number) = (Vec::new(), number.into());
        Offer {
            leg: TrunkLegId(2),
            number,
            calling,
            redirecting,
            codecs,
            packet_ms: 20,
            meet_me: false,
            reached: None,
        }
    }

    #[test]
    fn who_calls_what_and_why_says_what_happens() {
        let site = SiteFile::parse("test.toml", OFFICE).unwrap().apply(&Site::default(), true);
        assert!(site.validate().is_empty(), "{:?}", site.validate());
        let listen = |own: Option<&str>| Some(Application::Listen(own.map(Into::into)));
        let leave = |mailbox: &str| Some(Application::Leave(mailbox.into()));
        let phone = Some("SEP020000000001");
        let table = [
            (offer("1999", "1001", phone, None), listen(Some("1001"))),
            // The number is shown as the country writes it.
            (offer("1999", "03011001", phone, None), listen(Some("1001"))),
            // A line without a mailbox; a line of another phone; no phone of ours, whatever number it claims.
            (offer("1999", "1003", phone, None), listen(None)),
            (offer("1999", "1002", phone, None), listen(None)),
            (offer("1999", "1001", None, None), listen(None)),
            (offer("1999", "1001", phone, Some("1002")), leave("8002")),
            // Nobody's: the caller is told that there is no mailbox.
            (offer("1999", "1001", phone, Some("2000")), leave("2000")),
            (offer("1998", "1001", phone, None), leave("8002")),
            (offer("1997", "1001", phone, None), None),
        ];
        for (offer, expected) in table {
            assert_eq!(application(&site, &offer), expected, "{offer:?}");
        }
    }
}
