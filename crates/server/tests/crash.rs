//! The exchange crashes, for real: whoever takes its records panics on its thread, in the middle of an input. What
//! crashes by a fault of its own does so in the same place.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use bench::{Manager, Pair, Phone, office};
use selsius_exchange::{
    Config,
    record::{CallEnded, DeviceEventKind, EndCause, Record},
};
use selsius_server::core::{Command, Limits, LineChange, Unavailable};
use selsius_store::{CallFilter, Store};
use tokio::sync::oneshot;

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
        let told = handle.send(Command::Status(answer)).map(|()| status.blocking_recv());
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
