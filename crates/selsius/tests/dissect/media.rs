//! Media that was announced, and media that was not.

use crate::support::{Made, dissect_input, words};

const THERE: u32 = 0x0900_000a;

/// StartMediaTransmission of CallManager 3.x, to 10.0.0.9.
fn start(port: u32) -> Vec<u8> {
    words(&[1, port, THERE, port, 20, 4, 0, 0, 0, 0])
}

#[test]
fn announced_and_not() {
    let made = Made::new()
        .manager(0, 0x008a, &start(20_002))
        .manager(0, 0x008a, &start(20_004))
        .voice("10.0.0.9:20002", (65_500..=u16::MAX).chain(0..50).filter(|number| number % 10 != 5))
        .voice("10.0.0.9:30000", 0..30)
        // Too few to be a stream, and not announced.
        .voice("10.0.0.9:31000", 0..3)
        .manager(0, 0x008b, &words(&[1, 20_002]));
    let text = dissect_input(&["-", "--format", "summary"], &made.bytes).good();
    let media: Vec<_> = text.lines().skip_while(|line| *line != "Media").skip(2).take(4).collect();
    let expected = [
        "      10.0.0.7:50000  10.0.0.9:20002  G711Ulaw64k 20 ms  PCMU        77       9 (10.5 %)",
        "      10.0.0.7:50000  10.0.0.9:20004  G711Ulaw64k 20 ms  never seen",
        "      10.0.0.7:20000  10.0.0.9:30000  not announced      PCMU        30       0",
        "",
    ];
    for (line, expected) in media.iter().zip(expected) {
        assert!(line.starts_with(expected), "{expected}\n{text}");
    }
}
