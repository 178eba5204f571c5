//! What lines and phones keep over restarts: forwarding, do not disturb, waiting messages. The store keeps it; it comes back
//! with [`crate::Exchange::remember`].

use alloc::{collections::BTreeMap, vec::Vec};

use selsius_site::{DeviceName, LineNumber, Name};
use selsius_wire::Time;

use crate::{exchange::Exchange, view::Transition};

/// What a line remembers. The default is that of a line nobody has changed anything of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineState {
    /// Where its calls go instead.
    pub forwards: Forwards,
    /// Nobody wants to be disturbed.
    pub do_not_disturb: bool,
    /// Messages in its voice mail box.
    pub messages: Messages,
    /// Logged out of its hunt groups.
    pub hunt_logged_out: bool,
    /// Logged in to those of its hunt groups that ask for it.
    pub hunt_logged_in: bool,
}

/// Where calls to a line go instead, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwards {
    /// Always.
    pub all: Option<LineNumber>,
    /// While it is busy.
    pub busy: Option<LineNumber>,
    /// When nobody answers in time.
    pub no_answer: Option<LineNumber>,
    /// While no phone with it is registered.
    pub unregistered: Option<LineNumber>,
}

/// When calls to a line go elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForwardKind {
    /// Always.
    All,
    /// While the line is busy.
    Busy,
    /// When nobody answers in time.
    NoAnswer,
    /// While no phone with the line is registered.
    Unregistered,
}

impl ForwardKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::All, Self::Busy, Self::NoAnswer, Self::Unregistered];

    /// The name in commands and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Unregistered => "unregistered",
        }
    }
}

impl Forwards {
    /// Where calls go in this case.
    pub fn target(&self, kind: ForwardKind) -> Option<&LineNumber> {
        match kind {
            ForwardKind::All => self.all.as_ref(),
            ForwardKind::Busy => self.busy.as_ref(),
            ForwardKind::NoAnswer => self.no_answer.as_ref(),
            ForwardKind::Unregistered => self.unregistered.as_ref(),
        }
    }

    /// Has calls go there in this case; `None` leaves them where they are.
    pub fn set(&mut self, kind: ForwardKind, to: Option<LineNumber>) {
        *match kind {
            ForwardKind::All => &mut self.all,
            ForwardKind::Busy => &mut self.busy,
            ForwardKind::NoAnswer => &mut self.no_answer,
            ForwardKind::Unregistered => &mut self.unregistered,
        } = to;
    }
}

/// How many messages wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Messages {
    /// Not heard yet.
    pub new: u32,
    /// Heard and kept.
    pub old: u32,
}

/// What a phone remembers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceState {
    /// Who is logged in on it (extension mobility).
    pub user: Option<Name>,
    /// Its calls on shared lines are not shown to others, whatever the site says.
    pub privacy: Option<bool>,
    /// The number that was dialled last.
    pub last_dialed: Option<LineNumber>,
}

impl Exchange {
    /// What lines and phones remember now, for operators.
    pub fn remembered(&self) -> (&BTreeMap<LineNumber, LineState>, &BTreeMap<DeviceName, DeviceState>) {
        (&self.line_states, &self.device_states)
    }

    /// The store has been exchanged for another one: what that one has holds, and phones show it. Nothing of it is
    /// recorded, since it comes from there.
    pub(crate) fn recall(
        &mut self,
        now: Time,
        lines: BTreeMap<LineNumber, LineState>,
        devices: BTreeMap<DeviceName, DeviceState>,
    ) {
        self.line_states = lines;
        self.device_states = devices;
        let phones: Vec<_> = self.devices.iter().map(|(handle, _)| handle).collect();
        for phone in phones {
            self.render(now, phone, Transition::Change, None);
        }
        self.mobility_changed(now);
        self.restart_changed(now);
    }
}
