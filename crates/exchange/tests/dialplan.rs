//! The dial plan: who may call what and when, what becomes of numbers, emergency calls, codes, hidden numbers.
#![allow(clippy::unwrap_used, reason = "tests and their helpers")]

mod bench;

use std::time::Duration;

use bench::{Bench, office};
use selsius_exchange::{
    Input, RemoteAudio, SessionId, TrunkEvent, TrunkLegId, TrunkOrder,
    record::{EndCause, Party},
};
use selsius_site::{
    Action, CallCode, CallerId, CodeDemand, CodeKind, Pool, Rights, Route, Schedule, Secret, Site, Trunk,
    User,
};
use selsius_wire::{
    message,
    value::{Number, SoftKey},
};

fn route<'a>(site: &'a mut Site, pattern: &str, action: Action) -> &'a mut Route {
    site.routes.entry(pattern.parse().unwrap()).insert_entry(Route { action, ..Route::default() }).into_mut()
}

fn lines(numbers: &[&str]) -> Action {
    Action::Lines(numbers.iter().map(|number| number.parse().unwrap()).collect())
}

fn trunks(names: &[&str]) -> Action {
    Action::Trunks(names.iter().map(|name| name.parse().unwrap()).collect())
}

fn line<'a>(site: &'a mut Site, number: &str) -> &'a mut selsius_site::Line {
    site.lines.get_mut(&number.parse().unwrap()).unwrap()
}

fn rights(site: &mut Site, name: &str, partitions: &[&str]) {
    let partitions = partitions.iter().map(|name| name.parse().unwrap()).collect();
    site.rights.insert(name.parse().unwrap(), Rights { partitions });
}

fn code(site: &mut Site, name: &str, digits: &str, kind: CodeKind, rights: Option<&str>) {
    let rights = rights.map(|name| name.parse().unwrap());
    let code = CallCode { code: Secret::new(digits), kind, rights, ..CallCode::default() };
    site.codes.insert(name.parse().unwrap(), code);
}

fn with_trunks(site: &mut Site) {
    for name in ["city", "spare"] {
        site.trunks.insert(name.parse().unwrap(), Trunk { calls: 2, ..Trunk::default() });
    }
}

/// How the bench's phone shows a call that is not permitted.
const NOT_PERMITTED: &str = "Not permitted";

