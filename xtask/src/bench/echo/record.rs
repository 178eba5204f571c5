//! The pieces of a real call: two phones of the load generator call each other through a proxy that notes what passes.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use anyhow::{Result, ensure};
use selsius_wire::{Cut, DEFAULT_LIMIT, cut};

use super::Step;

/// What passed through the proxy: on which connection, in which direction, how many bytes, and how many of them are the
/// last ones from an OffHook on: with it a call begins, and it may come in one piece with what the phone said before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed {
    connection: usize,
    by_phone: bool,
    bytes: u16,
    off_hook: Option<u16>,
}

type Log = Arc<Mutex<Vec<Passed>>>;

/// Has `call` make one call of two phones with the server that it is given, which is in front of `manager`. The steps of
/// that call.
pub(in super::super) fn record(
    manager: SocketAddr,
    call: impl FnOnce(SocketAddr) -> Result<()>,
) -> Result<Vec<Step>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let here = listener.local_addr()?;
    let log = Log::default();
    let of_thread = Arc::clone(&log);
    // Two phones; the threads end with their connections.
    thread::spawn(move || {
        for connection in 0..2 {
            let Ok((phone, _)) = listener.accept() else { return };
            let Ok(server) = TcpStream::connect(manager) else { return };
            for (from, to, by_phone) in [(&phone, &server, true), (&server, &phone, false)] {
                let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
                let log = Arc::clone(&of_thread);
                thread::spawn(move || pass(from, to, connection, by_phone, &log));
            }
        }
    });
    call(here)?;
    let log = log.lock().expect("no thread of the proxy panics");
    let steps = steps(&log);
    ensure!(steps.len() > 8, "the recorded call has {} steps, which is none", steps.len());
    Ok(steps)
}

fn pass(mut from: TcpStream, mut to: TcpStream, connection: usize, by_phone: bool, log: &Log) {
    let mut buffer = [0; 32 * 1024];
    let _ = to.set_nodelay(true);
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let off_hook = if by_phone { from_off_hook(&buffer[..length]) } else { None };
        let bytes = u16::try_from(length).unwrap_or(u16::MAX);
        let passed = Passed { connection, by_phone, bytes, off_hook };
        log.lock().expect("no thread of the proxy panics").push(passed);
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// How many bytes there are from an OffHook on.
fn from_off_hook(mut bytes: &[u8]) -> Option<u16> {
    /// Its id.
    const OFF_HOOK: u32 = 0x0006;
    while let Ok(Cut::Frame { frame, consumed }) = cut(bytes, DEFAULT_LIMIT) {
        if frame.id == OFF_HOOK {
            return u16::try_from(bytes.len()).ok();
        }
        bytes = bytes.get(consumed..)?;
    }
    None
}

/// The first call of the log: what each piece of a phone was answered with, up to the next piece of a phone.
fn steps(log: &[Passed]) -> Vec<Step> {
    let mut begins = log.iter().enumerate().filter_map(|(at, passed)| Some((at, passed.off_hook?)));
    let Some((at, sent)) = begins.next() else { return Vec::new() };
    let caller = log[at].connection;
    let mut steps = vec![Step { from: 0, sent, own: 0, other: 0 }];
    for passed in &log[at + 1..] {
        let from = u8::from(passed.connection != caller);
        match (passed.by_phone, steps.last_mut()) {
            (true, _) => steps.push(Step { from, sent: passed.bytes, own: 0, other: 0 }),
            (false, Some(step)) => {
                let answer = if step.from == from { &mut step.own } else { &mut step.other };
                *answer += passed.bytes;
            }
            (false, None) => {}
        }
    }
    // The load ends with the phones' goodbye, which is no part of a call.
    while steps.last().is_some_and(|step| step.own == 0 && step.other == 0) {
        steps.pop();
    }
    steps
}

#[cfg(test)]
mod tests {
    use selsius_wire::{Dialect, message};

    use super::*;

    #[test]
    fn a_log_becomes_steps() {
        let passed = |connection, by_phone, bytes| Passed { connection, by_phone, bytes, off_hook: None };
        let log = [
            passed(0, true, 80),
            passed(0, false, 40),
            Passed { off_hook: Some(16), ..passed(1, true, 28) },
            passed(1, false, 200),
            passed(1, true, 24),
            passed(1, false, 100),
            passed(0, false, 300),
            passed(1, false, 10),
            passed(0, true, 12),
        ];
        let step = |from, sent, own, other| Step { from, sent, own, other };
        assert_eq!(steps(&log), [step(0, 16, 200, 0), step(0, 24, 110, 300)]);
        assert!(steps(&log[..2]).is_empty());
    }

    #[test]
    fn a_call_begins_with_an_off_hook_wherever_it_stands() {
        let mut bytes = Vec::new();
        let dialect = Dialect::default();
        dialect.encode_station(&message::KeepAlive.into(), &mut bytes);
        let before = bytes.len();
        assert_eq!(from_off_hook(&bytes), None);
        dialect.encode_station(&message::OffHook::default().into(), &mut bytes);
        assert_eq!(from_off_hook(&bytes).map(usize::from), Some(bytes.len() - before));
    }
}
