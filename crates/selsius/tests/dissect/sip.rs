//! SIP beside SCCP: both on one page.

use selsius_inspect::{
    packet::{
        Datagram,
        build::{self, TcpFlow},
    },
    reassembly::Way,
};

use crate::support::{Made, dissect_input, text, words};

const MANAGER: &str = "10.0.0.1:5060";
const CARRIER: &str = "10.0.0.9:5060";
const OTHER: &str = "10.0.0.8:5060";

/// A message of a call from 1001 to 2000, or of another one.
fn message(start: &str, cseq: &str, call: &str, numbers: [&str; 2]) -> String {
    let [from, to] = numbers;
    format!(
        "{start}\r\nFrom: <sip:{from}@10.0.0.1>;tag=1\r\nTo: <sip:{to}@10.0.0.9>\r\nCall-ID: {call}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n"
    )
}

fn datagram(made: &mut Made, from: &str, to: &str, payload: &str) {
    let (source, destination) = (from.parse().unwrap(), to.parse().unwrap());
    let datagram = Datagram { source, destination, payload: payload.as_bytes(), cut: false };
    made.packets(&Vec::from_iter(build::udp(&datagram)));
}

/// CallInfo of call 7 on line 1 (CallManager 3.x).
fn call_info(calling: &str, called: &str) -> Vec<u8> {
    [text("Anna", 40), text(calling, 24), text("", 40), text(called, 24), words(&[1, 7, 2, 0])].concat()
}

/// A phone calls 2000 by SIP; strangers, and somebody else in the office, have calls at the same time.
fn capture() -> Made {
    let mut made = Made::new()
        .station(0, 0x0006, &words(&[1, 7]))
        .manager(0, 0x0111, &words(&[12, 1, 7]))
        .manager(0, 0x008f, &call_info("1001", "2000"));
    let call = |start: &str, cseq: &str| message(start, cseq, "a", ["1001", "2000"]);
    datagram(&mut made, MANAGER, CARRIER, &call("INVITE sip:2000@10.0.0.9 SIP/2.0", "1 INVITE"));
    let busy = message("INVITE sip:2999@10.0.0.9 SIP/2.0", "1 INVITE", "b", ["1777", "2999"]);
    datagram(&mut made, MANAGER, CARRIER, &busy);
    let strangers = message("INVITE sip:2000@10.0.0.9 SIP/2.0", "1 INVITE", "c", ["1001", "2000"]);
    datagram(&mut made, OTHER, CARRIER, &strangers);
    datagram(&mut made, CARRIER, MANAGER, &call("SIP/2.0 200 OK", "1 INVITE"));
    datagram(&mut made, MANAGER, CARRIER, &call("ACK sip:2000@10.0.0.9 SIP/2.0", "1 ACK"));
    made = made.manager(0, 0x0111, &words(&[5, 1, 7])).station(0, 0x0007, &words(&[1, 7]));
    datagram(&mut made, MANAGER, CARRIER, &call("BYE sip:2000@10.0.0.9 SIP/2.0", "2 BYE"));
    made.manager(0, 0x0111, &words(&[2, 1, 7]))
}

/// What stands on a page, without the times: the first words of each arrow.
fn steps(page: &str) -> Vec<String> {
    let step = |line: &str| {
        let (_, rest) = line.split_once("── ").or_else(|| line.split_once("<─ "))?;
        let words: Vec<_> = rest.split_whitespace().take_while(|word| !word.contains('─')).collect();
        Some(words.join(" "))
    };
    page.lines().filter_map(step).collect()
}

#[test]
fn a_call_has_its_sip_between_its_sccp() {
    let made = capture();
    let page = dissect_input(&["-", "--format", "ladder", "--call", "1"], &made.bytes).good();
    let head = page.lines().next().unwrap();
    assert!(head.contains("manager") && head.trim_end().ends_with("10.0.0.9"), "{head}");
    let expected = [
        "OffHook",
        "CallState Proceed",
        "CallInfo Anna 1001 → 2000",
        "INVITE sip:2000@10.0.0.9",
        "200 OK INVITE",
        "ACK",
        "CallState Connected",
        "OnHook",
        "BYE",
        "CallState OnHook",
    ];
    assert_eq!(steps(&page), expected, "{page}");
    assert!(
        page.contains("│── INVITE sip:2000@10.0.0.9 ─") && page.contains("│<─ 200 OK INVITE ─"),
        "{page}"
    );
}

#[test]
fn a_whole_capture_has_all_of_the_managers_and_nothing_of_strangers() {
    let made = capture();
    let page = dissect_input(&["-", "--format", "ladder"], &made.bytes).good();
    let invites = steps(&page).into_iter().filter(|step| step.starts_with("INVITE")).collect::<Vec<_>>();
    assert_eq!(invites, ["INVITE sip:2000@10.0.0.9", "INVITE sip:2999@10.0.0.9"], "{page}");
    // A filter asks for what only SCCP has.
    let page = dissect_input(&["-", "--format", "ladder", "--filter", "from == station"], &made.bytes).good();
    assert_eq!(steps(&page), ["OffHook", "OnHook"], "{page}");
    assert!(!page.contains("10.0.0.9"), "{page}");
}

#[test]
fn streams_are_read_message_by_message_and_repeats_once() {
    let mut made = Made::new().station(0, 0x0006, &words(&[1, 7]));
    let mut flow = TcpFlow::new("10.0.0.1:40000".parse().unwrap(), CARRIER.parse().unwrap());
    let opening = flow.open();
    made.packets(&opening);
    let call = |start: &str, cseq: &str| message(start, cseq, "a", ["1001", "2000"]);
    let invite = flow.send(Way::Forward, call("INVITE sip:2000@10.0.0.9 SIP/2.0", "1 INVITE").as_bytes());
    made.packets(&invite);
    // Sent again; and then two messages in one segment.
    made.packets(&invite);
    let both = call("SIP/2.0 100 Trying", "1 INVITE") + &call("SIP/2.0 183 Session Progress", "1 INVITE");
    made.packets(&flow.send(Way::Backward, both.as_bytes()));
    let page = dissect_input(&["-", "--format", "ladder"], &made.bytes).good();
    let expected =
        ["OffHook", "INVITE sip:2000@10.0.0.9", "100 Trying INVITE", "183 Session Progress INVITE"];
    assert_eq!(steps(&page), expected, "{page}");
}
