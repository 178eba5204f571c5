//! The guard, with all its rules and translation on.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use selsius_inspect::{
    conversation::Side,
    guard::{Config, Ends, Flow, Guard, Nat, Output, Policy, Preset, Translation},
};
use selsius_wire::{MESSAGES, Time};

/// What both sides say, piece by piece: which side and how long, then that many bytes. Half of the pieces get a header that is
/// right, so that they are read to the end.
///
/// # Panics
/// If the guard does, if a side hears more than the other one said, or if a way for audio stays open.
pub fn both_directions(data: &[u8]) {
    let ports =
        |address: &str| Nat::Ports { address: address.parse().expect("an address"), ports: 20_000..=20_019 };
    let translation = Translation {
        stations: ports("198.51.100.2"),
        managers: ports("192.0.2.1"),
        ..Translation::default()
    };
    let preset = Preset::ALL[usize::from(data.first().copied().unwrap_or_default()) % 3];
    let mut guard = Guard::new(Config { policy: Policy::new(preset), translation });
    let ends = Ends {
        station: SocketAddr::from(([192, 0, 2, 10], 50_000)),
        manager: SocketAddr::from(([198, 51, 100, 1], 2000)),
        whole: data.len().is_multiple_of(2),
    };
    let mut now = Time::from_millis(1);
    let Some(id) = guard.open(now, ends) else { return };
    let (mut said, mut heard) = ([0; 2], [Vec::new(), Vec::new()]);
    let mut open = BTreeMap::new();
    let mut rest = data.get(1..).unwrap_or_default();
    while let [how, length, after @ ..] = rest {
        let (bytes, later) = after.split_at(after.len().min(usize::from(*length)));
        rest = later;
        now += Duration::from_millis(u64::from(*how));
        let (from, at) = if how.is_multiple_of(2) { (Side::Station, 0) } else { (Side::Manager, 1) };
        let mut piece = Vec::new();
        if how % 4 < 2 {
            let id = MESSAGES[usize::from(how / 4) * 3 % MESSAGES.len()].id;
            let length = u32::try_from(bytes.len() + 4).expect("a byte is its length");
            [length, u32::from(how % 23), id].iter().for_each(|word| piece.extend(word.to_le_bytes()));
        }
        piece.extend_from_slice(bytes);
        said[at] += piece.len();
        let flow = guard.receive(now, id, from, &piece, &mut heard[at]);
        follow(&mut guard, &mut open);
        if flow == Flow::Reset {
            break;
        }
    }
    guard.close(now, id);
    follow(&mut guard, &mut open);
    assert!(open.values().all(|is_open| !is_open), "a way stays open");
    for at in 0..2 {
        assert!(heard[at].len() <= said[at], "more was heard than said");
    }
}

fn follow(guard: &mut Guard, open: &mut BTreeMap<u64, bool>) {
    while let Some(output) = guard.poll_output() {
        if let Output::Passage { passage, .. } = output {
            open.insert(passage.id, passage.inward.is_some() || passage.outward.is_some());
        }
    }
}
