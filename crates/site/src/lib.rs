//! The model of an office, as its administrator describes it: phones, lines, what is on their buttons, where
//! numbers lead. No I/O: the store keeps a [`Site`], the exchange acts on it, provisioning renders it, and
//! `selsius site apply` reads one from TOML, with every fault named at its line.

mod model;
mod names;
mod near;
mod pattern;
mod phones;

pub use model::{
    Action, AutoRegistration, Button, CodecName, Device, DialTimers, Line, Model, Route, Settings, Site,
    TonePlan,
};
pub use names::{DeviceName, LineNumber, NameError};
pub use pattern::{Pattern, PatternError, PatternMatch};
pub use phones::{Generation, PHONES, PhoneFacts, UnknownModel};
