//! The types of the model. Plain data: what makes a site valid is in `validate`, its file form in `file`.
//!
//! Every type has a default, which is what holds where a file says nothing. With serde they are what the store
//! keeps.

mod dialling;
mod groups;
mod line;
mod people;
mod phone;
mod schedule;
mod screen;
mod settings;
mod sip_phone;
mod trunk;
mod word;

use std::collections::BTreeMap;

use crate::{DeviceName, LineNumber, Name, Pattern};

pub use dialling::{
    Action, Application, ApplicationKind, Blocked, CallCode, CodeDemand, CodeKind, Rights, Route,
};
pub use groups::{HuntGroup, HuntOrder, PagingGroup, PagingMode, Parking, PickupGroup};
pub use line::{ActiveRing, AutoAnswer, CallerId, DoNotDisturb, Hotline, Line, Ring};
pub use people::{Contact, Pool, User};
pub use phone::{Button, Device, Feature, Model, Prefer, SideCar};
pub use schedule::{OpenHours, OpenHoursError, Schedule};
pub use screen::{ItemTarget, KeySet, Service, ServiceItem, SoftKey, SoftKeys};
pub use settings::{
    AutoRegistration, CodecName, ConferenceDrop, DialTimers, FeatureCode, FeatureCodes, Language,
    OwnerLeaves, RecordingRule, Settings, TonePlan,
};
pub use sip_phone::SipPhone;
pub use trunk::{Dtmf, MediaPath, Music, Srtp, Transport, Trunk, TrunkKind};

/// A whole office. Keys are unique names; everything else refers to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// What holds for all phones.
    pub settings: Settings,
    /// The phones, by device name.
    pub devices: BTreeMap<DeviceName, Device>,
    /// The directory numbers of the office.
    pub lines: BTreeMap<LineNumber, Line>,
    /// Dialled patterns that are not a line of their own. Lines win over routes; among routes the one with
    /// the most fixed digits wins.
    pub routes: BTreeMap<Pattern, Route>,
    /// What phones of one place have in common.
    pub pools: BTreeMap<Name, Pool>,
    /// People who can log in on a phone, by the name that they log in with.
    pub users: BTreeMap<Name, User>,
    /// Groups of lines that pick up each other's calls; a line says which one it is in.
    pub pickup_groups: BTreeMap<Name, PickupGroup>,
    /// Where calls are parked.
    pub parking: Parking,
    /// Numbers that ring one of several lines.
    pub hunt_groups: BTreeMap<LineNumber, HuntGroup>,
    /// Numbers that speak to several phones at once.
    pub paging_groups: BTreeMap<LineNumber, PagingGroup>,
    /// Which partitions may be called; lines, pools, users and codes have one of these.
    pub rights: BTreeMap<Name, Rights>,
    /// The ways out of the office.
    pub trunks: BTreeMap<Name, Trunk>,
    /// The phones that speak SIP, by the name that they register with; no other phone has it.
    pub sip_phones: BTreeMap<DeviceName, SipPhone>,
    /// What people hear who wait.
    pub music: BTreeMap<Name, Music>,
    /// What the manager answers itself, by the numbers that arrive at trunks of the kind `services`.
    pub applications: BTreeMap<LineNumber, Application>,
    /// When the office is open, for routes that depend on it.
    pub schedules: BTreeMap<Name, Schedule>,
    /// Codes that people enter before a call, for its bill or for the right to it.
    pub codes: BTreeMap<Name, CallCode>,
    /// Callers that are refused.
    pub blocked: Blocked,
    /// Soft keys of phones that have others than the usual ones.
    pub soft_keys: BTreeMap<Name, SoftKeys>,
    /// XML services, for service buttons and the Services key.
    pub services: BTreeMap<Name, Service>,
    /// The corporate directory, beside the lines; by the name that phones show, at most 39 bytes.
    pub contacts: BTreeMap<String, Contact>,
}
