//! Processes that a benchmark starts, watches and ends.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::Place;

/// What a process had used at a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::bench) struct Sample {
    /// Seconds since it was first looked at.
    pub(super) at: f64,
    /// Seconds of processor time, of all its threads.
    pub(in crate::bench) cpu: f64,
    /// Of those, seconds in the kernel.
    pub(in crate::bench) kernel: f64,
    /// Of the processor time, seconds of the thread that is called "exchange".
    pub(super) exchange: f64,
    /// Of those, seconds in the kernel.
    pub(super) exchange_kernel: f64,
    /// Resident bytes.
    pub(super) resident: u64,
}

/// A process, looked at ten times a second until it is dropped, which ends it.
pub(in crate::bench) struct Watched {
    child: Child,
    /// What it prints, from the second line on.
    pub(in crate::bench) rest: BufReader<ChildStdout>,
    started: Instant,
    samples: Arc<Mutex<Vec<Sample>>>,
    /// The thread that looks, and what ends it when it is dropped.
    looks: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watched {
    /// Starts it, and waits for the first line that it prints.
    pub(in crate::bench) fn start(command: &mut Command) -> Result<(Self, String)> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {name}"))?;
        let mut rest = BufReader::new(child.stdout.take().context("its output is piped")?);
        let mut line = String::new();
        rest.read_line(&mut line)?;
        if line.is_empty() {
            bail!("{name} ended with {} before it was ready", child.wait()?);
        }
        let samples = Arc::<Mutex<Vec<Sample>>>::default();
        let started = Instant::now();
        let (list, id) = (Arc::clone(&samples), child.id());
        let (until, ends) = channel();
        let thread = thread::spawn(move || {
            while ends.recv_timeout(Duration::from_millis(100)) == Err(RecvTimeoutError::Timeout) {
                list.lock().expect("nobody panics with it").push(sample(id, started));
            }
        });
        Ok((Self { child, rest, started, samples, looks: Some((until, thread)) }, line))
    }

    /// What it has used by now.
    pub(in crate::bench) fn now(&self) -> Sample {
        sample(self.child.id(), self.started)
    }

    /// What it had used at a moment that is over, between the two times that it was looked at.
    pub(super) fn at(&self, at: f64) -> Sample {
        let samples = self.samples.lock().expect("nobody panics with it");
        let after = samples.partition_point(|sample| sample.at < at);
        let last = samples.last().copied().unwrap_or_default();
        let (Some(&a), Some(&b)) = (samples.get(after.wrapping_sub(1)), samples.get(after)) else {
            return samples.get(after).copied().unwrap_or(last);
        };
        let part = if b.at > a.at { (at - a.at) / (b.at - a.at) } else { 0.0 };
        let between = |a: f64, b: f64| a + (b - a) * part;
        Sample {
            at,
            cpu: between(a.cpu, b.cpu),
            kernel: between(a.kernel, b.kernel),
            exchange: between(a.exchange, b.exchange),
            exchange_kernel: between(a.exchange_kernel, b.exchange_kernel),
            resident: b.resident,
        }
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits.
    pub(super) fn end(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the process ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some((until, thread)) = self.looks.take() {
            drop(until);
            let _ = thread.join();
        }
    }
}

/// Processor time by `schedstat`, in nanoseconds. How much of it was in the kernel `stat` says, in hundredths of seconds.
pub(in crate::bench) fn sample(id: u32, started: Instant) -> Sample {
    let (mut cpu, mut exchange) = (0, 0);
    let (mut kernel, mut exchange_kernel) = (0, 0);
    for thread in fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
        let stat = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
        let ticks = system_ticks(&fs::read_to_string(thread.path().join("stat")).unwrap_or_default());
        cpu += nanos;
        kernel += ticks;
        if fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "exchange") {
            exchange = nanos;
            exchange_kernel = ticks;
        }
    }
    let pages = fs::read_to_string(format!("/proc/{id}/statm")).unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0);
    Sample {
        at: started.elapsed().as_secs_f64(),
        cpu: cpu as f64 / 1e9,
        kernel: kernel as f64 / 1e2,
        exchange: exchange as f64 / 1e9,
        exchange_kernel: exchange_kernel as f64 / 1e2,
        resident: pages * 4096,
    }
}

/// The time in the kernel of a line of `/proc/PID/task/TID/stat`: its fifteenth word, which is the thirteenth after the name of
/// the thread (proc_pid_stat(5)).
fn system_ticks(stat: &str) -> u64 {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    after_name.split_whitespace().nth(12).and_then(|ticks| ticks.parse().ok()).unwrap_or(0)
}

/// As docs/security.md has it for a storm of all phones at once: by itself the manager has 12,000 of them wait before Register,
/// and the others come back a moment later.
const CONFIG: &str = "[limits]\nunregistered = 18000\n";

/// A manager on free ports of loopback.
pub(super) struct Manager {
    pub(super) process: Watched,
    pub(super) sccp: SocketAddr,
}

