//! Called and calling party (Q.713, 3.4 and 3.5).

use sccp::{GlobalTitle, SccpAddress, SubsystemNumber};
use selsius_inspect::ss7::{Field, Value};

use super::names;

/// What an address says; and what is wrong with it, then it is bytes.
pub(super) fn party(bytes: &[u8]) -> (Vec<Field>, Option<String>) {
    let address = match SccpAddress::decode(bytes) {
        Ok(address) => address,
        Err(error) => {
            return (vec![field("address", Value::Bytes(bytes.to_vec()))], Some(error.to_string()));
        }
    };
    let routing = if address.route_on_ssn { "subsystem" } else { "global title" };
    let mut fields = vec![field("routing", Value::Text(routing.into()))];
    // Two bits of the two bytes are spare.
    fields.extend(address.point_code.map(|code| field("point_code", Value::Number((code & 0x3fff).into()))));
    if let Some(ssn) = address.ssn {
        fields.push(field("ssn", Value::Number(ssn.value().into())));
        fields.extend(subsystem(ssn).map(|name| field("subsystem", Value::Text(name))));
    }
    let title = title(&address.global_title);
    if !title.is_empty() {
        fields.push(field("global_title", Value::Parts(title)));
    }
    (fields, None)
}

fn title(title: &GlobalTitle) -> Vec<Field> {
    let number = |name, value: u8| field(name, Value::Number(value.into()));
    let named = |name, raw: u8, text: Option<String>| {
        field(name, text.map_or(Value::Number(raw.into()), |text| Value::Named(raw.into(), text)))
    };
    let nature = |raw| named("nature", raw, names::nature(raw));
    let plan = |raw| named("numbering_plan", raw, names::numbering_plan(raw));
    let scheme = |raw| named("encoding_scheme", raw, names::encoding_scheme(raw));
    let mut fields = match title {
        GlobalTitle::NoTitle => return Vec::new(),
        GlobalTitle::Gt0001 { nature_of_address, odd_even, .. } => {
            vec![nature(*nature_of_address), field("odd", Value::Flag(*odd_even))]
        }
        GlobalTitle::Gt0010 { translation_type, .. } => vec![number("translation_type", *translation_type)],
        GlobalTitle::Gt0011 { translation_type, numbering_plan, encoding_scheme, .. } => vec![
            number("translation_type", *translation_type),
            plan(*numbering_plan),
            scheme(*encoding_scheme),
        ],
        GlobalTitle::Gt0100 {
            translation_type, numbering_plan, encoding_scheme, nature_of_address, ..
        } => vec![
            number("translation_type", *translation_type),
            plan(*numbering_plan),
            scheme(*encoding_scheme),
            nature(*nature_of_address),
        ],
    };
    fields.push(field("digits", Value::Text(title.digits().unwrap_or_default().into())));
    fields
}

/// The name of a subsystem; the crate writes it with its number behind.
fn subsystem(ssn: SubsystemNumber) -> Option<String> {
    match ssn {
        SubsystemNumber::Other(_) => None,
        known => Some(known.to_string().split('(').next().unwrap_or_default().into()),
    }
}

fn field(name: &'static str, value: Value) -> Field {
    Field { name, value }
}
