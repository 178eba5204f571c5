//! The buttons of a phone: what the site gives it, in the kinds that its model knows.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use selsius_site::{Button, Feature, FeatureCode, LineNumber, Name, Site, SoftKey};
use selsius_wire::{
    message::{ButtonDefinition, ButtonTemplate},
    value::{ButtonType, StimulusType},
};

use super::quirks::{ButtonKinds, Quirks};

/// The buttons of a phone, numbered as the protocol numbers them: lines from 1, services from 1, and all others from 1:
/// first what is a dial (the phone may ask SpeedDialStat for it), then the rest, since FeatureStat names a button by its
/// number alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Buttons {
    pub(crate) lines: Vec<Appearance>,
    pub(crate) services: Vec<Service>,
    /// The others, in the order of the template.
    pub(crate) keys: Vec<Key>,
    /// Are the states of buttons told by FeatureStat? Else a lamp shows them.
    pub(crate) tells_states: bool,
    /// Kind and number of each physical button, in order.
    pub(crate) template: Vec<ButtonDefinition>,
}

/// A line on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
    pub(crate) instance: u32,
    pub(crate) number: LineNumber,
    pub(crate) name: String,
    pub(crate) label: String,
}

/// A service on a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Service {
    pub(crate) url: ServiceUrl,
    pub(crate) label: String,
}

/// Where a service is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServiceUrl {
    /// There.
    At(String),
    /// At the manager, under this name.
    Here(Name),
}

/// A button that is no line and no service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    /// What it is to the phone.
    pub(crate) kind: ButtonType,
    /// Its number.
    pub(crate) instance: u32,
    /// What it does.
    pub(crate) does: Does,
    /// What SpeedDialStat says that it dials. Without a number a phone takes the button for unused.
    pub(crate) number: String,
    pub(crate) label: String,
}

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Does {
    /// Calls a number.
    Dial(LineNumber),
    /// Shows the state of a line, and calls it or picks up its calls.
    Watch(LineNumber),
    Feature(Feature),
    Intercom(LineNumber),
    ParkSlot(LineNumber),
    Page(LineNumber),
}

impl Buttons {
    /// The buttons that the site gives a device, in the kinds that the phone knows.
    pub(crate) fn of(site: &Site, device: &selsius_site::Device, quirks: Quirks, version: u8) -> Self {
        let kinds = kinds(quirks, version);
        let mut buttons = Self { tells_states: kinds == ButtonKinds::States, ..Self::default() };
        let key = |button: &Button| does(button).map(|does| (kind(&does, kinds), does));
        let dials = device.buttons.iter().filter_map(key).filter(|(kind, _)| is_dial(*kind)).count();
        let (mut dial, mut other) = (0, dials as u32);
        for button in &device.buttons {
            let defined = match button {
                Button::Line { number, label } if buttons.lines.len() < quirks.most_lines => {
                    buttons.add_line(site, number, label)
                }
                Button::Service { url, label } => buttons.add_service(ServiceUrl::At(url.clone()), label),
                Button::Menu { service, label } => buttons.add_menu(site, service, label),
                other_button => match key(other_button) {
                    Some((kind, does)) => {
                        let counter = if is_dial(kind) { &mut dial } else { &mut other };
                        *counter += 1;
                        let instance = *counter;
                        let label = label(&does, button.label());
                        let number = number(site, &does);
                        buttons.keys.push(Key { kind, instance, does, number, label });
                        (instance, kind)
                    }
                    // `01 FF` inside the count is an empty key (2.x capture, frame 19).
                    None => (1, ButtonType::Undefined),
                },
            };
            let instance = u8::try_from(defined.0).unwrap_or(u8::MAX);
            buttons.template.push(ButtonDefinition::new(instance, defined.1));
        }
        buttons
    }

    fn add_line(&mut self, site: &Site, number: &LineNumber, label: &String) -> (u32, ButtonType) {
        let line = site.lines.get(number).cloned().unwrap_or_default();
        let label = [label, &line.label].into_iter().find(|label| !label.is_empty());
        let instance = self.lines.len() as u32 + 1;
        self.lines.push(Appearance {
            instance,
            number: number.clone(),
            label: label.map_or_else(|| number.as_str().into(), Clone::clone),
            name: line.name,
        });
        (instance, ButtonType::Line)
    }

    fn add_service(&mut self, url: ServiceUrl, label: &str) -> (u32, ButtonType) {
        self.services.push(Service { url, label: label.into() });
        (self.services.len() as u32, ButtonType::ServiceUrl)
    }

