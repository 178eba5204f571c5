use alloc::{vec, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use proptest::prelude::*;
use selsius_wire::{Context, ManagerMessage, RawFrame, StationMessage, Time};

use super::*;
use crate::{
    conversation::{Answer, ConnectionId, Message, Packets, Side},
    packet::Stamp,
    ss7::{Field, Label, Value},
};

const SS7: Vocabulary = Vocabulary {
    names: &["UDT", "XUDT"],
    fields: &["called", "digits", "class", "cause", "data", "return_on_error"],
};

fn parse(text: &str) -> Result<Filter, FilterError> {
    Filter::parse(text, SS7)
}

fn ends() -> Opened {
    Opened {
        connection: ConnectionId(3),
        stamp: Stamp::default(),
        station: SocketAddr::from(([10, 0, 0, 7], 50_000)),
        manager: SocketAddr::from(([10, 0, 0, 1], 2_000)),
        handshake: true,
    }
}

fn seen(from: Side, id: u32, words: &[u32]) -> Seen {
    let body: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let frame = RawFrame { header_version: 0, id, body: &body };
    let message = match from {
        Side::Station => Message::Station(StationMessage::decode_lenient(frame, Context::new(6))),
        Side::Manager => Message::Manager(ManagerMessage::decode_lenient(frame, Context::new(6))),
    };
    Seen {
        number: 1,
        time: Time::ZERO,
        connection: ConnectionId(3),
        packets: Packets { first: 11, last: 12 },
        from,
        device: Some("SEP001122334455".into()),
        version: 6,
        message,
        answers: Some(Answer { number: 1, packet: 7, after: Duration::from_millis(3) }),
    }
}

#[test]
fn messages_are_chosen() {
    let state = seen(Side::Manager, 0x0111, &[5, 1, 77, 0, 4, 0]);
    let start = seen(Side::Manager, 0x008a, &[1, 2, 0x0900_000a, 20_000, 20, 4, 184, 0, 0, 0, 77]);
    let off_hook = seen(Side::Station, 0x0006, &[]);
    for (text, expected) in [
        ("name == CallState && fields.call_state == Connected", [true, false, false]),
        ("name == callstate and fields.state == connected", [true, false, false]),
        ("fields.call_state == 5", [true, false, false]),
        ("fields.call_state =~ \"^Conn\"", [true, false, false]),
        ("fields.call_state != Connected", [false, true, true]),
        ("device =~ \"SEP00.*\"", [true, true, true]),
        ("device =~ \"^EP\"", [false, false, false]),
        ("from == station", [false, false, true]),
        ("!(from == station) && call == 77", [true, true, false]),
        ("not from == station", [true, true, false]),
        ("id == 0x8a || id == 6", [false, true, true]),
        ("src == 10.0.0.1", [true, true, false]),
        ("dst == \"10.0.0.1:2000\"", [false, false, true]),
        ("fields.remote_port_number >= 20000", [false, true, false]),
        ("fields.remote_port_number > 20000", [false, false, false]),
        ("fields.remote_ip_addr == 10.0.0.9", [false, true, false]),
        ("fields.precedence_level", [true, false, false]),
        ("fields.encryption.keylen == 0", [false, false, false]),
        ("length <= 4 or version > 6", [false, false, true]),
        ("frame == 12 && stream == 3 && answers == 7 && after >= 3000", [true, true, true]),
        ("anomalies", [false, false, false]),
        ("anomalies =~ \"below\"", [false, false, false]),
    ] {
        let filter = parse(text).expect(text);
        assert_eq!([&state, &start, &off_hook].map(|seen| filter.takes(seen, &ends())), expected, "{text}");
    }
}

#[test]
fn messages_of_ss7_are_chosen() {
    let field = |name, value| Field { name, value };
    let gt = Value::Parts(vec![field("digits", Value::Text("0491".into()))]);
    let message = ss7::Message {
        stamp: Stamp { time: Time::ZERO, number: 12 },
        ends: Some((SocketAddr::from(([10, 0, 0, 7], 2_905)), SocketAddr::from(([10, 0, 0, 1], 2_906)))),
        label: Some(Label { opc: 100, dpc: 200, network: 2, priority: 0, sls: 5 }),
        id: 9,
        name: "UDT",
        length: 40,
        bytes: Vec::new(),
        fields: vec![
            field("called", gt),
            field("class", Value::Number(1)),
            field("cause", Value::Named(3, "user".into())),
            field("return_on_error", Value::Flag(true)),
            field("data", Value::Bytes(vec![0x62, 0x40])),
        ],
        anomalies: vec!["cut".into()],
    };
    let skinny = seen(Side::Station, 0x0006, &[]);
    for (text, expected) in [
        ("protocol == ss7-sccp", [true, false]),
        ("protocol == skinny", [false, true]),
        ("name == udt && opc == 100 && dpc == 0xc8", [true, false]),
        ("name == XUDT || opc > 100 || dpc", [true, false]),
        ("src == 10.0.0.7 && dst == \"10.0.0.1:2906\"", [true, false]),
        ("fields.called.digits == 0491", [true, false]),
        ("fields.digits == 491", [false, false]),
        ("fields.digits =~ \"^04\"", [true, false]),
        ("fields.called", [true, false]),
        ("fields.class >= 1", [true, false]),
        (
            "fields.cause == USER && fields.cause == 3 && fields.cause < 4 && fields.cause =~ us",
            [true, false],
        ),
        ("fields.return_on_error && fields.return_on_error == true", [true, false]),
        ("fields.data == 6240 && anomalies", [true, false]),
        ("id == 9 && frame == 12 && length == 40", [true, false]),
        ("from == station", [false, true]),
        ("device || stream || version || line || call || answers || after", [false, true]),
    ] {
        let filter = parse(text).expect(text);
        assert_eq!([filter.takes_ss7(&message), filter.takes(&skinny, &ends())], expected, "{text}");
    }
}

#[test]
fn mistakes_are_pointed_at() {
    for (text, place, words) in [
        ("", "", "a test should stand here, such as `name == CallState`"),
        ("name == CalState", "CalState", "no message is called CalState: did you mean CallState?"),
        ("name = CallState", "=", "write == to compare"),
        ("nam == CallState", "nam", "nam is not known: did you mean name?"),
        ("call_state == 5", "call_state", "call_state is not known: for a field write fields.call_state"),
        ("fields.cal_state == 5", "cal_state", "no message has a field cal_state: did you mean call_state?"),
        ("from == phone", "phone", "a message is from station or from manager"),
        ("protocol == sip", "sip", "the protocols are skinny and ss7-sccp"),
        ("name == XUDTS", "XUDTS", "no message is called XUDTS: did you mean XUDT?"),
        ("opc == x", "x", "x is no number"),
        ("(from == station", "(", "this parenthesis is not closed"),
        ("from == station)", ")", "the expression should end here, or go on with && or ||"),
        ("from ==", "", "a value should follow =="),
        ("device == \"SEP", "\"SEP", "this text has no closing quote"),
        ("device =~ \"(\"", "\"(\"", "no regular expression: unclosed group"),
        ("frame > x", "x", "x is no number"),
        ("fields.state > x", "x", "a number should follow >"),
        ("from == station && ", "", "a test should stand here, such as `name == CallState`"),
        (
            "from == station name == CallState",
            "name",
            "the expression should end here, or go on with && or ||",
        ),
        ("device == ä€ || %", "€", "this has no meaning here"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.to_string(), words, "{text}");
        assert_eq!(text.get(error.at.clone()).unwrap_or(""), place, "{text}: {:?}", error.at);
    }
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&"!".repeat(100_000)).is_err());
}

proptest! {
    #[test]
    fn anything_is_read(text in "[a-z=!~<>&|()\"0-9. äname fields]{0,40}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.at.start <= text.len() && error.at.start <= error.at.end);
        }
    }
}

#[test]
fn fields_of_unions_are_fields() {
    for field in ["g723_bit_rate", "dynamic_payload", "first_mb", "temporal_spatial_trade_off_capability"] {
        let text = alloc::format!("fields.{field} == 1");
        assert!(parse(&text).is_ok(), "{field}");
    }
}
