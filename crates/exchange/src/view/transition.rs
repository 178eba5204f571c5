//! What happens to a phone, and for each kind of it the order in which phones expect to be told: tables of what real
//! CallManagers sent, and what they send again although it did not change.

/// What happened to a phone, or to one leg on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    /// The user lifted the handset for a new call.
    OffHook,
    /// The first digit, or the last one taken back.
    Dialing,
    /// The number is complete.
    Proceed,
    /// The far end rings.
    RingOut,
    /// This phone rings.
    RingIn,
    /// The user of this ringing phone answered.
    PickUp,
    /// The conversation begins, on the called phone.
    ConnectCalled,
    /// The conversation begins, on the caller's phone.
    ConnectCaller,
    /// The other phone has said where it listens.
    Media,
    /// The call came to nothing.
    Fail,
    /// Another phone answered.
    AnsweredElsewhere,
    /// The user puts the call on hold.
    Hold,
    /// The other party does.
    OtherHolds,
    /// The user takes the call up again.
    Resume,
    /// The other party does.
    OtherResumes,
    /// The call goes on with other parties.
    Join,
    /// Other parties, and nothing else.
    Parties,
    /// A mark, a key, a lamp: nothing that has an order of its own.
    Change,
    /// Another phone has done something on a line that this one has too.
    Remote,
    /// The phone is there: it gets its whole face.
    Ready,
    /// The leg is over.
    End,
}

/// One thing that a phone is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    Ringer,
    Speaker,
    Forwards,
    Lamp,
    Buttons,
    Presence,
    State(Told),
    Keys,
    Prompt,
    Notice,
    Info,
    Plane,
    Tone,
    Dialed,
    Recorded,
    Receive,
    Transmit,
    Multicast,
    IdleKeys,
    IdlePrompt,
    Clock,
}

/// Which call state a step tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The one of the view.
    True,
    /// Connected, although it is over: a phone that was never told Connected logs a missed call.
    Connected,
}

/// A facet, and whether it is told even if the phone knows it already.
pub(super) type Step = (Facet, bool);

const fn changed(facet: Facet) -> Step {
    (facet, false)
}

const fn always(facet: Facet) -> Step {
    (facet, true)
}

use Facet::{
    Buttons, Clock, Dialed, Forwards, IdleKeys, IdlePrompt, Info, Keys, Lamp, Multicast, Notice, Plane,
    Prompt, Receive, Ringer, Speaker, Transmit,
};
const STATE: Facet = Facet::State(Told::True);
const TONE: Facet = Facet::Tone;

/// 4.1 capture, new call (callmanager-frames.json, `cm_cap_new_call`, frames 80 to 87).
const OFF_HOOK: &[Step] = &[
    always(Ringer),
    always(Speaker),
    always(Lamp),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    always(Plane),
    changed(TONE),
];
/// Other servers (call-flows, first digit).
const DIALING: &[Step] = &[changed(TONE), changed(Keys)];
/// v20 capture, frame 11.
const PROCEED: &[Step] = &[changed(TONE), changed(Dialed), changed(STATE), changed(Info)];
/// v20 capture, frames 12 to 17.
const RING_OUT: &[Step] = &[changed(TONE), changed(STATE), changed(Keys), changed(Prompt), always(Info)];
/// 4.1 capture, frames 132 to 138; the same at v20, frames 5 to 9.
const RING_IN: &[Step] = &[
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    always(Notice),
    changed(Info),
    changed(Lamp),
    changed(Ringer),
];
/// 4.1 capture, frames 141 to 145; v20, frames 23 to 30. The 7911 has no audio unless OffHook comes before Connected.
const PICK_UP: &[Step] = &[changed(Ringer), changed(Speaker), changed(Lamp), changed(STATE), always(Plane)];
/// 4.1 capture, frames 146 to 153; v20, frame 30.
const CONNECT_CALLED: &[Step] = &[
    always(Ringer),
    always(TONE),
    changed(Receive),
    always(TONE),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    changed(Info),
    changed(Transmit),
];
/// v20 capture, frames 26 to 32.
const CONNECT_CALLER: &[Step] = &[
    changed(TONE),
    changed(Receive),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    changed(Info),
    always(TONE),
    changed(Transmit),
];
/// v20 capture, frames 38 and 47.
const MEDIA: &[Step] = &[changed(Transmit)];
/// Other servers (call-flows): the tone and the prompt; audio that was open closes first, receiving before sending.
const FAIL: &[Step] =
    &[changed(Receive), changed(Transmit), changed(TONE), changed(STATE), changed(Keys), changed(Prompt)];
