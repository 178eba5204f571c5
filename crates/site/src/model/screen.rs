//! What phones show: soft keys and services.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::word::words;
use crate::LineNumber;

/// The soft keys of a phone in each state, in their order. A state that is not mentioned has its usual keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SoftKeys(pub BTreeMap<KeySet, Vec<SoftKey>>);

words! {
    /// States of a phone that have soft keys of their own.
    pub enum KeySet {
        /// Idle.
        OnHook = "on-hook",
        /// In a call.
        Connected = "connected",
        /// A call is on hold.
        OnHold = "on-hold",
        /// A call comes in.
        RingIn = "ring-in",
        /// The handset is lifted, nothing dialled.
        OffHook = "off-hook",
        /// In a call that can be transferred to the second party.
        ConnectedTransfer = "connected-transfer",
        /// Some digits are dialled.
        DigitsFollowing = "digits-following",
        /// In a conference.
        ConnectedConference = "connected-conference",
        /// The other party rings.
        RingOut = "ring-out",
        /// A feature waits for a number.
        OffHookFeature = "off-hook-feature",
        /// Another phone uses the line.
        InUseHint = "in-use-hint",
    }
}

words! {
    /// What a soft key does.
    pub enum SoftKey {
        /// Dials the last number again.
        Redial = "redial",
        /// Begins a call.
        NewCall = "new-call",
        /// Holds the call.
        Hold = "hold",
        /// Transfers the call.
        Transfer = "transfer",
        /// Forwards all calls, or none any more.
        ForwardAll = "forward-all",
        /// Deletes the last digit.
        Backspace = "backspace",
        /// Ends the call.
        EndCall = "end-call",
        /// Takes the call back from hold.
        Resume = "resume",
        /// Answers the call.
        Answer = "answer",
        /// Makes a conference.
        Conference = "conference",
        /// Parks the call.
        Park = "park",
        /// Puts the selected calls together.
        Join = "join",
        /// Opens a conference that others call.
        MeetMe = "meet-me",
        /// Takes a call that rings in the own group.
        Pickup = "pickup",
        /// Takes a call that rings in another group.
        GroupPickup = "group-pickup",
        /// Enters a call of another phone with the line.
        Barge = "barge",
        /// Makes the call of another phone with the line a conference, and enters it.
        ConferenceBarge = "conference-barge",
        /// Connects the two selected calls.
        DirectTransfer = "direct-transfer",
        /// Selects the call.
        Select = "select",
        /// Shows who is in the conference.
        ConferenceList = "conference-list",
        /// Rings back when the other line is free or there.
        Callback = "callback",
        /// Sends the call on without answering it.
        Divert = "divert",
        /// Lets nobody disturb, or everybody again.
        DoNotDisturb = "do-not-disturb",
        /// Holds the call so that only this phone can take it back.
        PrivateHold = "private-hold",
        /// Speaks to a line through its speaker.
        Intercom = "intercom",
        /// Dials what is entered.
        Dial = "dial",
        /// Records the call.
        Record = "record",
        /// Records the call no longer.
        StopRecording = "stop-recording",
    }
}

/// An XML service: an address, or a menu that the manager itself serves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// What phones show of it, at most 39 bytes; empty shows its name.
    pub title: String,
    /// Its `http` or `https` address, at most 255 bytes; empty where there are items.
    pub url: String,
    /// The entries of the menu.
    pub items: Vec<ServiceItem>,
}

/// An entry of a menu.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceItem {
    /// What phones show, at most 39 bytes.
    pub name: String,
    /// What choosing it does.
    pub target: ItemTarget,
}

/// What choosing an entry of a menu does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemTarget {
    /// Opens this `http` or `https` address, at most 255 bytes.
    Url(String),
    /// Dials this number.
    Number(LineNumber),
}
