//! What a bill and a phone's list ask of calls.

use selsius_exchange::record::{
    CallEnded, CallId, EndCause, Party, Record, RedirectKind, Redirection, WallTime,
};
use selsius_site::LineNumber;
use sqlx::query_scalar;

use super::{ended, fresh, party, reopen, started};
use crate::{CallFilter, CallListKind, Outcome, Store, end_cause};

fn record(store: &Store, call: CallEnded) {
    store.recorder().record(Record::CallEnded(Box::new(call)));
}

async fn ids(store: &Store, filter: CallFilter) -> Vec<u64> {
    store.calls(&filter).await.unwrap().iter().map(|record| record.call.call.0).collect()
}

fn led_on(call: u64) -> CallEnded {
    let on = |kind, by: Party, to: Party, at| Redirection { kind, by, to, at: WallTime(at) };
    CallEnded {
        redirections: vec![
            on(RedirectKind::Redirect, party("49301", None), party("1002", None), 91),
            on(
                RedirectKind::Transfer,
                party("1002", Some("SEP0011223344AA")),
                party("1009", Some("SEP0011223344BB")),
                95,
            ),
        ],
        account: "project-7".into(),
        trunk: "carrier".into(),
        recordings: vec!["9-1-1001-1002.wav".into(), "12-2-1001-1002.wav".into()],
        ..ended(call, 100)
    }
}

#[tokio::test]
async fn redirections_account_trunk_and_recordings_come_back() {
    let (folder, store) = fresh().await;
    record(&store, led_on(7));
    record(&store, ended(8, 200));
    let store = reopen(folder.path(), store).await.store;
    let calls: Vec<_> = store.calls(&CallFilter::default()).await.unwrap();
    assert_eq!(calls.iter().map(|one| one.call.clone()).collect::<Vec<_>>(), [ended(8, 200), led_on(7)]);
}

