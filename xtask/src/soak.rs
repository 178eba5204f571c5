//! `cargo xtask soak`: a manager under a mixed load, round after round, and what it holds when all phones have gone. What a round
//! leaves behind is a leak; memory may settle in the first rounds, and not grow after that.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    step::{call, cargo, top},
    test::metadata,
};

/// What phones do in a round, a minute and something.
const SCENARIO: &str = "deploy/load/soak.toml";
/// Rounds until what is allocated once is allocated.
const WARM_UP: usize = 2;
/// How long the manager may take until it has forgotten the phones of a round.
const QUIET: Duration = Duration::from_secs(240);
/// How much more memory may be resident at the end than after the warm-up: parts of it, and bytes. What a leak of one call or
/// session would come to in half an hour is far above, what the allocator keeps for itself is below.
const GROWTH: (f64, f64) = (1.10, 4e6);

/// What the manager has to have as many of at the end as after the warm-up, by the names of its metrics.
const SAME: [&str; 6] = [
    "selsius_connections",
    "selsius_registered_phones",
    "selsius_legs",
    "selsius_timers",
    "selsius_unread_bytes",
    "process_open_fds",
];
const MEMORY: &str = "process_resident_memory_bytes";

pub(crate) fn run(minutes: u64) -> Result<()> {
    call(&mut cargo(&["build", "--profile", "dist", "--quiet", "--package", "selsius"]))?;
    let target = PathBuf::from(metadata()?.target_directory);
    let (selsius, folder) = (target.join("dist/selsius"), target.join("soak"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let manager = Manager::start(&selsius, &folder)?;
    let (started, wanted) = (Instant::now(), Duration::from_secs(minutes * 60));
    println!("{:>6} {:>7} {:>7} {:>8} {}", "minute", "calls", "failed", "memory", headings());
    let mut rounds: Vec<Figures> = Vec::new();
    // One round after the warm-up at least.
    while rounds.len() <= WARM_UP || started.elapsed() < wanted {
        let report = load(&selsius, manager.sccp)?;
        let figures = manager.quiet()?;
        print(started.elapsed(), &report, &figures);
        ensure!(count(&report, "/calls/completed") > 0.0, "no call was completed: {report:#}");
        rounds.push(figures);
    }
    manager.end()?;
    let faults = faults(&rounds);
    ensure!(faults.is_empty(), "the manager holds more than after its warm-up: {}", faults.join("; "));
    println!("{} rounds in {} minutes left nothing behind", rounds.len(), started.elapsed().as_secs() / 60);
    Ok(())
}

/// A manager on free ports of loopback.
struct Manager {
    child: Child,
    sccp: SocketAddr,
    metrics: SocketAddr,
}

impl Manager {
    fn start(selsius: &Path, folder: &Path) -> Result<Self> {
        let site = Command::new(selsius)
            .args(["load", "--print-site", "--scenario"])
            .arg(top().join(SCENARIO))
            .output()
            .context("cannot run selsius load")?;
        ensure!(site.status.success(), "selsius load: {}", String::from_utf8_lossy(&site.stderr));
        let office = folder.join("site.toml");
        fs::write(&office, site.stdout)?;
        // Free at this moment; nobody else on this machine looks for ports in such a hurry.
        let metrics = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let config = folder.join("selsius.toml");
        fs::write(&config, format!("[metrics]\nlisten = \"{metrics}\"\n"))?;
        let log = folder.join("log");
        let mut command = Command::new(selsius);
        command.arg("serve").arg("--config").arg(&config).arg("--site").arg(&office);
        command.arg("--data-dir").arg(folder.join("data"));
        command.args(["--sccp", "127.0.0.1:0", "--tftp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        command.env("SELSIUS_LOG", "warn").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.stderr(File::create(&log)?).spawn().context("cannot run selsius serve")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("its output is piped")?).read_line(&mut line)?;
        let sccp = line.split(' ').skip_while(|word| *word != "sccp").nth(1);
        let sccp = sccp.and_then(|address| address.parse().ok());
        let Some(sccp) = sccp else {
            let _ = child.kill();
            bail!("the manager does not start; its log is {}", log.display());
        };
        Ok(Self { child, sccp, metrics })
    }

    /// Waits until it has forgotten all phones; what it holds then.
    fn quiet(&self) -> Result<Figures> {
        const LEFT: [&str; 4] =
            ["selsius_connections", "selsius_legs", "selsius_timers", "selsius_store_records_waiting"];
        let until = Instant::now() + QUIET;
        loop {
            let figures = self.figures()?;
            let left: Vec<_> = LEFT.into_iter().filter(|name| figures[name] > 0.0).collect();
            if left.is_empty() {
                return Ok(figures);
            }
            ensure!(Instant::now() < until, "all phones have gone, and this stays: {left:?} in {figures:?}");
            #[allow(
                clippy::disallowed_methods,
                reason = "another process, of which nothing says that it is done"
            )]
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn figures(&self) -> Result<Figures> {
        let mut stream = TcpStream::connect(self.metrics).context("the manager has gone")?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Figures::read(&text)
    }

    fn end(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the manager ended with {status}");
        Ok(())
    }
}

impl Drop for Manager {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Metrics without labels, by name.
#[derive(Debug, Clone)]
struct Figures(BTreeMap<String, f64>);

impl Figures {
    fn read(text: &str) -> Result<Self> {
        let plain = text.lines().filter(|line| !line.starts_with('#') && !line.contains('{'));
        let pairs = plain.filter_map(|line| line.split_once(' '));
        let figures: BTreeMap<_, _> =
            pairs.filter_map(|(name, value)| Some((name.to_owned(), value.trim().parse().ok()?))).collect();
        let needed = SAME.into_iter().chain([MEMORY, "selsius_store_records_waiting"]);
        let missing: Vec<_> = needed.filter(|&name| !figures.contains_key(name)).collect();
        ensure!(missing.is_empty(), "the manager's metrics have no {missing:?}");
        Ok(Self(figures))
    }
}

impl std::ops::Index<&&str> for Figures {
    type Output = f64;

    fn index(&self, name: &&str) -> &f64 {
        &self.0[*name]
    }
}

/// One round; its report.
fn load(selsius: &Path, target: SocketAddr) -> Result<Value> {
    let output = Command::new(selsius)
        .args(["load", "--json", "--target", &target.to_string(), "--scenario"])
        .arg(top().join(SCENARIO))
        .stdin(Stdio::null())
        .output()
        .context("cannot run selsius load")?;
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("selsius load: {}", String::from_utf8_lossy(&output.stderr)))
}

fn count(report: &Value, path: &str) -> f64 {
    match report.pointer(path) {
        // An empty sum would be -0.
        Some(Value::Object(reasons)) => reasons.values().filter_map(Value::as_f64).fold(0.0, |a, b| a + b),
        Some(number) => number.as_f64().unwrap_or(f64::NAN),
        None => f64::NAN,
    }
}

fn headings() -> String {
    SAME.map(|name| format!("{:>17}", name.rsplit_once("selsius_").map_or(name, |(_, name)| name))).join(" ")
}

fn print(at: Duration, report: &Value, figures: &Figures) {
    let held = SAME.map(|name| format!("{:>17}", figures[&name])).join(" ");
    println!(
        "{:>6.1} {:>7} {:>7} {:>6.1}MB {held}",
        at.as_secs_f64() / 60.0,
        count(report, "/calls/completed"),
        count(report, "/calls/failed"),
        figures[&MEMORY] / 1e6,
    );
}

/// What there is more of at the end than after the warm-up.
fn faults(rounds: &[Figures]) -> Vec<String> {
    let (Some(before), Some(after)) = (rounds.get(WARM_UP - 1), rounds.last()) else { return Vec::new() };
    let mut faults: Vec<_> = SAME
        .into_iter()
        .filter(|name| after[name] != before[name])
        .map(|name| format!("{name} was {} and is {}", before[&name], after[&name]))
        .collect();
    let (parts, bytes) = GROWTH;
    if after[&MEMORY] > before[&MEMORY] * parts + bytes {
        let [before, after] = [before, after].map(|figures| figures[&MEMORY] / 1e6);
        faults.push(format!("memory was {before:.1} MB and is {after:.1} MB"));
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(fds: f64, memory: f64) -> Figures {
        let zero = SAME.map(|name| format!("{name} 0\n")).concat();
        let text = format!(
            "# HELP x y\nx{{le=\"1\"}} 3\nselsius_store_records_waiting 0\n{zero}process_open_fds {fds}\n{MEMORY} {memory}\n"
        );
        Figures::read(&text).unwrap()
    }

    #[test]
    fn what_grows_after_the_warm_up_is_a_fault() {
        let rounds = [figures(20.0, 1e7), figures(30.0, 5e7), figures(30.0, 5.8e7)];
        assert_eq!(faults(&rounds), [""; 0]);
        let rounds = [figures(20.0, 1e7), figures(30.0, 5e7), figures(31.0, 6e7)];
        assert_eq!(
            faults(&rounds),
            ["process_open_fds was 30 and is 31", "memory was 50.0 MB and is 60.0 MB"]
        );
    }

    #[test]
    fn metrics_that_are_not_there_are_told() {
        let error = Figures::read("selsius_up 1\n").unwrap_err().to_string();
        assert!(error.contains("selsius_timers"), "{error}");
    }
}
