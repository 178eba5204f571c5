//! Our client and our server over a network that loses, doubles, delays and reorders, on a virtual clock.
#![allow(clippy::unwrap_used, reason = "a test may fail where it likes")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use selsius_provision::tftp::{
    Answer, Fetch, FetchError, FetchInput, FetchOptions, FetchOutput, Input, Limits, Outcome, Output, Report,
    Server, TransferId,
};

/// What the network does, in percent and milliseconds.
#[derive(Debug, Clone, Copy)]
struct Network {
    loss: u32,
    doubles: u32,
    /// Each packet takes 1 to this many; above a few it reorders.
    delay: u64,
}

#[derive(Debug)]
struct Ran {
    file: Result<Vec<u8>, FetchError>,
    report: Option<Report>,
    /// Data and acknowledgement packets that were put on the network.
    packets: usize,
}

const CLIENT: &str = "10.0.0.2:50000";
const SERVER: &str = "10.0.0.1:69";

/// Runs one fetch until nothing is left to happen.
fn run(file: &[u8], options: FetchOptions, network: Network, seed: u64) -> Ran {
    let (client, port): (SocketAddr, SocketAddr) = (CLIENT.parse().unwrap(), SERVER.parse().unwrap());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut server = Server::new(Limits::default());
    let mut fetch = Fetch::new(Duration::ZERO, port, "file", options);
    // By arrival, then in order: (from, to, bytes).
    let mut flying: BTreeMap<(Duration, usize), (SocketAddr, SocketAddr, Vec<u8>)> = BTreeMap::new();
    let mut sockets: BTreeMap<u16, TransferId> = BTreeMap::new();
    let (mut ran, mut now) =
        (Ran { file: Err(FetchError::Silent), report: None, packets: 0 }, Duration::ZERO);
    let (mut results, mut steps) = (0, 0);
    loop {
        steps += 1;
        assert!(steps < 1_000_000, "it comes to an end");
        let mut send = |from, to, datagram: Vec<u8>| {
            ran.packets += 1;
            let copies = if random.random_ratio(network.doubles, 100) { 2 } else { 1 };
            for _ in 0..copies {
                let arrival = now + Duration::from_millis(random.random_range(1..=network.delay));
                if !random.random_ratio(network.loss, 100) {
                    let order = flying.len() + steps * 8;
                    flying.insert((arrival, order), (from, to, datagram.clone()));
                }
            }
        };
        while let Some(output) = fetch.poll_output() {
            match output {
                FetchOutput::Send { to, datagram } => send(client, to, datagram),
                FetchOutput::Done(result) => {
                    results += 1;
                    ran.file = result;
                }
            }
        }
        while let Some(output) = server.poll_output() {
            match output {
                Output::Open { transfer, .. } => {
                    server.handle(now, Input::File { transfer, answer: Answer::Found(Arc::from(file)) });
                }
                Output::Send { transfer, to, datagram } => {
                    // Each transfer has its own port, in the order of their appearance.
                    let known = sockets.iter().find(|(_, id)| **id == transfer).map(|(&port, _)| port);
                    let own = known.unwrap_or(60_000 + u16::try_from(sockets.len()).unwrap());
                    sockets.insert(own, transfer);
                    send(SocketAddr::new(port.ip(), own), to, datagram);
                }
                Output::Reply { to, datagram } => send(port, to, datagram),
                Output::Closed { report, .. } => {
                    // A doubled request can begin a second transfer after the first is over; the first counts.
                    ran.report = ran.report.take().or(Some(report));
                }
                Output::Refused { reason, .. } => panic!("{reason}"),
            }
        }
        let arrival = flying.first_key_value().map(|((time, _), _)| *time);
        let Some(next) = [arrival, fetch.poll_timeout(), server.poll_timeout()].into_iter().flatten().min()
        else {
            break;
        };
        now = now.max(next);
        if arrival == Some(next) {
            let (_, (from, to, datagram)) = flying.pop_first().unwrap();
            match sockets.get(&to.port()) {
                _ if to == client => fetch.handle(now, FetchInput::Datagram { from, datagram: &datagram }),
                _ if to == port => server.handle(now, Input::Request { from, datagram: &datagram }),
                Some(&transfer) => {
                    server.handle(now, Input::Datagram { transfer, from, datagram: &datagram })
                }
                None => {}
            }
        } else {
            fetch.handle(now, FetchInput::Timeout);
            server.handle(now, Input::Timeout);
        }
    }
    assert_eq!(results, 1, "one result");
    assert_eq!(server.transfers(), 0, "nothing is left");
    ran
}

fn file(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 7 % 251) as u8).collect()
}

fn block_sizes() -> impl Strategy<Value = Option<u16>> {
    prop::option::of(prop_oneof![8..16_u16, Just(512), Just(1428), Just(65_464)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_arrives_is_the_file(
        length in 0..6000_usize,
        block_size in block_sizes(),
        loss in 0..25_u32,
        doubles in 0..25_u32,
        delay in 1..1500_u64,
        seed in any::<u64>(),
    ) {
        let file = file(length);
        let network = Network { loss, doubles, delay };
        let ran = run(&file, FetchOptions { block_size, limit: 6000 }, network, seed);
        match ran.file {
            Ok(got) => prop_assert_eq!(got, file),
            Err(error) => {
                prop_assert_eq!(error, FetchError::Silent);
                prop_assert!(loss > 0, "without loss it arrives");
            }
        }
    }

    /// The sorcerer's apprentice: on a network that doubles packets but is fast, no block is sent twice.
    #[test]
    fn doubled_packets_do_not_double_the_traffic(length in 0..30_000_usize, doubles in 0..101_u32, seed in any::<u64>()) {
        let file = file(length);
        let network = Network { loss: 0, doubles, delay: 4 };
        let ran = run(&file, FetchOptions::default(), network, seed);
        prop_assert_eq!(ran.file.as_deref(), Ok(file.as_slice()));
        let report = ran.report.unwrap();
        prop_assert_eq!((report.outcome, report.repeated), (Outcome::Complete, 0));
        let blocks = length / 512 + 1;
        // Each block and its acknowledgement; each doubled block is acknowledged once more, a doubled request or
        // a late acknowledgement costs a few packets at the ends.
        prop_assert!(ran.packets <= blocks * 3 + 20, "{} packets for {blocks} blocks", ran.packets);
    }
}

#[test]
fn a_clean_network_carries_each_block_once() {
    let clean = Network { loss: 0, doubles: 0, delay: 1 };
    let ran = run(&file(2623), FetchOptions::default(), clean, 1);
    assert_eq!(ran.file, Ok(file(2623)));
    assert_eq!(ran.packets, 1 + 6 + 6);
    let ran = run(&file(2623), FetchOptions { block_size: Some(1428), limit: 3000 }, clean, 1);
    assert_eq!(ran.packets, 1 + 2 + 2 * 2, "request, options and their acknowledgement, two blocks");
    let ran = run(&file(700_000), FetchOptions { block_size: Some(8), limit: 1 << 20 }, clean, 1);
    assert_eq!(ran.file, Ok(file(700_000)), "more than 65,535 blocks");
}
