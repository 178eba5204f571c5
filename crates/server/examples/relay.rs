//! What a relayed packet costs the media thread, sockets included: `cargo run --release -p selsius-server --example relay`.
//!
//! So many calls of two with 50 packets a second each way, from as many sockets on loopback. CPU time is that of the media thread
//! alone (`/proc/self/task`); the delay is from before a packet is sent until it has been read on the other side, and what of it is
//! added is what the same packets take without a manager between the sockets. Each line is a name, a value and its unit, which
//! `cargo xtask bench media` reads.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::UdpSocket};
use selsius_media::{
    Codec, PacketTime,
    engine::{BridgeId, Format, Learning, Place},
};
use selsius_server::media::{self, Opening, Order};

const FORMAT: Format = Format::new(Codec::Pcmu, PacketTime::DEFAULT);
const STEP: Duration = Duration::from_millis(20);
/// How long packets go without a manager.
const DIRECT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let options = match &arguments[..] {
        [] => Some((200, 10)),
        [calls, for_calls, seconds, for_seconds] if calls == "--calls" && seconds == "--seconds" => {
            for_calls.parse().ok().zip(for_seconds.parse().ok())
        }
        _ => None,
    };
    let Some((calls, seconds)) = options else {
        println!("usage: relay [--calls N --seconds N]");
        return ExitCode::from(2);
    };
    let direct = measure(among_themselves(2 * calls), DIRECT);
    let ports = "20000-39999".parse().unwrap();
    let (media, _ended) = media::start(media::Start { ports, tos: 0xB8 }).unwrap();
    let mut parties = Vec::new();
    for party in 0..2 * calls {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let remote = Some(socket.local_addr().unwrap());
        let (address, learning) = (Ipv4Addr::LOCALHOST.into(), Learning::SameHost);
        let place = Place::Bridge(BridgeId(party / 2));
        let opening = Opening { format: FORMAT, address, remote, learning, place, srtp: None };
        let (_, manager) = media.open(opening, None).await.unwrap().unwrap();
        parties.push((socket, manager));
    }
    let figures = measure(parties, Duration::from_secs(seconds));
    let status = media.ask(Order::Status).await.unwrap();
    media.send(Order::End).unwrap();
    let of = |share: usize| figures.delay(share);
    let added = |share: usize| of(share).saturating_sub(direct.delay(share));
    let Figures { sent, cpu, delays } = &figures;
    let sent = *sent;
    println!("sockets {:.0} packets/s", sent as f64 / cpu.as_secs_f64());
    println!("sockets_packet {:.2} µs", cpu.as_secs_f64() * 1e6 / sent as f64);
    println!("sockets_rate {:.0} packets/s", sent as f64 / seconds as f64);
    println!("sockets_lost {} packets", sent - delays.len() as u64);
    println!("sockets_unsent {} packets", status.unsent);
    println!("sockets_delay_median {} µs", of(500));
    println!("sockets_delay_99 {} µs", of(990));
    println!("sockets_delay_999 {} µs", of(999));
    println!("sockets_added_median {} µs", added(500));
    println!("sockets_added_99 {} µs", added(990));
    ExitCode::SUCCESS
}

struct Figures {
    sent: u64,
    cpu: Duration,
    delays: Vec<Duration>,
}

impl Figures {
    /// What so many of a thousand packets took at most, in µs.
    fn delay(&self, permille: usize) -> u128 {
        self.delays[(self.delays.len() - 1) * permille / 1000].as_micros()
    }
}

/// So many sockets, each of which sends to the one beside it.
fn among_themselves(parties: u64) -> Vec<(UdpSocket, SocketAddr)> {
    let sockets: Vec<_> =
        (0..parties).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap()).collect();
    let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
    sockets.into_iter().enumerate().map(|(at, socket)| (socket, addresses[at ^ 1])).collect()
}

/// Sends on one thread, reads on another.
fn measure(parties: Vec<(UdpSocket, SocketAddr)>, time: Duration) -> Figures {
    let origin = Instant::now();
    let senders: Vec<(std::net::UdpSocket, SocketAddr)> = parties
        .iter()
        .map(|(socket, manager)| {
            let socket = socket2::SockRef::from(socket).try_clone().unwrap();
            (socket.into(), *manager)
        })
        .collect();
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || read(parties, origin, &done))
    };
    let before = cpu_time().unwrap_or_default();
    let mut sent = 0u64;
    let mut sequence = 0u16;
    let begun = Instant::now();
    while begun.elapsed() < time {
        let round = begun + STEP * u32::from(sequence);
        for (at, (socket, manager)) in senders.iter().enumerate() {
            // Evenly over the 20 ms, in pieces that a timer can keep apart.
            let due = round + STEP * at as u32 / senders.len() as u32;
            while Instant::now() < due {
                std::thread::yield_now();
            }
            let mut datagram = [0xFF; 172];
            datagram[..2].copy_from_slice(&[0x80, 0]);
            datagram[2..4].copy_from_slice(&sequence.to_be_bytes());
            datagram[4..8].copy_from_slice(&(u32::from(sequence) * 160).to_be_bytes());
            datagram[8..12].copy_from_slice(&(at as u32).to_be_bytes());
            let now = origin.elapsed().as_nanos() as u64;
            datagram[12..20].copy_from_slice(&now.to_be_bytes());
            sent += u64::from(socket.send_to(&datagram, manager).is_ok());
        }
        sequence = sequence.wrapping_add(1);
    }
    let cpu = cpu_time().unwrap_or_default() - before;
    done.store(true, Ordering::Relaxed);
    let mut delays = reader.join().unwrap();
    delays.sort_unstable();
    Figures { sent, cpu, delays }
}

/// Reads until nothing comes any more; how long each packet was under way.
fn read(mut parties: Vec<(UdpSocket, SocketAddr)>, origin: Instant, done: &AtomicBool) -> Vec<Duration> {
    let mut poll = Poll::new().unwrap();
    for (at, (socket, _)) in parties.iter_mut().enumerate() {
        poll.registry().register(socket, Token(at), Interest::READABLE).unwrap();
    }
    let (mut events, mut delays, mut buffer) = (Events::with_capacity(1024), Vec::new(), [0; 2048]);
    loop {
        poll.poll(&mut events, Some(Duration::from_millis(300))).unwrap();
        if events.is_empty() && done.load(Ordering::Relaxed) {
            return delays;
        }
        for event in &events {
            while let Ok(len) = parties[event.token().0].0.recv(&mut buffer) {
                let now = origin.elapsed().as_nanos() as u64;
                if len == 172 {
                    let sent = u64::from_be_bytes(buffer[12..20].try_into().unwrap());
                    delays.push(Duration::from_nanos(now.saturating_sub(sent)));
                }
            }
        }
    }
}

/// CPU time of the media thread so far, if there is one.
fn cpu_time() -> Option<Duration> {
    for task in fs::read_dir("/proc/self/task").unwrap() {
        let task = task.unwrap().path();
        if fs::read_to_string(task.join("comm")).unwrap().trim() == "media" {
            let schedstat = fs::read_to_string(task.join("schedstat")).unwrap();
            return Some(Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap()));
        }
    }
    None
}