#[tokio::test]
async fn more_calls_than_one_statement_takes_are_written_whole() {
    const CALLS: u64 = 256 + 32 + 4 + 2;
    let (folder, store) = fresh().await;
    for call in 1..=CALLS + 1 {
        store.recorder().record(Record::CallStarted(started(call, 100)));
    }
    // Else no call would ever have been seen in progress.
    store.flush().await.unwrap();
    for call in 1..=CALLS {
        record(&store, ended(call, 200 + call.cast_signed()));
    }
    // The one that is still up is interrupted by the restart: none of the others is.
    let store = reopen(folder.path(), store).await.store;
    let mut calls = store.calls(&CallFilter { newest: 1_000, ..CallFilter::default() }).await.unwrap();
    calls.sort_by_key(|one| one.call.call);
    let last = calls.pop().unwrap().call;
    assert_eq!((last.call, last.cause), (CallId(CALLS + 1), EndCause::Interrupted));
    let expected: Vec<_> = (1..=CALLS).map(|call| ended(call, 200 + call.cast_signed())).collect();
    assert_eq!(calls.into_iter().map(|one| one.call).collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn only_calls_that_outlast_a_write_are_in_progress() {
    let (folder, store) = fresh().await;
    let begin = |call| store.recorder().record(Record::CallStarted(started(call, 100)));
    let up = async || -> Vec<i64> {
        let database = store.core().database.read().await;
        query_scalar("SELECT id FROM calls_in_progress").fetch_all(database.raw()).await.unwrap()
    };
    begin(1);
    begin(2);
    store.flush().await.unwrap();
    assert_eq!(up().await, [1, 2]);
    begin(3);
    begin(4);
    record(&store, ended(1, 200));
    record(&store, ended(3, 300));
    store.flush().await.unwrap();
    assert_eq!(up().await, [2, 4]);

    let opened = reopen(folder.path(), store).await;
    let calls = opened.store.calls(&CallFilter::default()).await.unwrap();
    let causes: Vec<_> = calls.iter().map(|one| (one.call.call.0, one.call.cause)).collect();
    let (cut_off, whole) = (EndCause::Interrupted, EndCause::CallerHungUp);
    assert_eq!(causes, [(4, cut_off), (3, whole), (2, cut_off), (1, whole)]);
}

#[tokio::test]
async fn a_number_is_found_by_what_was_dialled_too() {
    let (_folder, store) = fresh().await;
    let call = |id, dialed: &str, called: &str| CallEnded {
        dialed: dialed.into(),
        called: party(called, None),
        ..ended(id, 100)
    };
    record(&store, call(1, "1002", "1002"));
    record(&store, call(2, "1002", "1003"));
    record(&store, call(3, "1003", "1002"));
    record(&store, call(4, "1004", "1005"));
    let number = |number: &str| CallFilter { number: Some(number.into()), ..CallFilter::default() };
    assert_eq!(ids(&store, number("1002")).await, [3, 2, 1]);
    assert_eq!(ids(&store, number("1004")).await, [4]);
}

#[tokio::test]
async fn the_filter_knows_end_cause_outcome_and_who_a_call_was_led_over() {
    let (_folder, store) = fresh().await;
    record(&store, led_on(1));
    let busy = CallEnded { answered: None, cause: EndCause::Busy, ..ended(2, 200) };
    record(&store, busy);
    record(&store, ended(3, 300));
    let all = CallFilter::default;
    for number in ["49301", "1009"] {
        assert_eq!(ids(&store, CallFilter { number: Some(number.into()), ..all() }).await, [1], "{number}");
    }
    // From the first of these moments on, and not the second any more.
    let span =
        |since, until| CallFilter { since: Some(WallTime(since)), until: Some(WallTime(until)), ..all() };
    assert_eq!(ids(&store, span(100, 300)).await, [2, 1]);
    assert_eq!(ids(&store, span(101, 301)).await, [3, 2]);
    assert_eq!(ids(&store, CallFilter { cause: end_cause("busy"), ..all() }).await, [2]);
    assert_eq!(ids(&store, CallFilter { outcome: Some(Outcome::Missed), ..all() }).await, [2]);
    assert_eq!(ids(&store, CallFilter { outcome: Some(Outcome::Answered), ..all() }).await, [3, 1]);
    assert_eq!(end_cause("bored"), None);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (_folder, store) = fresh().await;
    for call in 1..=10 {
        record(&store, ended(call, call.cast_signed()));
    }
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = ids(&store, CallFilter { newest: 4, before, ..CallFilter::default() }).await;
        let Some(last) = page.last() else { break };
        before = Some(CallId(*last));
        // A call that comes meanwhile is newer than all that is still to come.
        record(&store, ended(100 + last, 1));
        seen.extend(page);
    }
    assert_eq!(seen, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
}

#[tokio::test]
async fn each_line_has_its_lists() {
    let (_folder, store) = fresh().await;
    let call = |id, from: &str, to: &str, answered: Option<i64>, cause| CallEnded {
        calling: party(from, Some("SEP001122334455")),
        called: party(to, None),
        answered: answered.map(WallTime),
        cause,
        ..ended(id, 10 * id.cast_signed())
    };
    record(&store, call(1, "1001", "1002", Some(5), EndCause::CallerHungUp));
    record(&store, call(2, "1001", "1002", None, EndCause::CallerHungUp));
    record(&store, call(3, "1003", "1002", None, EndCause::Busy));
    record(&store, call(4, "1001", "1002", None, EndCause::Blocked));
    record(&store, call(5, "1002", "1001", Some(7), EndCause::CalledHungUp));
    record(&store, call(6, "1004", "1005", None, EndCause::NoAnswer));
    // Somebody outside who says that he is one of ours.
    let outside = Party { device: None, ..party("1001", None) };
    record(&store, CallEnded { calling: outside, ..call(7, "", "1002", Some(1), EndCause::CallerHungUp) });

    let list = async |lines: &[&str], kind, newest| -> Vec<u64> {
        let lines: Vec<LineNumber> = lines.iter().map(|line| line.parse().unwrap()).collect();
        let calls = store.call_list(&lines, kind, newest).await.unwrap();
        calls.iter().map(|record| record.call.call.0).collect()
    };
    assert_eq!(list(&["1002"], CallListKind::Missed, 10).await, [3, 2]);
    assert_eq!(list(&["1002"], CallListKind::Missed, 1).await, [3]);
    assert_eq!(list(&["1002", "1005"], CallListKind::Missed, 10).await, [6, 3, 2]);
    assert_eq!(list(&["1002"], CallListKind::Received, 10).await, [7, 1]);
    assert_eq!(list(&["1001"], CallListKind::Received, 10).await, [5]);
    assert_eq!(list(&["1001"], CallListKind::Placed, 10).await, [4, 2, 1]);
    assert_eq!(list(&[], CallListKind::Placed, 10).await, [0_u64; 0]);
}

#[test]
fn the_manual_has_causes_that_exist() {
    let manual = include_str!("../../../../docs/call-records.md");
    let (_, causes) = manual.split_once("## Causes").unwrap();
    let (causes, _) = causes.split_once("\n## ").unwrap();
    let names: Vec<_> =
        causes.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert!(names.len() >= 16, "{names:?}");
    for name in names {
        assert!(end_cause(name).is_some(), "{name}");
    }
}
