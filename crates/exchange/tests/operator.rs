//! What an operator does from outside.

mod bench;

use bench::{Bench, device_name, office};
use selsius_exchange::{DeviceStatus, Notice, Operation, OperationError, Presence};

#[test]
fn an_operator_uses_a_phone_in_its_users_place() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert_eq!(bench.operate(bob, Operation::Answer), Err(OperationError::NoCall));
    assert_eq!(bench.operate(bob, Operation::HangUp), Err(OperationError::NoCall));
    bench.operate(alice, Operation::Dial("1002".parse().unwrap())).unwrap();
    assert_eq!((bench.states(alice), bench.states(bob)), (vec!["RingOut"], vec!["RingIn"]));
    assert_eq!(bench.operate(alice, Operation::Dial("1003".parse().unwrap())), Err(OperationError::Busy));
    bench.operate(bob, Operation::Answer).unwrap();
    bench.operate(bob, Operation::Hold).unwrap();
    assert_eq!(bench.states(bob), ["Hold"]);
    bench.operate(bob, Operation::Resume).unwrap();
    bench.operate(alice, Operation::HangUp).unwrap();
    bench.assert_quiet();
    bench.heard(alice);
    bench.operate(alice, Operation::Message("Lunch!\u{1b}[2J".into())).unwrap();
    assert_eq!(bench.heard(alice), ["DisplayNotifyV2"]);
    bench.close(alice);
    assert_eq!(bench.operate(alice, Operation::Answer), Err(OperationError::NotRegistered));
}

#[test]
fn a_watched_phone_tells_what_it_shows() {
    let mut bench = Bench::new(office());
    let alice = bench.phone("1001");
    let name = device_name("1001").parse().unwrap();
    bench.exchange.watch(&name, true);
    bench.exchange.watch_calls(true);
    bench.off_hook(alice);
    bench.dial(alice, "19");
    let faces = bench.notices.iter().filter(|notice| matches!(notice, Notice::Face { .. })).count();
    assert!(faces >= 2, "{:?}", bench.notices);
    let last = bench.notices.iter().rev().find_map(|notice| match notice {
        Notice::Face { view, .. } => Some(view.legs.len()),
        _ => None,
    });
    assert_eq!(last, Some(1));
    let calls = bench.notices.iter().filter(|notice| matches!(notice, Notice::Call(_))).count();
    assert!(calls >= 2);
    bench.notices.clear();
    bench.close(alice);
    assert!(bench.notices.iter().any(|notice| matches!(notice, Notice::FaceGone { .. })));
    bench.notices.clear();
    let alice = bench.phone("1001");
    let back = bench.notices.iter().any(|notice| matches!(notice, Notice::Face { .. }));
    assert!(back, "an idle phone that is back shows something: {:?}", bench.notices);
    bench.close(alice);
    bench.exchange.watch(&name, false);
    bench.exchange.watch_calls(false);
    bench.notices.clear();
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    assert!(bench.notices.is_empty());
}

#[test]
fn what_is_told_page_by_page_is_what_is_told_at_once() {
    let mut bench = Bench::new(office());
    let phones = ["1001", "1002", "1003"].map(|number| bench.phone(number));
    for phone in phones {
        bench.off_hook(phone);
    }
    // A place without a call, between two with one.
    bench.on_hook(phones[1]);
    let whole = bench.exchange.device_status();
    for most in 1..=4 {
        let (mut devices, mut calls, mut presence) = (Vec::new(), Vec::new(), Presence::default());
        loop {
            let after = devices.last().map(|device: &DeviceStatus| device.name.clone());
            let page = bench.exchange.device_status_after(after.as_ref(), most);
            let part = bench.exchange.presence_after(after.as_ref(), most);
            assert!(page.len() <= most && part.phones.len() == page.len());
            presence.extend(part);
            if page.is_empty() {
                break;
            }
            devices.extend(page);
        }
        let mut place = Some(0);
        while let Some(here) = place {
            let (page, next) = bench.exchange.call_status_from(here, most);
            assert!(page.len() <= most);
            calls.extend(page);
            place = next;
        }
        calls.sort_by_key(|call| call.call);
        assert_eq!(devices, whole, "pages of {most}");
        assert_eq!(calls, bench.exchange.call_status(), "pages of {most}");
        assert_eq!(presence, bench.exchange.presence_after(None, usize::MAX), "pages of {most}");
    }
    let nobody = bench.exchange.device_status_after(Some(&"ZZZ".parse().unwrap()), 1);
    assert_eq!((nobody, bench.exchange.call_status_from(1000, 1)), (vec![], (vec![], None)));
}
