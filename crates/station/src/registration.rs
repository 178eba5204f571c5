//! What a phone asks at registration, in which order, and how far it is.

use alloc::collections::VecDeque;

use selsius_wire::value::ButtonType;

use crate::{buttons::Buttons, config::ModelClass};

/// How far a station is with its manager.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// No connection, or one that the station closed.
    #[default]
    Offline,
    /// Connected to a standby manager: keepalives only.
    Standby,
    /// Asked for a token, or waits to ask again.
    AskingToken,
    /// Sent Register.
    Registering,
    /// Accepted, and asking for buttons, keys and lines.
    Loading,
    /// Ready.
    Registered,
    /// Sent Unregister.
    Leaving,
}

/// One step of a class's registration after the capabilities; some are several messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Headset,
    MediaPaths,
    Buttons,
    SoftKeyTemplate,
    SoftKeySets,
    Config,
    Server,
    Version,
    Lines,
    Forwards,
    SpeedDialsUp,
    SpeedDialsDown,
    Features,
    /// The 7912 asks once for feature 1, which is its Hold button (frame 105).
    FirstFeature,
    ServiceUrls,
    AvailableLines,
    TimeDate,
}

/// One message of it. All but the last three are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Buttons,
    SoftKeyTemplate,
    SoftKeySets,
    Config,
    Server,
    Version,
    Line(u32),
    Forward(u32),
    SpeedDial(u32),
    Feature(u32),
    ServiceUrl(u32),
    TimeDate,
    Headset,
    MediaPaths,
    AvailableLines,
}

impl Ask {
    /// Whether the phone waits before it goes on.
    pub(crate) fn is_answered(self) -> bool {
        !matches!(self, Self::Headset | Self::MediaPaths | Self::AvailableLines)
    }
}

/// The order for a class. The 7912's is captured (CallManager 4.1, frames 92 to 116). The others are not known: no capture
/// shows them, and a manager may assume none; they ask for all that such phones are known to ask for, each in an order
/// of its own. Later phones also tell their capabilities again with video in them; that message is 2,000 bytes long, which some managers refuse, and says nothing new about audio.
pub(crate) const fn order(model: ModelClass) -> &'static [Step] {
    use Step::*;
    match model {
        ModelClass::P7912 => &[
            Buttons,
            SoftKeyTemplate,
            SoftKeySets,
            Lines,
            FirstFeature,
            SpeedDialsDown,
            AvailableLines,
            TimeDate,
        ],
        ModelClass::P7960 => &[
            Headset,
            Buttons,
            SoftKeyTemplate,
            SoftKeySets,
            Config,
            Lines,
            SpeedDialsUp,
            ServiceUrls,
            Forwards,
            Version,
            Server,
            AvailableLines,
            TimeDate,
        ],
        ModelClass::P7965 => &[
            Headset,
            Buttons,
            SoftKeyTemplate,
            SoftKeySets,
            Server,
            Lines,
            SpeedDialsUp,
            Features,
            ServiceUrls,
            Forwards,
            AvailableLines,
            TimeDate,
        ],
        ModelClass::P8945 => &[
            Headset,
            MediaPaths,
            SoftKeyTemplate,
            SoftKeySets,
            Buttons,
            Config,
            Lines,
            Forwards,
            SpeedDialsUp,
            Features,
            ServiceUrls,
            AvailableLines,
            TimeDate,
        ],
        ModelClass::P6901 => &[MediaPaths, Buttons, Lines, Forwards, SpeedDialsUp, AvailableLines, TimeDate],
    }
}

/// What is still to be asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Questions {
    steps: VecDeque<Step>,
    asks: VecDeque<Ask>,
    waiting_for: Option<Ask>,
    begun: bool,
}

impl Questions {
    pub(crate) fn of(model: ModelClass) -> Self {
        Self { steps: order(model).iter().copied().collect(), ..Self::default() }
    }

    /// The question whose answer is awaited.
    pub(crate) fn waiting_for(&self) -> Option<Ask> {
        self.waiting_for
    }

    /// Whether the first was asked.
    pub(crate) fn begun(&self) -> bool {
        self.begun
    }

    /// The next message, or None at the end. Steps unfold when they are reached: which lines to ask for stands in
    /// the button template.
    pub(crate) fn next(&mut self, buttons: &Buttons, max_lines: u32) -> Option<Ask> {
        self.waiting_for = None;
        self.begun = true;
        while self.asks.is_empty() {
            let step = self.steps.pop_front()?;
            self.asks.extend(unfold(step, buttons, max_lines));
        }
        let ask = self.asks.pop_front()?;
        self.waiting_for = Some(ask).filter(|ask| ask.is_answered());
        Some(ask)
    }
}

fn unfold(step: Step, buttons: &Buttons, max_lines: u32) -> VecDeque<Ask> {
    let instances = |kind| buttons.instances(kind);
    // A manager that sends no template is asked for line 1 all the same.
    let lines = || {
        let known = if buttons.all().is_empty() { 1 } else { 0 };
        let lines = instances(ButtonType::Line).filter(|line| *line > 0).chain(1..=known);
        lines.take(usize::try_from(max_lines.max(1)).unwrap_or(usize::MAX))
    };
    let speed_dials = || {
        let dials = buttons.all().iter();
        dials.filter(|button| matches!(button.kind, ButtonType::SpeedDial | ButtonType::BlfSpeedDial))
    };
    match step {
        Step::Headset => [Ask::Headset].into(),
        Step::MediaPaths => [Ask::MediaPaths].into(),
        Step::Buttons => [Ask::Buttons].into(),
        Step::SoftKeyTemplate => [Ask::SoftKeyTemplate].into(),
        Step::SoftKeySets => [Ask::SoftKeySets].into(),
        Step::Config => [Ask::Config].into(),
        Step::Server => [Ask::Server].into(),
        Step::Version => [Ask::Version].into(),
        Step::Lines => lines().map(Ask::Line).collect(),
        Step::Forwards => lines().map(Ask::Forward).collect(),
        Step::SpeedDialsUp => speed_dials().map(|button| Ask::SpeedDial(button.instance)).collect(),
        Step::SpeedDialsDown => speed_dials().rev().map(|button| Ask::SpeedDial(button.instance)).collect(),
        Step::Features => buttons
            .all()
            .iter()
            .filter(|button| is_feature(button.kind))
            .map(|button| Ask::Feature(button.instance))
            .collect(),
        Step::FirstFeature => {
            let first = buttons.all().iter().find(|button| is_feature(button.kind) && button.instance == 1);
            first.map(|button| Ask::Feature(button.instance)).into_iter().collect()
        }
        Step::ServiceUrls => instances(ButtonType::ServiceUrl).map(Ask::ServiceUrl).collect(),
        Step::AvailableLines => [Ask::AvailableLines].into(),
        Step::TimeDate => [Ask::TimeDate].into(),
    }
}

/// Buttons whose label and state come by FeatureStat.
fn is_feature(kind: ButtonType) -> bool {
    !matches!(
        kind,
        ButtonType::Unused
            | ButtonType::Undefined
            | ButtonType::Line
            | ButtonType::SpeedDial
            | ButtonType::ServiceUrl
    )
}
