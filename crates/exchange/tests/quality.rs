//! How the audio of legs was: what the media services and the phones have counted, each when it is known.

#![allow(clippy::unwrap_used, reason = "test helpers")]

mod bench;

use bench::{Bench, edit_phone, office};
use selsius_exchange::{
    AnchorOrder, Input, RemoteAudio, TrunkEvent, TrunkOrder,
    record::{CallQuality, CountedBy, LegEnd, Mos, Record, StreamFigures},
};
use selsius_site::{Action, CodecName, MediaPath, Name, Route, Site, Trunk, TrunkKind};
use selsius_wire::{ManagerMessage, message, value::SoftKey};

fn relayed() -> Site {
    let mut site = office();
    edit_phone(&mut site, "1002", |phone| phone.media = MediaPath::Relay);
    site
}

fn figures(packets: u32) -> StreamFigures {
    StreamFigures {
        packets_sent: packets,
        packets_received: packets,
        packets_lost: 1,
        mos: Mos::from_hundredths(400),
        ..StreamFigures::default()
    }
}

impl Bench {
    /// Parties that have left the media services since the last time.
    fn left(&mut self) -> Vec<u32> {
        let left = self.mixer.iter().filter_map(|order| match order {
            AnchorOrder::Leave { party } => Some(*party),
            _ => None,
        });
        let left = left.collect();
        self.mixer.clear();
        left
    }

    fn counted(&mut self, party: u32, figures: Option<StreamFigures>) {
        self.input(Input::Left { party, figures: figures.map(Box::new) });
    }

    fn qualities(&mut self) -> Vec<CallQuality> {
        let mut qualities = Vec::new();
        self.records.retain(|record| match record {
            Record::CallQuality(quality) => {
                qualities.push((**quality).clone());
                false
            }
            _ => true,
        });
        qualities
    }
}

#[test]
fn what_the_media_services_counted_is_recorded_when_they_have_told_all_of_it() {
    let mut bench = Bench::new(relayed());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.mixer_answers();
    bench.left();
    // On hold alice needs the services no more, and comes back with the same name.
    bench.press(alice, SoftKey::Hold);
    let [alices, bobs] = bench.left()[..] else { panic!("both leave") };
    bench.press_on(alice, SoftKey::Resume, 0);
    bench.mixer_answers();
    bench.left();
    bench.counted(bobs, Some(figures(100)));
    assert_eq!(bench.qualities(), [], "the legs are there");
    bench.on_hook(bob);
    let call = bench.ended()[0].call;
    let mut again = bench.left();
    again.sort_unstable();
    assert_eq!(again, [alices.min(bobs), alices.max(bobs)]);
    bench.counted(bobs, Some(figures(300)));
    let quality = bench.qualities();
    let [of_bob] = &quality[..] else { panic!("{quality:?}") };
    assert_eq!((of_bob.call, of_bob.party, &*of_bob.number), (call, bobs, "1002"));
    assert_eq!((of_bob.counted_by, &*of_bob.codec), (CountedBy::Manager, "PCMU"));
    assert_eq!(of_bob.end, LegEnd::Phone(bench::device_name("1002").parse().unwrap()));
    assert_eq!(of_bob.figures, StreamFigures { packets_lost: 2, ..figures(400) });

    bench.counted(alices, None);
    assert_eq!(bench.qualities(), [], "one answer is still to come");
    bench.counted(alices, Some(figures(7)));
    assert_eq!(bench.qualities()[0].figures, figures(7));
    bench.counted(alices, Some(figures(7)));
    assert_eq!((bench.qualities(), bench.refused("figures of the media services for no leg")), (vec![], 1));
    bench.exchange.check().unwrap();
    bench.assert_quiet();
}

#[test]
fn answers_that_come_before_the_end_of_a_leg_wait_for_it() {
    let mut bench = Bench::new(relayed());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    bench.talk(alice, bob, "1002");
    bench.mixer_answers();
    bench.left();
    bench.press(alice, SoftKey::Hold);
    for party in bench.left() {
        bench.counted(party, Some(figures(party)));
        bench.counted(party, Some(figures(party)));
    }
    assert_eq!(bench.refused("figures of the media services for no leg that left them"), 2);
    assert_eq!(bench.qualities(), []);
    // They do not come back before the call ends.
    bench.on_hook(bob);
    let quality = bench.qualities();
    assert!(bench.left().is_empty());
    assert_eq!(quality.len(), 2);
    assert!(quality.iter().all(|quality| quality.figures == figures(quality.party)), "{quality:?}");
    bench.assert_quiet();
}

