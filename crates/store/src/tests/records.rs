//! Calls and device events go in and come out as they were.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use selsius_exchange::record::{
    CallEnded, CallId, CallQuality, CountedBy, DeviceEvent, DeviceEventKind, EndCause, LegEnd, Mos, Record,
    StreamFigures, WallTime,
};
use sqlx::query;

use super::{ended, event, fresh, open, party, quality, reopen, started};
use crate::{CallFilter, CallRecord};

#[tokio::test]
async fn a_call_comes_back_with_what_was_counted_of_it() {
    let (_folder, store) = fresh().await;
    let call = CallEnded { codec: "G729".into(), cause: EndCause::CalledHungUp, ..ended(7, 1_000_000) };
    let refused = CallEnded {
        calling: party("1001", None),
        called: party("", None),
        ringing: None,
        answered: None,
        cause: EndCause::UnknownNumber,
        codec: String::new(),
        ..ended(8, 2_000_000)
    };
    let of_trunk = CallQuality {
        number: "0301".into(),
        end: LegEnd::Trunk("carrier".into()),
        counted_by: CountedBy::Manager,
        figures: StreamFigures {
            octets_sent: 1,
            octets_received: 2,
            round_trip_ms: Some(80),
            mos: Mos::from_hundredths(441),
            packets_lost_there: Some(4),
            jitter_there_ms: Some(5),
            mos_there: Mos::from_hundredths(100),
            ..StreamFigures::default()
        },
        ..quality(7, 3, "SEP1")
    };
    let quality = vec![
        quality(7, 1, "SEP001122334455"),
        CallQuality { counted_by: CountedBy::Manager, ..quality(7, 2, "SEP0011223344AA") },
        quality(7, 2, "SEP0011223344AA"),
        of_trunk,
    ];
    let recorder = store.recorder();
    recorder.record(Record::CallStarted(started(7, 0)));
    recorder.record(Record::CallEnded(Box::new(call.clone())));
    recorder.record(Record::CallEnded(Box::new(refused.clone())));
    // They come after the end.
    store.flush().await.unwrap();
    for one in quality.iter().rev() {
        recorder.record(Record::CallQuality(Box::new(one.clone())));
    }
    let calls = store.calls(&CallFilter::default()).await.unwrap();
    assert_eq!(calls, [CallRecord { call: refused, quality: vec![] }, CallRecord { call, quality }]);
}

#[tokio::test]
async fn the_filter_picks_calls() {
    let (_folder, store) = fresh().await;
    let recorder = store.recorder();
    for call in 1..=5 {
        recorder.record(Record::CallEnded(Box::new(ended(call, call.cast_signed() * 100))));
    }
    let incoming = CallEnded { calling: party("2000", None), called: party("3000", None), ..ended(6, 600) };
    recorder.record(Record::CallEnded(Box::new(CallEnded { dialed: "03000".into(), ..incoming })));

    let ids = async |filter: CallFilter| -> Vec<u64> {
        store.calls(&filter).await.unwrap().iter().map(|record| record.call.call.0).collect()
    };
    let all = CallFilter::default;
    assert_eq!(ids(all()).await, [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(CallFilter { newest: 2, ..all() }).await, [6, 5]);
    assert_eq!(ids(CallFilter { since: Some(WallTime(400)), ..all() }).await, [6, 5, 4]);
    for number in ["2000", "3000", "03000"] {
        assert_eq!(ids(CallFilter { number: Some(number.into()), ..all() }).await, [6], "{number}");
    }
    let device = Some("SEP0011223344AA".parse().unwrap());
    let number = Some("1001".into());
    assert_eq!(ids(CallFilter { device, number, newest: 3, ..all() }).await, [5, 4, 3]);
    assert_eq!(ids(CallFilter { number: Some("' OR 1".into()), ..all() }).await, [0_u64; 0]);

    let scores =
        [(1, None, None), (2, Some(349), None), (3, Some(350), Some(440)), (4, Some(400), Some(110))];
    for (call, mos, mos_there) in scores {
        let mut quality = quality(call, 1, "SEP001122334455");
        quality.figures.mos = mos.and_then(Mos::from_hundredths);
        quality.figures.mos_there = mos_there.and_then(Mos::from_hundredths);
        recorder.record(Record::CallQuality(Box::new(quality)));
    }
    let below = |hundredths| CallFilter { below: Mos::from_hundredths(hundredths), ..all() };
    assert_eq!(ids(below(350)).await, [4, 2]);
    assert_eq!(ids(below(351)).await, [4, 3, 2]);
    assert_eq!(ids(below(110)).await, [0_u64; 0]);
}

#[tokio::test]
async fn every_event_comes_back() {
    let (_folder, store) = fresh().await;
    let kinds = [
        DeviceEventKind::Registered {
            address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7)),
            device_type: 30_007,
            version: 11,
            load: "CP7912080001SCCP051117A".into(),
        },
        DeviceEventKind::Alarm { severity: 2, text: "Name=SEP.. Load=3.2".into(), parameters: [u32::MAX, 0] },
        DeviceEventKind::Rejected {
            address: IpAddr::V6(Ipv6Addr::LOCALHOST),
            reason: "unknown device".into(),
        },
        DeviceEventKind::Unregistered { reason: "keepalive missed".into() },
    ];
    let events: Vec<DeviceEvent> = (1..)
        .zip(kinds)
        .map(|(at, kind)| DeviceEvent { device: "not; a 'name'".into(), at: WallTime(at), kind })
        .collect();
    for event in &events {
        store.recorder().record(Record::DeviceEvent(event.clone()));
    }
    store.recorder().record(Record::DeviceEvent(event("SEP1", 9)));
    let newest_first: Vec<_> = events.into_iter().rev().collect();
    assert_eq!(store.device_history("not; a 'name'", 10).await.unwrap(), newest_first);
    assert_eq!(store.device_history("not; a 'name'", 1).await.unwrap(), newest_first[..1]);
    assert_eq!(store.device_history("SEP1", 10).await.unwrap(), [event("SEP1", 9)]);
}

