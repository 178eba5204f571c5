//! A call between two phones, whose connections break after each single message, in either direction, and are noticed by
//! both ends, by one of them late, or by none: the other phone is told, nothing is left, and then all works as before.

use std::time::Duration;

use selsius_site::{Button, Device, DeviceName, Line, Site};
use selsius_station::{Action, Config, ModelClass};
use selsius_testkit::{Bed, Network, Notices, Way, disagreement};
use selsius_wire::value::CallState;

const ALICE: usize = 0;
const BOB: usize = 1;
const NUMBERS: [&str; 2] = ["1001", "1002"];

/// Longer than the manager waits for a silent phone in a call, and a phone for its manager.
const SILENCE: Duration = Duration::from_secs(200);

fn name(number: &str) -> String {
    format!("SEP02000000{number}")
}

/// Two phones that are registered, on a network that cuts nothing into pieces.
fn bed() -> Bed {
    let mut site = Site::default();
    for number in NUMBERS {
        let line = number.parse().expect("a number");
        site.lines.insert(line, Line::default());
        let button = Button::Line { number: number.parse().expect("a number"), label: String::new() };
        let device = Device { buttons: vec![button], ..Device::default() };
        site.devices.insert(name(number).parse().expect("a name"), device);
    }
    let mut bed = Bed::new(site, Network { delay: 100..2_000, cut: 0 }, 1);
    for (at, number) in NUMBERS.into_iter().enumerate() {
        let mut config = Config::new(name(number), ModelClass::P7965);
        config.address = [10, 1, 0, u8::try_from(at).expect("two phones") + 1].into();
        bed.add(config);
    }
    bed.run(Duration::from_secs(5));
    bed
}

/// A call from lifting to hanging up, with a hold in between. Stops as soon as the connection is broken.
fn call(bed: &mut Bed, broken: impl Fn(&Bed) -> bool) {
    let steps = [
        (ALICE, Action::OffHook),
        (ALICE, Action::Dial("1002".into())),
        (BOB, Action::OffHook),
        (BOB, Action::SoftKey("Hold".into())),
        (BOB, Action::SoftKey("Resume".into())),
        (BOB, Action::OnHook),
        (ALICE, Action::OnHook),
    ];
    for (phone, action) in steps {
        bed.act(phone, action);
        for _ in 0..10 {
            bed.run(Duration::from_millis(100));
            bed.exchange.check().expect("calls, legs and phones hang together");
            if broken(bed) {
                return;
            }
        }
    }
}

/// The messages of a whole call that nothing happens to, by phone and way.
fn messages(phone: usize, way: Way) -> usize {
    const MANY: usize = 1_000_000;
    let mut bed = bed();
    bed.cut_after(phone, way, MANY, Notices { manager: None, phone: None });
    call(&mut bed, |_| false);
    let calls = bed.ended.iter().filter(|call| call.answered.is_some()).count();
    assert_eq!(calls, 1, "{:?}", bed.ended);
    MANY - bed.before_cut().expect("it has not come to the cut")
}

fn agree(bed: &Bed, what: &str) {
    for phone in bed.phones.iter().filter(|phone| phone.station.face().registered) {
        let name: DeviceName = phone.station.config().name.parse().expect("a name");
        let Some(view) = bed.exchange.view(&name) else { continue };
        let found = disagreement(phone, &bed.exchange, &name, &view);
        assert_eq!(found, None, "{what}: {name}");
    }
}

#[test]
fn a_connection_that_breaks_after_any_message_of_a_call_leaves_nothing_behind() {
    let moment = Duration::from_millis(1);
    let ways = [
        ("both notice", Notices { manager: Some(moment), phone: Some(moment) }),
        ("the manager notices late", Notices { manager: Some(3000 * moment), phone: Some(moment) }),
        ("the manager never hears of it", Notices { manager: None, phone: Some(moment) }),
        ("the phone never hears of it", Notices { manager: Some(moment), phone: None }),
        ("nobody hears of it", Notices { manager: None, phone: None }),
    ];
    let mut cuts = 0;
    for phone in [ALICE, BOB] {
        for way in [Way::Up, Way::Down] {
            for after in 1..=messages(phone, way) {
                for (how, notices) in ways {
                    cut(phone, way, after, notices, &format!("phone {phone}, {way:?} {after}, {how}"));
                    cuts += 1;
                }
            }
        }
    }
    assert!(cuts > 300, "a call has more messages than {cuts} cuts");
}

fn cut(phone: usize, way: Way, after: usize, notices: Notices, what: &str) {
    let mut bed = bed();
    bed.cut_after(phone, way, after, notices);
    call(&mut bed, |bed| bed.before_cut().is_none());
    assert_eq!(bed.before_cut(), None, "{what}: it broke");

    // As soon as the manager knows, the other phone does.
    let knows = notices.manager.unwrap_or(SILENCE) + Duration::from_secs(1);
    bed.run(knows);
    let other = &bed.phones[1 - phone];
    let talks = other.station.face().calls.iter().any(|call| {
        matches!(call.state, CallState::Connected | CallState::RingIn | CallState::Hold | CallState::RingOut)
    });
    assert!(!talks, "{what}: {:?}", other.station.face().calls);
    assert!(other.transmitting.is_empty() && other.receiving.is_empty(), "{what}: it still sends");
    assert!(!other.rings, "{what}: it still rings");

    // Both put their handsets down; who was out of touch comes back; nothing is left.
    bed.run(SILENCE);
    for phone in [ALICE, BOB] {
        bed.act(phone, Action::OnHook);
    }
    bed.run(Duration::from_secs(60));
    assert!(bed.settle(Duration::from_secs(60)), "{what}: the network falls silent");
    let sizes = bed.exchange.sizes();
    assert_eq!((sizes.calls, sizes.legs, sizes.parties), (0, 0, 0), "{what}: {sizes:?}");
    assert_eq!((sizes.sessions, sizes.timers), (2, 2), "{what}: {sizes:?}");
    bed.exchange.check().expect("calls, legs and phones hang together");
    agree(&bed, what);

    // And then all works as before.
    let before = bed.ended.len();
    call(&mut bed, |_| false);
    let answered = bed.ended[before..].iter().filter(|call| call.answered.is_some()).count();
    assert_eq!((answered, bed.ended.len() - before), (1, 1), "{what}: {:?}", &bed.ended[before..]);
    agree(&bed, what);
}
