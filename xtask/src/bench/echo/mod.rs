//! A bare echo beside the manager: a server and a client that move the same bytes in the same pieces over the same number of
//! connections at the same rate, and do nothing else. What the manager takes more than this is its own.
//!
//! Both are processes of their own, hidden subcommands of `cargo xtask bench`: a process may have 20,000 files open here.

mod client;
mod record;
mod server;

use std::{io::BufRead, process::Command};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand};

use super::manager::Watched;

pub(super) use self::record::record;

/// One piece that a phone sends, and what the server sends upon it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Which of the two phones sends it.
    pub(super) from: u8,
    /// Its bytes.
    pub(super) sent: u16,
    /// The bytes that the phone gets, in one piece; 0 is none.
    pub(super) own: u16,
    /// The bytes that the other phone gets.
    pub(super) other: u16,
}

/// What a KeepAlive and its answer are: 12 bytes each.
pub(super) const KEEPALIVE: [Step; 1] = [Step { from: 0, sent: 12, own: 12, other: 0 }];

/// A part of the echo.
#[derive(Clone, Subcommand)]
pub(crate) enum Part {
    /// The server; says where it listens.
    Server,
    /// The client.
    Client(ClientOptions),
}

#[derive(Clone, Args)]
pub(crate) struct ClientOptions {
    #[arg(long)]
    target: std::net::SocketAddr,
    /// Pairs of connections.
    #[arg(long)]
    pairs: u16,
    /// Times that the steps are gone through, a second.
    #[arg(long)]
    rate: f64,
    /// Seconds.
    #[arg(long)]
    duration: f64,
    /// The steps, as `from,sent,own,other` with spaces between.
    #[arg(long, value_parser = steps)]
    steps: Steps,
}

#[derive(Clone)]
struct Steps(Vec<Step>);

pub(super) fn run(part: &Part) -> Result<()> {
    match part {
        Part::Server => server::run(),
        Part::Client(options) => client::run(options),
    }
}

/// What it takes of the server to go through the steps once, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cost {
    /// Processor time.
    pub(super) cpu: f64,
    /// Of it, that in the kernel.
    pub(super) kernel: f64,
}

/// Measures it with so many pairs of connections, so often a second, for so many seconds.
pub(super) fn cost(steps: &[Step], pairs: u32, rate: f64, duration: f64) -> Result<Cost> {
    let this = std::env::current_exe()?;
    let mut server = Command::new(&this);
    let (server, line) = Watched::start(server.args(["bench", "echo", "server"]))?;
    let mut client = Command::new(&this);
    client.args(["bench", "echo", "client", "--target", line.trim(), "--steps", &spelled(steps)]);
    client.args(["--pairs", &pairs.to_string(), "--rate", &rate.to_string()]);
    let (mut client, connected) = Watched::start(client.args(["--duration", &duration.to_string()]))?;
    ensure!(connected.trim() == "connected", "the echo's client said {connected:?}");
    let before = server.now();
    let mut ended = String::new();
    client.rest.read_line(&mut ended)?;
    let after = server.now();
    let rounds: f64 = ended.trim().parse().context("the echo's client did not come to its end")?;
    let each = |seconds: f64| seconds * 1e6 / rounds;
    Ok(Cost { cpu: each(after.cpu - before.cpu), kernel: each(after.kernel - before.kernel) })
}

/// The steps as a word of a command line.
pub(super) fn spelled(steps: &[Step]) -> String {
    let one = |step: &Step| format!("{},{},{},{}", step.from, step.sent, step.own, step.other);
    steps.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn steps(text: &str) -> Result<Steps> {
    let number = |word: &str| word.parse::<u16>().with_context(|| format!("{word} is no number"));
    let step = |text: &str| -> Result<Step> {
        let numbers = text.split(',').map(number).collect::<Result<Vec<_>>>()?;
        let [from @ (0 | 1), sent, own, other] = numbers[..] else {
            bail!("{text} is no step");
        };
        Ok(Step { from: u8::from(from == 1), sent, own, other })
    };
    text.split_whitespace().map(step).collect::<Result<_>>().map(Steps)
}

/// What a piece begins with, so that the server knows what to do: its bytes, and those of the two answers. The shortest
/// message of the protocol has room for it.
const HEADER: usize = 6;
/// In place of an answer's length in the first piece of a connection: the other length is the number of its pair.
const HELLO: u16 = u16::MAX;

fn piece(sent: u16, own: u16, other: u16) -> Vec<u8> {
    let mut piece = Vec::from([sent, own, other].map(u16::to_be_bytes).as_flattened());
    piece.resize(usize::from(sent).max(HEADER), 0);
    piece
}

/// The three numbers of a whole piece at the start of `bytes`.
fn header(bytes: &[u8]) -> Option<(usize, u16, u16)> {
    let &[a, b, c, d, e, f, ..] = bytes else { return None };
    let [sent, own, other] = [[a, b], [c, d], [e, f]].map(u16::from_be_bytes);
    let length = usize::from(sent).max(HEADER);
    (bytes.len() >= length).then_some((length, own, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_spelled_and_read() {
        let list = [KEEPALIVE[0], Step { from: 1, sent: 24, own: 0, other: 300 }];
        assert_eq!(steps(&spelled(&list)).unwrap().0, list);
        for wrong in ["0,1,2", "2,1,2,3", "0,1,2,x", "0,1,2,70000"] {
            assert!(steps(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_piece_says_what_to_do() {
        let bytes = piece(12, 300, 7);
        assert_eq!((bytes.len(), header(&bytes)), (12, Some((12, 300, 7))));
        assert_eq!(header(&bytes[..11]), None);
        assert_eq!(header(&bytes[..3]), None);
    }
}