impl Manager {
    /// Starts it with a data directory, and a site file where there is one to apply.
    pub(super) fn start(place: &Place, data: &str, site: Option<&Path>) -> Result<Self> {
        let data = place.folder.join(data);
        fs::create_dir_all(&data)?;
        let config = data.join("selsius.toml");
        fs::write(&config, CONFIG)?;
        let mut command = Command::new(&place.selsius);
        command.arg("serve").arg("--config").arg(&config).arg("--data-dir").arg(&data);
        for service in ["--sccp", "--tftp", "--http"] {
            command.args([service, "127.0.0.1:0"]);
        }
        if let Some(site) = site {
            command.arg("--site").arg(site);
        }
        command.env("SELSIUS_LOG", "warn");
        Self::listening(command, &data)
    }

    /// Starts another manager, which takes the site file as its only word and says where it listens as ours does.
    pub(super) fn start_other(place: &Place, program: &Path, data: &str, site: &Path) -> Result<Self> {
        let data = place.folder.join(data);
        fs::create_dir_all(&data)?;
        let mut command = Command::new(program);
        command.arg(site);
        Self::listening(command, &data)
    }

    /// Starts it with its log in `data`, and waits for the address.
    fn listening(mut command: Command, data: &Path) -> Result<Self> {
        command.stderr(fs::File::create(data.join("log"))?);
        let (process, line) = Watched::start(&mut command)
            .with_context(|| format!("the manager's log is {}", data.join("log").display()))?;
        let mut words = line.split_whitespace().skip_while(|word| *word != "sccp");
        let sccp = words.nth(1).and_then(|address| address.parse().ok());
        Ok(Self { process, sccp: sccp.with_context(|| format!("no address in {line:?}"))? })
    }
}

/// Phones of the load generator.
#[derive(Debug, Clone, Copy)]
pub(super) struct Load {
    pub(super) phones: u32,
    /// Registrations a second; 0 is all at once.
    pub(super) register_rate: f64,
    /// Calls a second; 0 is none.
    pub(super) call_rate: f64,
    /// Seconds.
    pub(super) duration: f64,
}

impl Load {
    fn command(&self, place: &Place) -> Command {
        let mut command = Command::new(&place.selsius);
        command.args(["load", "--phones", &self.phones.to_string()]);
        command
    }

    /// The site file of these phones.
    pub(super) fn site(&self, place: &Place) -> Result<std::path::PathBuf> {
        let output = self.command(place).arg("--print-site").output().context("cannot run selsius load")?;
        if !output.status.success() {
            bail!("selsius load --print-site: {}", String::from_utf8_lossy(&output.stderr));
        }
        let path = place.folder.join(format!("site-{}.toml", self.phones));
        fs::write(&path, output.stdout)?;
        Ok(path)
    }

    /// Runs it against `target`; its report.
    pub(super) fn run(&self, place: &Place, target: SocketAddr) -> Result<Value> {
        self.run_on(place, target, None)
    }

    /// The same on one core of the machine only.
    pub(super) fn run_on(&self, place: &Place, target: SocketAddr, core: Option<&str>) -> Result<Value> {
        let own = self.command(place);
        let mut command = match core {
            None => own,
            Some(core) => {
                let mut pinned = Command::new("taskset");
                pinned.args(["-c", core]).arg(own.get_program()).args(own.get_args());
                pinned
            }
        };
        let number = |number: f64| number.to_string();
        command.args(["--target", &target.to_string(), "--json", "--hold", "0"]);
        command.args(["--register-rate", &number(self.register_rate)]);
        command.args(["--call-rate", &number(self.call_rate), "--duration", &number(self.duration)]);
        if self.phones > 2 {
            command.args(["--sources", "127.2.0.0/16"]);
        }
        let output = command.stdin(Stdio::null()).output().context("cannot run selsius load")?;
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("selsius load: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// A number of a report, by its path.
pub(super) fn figure(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// The sum of the counts by reason that lie at a path.
pub(super) fn counts(report: &Value, path: &str) -> f64 {
    let counts = report.pointer(path).and_then(Value::as_object);
    counts.map_or(f64::NAN, |counts| counts.values().filter_map(Value::as_f64).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_watched_and_ended() {
        let (watched, line) =
            Watched::start(Command::new("sh").args(["-c", "echo here; exec sleep 60"])).unwrap();
        assert_eq!(line, "here\n");
        assert!(watched.now().resident > 0);
        drop(watched);
        assert!(Watched::start(&mut Command::new("true")).is_err());
    }

    #[test]
    fn time_in_the_kernel_is_read_behind_any_name() {
        let stat = "7 (a) b 1) S 1 7 7 0 -1 4194560 11 0 0 0 250 731 0 0 20 0 1 0 5";
        assert_eq!(system_ticks(stat), 731);
        assert_eq!(system_ticks(""), 0);
    }

    #[test]
    fn reports_are_read_by_path() {
        let report = serde_json::json!({"calls": {"completed": 7, "failed": {"a": 1, "b": 2}}});
        assert_eq!((figure(&report, "/calls/completed"), counts(&report, "/calls/failed")), (7.0, 3.0));
        assert!(figure(&report, "/calls/other").is_nan());
    }
}
