//! The server: one poll, a read for each readable connection, a write for each that has something to say, as the manager's
//! core has it.

use std::{
    io::{ErrorKind, Read, Write},
    net::SocketAddr,
};

use anyhow::Result;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};

use super::{HELLO, header};

/// Tokens of connections are their places; this one is the listener's.
const LISTENER: Token = Token(usize::MAX);

struct Connection {
    stream: TcpStream,
    /// Of a piece whose end has not come.
    partial: Vec<u8>,
    pair: usize,
    /// Bytes that are to be written.
    owed: usize,
}

/// Serves until its standard input ends.
pub(super) fn run() -> Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    println!("{}", listener.local_addr()?);
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut connections: Vec<Option<Connection>> = Vec::new();
    // The connections of each pair.
    let mut pairs: Vec<Vec<usize>> = Vec::new();
    let mut pending = Vec::new();
    let mut buffer = vec![0; 8 * 1024];
    let nothing = vec![0; 256 * 1024];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let token = Token(connections.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    connections.push(Some(Connection { stream, partial: Vec::new(), pair: 0, owed: 0 }));
                }
                continue;
            }
            let key = event.token().0;
            let Some(connection) = connections.get_mut(key).and_then(Option::as_mut) else { continue };
            if event.is_writable() && connection.owed > 0 {
                pending.push(key);
            }
            let length = match connection.stream.read(&mut buffer) {
                Ok(0) => {
                    connections[key] = None;
                    if connections.iter().all(Option::is_none) {
                        return Ok(());
                    }
                    continue;
                }
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error.into()),
            };
            connection.partial.extend_from_slice(&buffer[..length]);
            let bytes = std::mem::take(&mut connection.partial);
            let mut rest = bytes.as_slice();
            while let Some((length, own, other)) = header(rest) {
                rest = &rest[length..];
                if own == HELLO {
                    let pair = usize::from(other);
                    pairs.resize_with(pairs.len().max(pair + 1), Vec::new);
                    pairs[pair].push(key);
                    connections[key].as_mut().expect("it was there").pair = pair;
                    continue;
                }
                let pair = connections[key].as_ref().map_or(0, |connection| connection.pair);
                for &to in &pairs[pair] {
                    let bytes = usize::from(if to == key { own } else { other });
                    let Some(connection) = connections[to].as_mut().filter(|_| bytes > 0) else { continue };
                    if connection.owed == 0 {
                        pending.push(to);
                    }
                    connection.owed += bytes;
                }
            }
            if !rest.is_empty() {
                connections[key].as_mut().expect("it was there").partial = rest.to_vec();
            }
        }
        for key in pending.drain(..) {
            let Some(connection) = connections[key].as_mut() else { continue };
            while connection.owed > 0 {
                match connection.stream.write(&nothing[..connection.owed.min(nothing.len())]) {
                    Ok(length) => connection.owed -= length,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        let both = Interest::READABLE | Interest::WRITABLE;
                        poll.registry().reregister(&mut connection.stream, Token(key), both)?;
                        break;
                    }
                    Err(_) => {
                        connections[key] = None;
                        break;
                    }
                }
            }
        }
    }
}
