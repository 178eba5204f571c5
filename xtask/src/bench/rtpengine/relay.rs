//! The two relays as processes of their own, on one processor: what they are told about calls, and what they take.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, UdpSocket},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, bail};

use super::ng;
use crate::bench::manager::{Sample, sample};

/// The processor that relays run on.
const PROCESSOR: &str = "1";

/// A relay that runs; it is killed when this is dropped.
pub(super) struct Relay {
    child: Child,
    started: Instant,
    control: Control,
}

enum Control {
    Selsius { orders: ChildStdin, answers: BufReader<ChildStdout> },
    RtpEngine(ng::Client),
}

impl Relay {
    /// The media thread, in the example `relay_process`.
    pub(super) fn selsius(program: &Path) -> Result<Self> {
        let mut command = pinned(program);
        command.arg("20000-29999").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot run the media thread")?;
        let orders = child.stdin.take().context("its input is piped")?;
        let answers = BufReader::new(child.stdout.take().context("its output is piped")?);
        Ok(Self { child, started: Instant::now(), control: Control::Selsius { orders, answers } })
    }

    /// rtpengine without its kernel module, with one thread for packets.
    pub(super) fn rtpengine(program: &Path) -> Result<Self> {
        let control = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = pinned(program);
        command
            .args(["--config-file=none", "--foreground", "--log-stderr", "--log-level=6", "--table=-1"])
            .args(["--interface=127.0.0.1", "--port-min=30000", "--port-max=39999", "--num-threads=1"])
            .arg(format!("--listen-ng={control}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().context("cannot run rtpengine")?;
        let mut log = BufReader::new(child.stderr.take().context("its log is piped")?).lines();
        let mut seen = String::new();
        let started = Instant::now();
        while !seen.contains("Startup complete") {
            let Some(line) = log.next() else { bail!("rtpengine ended with {}: {seen}", child.wait()?) };
            seen = line?;
        }
        // What it says later is read, too, or it would wait for room.
        std::thread::spawn(move || log.map_while(Result::ok).for_each(drop));
        let mut client = ng::Client::new(control)?;
        client.ping()?;
        Ok(Self { child, started, control: Control::RtpEngine(client) })
    }

    /// A call between two ends that listen here; where each of them is listened to.
    pub(super) fn open(&mut self, call: usize, ends: [SocketAddr; 2]) -> Result<[SocketAddr; 2]> {
        match &mut self.control {
            Control::RtpEngine(client) => client.call(call, ends),
            Control::Selsius { orders, answers } => {
                writeln!(orders, "{} {}", ends[0], ends[1])?;
                orders.flush()?;
                let mut line = String::new();
                answers.read_line(&mut line)?;
                let addresses: Vec<SocketAddr> =
                    line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
                addresses.try_into().ok().context("the media thread has no ports")
            }
        }
    }

    /// Processor time by now, of all its threads.
    pub(super) fn used(&self) -> Sample {
        sample(self.child.id(), self.started)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn pinned(program: &Path) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", PROCESSOR]).arg(program);
    command
}