#[test]
fn a_leg_of_a_trunk_has_its_name_and_one_without_packets_no_record() {
    let mut site = office();
    let carrier: Name = "carrier".parse().unwrap();
    site.trunks.insert(carrier.clone(), Trunk { kind: TrunkKind::Sip, ..Trunk::default() });
    site.routes.remove(&"0".parse().unwrap());
    let action = Action::Trunks([carrier].into());
    site.routes.insert("0.X".parse().unwrap(), Route { action, ..Route::default() });
    let mut bench = Bench::new(site);
    let alice = bench.phone("1001");
    bench.off_hook(alice);
    bench.dial(alice, "05");
    bench.mixer_answers();
    let Some(TrunkOrder::Offer { leg, .. }) = bench.orders.last() else { panic!("{:?}", bench.orders) };
    let audio = RemoteAudio {
        codecs: [CodecName::Pcma].into(),
        address: Some("203.0.113.9:4000".parse().unwrap()),
        ..RemoteAudio::default()
    };
    bench.input(Input::Trunk(TrunkEvent::Answered { leg: *leg, audio }));
    bench.mixer_answers();
    bench.open_audio(&[alice]);
    bench.left();
    bench.on_hook(alice);
    let parties = bench.left();
    assert_eq!(parties.len(), 2);
    for party in parties {
        bench.counted(party, Some(figures(9)));
    }
    let mut ends: Vec<_> =
        bench.qualities().into_iter().map(|quality| (quality.end, quality.codec)).collect();
    ends.sort();
    let phone = bench::device_name("1001").parse().unwrap();
    let expected =
        [(LegEnd::Phone(phone), "PCMA".to_owned()), (LegEnd::Trunk("carrier".into()), "PCMA".into())];
    assert_eq!(ends, expected);

    bench.off_hook(alice);
    bench.dial(alice, "05");
    bench.on_hook(alice);
    let parties = bench.left();
    assert_eq!(parties.len(), 1);
    bench.counted(parties[0], Some(StreamFigures { packets_lost: 3, ..StreamFigures::default() }));
    assert_eq!(bench.qualities(), []);
    bench.assert_quiet();
}

#[test]
fn services_that_never_tell_fill_no_memory() {
    let mut bench = Bench::new(relayed());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    for _ in 0..600 {
        bench.talk(alice, bob, "1002");
        bench.on_hook(alice);
        // The phone's own leg.
        bench.on_hook(bob);
    }
    bench.exchange.check().unwrap();
    let left = bench.left();
    assert_eq!((left.len(), bench.refused("no figures of the media services")), (1200, 1200 - 1024));
    // The newest are still waited for.
    bench.counted(left[1199], Some(figures(1)));
    assert_eq!(bench.qualities().len(), 1);
    bench.counted(left[0], Some(figures(1)));
    assert_eq!(bench.qualities(), []);
}

#[test]
fn phones_that_answer_late_still_find_their_call() {
    let mut bench = Bench::new(office());
    let (alice, bob) = (bench.phone("1001"), bench.phone("1002"));
    let mut asked = Vec::new();
    for _ in 0..2 {
        bench.talk(alice, bob, "1002");
        bench.messages(alice);
        bench.on_hook(alice);
        asked.extend(bench.messages(alice).into_iter().filter_map(|message| match message {
            ManagerMessage::ConnectionStatisticsReq(request) => Some(request),
            _ => None,
        }));
        bench.on_hook(bob);
    }
    let calls: Vec<_> = bench.ended().iter().map(|call| call.call).collect();
    for (at, request) in asked.iter().enumerate().rev() {
        let answer = message::ConnectionStatisticsRes {
            call_reference: request.call_reference,
            number_packets_sent: 1,
            // No way is as long: the clocks differ.
            latency: 3_000_000_000,
            data_size: 11,
            data: b"MLQK=0.0000".into(),
            ..message::ConnectionStatisticsRes::default()
        };
        bench.say(alice, answer);
        let quality = bench.qualities();
        assert_eq!((quality.len(), quality[0].call), (1, calls[at]));
        assert_eq!(quality[0].figures, StreamFigures { packets_sent: 1, ..StreamFigures::default() });
    }
}
