//! `selsius dissect` beside tshark: the same capture, the same run.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use wait4::Wait4;

use super::office::{self, Contents};
use crate::{
    step::{call, cargo, find_program},
    test::metadata,
};

#[derive(Clone, Args)]
pub(crate) struct Options {
    /// Bytes of the capture, such as 1G or 100M; tshark takes about 50 s for 1G.
    #[arg(long, default_value = "1G", value_parser = bytes)]
    size: u64,
    /// What chance begins with: the same seed makes the same capture.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Leave the capture in target/bench/.
    #[arg(long)]
    keep: bool,
}

/// The goals: so many times as fast as tshark, in so much memory.
const FASTER: f64 = 20.0;
const MOST_MEMORY: u64 = 128 << 20;

/// Ours is over before a busy machine has a quiet moment, so it runs several times and the median counts; tshark takes long
/// enough to run once.
const RUNS: usize = 3;

/// What a program took.
struct Used {
    time: Duration,
    /// Of all its threads, also in the kernel.
    cpu: Duration,
    /// The most that was resident.
    memory: u64,
}

/// Makes the capture, runs the programs on it, and prints a table.
pub(super) fn run(options: &Options) -> Result<()> {
    call(&mut cargo(&["build", "--profile", "dist", "--quiet", "--package", "selsius"]))?;
    let target = PathBuf::from(metadata()?.target_directory);
    let folder = target.join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join(format!("office-{}-{}.pcapng", options.size, options.seed));
    println!("    writing {}", path.display());
    let result = make(&path, options)
        .and_then(|contents| compare(&target.join("dist/selsius"), &path, contents, options.seed));
    if options.keep {
        return result;
    }
    fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display())).and(result)
}

fn make(path: &Path, options: &Options) -> Result<Contents> {
    let context = || format!("cannot write {}", path.display());
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).with_context(context)?);
    let contents = office::write(&mut file, options.size, options.seed).with_context(context)?;
    file.flush().with_context(context)?;
    Ok(contents)
}

fn compare(ours: &Path, capture: &Path, contents: Contents, seed: u64) -> Result<()> {
    let Contents { bytes, packets, sccp, phones, calls } = contents;
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    println!(
        "{bytes} bytes, {packets} packets, {sccp} of them SCCP, {phones} phones, {calls} calls; seed {seed}, load {load}\n"
    );
    let tshark = find_program("tshark");
    if tshark.is_none() {
        println!("tshark is not installed: `apt-get install tshark` brings it\n");
    }
    println!("{:32} {:>8} {:>8} {:>12} {:>9}", "", "seconds", "CPU", "packets/s", "peak MiB");
    let mut faults = Vec::new();
    for (format, theirs) in
        [("json", &["-Y", "skinny", "-T", "json"][..]), ("summary", &["-q", "-z", "io,phs"])]
    {
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(measure(Command::new(ours).args(["dissect", "--format", format]).arg(capture))?);
        }
        runs.sort_by_key(|run| run.time);
        let used = runs.swap_remove(RUNS / 2);
        row(&format!("selsius dissect --format {format}"), packets, &used);
        if used.memory > MOST_MEMORY {
            faults.push(format!("{format} took {} MiB, more than {}", used.memory >> 20, MOST_MEMORY >> 20));
        }
        let Some(tshark) = &tshark else { continue };
        let peer = measure(Command::new(tshark).args(theirs).arg("-r").arg(capture))?;
        row(&format!("tshark {}", theirs.join(" ")), packets, &peer);
        let [time, cpu, memory] = [
            peer.time.as_secs_f64() / used.time.as_secs_f64(),
            peer.cpu.as_secs_f64() / used.cpu.as_secs_f64(),
            peer.memory as f64 / used.memory as f64,
        ];
        println!("{:32} {time:>8.1} {cpu:>8.1} {time:>12.1} {memory:>9.1}\n", "  times");
        if time < FASTER {
            faults.push(format!("{format} is {time:.1} times as fast as tshark, less than {FASTER}"));
        }
    }
    for fault in faults {
        println!("beyond the goal: {fault}");
    }
    Ok(())
}

fn row(name: &str, packets: u64, used: &Used) {
    let seconds = used.time.as_secs_f64();
    println!(
        "{name:32} {seconds:>8.2} {:>8.2} {:>12.0} {:>9.1}",
        used.cpu.as_secs_f64(),
        packets as f64 / seconds,
        used.memory as f64 / f64::from(1 << 20),
    );
}

/// Runs a program whose output nobody reads.
fn measure(command: &mut Command) -> Result<Used> {
    let name = command.get_program().to_string_lossy().into_owned();
    let started = Instant::now();
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let ended = child.and_then(Wait4::wait4).with_context(|| format!("cannot run {name}"))?;
    let time = started.elapsed();
    if !ended.status.success() {
        bail!("{name} ended with {}", ended.status);
    }
    let used = ended.rusage;
    Ok(Used { time, cpu: used.utime + used.stime, memory: used.maxrss })
}

/// A number of bytes with `K`, `M` or `G` behind it, powers of ten.
fn bytes(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'K' | 'k')) => (&text[..at], 1_000),
        Some((at, 'M' | 'm')) => (&text[..at], 1_000_000),
        Some((at, 'G' | 'g')) => (&text[..at], 1_000_000_000),
        _ => (text, 1),
    };
    let number: Option<u64> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(unit))
        .ok_or_else(|| "a size is such as 1G or 100M".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(
            ["1G", "100M", "7k", "12"].map(|text| bytes(text).unwrap()),
            [1_000_000_000, 100_000_000, 7_000, 12]
        );
        for wrong in ["", "G", "1T", "-1", "99999999999G"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_program_is_measured_and_its_failure_is_one() {
        let used = measure(Command::new("true").arg("ignored")).unwrap();
        assert!(used.memory > 0 && used.time > Duration::ZERO);
        assert!(measure(&mut Command::new("false")).is_err());
    }
}