#[test]
fn a_line_calls_only_the_partitions_that_it_has_a_right_to() {
    let mut site = office();
    rights(&mut site, "staff", &["inside"]);
    rights(&mut site, "guest", &[]);
    line(&mut site, "1001").rights = Some("staff".parse().unwrap());
    line(&mut site, "1002").rights = Some("guest".parse().unwrap());
    line(&mut site, "1003").partition = Some("inside".parse().unwrap());
    let mut bench = Bench::new(site);
    let (alice, bob, carol, dave) =
        (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"), bench.phone("1004"));

    assert_eq!(bench.calls(alice, "1003"), ["RingOut"]);
    bench.on_hook(alice);
    assert_eq!(bench.calls(bob, "1003"), ["Congestion"]);
    assert_eq!(bench.prompt(bob, 0), NOT_PERMITTED);
    assert!(bench.states(carol).is_empty());
    bench.on_hook(bob);
    assert_eq!(bench.calls(bob, "1004"), ["RingOut"], "a number without a partition is everybody's");
    bench.on_hook(bob);
    assert_eq!(bench.calls(dave, "1003"), ["RingOut"], "a line without rights may call everything");
    bench.on_hook(dave);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!((ended[1].cause, ended[1].dialed.as_str()), (EndCause::Blocked, "1003"));
}

#[test]
fn a_number_of_another_partition_is_not_there_for_who_has_no_right_to_it() {
    let mut site = office();
    rights(&mut site, "guest", &["lobby"]);
    line(&mut site, "1001").rights = Some("guest".parse().unwrap());
    // The same number, once for the staff and once for guests; the closer pattern is the staff's.
    route(&mut site, "500", lines(&["1003"])).partition = Some("staff".parse().unwrap());
    route(&mut site, "5X0", lines(&["1004"])).partition = Some("lobby".parse().unwrap());
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let (carol, dave) = (bench.phone("1003"), bench.phone("1004"));
    bench.calls(alice, "500");
    assert_eq!((bench.states(carol).len(), bench.states(dave)), (0, vec!["RingIn"]));
    bench.on_hook(alice);
    bench.calls(bob, "500");
    assert_eq!((bench.states(carol), bench.states(dave).len()), (vec!["RingIn"], 0));
    bench.on_hook(bob);
    bench.assert_quiet();
}

#[test]
fn rights_are_the_user_s_before_the_line_s_before_the_pool_s() {
    let mut site = office();
    rights(&mut site, "none", &[]);
    rights(&mut site, "all", &["far"]);
    route(&mut site, "70", lines(&["1004"])).partition = Some("far".parse().unwrap());
    let pool = Pool { rights: Some("none".parse().unwrap()), ..Pool::default() };
    site.pools.insert("lobby".parse().unwrap(), pool);
    for device in site.devices.values_mut() {
        device.pool = Some("lobby".parse().unwrap());
    }
    line(&mut site, "1002").rights = Some("all".parse().unwrap());
    let buttons = site.devices[&bench::device_name("1003").parse().unwrap()].buttons.clone();
    let user = User { rights: Some("all".parse().unwrap()), buttons, ..User::default() };
    site.users.insert("carol".parse().unwrap(), user);
    let mut bench = Bench::new(site);
    let state = selsius_exchange::remembered::DeviceState {
        user: Some("carol".parse().unwrap()),
        ..Default::default()
    };
    bench.exchange.remember([], [(bench::device_name("1003").parse().unwrap(), state)]);
    let phones = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number));
    for (phone, may) in [(phones[0], false), (phones[1], true), (phones[2], true)] {
        assert_eq!(bench.calls(phone, "70"), [if may { "RingOut" } else { "Congestion" }]);
        bench.on_hook(phone);
    }
    bench.assert_quiet();
}

