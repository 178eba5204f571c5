//! The exchange crashes, for real: whoever takes its records panics on its thread, in the middle of an input; or the
//! exchange itself does, by a limit that only a test can set.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use std::net::SocketAddr;

use bench::{Manager, Pair, Phone, limits, office};
use selsius_exchange::{
    Config,
    record::{CallEnded, DeviceEventKind, EndCause, Record},
};
use selsius_server::{
    Options, Server,
    core::{Command, Limits, LineChange, Unavailable},
};
use selsius_site::Site;
use selsius_store::{CallFilter, SiteVersion, Store};
use selsius_wire::SoftKey;
use tokio::{sync::oneshot, time::timeout};

/// A phone of this name makes it crash.
const FATAL: &str = "SEPDEADDEADDEAD";

fn crash_at(record: &Record) {
    if let Record::DeviceEvent(event) = record
        && event.device == FATAL
        && matches!(event.kind, DeviceEventKind::Rejected { .. })
    {
        panic!("the test wants it so");
    }
}

/// Makes the exchange crash, and waits until that phone has noticed.
fn crash(manager: &Manager) {
    let mut phone = Phone::connect(manager.address());
    phone.say_register(FATAL);
    phone.ends();
}

fn ended(records: Vec<Record>) -> Vec<CallEnded> {
    let ended = records.into_iter().filter_map(|record| match record {
        Record::CallEnded(ended) => Some(*ended),
        _ => None,
    });
    ended.collect()
}

#[test]
fn phones_come_back_and_no_record_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::open(folder.path())).unwrap().store;
    let recorder = store.recorder();
    let manager = Manager::with_sink(Limits::default(), Config::default(), office(), move |record| {
        recorder.record(record.clone());
        crash_at(record);
    });
    // One call is over, one is up, one rings.
    let mut pair = Pair::new(&manager);
    pair.caller.on_hook();
    pair.called.settle();
    pair.caller.settle();
    pair.call();
    let (mut alice, mut bob) = (Phone::register(&manager, "1001"), Phone::register(&manager, "1002"));
    alice.settle();
    alice.off_hook();
    alice.dial("1002");
    bob.until(|message| message.name() == "SetRinger");
    // What a line remembers, and what somebody asks at the wrong time.
    let (answer, done) = oneshot::channel();
    let change = Command::ChangeLine("1001".parse().unwrap(), LineChange::DoNotDisturb(true), answer);
    manager.handle().send(change).unwrap();
    done.blocking_recv().unwrap().unwrap();

    crash(&manager);
    for phone in [&mut pair.caller, &mut pair.called, &mut alice, &mut bob] {
        phone.ends();
    }
    let status = manager.status();
    assert_eq!((status.network.crashes, status.network.connections, status.network.records_lost), (1, 0, 0));
    assert!(status.network.last_crash.is_some());
    assert_eq!((status.devices.len(), status.calls.len()), (0, 0));
    assert_eq!(status.counters.registrations, 4, "counters only grow");
    assert_eq!(manager.logged("the exchange has crashed"), 1, "{:?}", manager.log());
    assert_eq!(manager.logged("the test wants it so"), 1, "{:?}", manager.log());

    let (answer, remembered) = oneshot::channel();
    manager.handle().send(Command::Remembered(answer)).unwrap();
    let lines = remembered.blocking_recv().unwrap().lines;
    assert!(lines[&"1001".parse().unwrap()].do_not_disturb, "{lines:?}");
    // Stays until the manager stops, so that its call ends with it.
    let mut after = Pair::new(&manager);
    after.assert_unaffected();
    let causes: Vec<_> = ended(manager.records()).iter().map(|call| (call.call, call.cause)).collect();
    let expected =
        [EndCause::CallerHungUp, EndCause::Interrupted, EndCause::Interrupted, EndCause::CallerHungUp];
    assert_eq!(causes.iter().map(|(_, cause)| *cause).collect::<Vec<_>>(), expected);
    let mut ids: Vec<_> = causes.iter().map(|(call, _)| *call).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected.len(), "every call has an id of its own: {causes:?}");

    drop(manager);
    runtime.block_on(async {
        // The last call ended with the manager.
        let stored = store.calls(&CallFilter { newest: 100, ..CallFilter::default() }).await.unwrap();
        assert_eq!(stored.len(), expected.len() + 1, "{stored:?}");
        store.close().await.unwrap();
    });
}

#[test]
fn what_watches_goes_on_watching() {
    use selsius_server::core::{News, Watch};

    let manager = Manager::with_sink(Limits::default(), Config::default(), office(), crash_at);
    let mut news = manager.handle().watch(Watch::Everything).unwrap();
    crash(&manager);
    let _alice = Phone::register(&manager, "1001");
    let told = loop {
        match news.blocking_recv().unwrap() {
            News::Device(event) if event.device == bench::device_name("1001") => break event.kind,
            _ => {}
        }
    };
    assert!(matches!(told, DeviceEventKind::Registered { .. }), "{told:?}");
}