#[tokio::test]
async fn old_events_make_room() {
    let (_folder, store) = fresh().await;
    store.recorder().record(Record::DeviceEvent(event("SEP1", 1)));
    store.flush().await.unwrap();
    // As if a hundred thousand had come since, all but the last two.
    query("UPDATE sqlite_sequence SET seq = 99999")
        .execute(store.core().database.read().await.raw())
        .await
        .unwrap();
    store.recorder().record(Record::DeviceEvent(event("SEP1", 2)));
    assert_eq!(store.device_history("SEP1", 10).await.unwrap().len(), 2);
    store.recorder().record(Record::DeviceEvent(event("SEP1", 3)));
    assert_eq!(store.device_history("SEP1", 10).await.unwrap(), [event("SEP1", 3), event("SEP1", 2)]);
}

#[tokio::test]
async fn calls_that_were_up_are_closed_as_interrupted() {
    let (folder, store) = fresh().await;
    for call in [1, 2, 3] {
        store.recorder().record(Record::CallStarted(started(call, 1_000)));
    }
    store.recorder().record(Record::CallEnded(Box::new(ended(2, 2_000))));
    store.flush().await.unwrap();
    store.core().database.read().await.mark_alive(WallTime(5_000)).await.unwrap();
    // Without an end of the other two, as after a crash.
    let opened = reopen(folder.path(), store).await;
    assert_eq!((opened.interrupted, opened.first_call), (2, CallId(4)));
    let calls = opened.store.calls(&CallFilter::default()).await.unwrap();
    let causes: Vec<_> =
        calls.iter().map(|one| (one.call.call.0, one.call.cause, one.call.ended.0)).collect();
    let expected = [
        (3, EndCause::Interrupted, 5_000),
        (2, EndCause::CallerHungUp, 2_000),
        (1, EndCause::Interrupted, 5_000),
    ];
    assert_eq!(causes, expected);
    assert_eq!(calls[0].call.calling, started(3, 0).calling);

    let opened = reopen(folder.path(), opened.store).await;
    assert_eq!((opened.interrupted, opened.first_call), (0, CallId(4)));
}

#[tokio::test]
async fn what_is_recorded_is_written_without_anybody_asking() {
    let (folder, store) = fresh().await;
    store.recorder().record(Record::CallEnded(Box::new(ended(1, 10))));
    // Each look yields to the writer; the runner's own limit ends a writer that never writes.
    while store.status().waiting > 0 {
        tokio::task::yield_now().await;
    }
    store.close().await.unwrap();
    assert_eq!(open(folder.path()).await.first_call, CallId(2));
}
