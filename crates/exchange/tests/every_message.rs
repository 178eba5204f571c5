//! Every message that a phone can send, whole, empty and full of garbage, in every phase of a phone's life: nothing
//! panics, nothing is left over, and nobody else notices.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]

mod bench;

use bench::{Bench, device_name, office};
use rand::{Rng, RngExt};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use selsius_exchange::SessionId;
use selsius_wire::{Direction, MESSAGES, MessageInfo};

/// What a phone was doing when the message came.
type Phase = (&'static str, fn(&mut Bench) -> SessionId);

/// Phones other than the one that misbehaves: 1002 is its partner, 1003 and 1004 are strangers to it.
const PHASES: [Phase; 11] = [
    ("before Register", |bench| bench.open(1)),
    ("waiting for another's name", |bench| {
        bench.phone("1001");
        let session = bench.open(99);
        bench.register(session, &device_name("1001"), 17, 436);
        session
    }),
    ("registered", |bench| bench.phone("1001")),
    ("dial tone", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        phone
    }),
    ("dialling", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        bench.dial(phone, "10");
        phone
    }),
    ("ringing out", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        bench.dial(phone, "1002");
        phone
    }),
    ("ringing", |bench| {
        let phone = bench.phone("1001");
        let bob = partner(bench);
        bench.off_hook(bob);
        bench.dial(bob, "1001");
        phone
    }),
    ("opening its channel", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        bench.dial(phone, "1002");
        let bob = partner(bench);
        bench.off_hook(bob);
        phone
    }),
    ("talking", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        bench.dial(phone, "1002");
        let bob = partner(bench);
        bench.off_hook(bob);
        bench.media(phone, 1, 10_000);
        bench.media(bob, 2, 20_000);
        phone
    }),
    ("hearing busy", |bench| {
        let phone = bench.phone("1001");
        bench.off_hook(phone);
        bench.dial(phone, "1001");
        phone
    }),
    ("unregistered", |bench| {
        let phone = bench.phone("1001");
        bench.say(phone, selsius_wire::message::UnregisterReq::default());
        phone
    }),
];

/// Bob's phone was the first to register.
fn partner(_: &Bench) -> SessionId {
    SessionId(1)
}

/// What phones can send, with ids that nobody knows.
fn ids() -> Vec<(u32, Option<&'static MessageInfo>)> {
    // Also what only managers send: a phone may send it all the same.
    let known = MESSAGES.iter().map(|info| (info.id, Some(info)));
    known.chain([0x0014, 0x7FFF, 0x8002, 0xFFFF_FFFF].map(|id| (id, None))).collect()
}

/// Bodies of this message: the shortest, one that ends in the middle, longer than any, all kinds of contents.
fn bodies(info: Option<&MessageInfo>, rng: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    let shortest = info.map_or(0, |info| info.min_length.saturating_sub(4) as usize);
    if info.is_some_and(|info| info.direction == Direction::ManagerToStation) {
        // Refused for its direction, whatever is in it.
        return vec![vec![0; shortest]];
    }
    let mut bodies = vec![vec![], vec![0; shortest.saturating_sub(1)]];
    for length in [shortest, shortest + 8, 1200] {
        bodies.push(vec![0; length]);
        bodies.push(vec![0xFF; length]);
        let mut random = vec![0; length];
        rng.fill_bytes(&mut random);
        bodies.push(random);
        // Small numbers make more sense of fields than any random word.
        bodies.push((0..length).map(|at| if at % 4 == 0 { rng.random_range(0..20) } else { 0 }).collect());
    }
    bodies
}

/// Carol and Dave, who have nothing to do with it, make a call.
fn assert_unaffected(bench: &mut Bench, carol: SessionId, dave: SessionId) {
    bench.heard(carol);
    bench.heard(dave);
    bench.off_hook(carol);
    bench.dial(carol, "1004");
    assert!(bench.heard(dave).contains(&"CallState RingIn".into()));
    bench.off_hook(dave);
    bench.media(dave, 4, 4000);
    assert!(bench.media(carol, 3, 3000).contains(&"StartMediaTransmission 10.0.0.4:4000".into()));
    assert!(bench.heard(dave).contains(&"StartMediaTransmission 10.0.0.3:3000".into()));
    bench.on_hook(carol);
    bench.on_hook(dave);
}

fn run(version: u8, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for (phase, enter) in PHASES {
        for (id, info) in ids() {
            let mut bench = Bench::new(office());
            let bob = bench.phone("1002");
            let (carol, dave) = (bench.phone("1003"), bench.phone("1004"));
            bench.version = version;
            for body in bodies(info, &mut rng) {
                // What the message before did is over: everybody hangs up, and the phone is where it shall be.
                for session in [bob, carol, dave] {
                    bench.on_hook(session);
                }
                let session = enter(&mut bench);
                bench.say_raw(session, id, &body);
                bench.say_raw(session, id, &body);
                bench.close(session);
                bench.heard(session);
            }
            bench.on_hook(bob);
            bench.assert_quiet();
            assert_unaffected(&mut bench, carol, dave);
            bench.assert_quiet();
            bench.close_all();
            let left = bench.exchange.sizes();
            assert_eq!(left, Default::default(), "{phase}, message {id:#06x}");
        }
    }
}

#[test]
fn by_phones_of_version_7() {
    run(7, 2);
}

#[test]
fn by_phones_of_version_17() {
    run(17, 3);
}

#[test]
fn by_phones_of_version_22() {
    run(22, 4);
}

#[test]
fn in_any_order() {
    // A storm: random messages of random phones, one after another.
    for seed in 0..40 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::new(office());
        let phones: Vec<_> = ["1001", "1002", "1003", "1004"].map(|number| bench.phone(number)).into();
        let small = |rng: &mut ChaCha8Rng, length: usize| -> Vec<u8> {
            (0..length).map(|at| if at % 4 == 0 { rng.random_range(0..24) } else { 0 }).collect()
        };
        for _ in 0..2000 {
            let phone = phones[rng.random_range(0..phones.len())];
            let info = &MESSAGES[rng.random_range(0..MESSAGES.len())];
            if info.direction == Direction::ManagerToStation || info.name.starts_with("Unregister") {
                continue;
            }
            let length = info.min_length.saturating_sub(4) as usize;
            let mut body = small(&mut rng, length + 4);
            if rng.random_ratio(1, 10) {
                rng.fill_bytes(&mut body);
            }
            bench.say_raw(phone, info.id, &body);
        }
        bench.close_all();
        assert_eq!(bench.exchange.sizes(), Default::default(), "seed {seed}");
    }
}