#[test]
fn what_crashes_again_and_again_is_given_up() {
    let manager = Manager::with_sink(Limits::default(), Config::default(), office(), crash_at);
    let mut crashes = 0;
    let handle = manager.handle().clone();
    loop {
        crash(&manager);
        crashes += 1;
        // Waits for the new exchange, or for the end of all.
        let (answer, status) = oneshot::channel();
        let told = handle.send(Command::Counts(answer)).map(|()| status.blocking_recv());
        match told {
            Ok(Ok(status)) => assert_eq!(status.network.crashes, crashes),
            Ok(Err(_)) | Err(Unavailable::Stopped) => break,
            Err(Unavailable::Busy) => unreachable!("nobody else asks"),
        }
    }
    assert_eq!(crashes, 5);
    assert_eq!(manager.logged("it stops"), 1, "{:?}", manager.log());
    manager.ends();
}

/// An office in which a line has one call at most, so that Alice's next one is one too many while one is on hold.
fn crowded() -> Site {
    let mut site = office();
    for line in site.lines.values_mut() {
        (line.calls, line.busy_trigger) = (1, 1);
    }
    site
}

/// A limit that no configuration can have: what the exchange adds to it for an emergency is more than a number can be, and
/// a build that checks sums panics there, in the middle of what it does for a phone.
fn absurd() -> Command {
    let exchange = selsius_exchange::Limits { legs_per_device: usize::MAX, ..Default::default() };
    Command::Limits(limits().into(), exchange.into())
}

/// Alice calls Bob, puts him on hold and lifts her handset, which the exchange does not survive.
fn crash_inside(at: SocketAddr) {
    let [mut alice, mut bob] = ["1001", "1002"].map(|number| Phone::register_at(at, number));
    alice.settle();
    bob.settle();
    alice.off_hook();
    alice.dial("1002");
    bob.until(|message| message.name() == "SetRinger");
    bob.off_hook();
    bob.settle();
    alice.settle();
    alice.press(SoftKey::Hold, 0);
    alice.settle();
    alice.off_hook();
    alice.ends();
    bob.ends();
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "only a build that checks sums panics there")]
fn a_panic_of_the_exchange_itself_is_contained_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::open(folder.path())).unwrap().store;
    let recorder = store.recorder();
    let manager = Manager::with_sink(limits(), Config::default(), crowded(), move |record| {
        recorder.record(record.clone());
    });
    let mut pair = Pair::new(&manager);
    manager.handle().send(absurd()).unwrap();
    crash_inside(manager.address());
    pair.caller.ends();
    pair.called.ends();
    let status = manager.status();
    assert_eq!((status.network.crashes, status.network.connections, status.network.records_lost), (1, 0, 0));
    assert_eq!((status.devices.len(), status.calls.len()), (0, 0));
    let log = manager.log();
    let told: Vec<_> = log.iter().filter(|line| line.contains("the exchange has crashed")).collect();
    assert_eq!(told.len(), 1, "{log:?}");
    assert!(
        told[0].contains("attempt to add with overflow") && told[0].contains("interrupted=2"),
        "{told:?}"
    );

    // With limits as they can be, all is as it should be.
    manager.handle().send(Command::Limits(limits().into(), Box::default())).unwrap();
    let mut after = Pair::new(&manager);
    after.assert_unaffected();
    drop((after, manager));
    runtime.block_on(async {
        let stored = store.calls(&CallFilter { newest: 100, ..CallFilter::default() }).await.unwrap();
        let mut called: Vec<_> = stored.iter().map(|record| record.call.called.number.as_str()).collect();
        assert_eq!(stored.len(), 4, "two before, two after: {stored:?}");
        let before = &stored[2..];
        assert!(before.iter().all(|record| record.call.cause == EndCause::Interrupted), "{before:?}");
        assert!(before.iter().all(|record| record.call.answered.is_some()), "{before:?}");
        called[2..].sort_unstable();
        assert_eq!(called, ["1004", "1004", "1002", "1004"]);
        store.close().await.unwrap();
    });
}

#[test]
#[cfg_attr(not(debug_assertions), ignore = "only a build that checks sums panics there")]
fn a_whole_manager_outlives_its_exchange_four_times_and_ends_in_order_at_the_fifth() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let store = Store::open(folder.path()).await.unwrap().store;
        store.save_site(&crowded(), SiteVersion(0)).await.unwrap();
        store.close().await.unwrap();
        Server::start(Options::loopback(folder.path())).await.unwrap()
    });
    server.exchange().send(absurd()).unwrap();
    for crashes in 1..=4 {
        crash_inside(server.addresses().sccp[0]);
        runtime.block_on(async {
            // Whoever asks waits until there is an exchange again.
            let status = server.exchange().status().await.unwrap();
            assert_eq!((status.network.crashes, status.devices.len()), (crashes, 0));
            let health = server.health().await;
            assert!(health.live, "{health:?}");
            assert_eq!(health.problems.len(), 1, "{health:?}");
            assert!(health.problems[0].text.contains(&format!("({crashes} since the start)")), "{health:?}");
        });
    }
    crash_inside(server.addresses().sccp[0]);
    runtime.block_on(async {
        timeout(bench::DEADLINE, server.ended()).await.expect("it ends by itself");
        server.stop().await.unwrap();
        let store = Store::open(folder.path()).await.unwrap().store;
        let stored = store.calls(&CallFilter::default()).await.unwrap();
        let causes: Vec<_> = stored.iter().map(|record| record.call.cause).collect();
        assert_eq!(causes, [EndCause::Interrupted; 5]);
        store.close().await.unwrap();
    });
}