#[test]
fn a_number_may_stand_for_another_one_and_circles_end() {
    let mut site = office();
    let number = |number: &str| Action::Number(number.parse().unwrap());
    route(&mut site, "80", number("81"));
    route(&mut site, "81", number("1002"));
    route(&mut site, "82", number("83"));
    route(&mut site, "83", number("82"));
    route(&mut site, "84", number("4711"));
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    assert_eq!(bench.calls(alice, "80"), ["RingOut"]);
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.on_hook(alice);
    let ended = bench.ended();
    assert_eq!((ended[0].dialed.as_str(), ended[0].called.number.as_str()), ("80", "1002"));
    assert_eq!(bench.calls(alice, "82"), ["Congestion"]);
    bench.on_hook(alice);
    assert_eq!(bench.calls(alice, "84"), ["InvalidNumber"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn the_other_side_sees_the_number_that_the_route_or_the_line_says() {
    let mut site = office();
    with_trunks(&mut site);
    line(&mut site, "1001").external_number = Some("+4930123XXXX".parse().unwrap());
    route(&mut site, "9.XXX", trunks(&["city"]));
    let special = route(&mut site, "8.XXX", trunks(&["city"]));
    special.calling = Some("0800X".parse().unwrap());
    special.prefix = Some("00".parse().unwrap());
    route(&mut site, "70", lines(&["1002"])).calling = Some("55XX".parse().unwrap());
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for (phone, dialed, number, calling) in [
        (alice, "9123", "123", "+49301231001"),
        (alice, "8123", "00123", "08001"),
        (bob, "9123", "123", "1002"),
    ] {
        bench.calls(phone, dialed);
        let (trunk, called, caller) = bench.offered().unwrap();
        assert_eq!((trunk.as_str(), called.as_str(), caller.number.as_str()), ("city", number, calling));
        bench.on_hook(phone);
    }
    bench.calls(alice, "70");
    assert_eq!(bench.prompt(bob, 0), "From 5501");
    assert_eq!(bench.view(bob).legs[0].info.as_ref().unwrap().calling_number, "5501");
    assert_eq!(
        bench.view(alice).legs[0].info.as_ref().unwrap().calling_number,
        "1001",
        "one's own is one's own"
    );
    bench.on_hook(alice);
    bench.assert_quiet();
    assert!(
        bench.ended().iter().all(|call| call.calling.number.starts_with("100")),
        "records have the true one"
    );
}

#[test]
fn the_next_trunk_tries_what_the_first_cannot() {
    for (cause, fails_over) in [
        (EndCause::NoTrunk, true),
        (EndCause::NoCommonCodec, true),
        (EndCause::MediaFailure, true),
        (EndCause::Busy, false),
        (EndCause::UnknownNumber, false),
        (EndCause::NoAnswer, false),
    ] {
        let mut site = office();
        with_trunks(&mut site);
        route(&mut site, "9.XXX", trunks(&["city", "spare"])).calling = Some("07XX".parse().unwrap());
        let mut bench = Bench::new(site);
        let alice = bench.phone("1001");
        bench.calls(alice, "9123");
        bench.input(Input::Trunk(TrunkEvent::HungUp { leg: TrunkLegId(2), cause }));
        let (trunk, number, calling) = bench.offered().unwrap();
        let tried = if fails_over { "spare" } else { "city" };
        assert_eq!(
            (trunk.as_str(), number.as_str(), calling.number.as_str()),
            (tried, "123", "0701"),
            "{cause:?}"
        );
        bench.on_hook(alice);
        bench.assert_quiet();
    }
}

#[test]
fn a_route_holds_while_its_schedule_is_open() {
    let mut site = office();
    let open = || vec!["mon-fri 08:00-18:00".parse().unwrap()];
    site.schedules.insert("day".parse().unwrap(), Schedule { open: open(), ..Schedule::default() });
    let tokyo = Schedule { open: open(), time_zone: Some("Asia/Tokyo".into()), ..Schedule::default() };
    site.schedules.insert("tokyo".parse().unwrap(), tokyo);
    for (pattern, schedule, otherwise) in [
        ("70", "day", Some("1003")),
        ("71", "day", None),
        ("72", "tokyo", Some("1003")),
        ("73", "day", Some("70")),
    ] {
        let route = route(&mut site, pattern, lines(&["1002"]));
        route.schedule = Some(schedule.parse().unwrap());
        route.otherwise = otherwise.map(|number| number.parse().unwrap());
    }
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    let (bob, carol) = (bench.phone("1002"), bench.phone("1003"));
    let who = |bench: &mut Bench, number: &str| {
        bench.calls(alice, number);
        let rung = match (bench.states(bob).len(), bench.states(carol).len()) {
            (1, 0) => "Bob",
            (0, 1) => "Carol",
            _ => "nobody",
        };
        bench.on_hook(alice);
        rung
    };
    // Tuesday, 3:30 here and 11:30 in Tokyo.
    assert_eq!(who(&mut bench, "70"), "Carol");
    assert_eq!(who(&mut bench, "71"), "nobody");
    assert_eq!(who(&mut bench, "72"), "Carol", "a zone that the driver does not know is the site's");
    assert_eq!(who(&mut bench, "73"), "Carol", "closed, and so is what it leads to");
    bench.input(Input::Zones([("Asia/Tokyo".into(), 9 * 3600)].into()));
    assert_eq!(who(&mut bench, "72"), "Bob");
    assert_eq!(who(&mut bench, "70"), "Carol", "the site's own zone is none of these");
    bench.wait_alive(Duration::from_secs(5 * 3600), &[alice, bob, carol]);
    assert_eq!(who(&mut bench, "70"), "Bob");
    assert_eq!(who(&mut bench, "71"), "Bob");
    assert_eq!(who(&mut bench, "72"), "Bob");
    bench.assert_quiet();
}

/// An office whose emergency number leads to Dave, however much is forbidden.
fn strict_office() -> Site {
    let mut site = office();
    rights(&mut site, "none", &[]);
    for number in ["1001", "1002", "1003", "1004"] {
        line(&mut site, number).rights = Some("none".parse().unwrap());
        line(&mut site, number).account_code = true;
    }
    site.blocked.calling = vec!["1001".parse().unwrap()];
    site.schedules.insert("never".parse().unwrap(), Schedule::default());
    let emergency = site.routes.get_mut(&"112".parse().unwrap()).unwrap();
    emergency.partition = Some("far".parse().unwrap());
    emergency.schedule = Some("never".parse().unwrap());
    emergency.code = CodeDemand::Authorisation;
    site
}

#[test]
fn an_emergency_number_needs_no_right_no_code_and_no_opening_hours() {
    let mut bench = Bench::new(strict_office());
    let (alice, dave) = (bench.phone("1001"), bench.phone("1004"));
    assert_eq!(bench.calls(alice, "1004"), ["Congestion"], "Alice is a blocked caller");
    bench.on_hook(alice);
    assert_eq!(bench.calls(alice, "112"), ["RingOut"]);
    assert_eq!(bench.states(dave), ["RingIn"]);
    bench.off_hook(dave);
    assert_eq!(bench.states(dave), ["Connected"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

#[test]
fn an_emergency_call_rings_a_busy_phone_and_a_full_trunk() {
    let mut site = strict_office();
    line(&mut site, "1004").busy_trigger = 1;
    line(&mut site, "1004").calls = 1;
    site.settings.call_waiting = false;
    with_trunks(&mut site);
    site.trunks.get_mut(&"city".parse().unwrap()).unwrap().calls = 0;
    route(&mut site, "911", trunks(&["city"])).emergency = true;
    let mut bench = Bench::new(site);
    let (bob, carol, dave) = (bench.phone("1002"), bench.phone("1003"), bench.phone("1004"));
    bench.talk(carol, dave, "1004");
    assert_eq!(bench.calls(bob, "1004"), ["Busy"]);
    bench.on_hook(bob);
    assert_eq!(bench.calls(bob, "112"), ["RingOut"]);
    assert_eq!(bench.states(dave), ["Connected", "RingIn"]);
    bench.on_hook(bob);
    bench.calls(bob, "911");
    assert!(matches!(bench.orders[..], [TrunkOrder::Offer { emergency: true, .. }]), "{:?}", bench.orders);
    bench.on_hook(bob);
    bench.on_hook(carol);
    bench.assert_quiet();
}

#[test]
fn an_emergency_call_goes_to_the_next_line_while_the_first_is_not_there() {
    let mut site = strict_office();
    site.routes.get_mut(&"112".parse().unwrap()).unwrap().action = lines(&["1004", "1003"]);
    let mut bench = Bench::new(site);
    let (alice, carol) = (bench.phone("1001"), bench.phone("1003"));
    assert_eq!(bench.calls(alice, "112"), ["RingOut"]);
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

/// Calls on hold on Alice's phone, with as many of Bob's.
fn fill(bench: &mut Bench, alice: SessionId, bob: SessionId, calls: usize) {
    for _ in 0..calls {
        bench.off_hook(alice);
        bench.dial(alice, "1002");
        let at = bench.states(bob).iter().position(|&state| state == "RingIn").unwrap();
        bench.press_on(bob, SoftKey::Answer, at);
        bench.open_audio(&[alice, bob]);
        bench.press(alice, SoftKey::Hold);
        bench.press(bob, SoftKey::Hold);
    }
    assert_eq!(bench.states(alice), vec!["Hold"; calls]);
}

#[test]
fn a_phone_without_room_for_a_call_can_still_call_for_help() {
    // The line's limit, and the phone's.
    for calls in [2, 8] {
        let mut site = office();
        for number in ["1001", "1002"] {
            line(&mut site, number).calls = if calls == 2 { 2 } else { 200 };
            line(&mut site, number).busy_trigger = line(&mut site, number).calls;
        }
        let mut bench = Bench::new(site);
        let (alice, bob, dave) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
        fill(&mut bench, alice, bob, calls);
        bench.press(alice, SoftKey::NewCall);
        assert_eq!(bench.states(alice).len(), calls, "there is no room");

        bench.off_hook(alice);
        bench.dial(alice, "1004");
        assert_eq!(bench.states(alice).last(), Some(&"Congestion"), "only emergency numbers may be called");
        bench.on_hook(alice);
        bench.off_hook(alice);
        bench.dial(alice, "112");
        assert_eq!(bench.states(dave), ["RingIn"]);
        bench.on_hook(alice);
        let number =
            message::EnblocCall { called_party: Number::new(b"112"), ..message::EnblocCall::default() };
        bench.say(alice, number);
        assert_eq!(bench.states(dave), ["RingIn"], "en bloc");
        bench.on_hook(alice);
        assert_eq!(bench.states(alice).len(), calls);
        for at in (0..calls).rev() {
            bench.press_on(alice, SoftKey::EndCall, at);
        }
        bench.assert_quiet();
    }
}

#[test]
fn an_urgent_route_does_not_wait_for_more_digits() {
    let mut site = office();
    route(&mut site, "7.!", lines(&["1003"]));
    route(&mut site, "77", lines(&["1002"])).urgent = true;
    let mut bench = Bench::new(site);
    let (alice, bob, carol) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1003"));
    assert_eq!(bench.calls(alice, "77"), ["RingOut"]);
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.on_hook(alice);
    assert_eq!(bench.calls(alice, "78"), ["OffHook"], "more digits could follow");
    bench.wait(Duration::from_secs(6));
    assert_eq!(bench.states(carol), ["RingIn"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

fn trunk_calls(bench: &mut Bench, leg: u64, calling: Party, number: &str) {
    bench.input(Input::Trunk(TrunkEvent::Offer {
        leg: TrunkLegId(leg),
        trunk: "city".into(),
        number: number.into(),
        calling,
        audio: RemoteAudio::default(),
        redirecting: None,
    }));
}

fn caller(number: &str) -> Party {
    Party { number: number.into(), ..Party::default() }
}

#[test]
fn blocked_callers_are_refused() {
    let mut site = office();
    with_trunks(&mut site);
    site.blocked.calling = vec!["0900!".parse().unwrap(), "1001".parse().unwrap()];
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    trunk_calls(&mut bench, 1, caller("0900123456"), "1002");
    let [TrunkOrder::HangUp { cause: EndCause::Blocked, .. }] = bench.orders[..] else {
        panic!("{:?}", bench.orders)
    };
    assert!(bench.states(bob).is_empty());
    trunk_calls(&mut bench, 3, caller("0800123456"), "1002");
    assert_eq!(bench.states(bob), ["RingIn"]);
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg: TrunkLegId(3), cause: EndCause::CallerHungUp }));
    assert_eq!(bench.calls(alice, "1002"), ["Congestion"]);
    bench.on_hook(alice);
    bench.assert_quiet();
}

/// An office that wants codes: authorisation for the route 8, an account for what Alice calls outside.
fn coded_office() -> Site {
    let mut site = office();
    with_trunks(&mut site);
    route(&mut site, "9.XXX", trunks(&["city"]));
    route(&mut site, "8XX", lines(&["1003"])).code = CodeDemand::Authorisation;
    let far = route(&mut site, "7XX", lines(&["1003"]));
    (far.code, far.partition) = (CodeDemand::Authorisation, Some("far".parse().unwrap()));
    line(&mut site, "1001").account_code = true;
    rights(&mut site, "abroad", &["far"]);
    rights(&mut site, "near", &["near"]);
    code(&mut site, "project", "1234", CodeKind::Account, None);
    code(&mut site, "projects", "12345", CodeKind::Account, None);
    code(&mut site, "boss", "7777", CodeKind::Authorisation, None);
    code(&mut site, "clerk", "5555", CodeKind::Authorisation, Some("near"));
    code(&mut site, "traveller", "6666", CodeKind::Authorisation, Some("abroad"));
    site
}

#[test]
fn a_call_out_of_the_office_asks_for_its_account() {
    let mut bench = Bench::new(coded_office());
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "912");
    bench.heard(alice);
    bench.dial(alice, "3");
    assert_eq!(bench.heard(alice), ["Prompt Enter client matter code", "StartTone Zip"]);
    assert_eq!(bench.keys(alice, 0), ["<<", "EndCall"]);
    assert!(bench.orders.is_empty());
    bench.dial(alice, "1235");
    bench.press(alice, SoftKey::BackSpace);
    bench.dial(alice, "4#");
    assert_eq!(bench.offered().unwrap().1, "123");
    bench.input(Input::Trunk(TrunkEvent::Answered { leg: TrunkLegId(2), audio: RemoteAudio::default() }));
    bench.on_hook(alice);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!((ended[0].account.as_str(), ended[0].dialed.as_str()), ("project", "9123"));
}

#[test]
fn a_wrong_code_is_not_permitted_and_recorded() {
    let mut bench = Bench::new(coded_office());
    let alice = bench.phone("1001");
    bench.calls(alice, "9123");
    bench.dial(alice, "1299#");
    assert_eq!((bench.states(alice), bench.prompt(alice, 0).as_str()), (vec!["Congestion"], NOT_PERMITTED));
    assert!(bench.heard(alice).contains(&"StartTone ReorderTone".into()));
    bench.on_hook(alice);
    // A whole number at once, where a code is asked for, is taken for one.
    bench.calls(alice, "9123");
    let all = message::EnblocCall { called_party: Number::new(b"4711"), ..message::EnblocCall::default() };
    bench.say(alice, all);
    assert_eq!(bench.states(alice), ["Congestion"]);
    bench.on_hook(alice);
    // No digits at all, until the time is over.
    bench.calls(alice, "9123");
    bench.wait(Duration::from_secs(15));
    assert_eq!(bench.states(alice), ["Congestion"]);
    bench.on_hook(alice);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!(ended.len(), 3);
    assert_eq!(ended[1].dialed, "9123");
    assert_eq!(
        (ended[0].cause, ended[0].dialed.as_str(), ended[0].account.as_str()),
        (EndCause::Blocked, "9123", "")
    );
}

#[test]
fn an_authorisation_is_good_for_its_rights() {
    let mut bench = Bench::new(coded_office());
    let bob = bench.phone("1002");
    bench.phone("1003");
    for (number, digits, may) in [
        ("812", "7777", true),
        ("812", "5555", true),
        ("812", "1234", false),
        ("712", "7777", true),
        ("712", "6666", true),
        ("712", "5555", false),
    ] {
        assert_eq!(bench.calls(bob, number), ["OffHook"]);
        assert_eq!(bench.prompt(bob, 0), "Enter authorization code");
        bench.dial(bob, digits);
        bench.wait(Duration::from_secs(6));
        assert_eq!(bench.states(bob), [if may { "RingOut" } else { "Congestion" }], "{number} with {digits}");
        bench.on_hook(bob);
    }
    bench.assert_quiet();
    let accounts: Vec<_> = bench.ended().into_iter().map(|call| call.account).collect();
    assert_eq!(accounts, ["boss", "clerk", "", "boss", "traveller", "clerk"]);
}

#[test]
fn who_is_led_to_a_number_that_wants_an_authorisation_does_not_get_there() {
    let mut bench = Bench::new(coded_office());
    bench.phone("1003");
    trunk_calls(&mut bench, 1, caller("0301234"), "812");
    assert!(matches!(bench.orders[..], [TrunkOrder::HangUp { cause: EndCause::Blocked, .. }]));
    bench.assert_quiet();
}

#[test]
fn an_account_can_be_dialled_before_the_number() {
    for dialled in ["*711234#9123", "*7112349123", "*711234#9123#"] {
        let mut bench = Bench::new(coded_office());
        let alice = bench.phone("1001");
        bench.off_hook(alice);
        bench.dial(alice, dialled);
        bench.wait(Duration::from_secs(6));
        assert_eq!(bench.offered().map(|offer| offer.1), Some("123".into()), "{dialled}");
        bench.on_hook(alice);
        bench.assert_quiet();
        let ended = bench.ended();
        assert_eq!((ended[0].account.as_str(), ended[0].dialed.as_str()), ("project", "9123"), "{dialled}");
    }
    // The longest code that fits; and one that is none.
    let mut bench = Bench::new(coded_office());
    let bob = bench.phone("1002");
    bench.phone("1003");
    bench.calls(bob, "*7112345#");
    assert_eq!(bench.states(bob), ["OffHook"]);
    bench.dial(bob, "1003");
    assert_eq!(bench.states(bob), ["RingOut"]);
    bench.on_hook(bob);
    assert_eq!(bench.calls(bob, "*71999#"), ["Congestion"]);
    bench.on_hook(bob);
    bench.assert_quiet();
    let ended = bench.ended();
    assert_eq!((ended[0].account.as_str(), ended[1].cause), ("projects", EndCause::Blocked));
    assert_eq!(ended[1].dialed, "*71", "a code does not get into records");
}

#[test]
fn a_line_can_hide_its_number() {
    let mut site = office();
    with_trunks(&mut site);
    route(&mut site, "9.XXX", trunks(&["city"]));
    line(&mut site, "1001").caller_id = CallerId::Restricted;
    let mut bench = Bench::new(site);
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.calls(alice, "1002");
    assert_eq!(bench.prompt(bob, 0), "From Private");
    let info = bench.view(bob).legs[0].info.clone().unwrap();
    assert_eq!((info.calling_number.as_str(), info.calling_name.as_str(), info.restriction), ("", "", 3));
    let own = bench.view(alice).legs[0].info.clone().unwrap();
    assert_eq!((own.calling_number.as_str(), own.restriction), ("1001", 0));
    bench.on_hook(alice);
    bench.calls(bob, "1001");
    let info = bench.view(bob).legs[0].info.clone().unwrap();
    assert_eq!((info.called_number.as_str(), info.called_name.as_str(), info.restriction), ("1001", "", 4));
    bench.on_hook(bob);
    bench.calls(alice, "9123");
    let (_, _, calling) = bench.offered().unwrap();
    assert!(calling.restricted, "the trunk has to know: {calling:?}");
    bench.on_hook(alice);
    bench.assert_quiet();
    assert_eq!(bench.ended()[0].calling.number, "1001", "the office's own records know");
}

#[test]
fn a_number_is_hidden_in_one_call() {
    let mut bench = Bench::new(office());
    let (alice, bob, dave) = (bench.phone("1001"), bench.phone("1002"), bench.phone("1004"));
    assert_eq!(bench.calls(alice, "*671002"), ["RingOut"], "the code ends where the number ends");
    assert_eq!(bench.prompt(bob, 0), "From Private");
    bench.on_hook(alice);
    bench.press(alice, SoftKey::Redial);
    assert_eq!(bench.prompt(bob, 0), "From Private", "dialled again, with all that was dialled");
    bench.on_hook(alice);
    bench.calls(alice, "1002");
    assert_eq!(bench.prompt(bob, 0), "From 1001");
    bench.on_hook(alice);
    assert_eq!(bench.calls(alice, "*674711"), ["InvalidNumber"]);
    bench.on_hook(alice);
    assert_eq!(bench.calls(alice, "*67112"), ["RingOut"]);
    assert_eq!(bench.prompt(dave, 0), "From 1001", "whoever helps has to know whom");
    bench.on_hook(alice);
    bench.assert_quiet();
    assert_eq!(bench.ended()[0].dialed, "1002");
}

#[test]
fn prompts_write_numbers_as_the_country_does() {
    let mut site = office();
    with_trunks(&mut site);
    site.settings.tones = selsius_site::TonePlan::Germany;
    let mut bench = Bench::new(site);
    let bob = bench.phone("1002");
    trunk_calls(&mut bench, 1, caller("+493012345678"), "1002");
    assert_eq!(bench.prompt(bob, 0), "From 030 12345678");
    let info = bench.view(bob).legs[0].info.clone().unwrap();
    assert_eq!(info.calling_number, "+493012345678", "what the phone keeps can be dialled");
    bench.input(Input::Trunk(TrunkEvent::HungUp { leg: TrunkLegId(1), cause: EndCause::CallerHungUp }));
    bench.assert_quiet();
}