/// 4.1 capture, frames 3136 to 3145; then the idle prompt, which that capture does not show.
const END: &[Step] = &[
    always(TONE),
    changed(Lamp),
    changed(Prompt),
    changed(Receive),
    changed(Transmit),
    changed(Multicast),
    changed(STATE),
    changed(IdleKeys),
    always(Clock),
    changed(Speaker),
    always(Ringer),
    changed(IdlePrompt),
];
/// As [`END`], but the phone must not take it for a missed call (call-flows: Connected before OnHook).
const ANSWERED_ELSEWHERE: &[Step] = &[
    changed(Ringer),
    changed(Lamp),
    changed(Prompt),
    always(Facet::State(Told::Connected)),
    changed(STATE),
    changed(IdleKeys),
    always(Clock),
    changed(IdlePrompt),
];
/// Other servers (call-flows, hold).
const HOLD: &[Step] = &[
    changed(Receive),
    changed(Transmit),
    changed(TONE),
    changed(Lamp),
    changed(STATE),
    changed(Prompt),
    always(Info),
    changed(Speaker),
    changed(Keys),
];
/// The other phone's hold closes the audio here as well; nothing else is seen.
const OTHER_HOLDS: &[Step] = &[changed(Receive), changed(Transmit), changed(Info)];
/// Other servers (call-flows, resume): the connected sequence, with new channels.
const RESUME: &[Step] = &[
    changed(Ringer),
    changed(Speaker),
    changed(Lamp),
    always(Plane),
    always(TONE),
    changed(Receive),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    always(Info),
    changed(Transmit),
];
/// As after an answer (v20 capture, frames 26 to 32): the tone ends, the channels open, then who it is.
const JOIN: &[Step] = &[
    changed(TONE),
    changed(Receive),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    changed(Info),
    changed(Transmit),
];
/// The prompt of a ringing phone says who calls.
const PARTIES: &[Step] = &[changed(Prompt), changed(Info)];
/// Everything, in an order that suits any phone: silence first, then what is seen, then what is heard.
pub(super) const REST: &[Step] = &[
    changed(Receive),
    changed(Transmit),
    changed(Multicast),
    changed(Speaker),
    changed(Forwards),
    changed(Lamp),
    changed(Buttons),
    changed(Facet::Presence),
    changed(STATE),
    changed(Keys),
    changed(Prompt),
    changed(Dialed),
    changed(Facet::Recorded),
    changed(Info),
    changed(Plane),
    changed(TONE),
    changed(IdleKeys),
    changed(IdlePrompt),
    changed(Ringer),
];

pub(super) fn steps(transition: Transition) -> &'static [Step] {
    match transition {
        Transition::OffHook => OFF_HOOK,
        Transition::Dialing => DIALING,
        Transition::Proceed => PROCEED,
        Transition::RingOut => RING_OUT,
        Transition::RingIn => RING_IN,
        Transition::PickUp => PICK_UP,
        Transition::ConnectCalled => CONNECT_CALLED,
        Transition::ConnectCaller => CONNECT_CALLER,
        Transition::Media => MEDIA,
        Transition::Fail => FAIL,
        Transition::AnsweredElsewhere => ANSWERED_ELSEWHERE,
        Transition::Hold => HOLD,
        Transition::OtherHolds => OTHER_HOLDS,
        Transition::Resume => RESUME,
        Transition::OtherResumes | Transition::Join => JOIN,
        Transition::Parties => PARTIES,
        Transition::Change | Transition::Remote | Transition::Ready => &[],
        Transition::End => END,
    }
}

impl Transition {
    /// Does a phone get the time of day with it?
    pub(crate) fn sets_clock(self) -> bool {
        steps(self).contains(&always(Clock))
    }
}