    /// One of the site's services: its own address, or a menu that the manager serves.
    fn add_menu(&mut self, site: &Site, name: &Name, label: &str) -> (u32, ButtonType) {
        let service = site.services.get(name);
        let url = match service.filter(|service| !service.url.is_empty()) {
            Some(service) => ServiceUrl::At(service.url.clone()),
            None => ServiceUrl::Here(name.clone()),
        };
        let title = service.map_or("", |service| &service.title);
        let label = [label, title].into_iter().find(|label| !label.is_empty()).unwrap_or(name.as_str());
        self.add_service(url, label)
    }

    /// The button that a phone means by a stimulus.
    pub(crate) fn key(&self, stimulus: StimulusType, instance: u32) -> Option<&Key> {
        let is_it = |key: &&Key| key.instance == instance && u32::from(key.kind) == u32::from(stimulus);
        self.keys.iter().find(is_it)
    }

    /// The dial with this number: what SpeedDialStat tells.
    pub(crate) fn dial(&self, instance: u32) -> Option<&Key> {
        self.keys.iter().find(|key| key.instance == instance && is_dial(key.kind))
    }

    /// How many dials there are.
    pub(crate) fn dials(&self) -> usize {
        self.keys.iter().filter(|key| is_dial(key.kind)).count()
    }

    /// The button whose state FeatureStat tells.
    pub(crate) fn feature(&self, instance: u32) -> Option<&Key> {
        self.keys.iter().find(|key| key.instance == instance && key.kind != ButtonType::SpeedDial)
    }

    /// The numbers whose state is shown.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &LineNumber> {
        self.keys.iter().filter_map(|key| match &key.does {
            Does::Watch(number) => Some(number),
            _ => None,
        })
    }

    /// The template, in as many messages as it takes: CallManager's has 42 slots.
    pub(crate) fn templates(&self) -> Vec<ButtonTemplate> {
        /// Slots of one message (4.1 capture, frame 94).
        const SLOTS: usize = 42;
        let total = self.template.len() as u32;
        if self.template.is_empty() {
            return [ButtonTemplate::new(&[])].into();
        }
        let offsets = (0..).step_by(SLOTS);
        let one = |(offset, buttons): (u32, &[ButtonDefinition])| ButtonTemplate {
            button_offset: offset,
            total_button_count: total,
            ..ButtonTemplate::new(buttons)
        };
        offsets.zip(self.template.chunks(SLOTS)).map(one).collect()
    }
}

fn does(button: &Button) -> Option<Does> {
    match button {
        Button::SpeedDial { number, .. } => Some(Does::Dial(number.clone())),
        Button::BusyLamp { number, .. } => Some(Does::Watch(number.clone())),
        Button::Feature { feature, .. } => Some(Does::Feature(*feature)),
        Button::Intercom { number, .. } => Some(Does::Intercom(number.clone())),
        Button::ParkSlot { number, .. } => Some(Does::ParkSlot(number.clone())),
        Button::Paging { number, .. } => Some(Does::Page(number.clone())),
        Button::Line { .. } | Button::Service { .. } | Button::Menu { .. } | Button::Empty => None,
    }
}

/// States need FeatureStat in its dynamic form, from version 15 on (implementations agree on that); before, a phone of
/// any model has lamps.
fn kinds(quirks: Quirks, version: u8) -> ButtonKinds {
    if version < 15 { quirks.buttons.min(ButtonKinds::Lamps) } else { quirks.buttons }
}

/// What a button is to a phone that knows these kinds.
fn kind(does: &Does, kinds: ButtonKinds) -> ButtonType {
    // The kind of a button and its stimulus have the same number.
    let of = |stimulus: StimulusType| ButtonType::from(u32::from(stimulus));
    match (does, kinds) {
        (Does::Dial(_) | Does::Page(_), _) | (_, ButtonKinds::Plain) => ButtonType::SpeedDial,
        (Does::Watch(_), ButtonKinds::States) => ButtonType::BlfSpeedDial,
        (Does::Intercom(_), ButtonKinds::States) => of(StimulusType::Intercom),
        (Does::ParkSlot(_), ButtonKinds::States) => of(StimulusType::DPark),
        (Does::Watch(_) | Does::Intercom(_) | Does::ParkSlot(_), ButtonKinds::Lamps) => ButtonType::SpeedDial,
        (Does::Feature(feature), ButtonKinds::Lamps | ButtonKinds::States) => of(stimulus_of(*feature)),
    }
}

fn is_dial(kind: ButtonType) -> bool {
    matches!(kind, ButtonType::SpeedDial | ButtonType::BlfSpeedDial)
}

