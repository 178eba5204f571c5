//! The pieces of a real call: two phones of the load generator call each other through a proxy that notes what passes.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use anyhow::{Result, ensure};

use super::Step;

/// What passed through the proxy: on which connection, in which direction, how many bytes, and the first message's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Passed {
    connection: usize,
    by_phone: bool,
    bytes: u16,
    id: u32,
}

type Log = Arc<Mutex<Vec<Passed>>>;

/// OffHook, with which a call begins.
const OFF_HOOK: u32 = 0x0006;

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
        let id = buffer.get(8..12).and_then(|id| id.try_into().ok()).map_or(0, u32::from_le_bytes);
        let bytes = u16::try_from(length).unwrap_or(u16::MAX);
        log.lock().expect("no thread of the proxy panics").push(Passed { connection, by_phone, bytes, id });
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// The first call of the log: what each piece of a phone was answered with, up to the next piece of a phone.
fn steps(log: &[Passed]) -> Vec<Step> {
    let begins = log.iter().position(|passed| passed.by_phone && passed.id == OFF_HOOK);
    let Some(begins) = begins else { return Vec::new() };
    let caller = log[begins].connection;
    let mut steps: Vec<Step> = Vec::new();
    for passed in &log[begins..] {
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
    use super::*;

    #[test]
    fn a_log_becomes_steps() {
        let passed = |connection, by_phone, bytes, id| Passed { connection, by_phone, bytes, id };
        let log = [
            passed(0, true, 80, 1),
            passed(0, false, 40, 0x81),
            passed(1, true, 16, OFF_HOOK),
            passed(1, false, 200, 0x86),
            passed(1, true, 24, 3),
            passed(1, false, 100, 0x82),
            passed(0, false, 300, 0x111),
            passed(1, false, 10, 0x111),
            passed(0, true, 12, 0x27),
        ];
        let step = |from, sent, own, other| Step { from, sent, own, other };
        assert_eq!(steps(&log), [step(0, 16, 200, 0), step(0, 24, 110, 300)]);
        assert!(steps(&log[..2]).is_empty());
    }
}
