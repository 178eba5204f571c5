//! A manager that answers what every phone asks.

use selsius_station::{Config, ModelClass};
use selsius_wire::{
    ManagerMessage, StationMessage,
    message::{
        ButtonDefinition, ButtonTemplate, CallInfo, CallState, ConfigStat, DefineTimeDate,
        DisplayPromptStatus, FeatureStat, ForwardStat, KeepAliveAck, LineStat, RegisterAck, SelectSoftKeys,
        ServerRes, ServiceUrlStat, SoftKeyDefinition, SoftKeySet, SoftKeySetDefinition, SoftKeyTemplate,
        SpeedDialStat, UnregisterAck, Version,
    },
    value::{self, ButtonType, CallType, Text},
};

use super::Phone;

pub(crate) const LINE: ButtonType = ButtonType::Line;

/// The keys of the template, as CallManager 4.1 has them; `Dial` is at an event of this manager's own.
const KEYS: &[(&[u8], u32)] = &[
    (b"\x80\x01", 1),
    (b"\x80\x02", 2),
    (b"\x80\x03", 3),
    (b"\x80\x04", 4),
    (b"\x80\x05", 5),
    (b"\x80\x08", 8),
    (b"\x80\x09", 9),
    (b"\x80\x0a", 10),
    (b"\x80\x0b", 11),
    (b"Dial", 77),
];
/// On hook, connected, on hold, ring in, off hook, connected transferable, digits following.
const SETS: &[&[u8]] = &[&[1, 2, 5], &[3, 7, 4], &[8, 2], &[9], &[1, 7, 5], &[0, 7, 4], &[6, 7, 10]];

pub(crate) fn button(instance: u8, kind: ButtonType) -> ButtonDefinition {
    ButtonDefinition::new(instance, kind)
}

/// Two lines, two speed dials, a busy lamp, a service, a feature.
pub(crate) fn buttons() -> Vec<ButtonDefinition> {
    vec![
        button(1, LINE),
        button(2, LINE),
        button(1, ButtonType::SpeedDial),
        button(2, ButtonType::SpeedDial),
        button(3, ButtonType::BlfSpeedDial),
        button(1, ButtonType::ServiceUrl),
        button(1, ButtonType::Feature),
        button(1, ButtonType::Undefined),
    ]
}

/// What this manager answers.
pub(crate) fn answer(message: &StationMessage) -> Vec<ManagerMessage> {
    use StationMessage as S;
    match message {
        S::Register(register) => vec![
            RegisterAck {
                keep_alive_interval: 30,
                date_template: Text::full("D.M.Y"),
                secondary_keep_alive_interval: 60,
                max_protocol_ver: register.protocol_ver,
                features: register.features,
                ..Default::default()
            }
            .into(),
            selsius_wire::message::CapabilitiesReq.into(),
        ],
        S::ButtonTemplateReq(_) => vec![ButtonTemplate::new(&buttons()).into()],
        S::SoftKeyTemplateReq(_) => {
            let keys: Vec<_> = KEYS
                .iter()
                .map(|(label, event)| SoftKeyDefinition {
                    soft_key_label: Text::new(label),
                    soft_key_event: (*event).into(),
                })
                .collect();
            vec![SoftKeyTemplate::new(&keys).into()]
        }
        S::SoftKeySetReq(_) => {
            let sets: Vec<_> = SETS
                .iter()
                .map(|positions| {
                    let mut set = SoftKeySetDefinition::default();
                    set.soft_key_template_index[..positions.len()].copy_from_slice(positions);
                    set
                })
                .collect();
            vec![SoftKeySet::new(&sets).into(), keys(0, 0, 0), prompt(0, 0, b"\x80\x13")]
        }
        S::LineStatReq(ask) => vec![
            LineStat {
                line_number: ask.line_number,
                line_dir_number: Text::new(format!("100{}", ask.line_number)),
                line_fully_qualified_display_name: Text::new("Some Body"),
                line_text_label: Text::new(format!("Line {}", ask.line_number)),
                ..Default::default()
            }
            .into(),
        ],
        S::ForwardStatReq(ask) => {
            vec![ForwardStat { line_number: ask.line_number, ..Default::default() }.into()]
        }
        S::SpeedDialStatReq(ask) => vec![
            SpeedDialStat {
                speed_dial_number: ask.speed_dial_number,
                speed_dial_dir_number: Text::new(format!("200{}", ask.speed_dial_number)),
                speed_dial_display_name: Text::new("Friend"),
            }
            .into(),
        ],
        S::FeatureStatReq(ask) => vec![
            FeatureStat {
                feature_index: ask.feature_index,
                feature_id: ButtonType::Feature,
                feature_text_label: Text::new("Privacy"),
                feature_status: 0,
            }
            .into(),
        ],
        S::ServiceUrlStatReq(ask) => vec![
            ServiceUrlStat {
                service_url_index: ask.service_url_index,
                service_url: Text::new("http://example.org/"),
                service_url_display_name: Text::new("News"),
            }
            .into(),
        ],
        S::ConfigStatReq(_) => vec![ConfigStat::default().into()],
        S::ServerReq(_) => vec![ServerRes::default().into()],
        S::VersionReq(_) => vec![Version::default().into()],
        S::TimeDateReq(_) => {
            vec![DefineTimeDate { year: 2026, month: 6, day: 3, ..Default::default() }.into()]
        }
        S::KeepAlive(_) => vec![KeepAliveAck.into()],
        S::UnregisterReq(_) => vec![UnregisterAck::default().into()],
        _ => Vec::new(),
    }
}

/// Lets the manager answer until there is nothing more to answer; all that the phone sent.
pub(crate) fn converse(phone: &mut Phone) -> Vec<StationMessage> {
    let mut all = Vec::new();
    loop {
        let sent = phone.take_sent();
        if sent.is_empty() {
            return all;
        }
        for message in sent {
            answer(&message).into_iter().for_each(|answer| phone.say(answer));
            all.push(message);
        }
    }
}

/// A phone that is registered and idle.
pub(crate) fn registered(model: ModelClass) -> Phone {
    let mut phone = Phone::connected(Config::new("SEP001122334455", model));
    converse(&mut phone);
    assert!(phone.face().registered, "{model:?}");
    phone.take_events();
    phone
}

pub(crate) fn state(state: value::CallState, line: u32, reference: u32) -> ManagerMessage {
    CallState { call_state: state, line_instance: line, call_reference: reference, ..Default::default() }
        .into()
}

pub(crate) fn keys(line: u32, reference: u32, set: u32) -> ManagerMessage {
    SelectSoftKeys {
        line_instance: line,
        call_reference: reference,
        soft_key_set_index: set.into(),
        valid_key_mask: u32::MAX,
    }
    .into()
}

pub(crate) fn prompt(line: u32, reference: u32, text: &[u8]) -> ManagerMessage {
    DisplayPromptStatus {
        time_out_value: 0,
        prompt_status: Text::new(text),
        line_instance: line,
        call_reference: reference,
    }
    .into()
}

pub(crate) fn info(line: u32, reference: u32, caller: &str, called: &str) -> ManagerMessage {
    CallInfo {
        calling_party_name: Text::new("Caller"),
        calling_party: Text::new(caller),
        called_party: Text::new(called),
        line_instance: line,
        call_reference: reference,
        call_type: CallType::Inbound,
        ..Default::default()
    }
    .into()
}
