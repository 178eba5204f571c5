//! What must hold of any capture file that reaches selsius-inspect. A broken promise is a panic.

use selsius_inspect::capture::{CaptureError, Cut, Cutter, LONGEST_BLOCK, LONGEST_PACKET, Packet, Writer};
use selsius_wire::Time;

/// Microseconds, link type, bytes, length on the network.
type Taken = (u64, u32, Vec<u8>, u32);

/// The first byte says in what pieces the rest arrives: however it is cut, the same packets come out. Written, they are read
/// again as they were.
pub fn any_file(data: &[u8]) {
    let Some((step, file)) = data.split_first() else { return };
    let (packets, end) = read(file, file.len().max(1));
    assert_eq!(read(file, usize::from(*step) + 1), (packets.clone(), end));

    let mut writer = Writer::default();
    let mut written = Vec::new();
    writer.begin(&mut written);
    for (micros, link, bytes, original) in &packets {
        let packet = Packet { time: Time::from_micros(*micros), link: *link, bytes, original: *original };
        writer.packet(&packet, &mut written);
    }
    assert_eq!(read(&written, written.len()), (packets, Ok(0)));
}

/// A right file, made here after the drafts, and cut off somewhere: everything before the cut is read.
///
/// Two bytes of form, two of where it is cut, then packets: eight bytes of time, the length, the bytes.
pub fn made_file(data: &[u8]) {
    let [form, resolution, low, high, rest @ ..] = data else { return };
    let big = form & 1 != 0;
    let word = |value: u32| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let half = |value: u16| if big { value.to_be_bytes() } else { value.to_le_bytes() };
    let nano = form & 2 != 0;
    let pcapng = form & 4 != 0;
    // At most 10^-9 or 2^-31 seconds.
    let resolution = if resolution & 0x80 != 0 { resolution & 0x9f } else { resolution % 10 };
    let micros = |ticks: u64| {
        let million = u128::from(ticks) * 1_000_000;
        let micros = match resolution & 0x80 {
            0 => million / 10_u128.pow(resolution.into()),
            _ => million / 2_u128.pow((resolution & 0x7f).into()),
        };
        u64::try_from(micros).unwrap_or(u64::MAX)
    };

    let mut file = Vec::new();
    if pcapng {
        block(&mut file, word, 0x0a0d_0d0a, &[&word(0x1a2b_3c4d), &half(1), &half(0), &[0xff; 8]]);
        let option = [&half(9)[..], &half(1), &[resolution, 0, 0, 0], &half(0), &half(0)].concat();
        block(&mut file, word, 1, &[&half(113), &half(0), &word(0), &option]);
    } else {
        let magic = if nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        [magic, 0x0002_0004, 0, 0, 65_535, 113].map(word).iter().for_each(|word| file.extend(word));
    }
    let header = file.len();
    let mut packets: Vec<(usize, Taken)> = Vec::new();
    let mut rest = rest;
    while let [a, b, c, d, e, f, g, h, length, after @ ..] = rest {
        let (bytes, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let [high, low] = [[*a, *b, *c, *d], [*e, *f, *g, *h]].map(u32::from_le_bytes);
        let captured = u32::try_from(bytes.len()).expect("at most 255");
        let original = captured + 3;
        let time = if pcapng {
            let parts = [&word(0)[..], &word(high), &word(low), &word(captured), &word(original), bytes];
            block(&mut file, word, 6, &parts);
            micros(u64::from(high) << 32 | u64::from(low))
        } else {
            [high, low, captured, original].map(word).iter().for_each(|word| file.extend(word));
            file.extend(bytes);
            u64::from(high) * 1_000_000 + u64::from(if nano { low / 1_000 } else { low })
        };
        packets.push((file.len(), (time, 113, bytes.to_vec(), original)));
    }

    let cut = usize::from(u16::from_le_bytes([*low, *high])).min(file.len());
    for until in [cut, file.len()] {
        let (taken, end) = read(&file[..until], until.max(1));
        let whole = packets.iter().take_while(|(end, _)| *end <= until);
        assert!(taken.iter().eq(whole.map(|(_, packet)| packet)), "{taken:?}\n{packets:?}");
        let left = end.expect("it is a right file");
        let at = packets.iter().map(|(end, _)| *end).take_while(|end| *end <= until).last();
        if let Some(at) = at.or((until >= header).then_some(header)) {
            assert_eq!(left, until - at);
        }
    }
}

fn block(file: &mut Vec<u8>, word: impl Fn(u32) -> [u8; 4], kind: u32, parts: &[&[u8]]) {
    let mut body = parts.concat();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = word(u32::try_from(body.len() + 12).expect("it is short"));
    file.extend([word(kind), length].as_flattened());
    file.extend(body);
    file.extend(length);
}

/// The packets of a file that arrives so many bytes at a time, and how many are left at its end.
fn read(file: &[u8], step: usize) -> (Vec<Taken>, Result<usize, CaptureError>) {
    let mut cutter = Cutter::default();
    let mut packets = Vec::new();
    let (mut at, mut end) = (0, 0);
    loop {
        let there = &file[at..end];
        match cutter.cut(there) {
            Ok(Cut::Need(need)) => {
                assert!(need > there.len() && need <= LONGEST_BLOCK.max(LONGEST_PACKET + 24));
                if end == file.len() {
                    return (packets, Ok(there.len()));
                }
                end = (end + step).min(file.len());
            }
            Ok(Cut::Other(consumed)) => {
                assert!((1..=there.len()).contains(&consumed));
                at += consumed;
            }
            Ok(Cut::Packet { packet: Packet { time, link, bytes, original }, consumed }) => {
                assert!((bytes.len() + 1..=there.len()).contains(&consumed));
                packets.push((time.as_micros(), link, bytes.to_vec(), original));
                at += consumed;
            }
            Err(error) => return (packets, Err(error)),
        }
    }
}