fn number(site: &Site, does: &Does) -> String {
    match does {
        Does::Dial(number)
        | Does::Watch(number)
        | Does::Intercom(number)
        | Does::ParkSlot(number)
        | Does::Page(number) => number.as_str().into(),
        // A button on a phone that knows no features looks like a speed dial of the feature's code.
        Does::Feature(feature) => {
            let code = code_of(*feature).and_then(|code| site.settings.codes.code(code));
            code.map_or("*", LineNumber::as_str).into()
        }
    }
}

fn label(does: &Does, label: &str) -> String {
    match does {
        Does::Feature(feature) if label.is_empty() => feature_name(*feature).into(),
        // FeatureStat has no number that a phone could show instead.
        Does::Watch(number) | Does::Intercom(number) | Does::ParkSlot(number) if label.is_empty() => {
            number.to_string()
        }
        _ => label.to_string(),
    }
}

/// The stimulus of a feature's button.
const fn stimulus_of(feature: Feature) -> StimulusType {
    match feature {
        Feature::Park => StimulusType::CallPark,
        Feature::Pickup => StimulusType::CallPickUp,
        Feature::GroupPickup => StimulusType::GroupCallPickUp,
        Feature::DirectedPickup => StimulusType::OtherPickup,
        Feature::DoNotDisturb => StimulusType::DoNotDisturb,
        Feature::ForwardAll => StimulusType::ForwardAll,
        Feature::Voicemail => StimulusType::VoiceMail,
        Feature::HuntLogin => StimulusType::HLog,
        Feature::Callback => StimulusType::CallBack,
        Feature::Privacy => StimulusType::Privacy,
        Feature::Conference => StimulusType::Conference,
        Feature::Transfer => StimulusType::Transfer,
        Feature::Hold => StimulusType::Hold,
        Feature::Redial => StimulusType::LastNumberRedial,
        Feature::Mobility => StimulusType::Mobility,
        // There is none for it; this one is what applications have for their own.
        Feature::Record => StimulusType::GenericAppB1,
        Feature::MeetMe => StimulusType::MeetMeConference,
    }
}

/// The code that is dialled for the same.
const fn code_of(feature: Feature) -> Option<FeatureCode> {
    match feature {
        Feature::Park => Some(FeatureCode::Park),
        Feature::Pickup => Some(FeatureCode::Pickup),
        Feature::GroupPickup => Some(FeatureCode::GroupPickup),
        Feature::DirectedPickup => Some(FeatureCode::DirectedPickup),
        Feature::DoNotDisturb => Some(FeatureCode::DoNotDisturb),
        Feature::ForwardAll => Some(FeatureCode::ForwardAll),
        Feature::Voicemail => Some(FeatureCode::Voicemail),
        Feature::HuntLogin => Some(FeatureCode::HuntLogin),
        Feature::Callback => Some(FeatureCode::Callback),
        Feature::Redial => Some(FeatureCode::Redial),
        Feature::Mobility => Some(FeatureCode::Login),
        Feature::Record => Some(FeatureCode::Record),
        Feature::MeetMe => Some(FeatureCode::MeetMe),
        Feature::Privacy | Feature::Conference | Feature::Transfer | Feature::Hold => None,
    }
}

/// The feature of a key that is no button of the template: phones have some of their own.
pub(crate) fn feature_of(stimulus: StimulusType) -> Option<Feature> {
    Feature::ALL.iter().copied().find(|&feature| stimulus_of(feature) == stimulus)
}

/// The soft key of a key that phones have of their own and that is no feature of the site's buttons.
pub(crate) fn soft_key_of(stimulus: StimulusType) -> Option<SoftKey> {
    Some(match stimulus {
        StimulusType::NewCall => SoftKey::NewCall,
        StimulusType::EndCall => SoftKey::EndCall,
        StimulusType::Select => SoftKey::Select,
        StimulusType::ConfList => SoftKey::ConferenceList,
        _ => return None,
    })
}

/// What stands beside the button where the site gives nothing.
const fn feature_name(feature: Feature) -> &'static str {
    match feature {
        Feature::Park => "Park",
        Feature::Pickup => "PickUp",
        Feature::GroupPickup => "Group PickUp",
        Feature::DirectedPickup => "Directed PickUp",
        Feature::DoNotDisturb => "Do Not Disturb",
        Feature::ForwardAll => "Forward All",
        Feature::Voicemail => "Messages",
        Feature::HuntLogin => "Hunt Group",
        Feature::Callback => "Call Back",
        Feature::Privacy => "Private",
        Feature::Conference => "Conference",
        Feature::Transfer => "Transfer",
        Feature::Hold => "Hold",
        Feature::Redial => "Redial",
        Feature::Mobility => "Mobility",
        Feature::Record => "Record",
        Feature::MeetMe => "MeetMe",
    }
}
