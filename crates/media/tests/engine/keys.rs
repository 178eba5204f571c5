//! Keys as tones in the sound.

use std::time::Duration;

use selsius_media::dtmf::Press;
use selsius_media::engine::{Event, Format, OrderError, Place};
use selsius_media::tone::detect::DtmfDetector;
use selsius_media::tone::{Step, Then};
use selsius_media::{Codec, Digit, PayloadType, Tone, ToneGenerator};

use crate::bench::{BRIDGE, Bench, format};

/// One who tells keys by tones alone, and one who may do both.
fn with_tones(codec: Codec, events: Option<PayloadType>) -> Format {
    Format { events, tones: true, ..format(codec, 20) }
}

/// A number as it is dialled, each key for 70 ms.
fn dialled(number: &str) -> ToneGenerator {
    let key = |char| Tone::digit(Digit::from_char(char).unwrap(), 70).steps.into_owned();
    let steps: Vec<_> =
        number.chars().flat_map(|char| [key(char), vec![Step::silence(70)]].concat()).collect();
    ToneGenerator::new(Tone { steps: steps.into(), then: Then::Stop })
}

fn told(bench: &Bench) -> String {
    let digits = bench.events.iter().filter_map(|&(_, event)| match event {
        Event::Digit(digit) => Some(digit.as_char()),
        _ => None,
    });
    digits.collect()
}

#[test]
fn a_number_that_is_dialled_in_tones_is_heard_wherever_the_party_is() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        for place in [None, Some(Place::Echo), Some(Place::Bridge(BRIDGE))] {
            for others in [0, 1, 2] {
                let mut bench = Bench::new();
                let phone = bench.phone(with_tones(codec, None), 440);
                bench.phones[phone].silent = true;
                for _ in 0..others {
                    let other = bench.phone(format(codec, 20), 1000);
                    bench.place(other, Place::Bridge(BRIDGE));
                }
                if let Some(place) = place {
                    bench.place(phone, place);
                }
                bench.run(500);
                bench.phones[phone].silent = false;
                bench.phones[phone].tone = dialled("0123456789*#ABCD11");
                bench.run(18 * 140 + 300);
                assert_eq!(told(&bench), "0123456789*#ABCD11", "{codec} {place:?} {others}");
            }
        }
    }
}

#[test]
fn nobody_listens_who_was_not_asked_to() {
    let mut bench = Bench::new();
    let phones = bench.bridge(&[(format(Codec::Pcmu, 20), 440), (format(Codec::Pcma, 20), 1000)]);
    bench.phones[phones[0]].tone = dialled("123");
    bench.run(1000);
    assert_eq!(told(&bench), "");
}

#[test]
fn a_key_that_is_told_by_an_event_too_is_one() {
    let mut bench = Bench::new();
    let phone = bench.phone(with_tones(Codec::Pcmu, Some(PayloadType::TELEPHONE_EVENT)), 440);
    bench.phones[phone].silent = true;
    bench.run(300);
    let press = |bench: &mut Bench, digit| {
        let phone = &mut bench.phones[phone];
        let mut press = Press::new(digit, 10, Duration::from_millis(100));
        let mut datagram = Vec::new();
        while phone.sender.send_event(&mut press, PayloadType::TELEPHONE_EVENT, &mut datagram).is_some() {
            let datagram = std::mem::take(&mut datagram);
            bench.engine.receive(bench.now, phone.id, phone.address, &datagram);
        }
        bench.outputs();
    };
    // The tone first, since the event is made somewhere on the way.
    bench.phones[phone].silent = false;
    bench.phones[phone].tone = dialled("5");
    bench.run(140);
    assert_eq!(told(&bench), "5");
    press(&mut bench, Digit::Five);
    assert_eq!(told(&bench), "5");
    // And from now on events alone count.
    bench.phones[phone].tone = dialled("67");
    bench.run(400);
    assert_eq!(told(&bench), "5");
    press(&mut bench, Digit::Six);
    bench.run(100);
    press(&mut bench, Digit::Seven);
    assert_eq!(told(&bench), "567");
}

#[test]
fn keys_are_pressed_as_tones_where_there_are_no_events() {
    for codec in [Codec::Pcmu, Codec::Pcma, Codec::G722] {
        for others in [0, 1, 2] {
            let mut bench = Bench::new();
            let far = bench.phone(Format { events: None, ..format(codec, 20) }, 440);
            bench.place(far, Place::Bridge(BRIDGE));
            for _ in 0..others {
                let other = bench.phone(format(codec, 20), 1000);
                bench.place(other, Place::Bridge(BRIDGE));
            }
            bench.run(500);
            let id = bench.phones[far].id;
            let from = bench.phones[far].heard.len();
            for digit in [Digit::One, Digit::One, Digit::Pound, Digit::D] {
                bench.engine.send_digit(bench.now, id, digit, Duration::from_millis(100)).unwrap();
            }
            bench.run(4 * 180 + 200);
            let heard: String = DtmfDetector::new()
                .push(&bench.phones[far].heard[from..])
                .into_iter()
                .map(Digit::as_char)
                .collect();
            assert_eq!(heard, "11#D", "{codec} with {others}");
            assert!(bench.phones[far].stats.quality().lost == 0);
            // What was there before goes on.
            bench.run(300);
            assert_eq!(
                bench.tones(far),
                if others > 0 { vec![1000] } else { vec![] },
                "{codec} with {others}"
            );
        }
    }
}

#[test]
fn tones_have_bounds_and_need_a_codec_that_carries_them() {
    let mut bench = Bench::new();
    let narrow = bench.phone(Format { events: None, ..format(Codec::G729, 20) }, 440);
    let id = bench.phones[narrow].id;
    let press = |bench: &mut Bench, id| {
        bench.engine.send_digit(bench.now, id, Digit::One, Duration::from_millis(100))
    };
    assert_eq!(press(&mut bench, id), Err(OrderError::NotUnderstood(Codec::G729)));
    let far = bench.phone(Format { events: None, ..format(Codec::Pcmu, 20) }, 440);
    let id = bench.phones[far].id;
    let pressed = (0..100).take_while(|_| press(&mut bench, id).is_ok()).count();
    assert_eq!(pressed, 32);
    assert_eq!(press(&mut bench, id), Err(OrderError::TooManyDigits));
    // Events are agreed on meanwhile, or nothing that carries tones.
    bench.change(far, format(Codec::G729, 20));
    bench.phones[far].silent = true;
    bench.run(200);
    assert!(press(&mut bench, id).is_ok());
}
