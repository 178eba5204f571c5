//! The client: pairs of connections that go through the steps, so many times a second.

use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use socket2::{Domain, Protocol, Socket, Type};

use super::{ClientOptions, HELLO, Step, piece};

struct Pair {
    streams: [TcpStream; 2],
    /// The step that it is at, while it is at one.
    at: usize,
    /// Bytes that are to come, on each connection.
    owed: [usize; 2],
}

/// Connects, waits until all are there, goes through the steps for the duration, and prints how often it did.
pub(super) fn run(options: &ClientOptions) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut pairs = Vec::new();
    for pair in 0..options.pairs {
        let mut streams = [connect(options.target, pair)?, connect(options.target, pair)?];
        for (side, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&piece(0, HELLO, pair))?;
            let token = Token(usize::from(pair) * 2 + side);
            poll.registry().register(stream, token, Interest::READABLE)?;
        }
        pairs.push(Pair { streams, at: 0, owed: [0; 2] });
    }
    // The first time through is not counted: then all are known to be there.
    println!("connected");
    let steps = &options.steps.0;
    let mut free: VecDeque<usize> = (0..pairs.len()).collect();
    let (mut begun, mut ended) = (0_u64, 0_u64);
    let mut events = Events::with_capacity(1024);
    let mut buffer = vec![0; 64 * 1024];
    let started = Instant::now();
    loop {
        let elapsed = started.elapsed().as_secs_f64();
        let over = elapsed >= options.duration;
        let due = (elapsed.min(options.duration) * options.rate) as u64;
        while begun < due && !over {
            let Some(at) = free.pop_front() else { break };
            begun += 1;
            if go_on(&mut pairs[at], steps)? {
                ended += 1;
                free.push_back(at);
            }
        }
        if over && ended == begun {
            break;
        }
        if elapsed > options.duration + 10.0 {
            bail!("{} of {begun} rounds did not end", begun - ended);
        }
        poll.poll(&mut events, Some(Duration::from_millis(1)))?;
        for event in &events {
            let Token(key) = event.token();
            let (at, side) = (key / 2, key % 2);
            let pair = &mut pairs[at];
            match pair.streams[side].read(&mut buffer) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(length) => {
                    let owed = pair.owed[side].checked_sub(length);
                    pair.owed[side] = owed.context("the server sent more than it was asked for")?;
                    if pair.owed == [0; 2] && go_on(pair, steps)? {
                        ended += 1;
                        free.push_back(at);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    println!("{ended}");
    Ok(())
}

/// Sends the next steps, up to one that is answered. `true` if it was the last.
fn go_on(pair: &mut Pair, steps: &[Step]) -> Result<bool> {
    while let Some(step) = steps.get(pair.at) {
        pair.at += 1;
        let side = usize::from(step.from);
        pair.streams[side].write_all(&piece(step.sent, step.own, step.other))?;
        pair.owed[side] += usize::from(step.own);
        pair.owed[1 - side] += usize::from(step.other);
        if pair.owed != [0; 2] {
            return Ok(false);
        }
    }
    pair.at = 0;
    Ok(true)
}

/// From an address of its own for each 64 pairs, so that the ports suffice.
fn connect(target: SocketAddr, pair: u16) -> Result<TcpStream> {
    let [high, low] = (pair / 64).to_be_bytes();
    let source = IpAddr::from(Ipv4Addr::new(127, 1, high, low.max(1)));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&SocketAddr::new(source, 0).into())?;
    socket.connect(&target.into()).context("cannot connect to the echo server")?;
    socket.set_nonblocking(true)?;
    socket.set_tcp_nodelay(true)?;
    Ok(TcpStream::from_std(socket.into()))
}
