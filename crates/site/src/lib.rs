//! The model of an office, as its administrator describes it: phones, lines, what is on their buttons, where
//! numbers lead. No I/O: the store keeps a [`Site`], the exchange acts on it, provisioning renders it, and
//! `selsius site apply` reads one from TOML, with every fault named at its line.
//!
//! - [`Site`] and what it holds is plain data. [`Site::validate`] says what is wrong with it.
//! - [`SiteFile`] is a site as a file: it knows what it mentions and at which line. [`Site::from_toml`] reads a
//!   whole site, [`SiteFile::apply`] changes an existing one, [`Site::to_toml`] writes one.
//! - [`Site::import`] reads an office out of a table or another manager's configuration.
//! - [`Site::local`] is what holds for one phone.
//! - [`diff`] lists what changes between two sites, in words.
//! - [`Site::changed_parts`] and [`Site::take_part`] are a site in pieces, for whoever stores it.
//! - [`Pattern`] matches dialled digits, [`Model`] knows the phones ([`PHONES`]).
//!
//! ```
//! use selsius_site::{PatternMatch, Site, diff};
//!
//! let site = Site::from_toml("office.toml", r#"
//!     [lines.1001]
//!     name = "Reception"
//!
//!     [devices.SEP001122334455]
//!     model = "7960"
//!     buttons = [{ line = "1001" }, { speed-dial = "0", label = "Exchange" }]
//!
//!     [routes."0"]
//!     lines = ["1001"]
//! "#)?;
//! assert_eq!(diff(&Site::default(), &site)[0].to_string(), r#"+ line 1001 "Reception""#);
//!
//! let error = Site::from_toml("office.toml", "[lines.1001]\nnmae = \"Reception\"").unwrap_err();
//! assert!(error.to_string().starts_with("office.toml:2:1: lines.1001.nmae: unknown key"));
//! assert!(error.to_string().contains("did you mean `name`?"));
//! # Ok::<(), selsius_site::SiteFileError>(())
//! ```

mod diff;
mod entry;
mod fields;
mod file;
mod import;
mod key;
mod local;
mod model;
mod names;
mod near;
mod numbers;
mod pattern;
mod phones;
mod stored;
mod validate;

pub use diff::{Change, ChangeKind, Subject, diff};
pub use entry::NoEntry;
pub use file::{FilePosition, FileProblem, SAMPLE, SiteFile, SiteFileError};
pub use import::{CSV_TEMPLATE, ImportFormat, Imported, LeftOut};
pub use key::KeyPath;
pub use local::Local;
pub use model::{
    Action, ActiveRing, Application, ApplicationKind, AutoAnswer, AutoRegistration, Blocked, Button,
    CallCode, CallerId, CodeDemand, CodeKind, CodecName, ConferenceDrop, Contact, Device, DialTimers,
    DoNotDisturb, Dtmf, Feature, FeatureCode, FeatureCodes, Hotline, HuntGroup, HuntOrder, ItemTarget,
    KeySet, Language, Line, MediaPath, Model, Music, OpenHours, OpenHoursError, OwnerLeaves, PagingGroup,
    PagingMode, Parking, PickupGroup, Pool, Prefer, RecordingRule, Rights, Ring, Route, Schedule, Service,
    ServiceItem, Settings, SideCar, SipPhone, Site, SoftKey, SoftKeys, Srtp, TonePlan, Transport, Trunk,
    TrunkKind, User,
};
pub use names::{DeviceName, LineNumber, Name, NameError, Secret};
pub use numbers::{NumberMask, NumberRange};
pub use pattern::{Pattern, PatternError, PatternMatch};
pub use phones::{Generation, PHONES, PhoneFacts, PictureArea, UnknownModel};
pub use stored::{SitePart, StoredPartError};
pub use validate::{
    Fault, MAX_ABBREVIATED, MAX_AUTO_NUMBERS, MAX_BUTTONS, MAX_DATE_FORMAT_BYTES, MAX_DESCRIPTION_BYTES,
    MAX_NAME_BYTES, MAX_PROMPT_BYTES, MAX_URL_BYTES, Problem,
};
