//! `selsius phone`: a phone in the terminal, or one that a script drives.

mod fetch;
mod run;
pub(super) mod screen;
mod script;
pub(in crate::cli) mod words;

use std::{
    io::{IsTerminal, Read, stderr, stdin, stdout},
    net::IpAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex},
};

use anyhow::{Context, bail};
use clap::Args;
use selsius_client::{AudioSource, Clock, Ports, Target};
use selsius_inspect::ladder::Style;
use selsius_site::PhoneFacts;
use selsius_station::{Config, ModelClass};
use selsius_wire::value::{Codec, DeviceType};

pub(in crate::cli) use self::run::key;
use self::run::{Run, Talk, Verdict};

/// A phone in the terminal, or one that a script drives.
#[derive(Debug, Args)]
#[command(disable_version_flag = true, after_long_help = script::HELP)]
pub(crate) struct PhoneArgs {
    /// The manager, as HOST or HOST:PORT.
    #[arg(long, short, value_name = "ADDR", default_value = "127.0.0.1:2000")]
    server: Target,
    /// The device name, SEP and 12 hexadecimal digits; one of this machine's own by default.
    #[arg(long, short, value_parser = device_name)]
    name: Option<String>,
    /// Which of the names that this machine has for itself, where several phones run on it.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "name")]
    instance: u32,
    /// The model: 7960, 7912, 7965, 8945, 6901, ...
    #[arg(long, short, default_value = "7960")]
    model: String,
    /// The highest protocol version that the phone offers, 0 to 22; that of the model by default.
    #[arg(long = "version", id = "protocol", value_name = "N", value_parser = clap::value_parser!(u8).range(0..=22))]
    protocol: Option<u8>,
    /// Fetches the phone's configuration by TFTP first, as real phones do, and registers where it says; without
    /// ADDR from the manager's host.
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true)]
    tftp: Option<Option<String>>,
    /// A WAV file that the microphone hears.
    #[arg(long, value_name = "FILE", conflicts_with = "tone")]
    play: Option<PathBuf>,
    /// A tone that the microphone hears.
    #[arg(long, value_name = "HZ", value_parser = clap::value_parser!(u16).range(50..4000))]
    tone: Option<u16>,
    /// Writes what is heard to a WAV file.
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Takes ports for voice from this range, such as 16384-32767.
    #[arg(long, value_name = "LOW-HIGH", value_parser = port_range)]
    rtp_ports: Option<Ports>,
    /// Runs a script instead of the screen; `-` reads it from standard input.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
    /// With --script: prints failures only, and what the script prints.
    #[arg(long, short, requires = "script", conflicts_with = "trace")]
    quiet: bool,
    /// With --script: draws every message.
    #[arg(long, requires = "script")]
    trace: bool,
}

/// A phone that is ready to be switched on.
#[derive(Debug)]
struct PhoneSettings {
    target: Target,
    name: String,
    model: &'static str,
    config: Config,
    source: AudioSource,
    record: Option<PathBuf>,
    ports: Ports,
}

/// The command line or the script is wrong.
const WRONG: u8 = 2;

/// Runs the phone; its exit codes stand in the help.
pub(crate) fn run(args: PhoneArgs) -> anyhow::Result<ExitCode> {
    match prepared(args) {
        Ok(code) => Ok(code),
        Err(error) => {
            use std::io::Write;
            // Nowhere else to say it, should standard error be closed.
            let _ = writeln!(stderr(), "selsius phone: {error:#}");
            Ok(ExitCode::from(WRONG))
        }
    }
}

fn prepared(args: PhoneArgs) -> anyhow::Result<ExitCode> {
    let mut settings = settings(&args)?;
    let script = args.script.as_ref().map(read_script).transpose()?;
    if script.is_none() && !(stdin().is_terminal() && stdout().is_terminal()) {
        bail!("there is no terminal to show the phone in; --script FILE drives it without one (see --help)");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("no runtime")?;
    runtime.block_on(async {
        if let Some(from) = &args.tftp {
            fetch::configure(&mut settings, from.as_deref()).await?;
        }
        let Some((file, lines)) = script else {
            return screen::show(&settings).await.map(|()| ExitCode::SUCCESS);
        };
        let talk = match (args.quiet, args.trace) {
            (true, _) => Talk::Quiet,
            (_, true) => Talk::Trace,
            _ => Talk::Steps,
        };
        let style = if stdout().is_terminal() { Style::Ansi } else { Style::Plain };
        let out = Arc::new(Mutex::new(stdout()));
        let run =
            Run { file: &file, settings: &settings, talk, style, clock: Clock::start(), running: None, out };
        let verdict = tokio::select! {
            verdict = run.script(&lines) => verdict,
            // As a shell says it of a program that ended by SIGINT.
            _ = tokio::signal::ctrl_c() => return Ok(ExitCode::from(130)),
        };
        Ok(match verdict {
            Verdict::Passed => ExitCode::SUCCESS,
            Verdict::Failed => ExitCode::from(1),
            Verdict::Unregistered => ExitCode::from(3),
        })
    })
}

fn settings(args: &PhoneArgs) -> anyhow::Result<PhoneSettings> {
    let facts = facts(&args.model)?;
    let class = class(facts);
    let name = args.name.clone().unwrap_or_else(|| own_name(&machine(), args.instance));
    let mut config = Config::new(name.as_str(), class);
    let of_class = config.device_type;
    config.device_type = DeviceType::from(facts.device_type);
    if config.device_type != of_class {
        config.max_lines = facts.lines.into();
    }
    if let Some(version) = args.protocol {
        config.version = version;
    }
    // What this phone can say and hear itself.
    config.capabilities.retain(|(codec, _)| matches!(codec, Codec::G711Ulaw64k | Codec::G711Alaw64k));
    let source = match (&args.play, args.tone) {
        (Some(file), _) => {
            AudioSource::open(file).map_err(|error| anyhow::anyhow!("{error}: {}", error.problem))?
        }
        (None, Some(hertz)) => AudioSource::Tone(hertz),
        (None, None) => AudioSource::Silence,
    };
    Ok(PhoneSettings {
        target: args.server.clone(),
        name,
        model: facts.name,
        config,
        source,
        record: args.record.clone(),
        ports: args.rtp_ports.clone().unwrap_or_default(),
    })
}

/// The script and what it is called in messages.
fn read_script(path: &PathBuf) -> anyhow::Result<(String, Vec<script::Line>)> {
    let (file, text) = if path.as_os_str() == "-" {
        let mut text = String::new();
        stdin().read_to_string(&mut text).context("cannot read the script from standard input")?;
        ("standard input".to_owned(), text)
    } else {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        (path.display().to_string(), text)
    };
    let lines = script::parse(&file, &text)?;
    Ok((file, lines))
}

pub(in crate::cli) fn facts(model: &str) -> anyhow::Result<&'static PhoneFacts> {
    let wanted = model.trim_start_matches("Cisco").trim();
    let found = selsius_site::PHONES.iter().find(|facts| facts.name.eq_ignore_ascii_case(wanted));
    found.with_context(|| {
        let names: Vec<_> = selsius_site::PHONES.iter().map(|facts| facts.name).collect();
        format!("there is no model `{model}`; models are {}", names.join(", "))
    })
}

/// Which of the known ways of behaving comes nearest to a model's.
pub(in crate::cli) fn class(facts: &PhoneFacts) -> ModelClass {
    match facts.name {
        "6901" => ModelClass::P6901,
        "7902" | "7905" | "7910" | "7912" | "ATA186" | "ATA188" | "VGC" => ModelClass::P7912,
        "7920" | "7935" | "7936" | "7940" | "7960" => ModelClass::P7960,
        "6911" | "6921" | "6941" | "6945" | "6961" | "8941" | "8945" => ModelClass::P8945,
        _ => ModelClass::P7965,
    }
}

/// What tells this machine from others.
fn machine() -> String {
    let id = std::fs::read_to_string("/etc/machine-id").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// A device name that stays the same on a machine. The second hexadecimal digit of its hardware address is 2: locally
/// administered, so that no real phone has it.
fn own_name(machine: &str, instance: u32) -> String {
    // FNV-1a: a hash that will be the same in ten years.
    let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = machine.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, fnv);
    let hash = instance.to_be_bytes().iter().fold(hash, fnv);
    format!("SEP02{:010X}", hash >> 24)
}

fn device_name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && text.len() <= 15 && text.chars().all(|char| char.is_ascii_graphic());
    if is_name { Ok(text.into()) } else { Err("a device name has 1 to 15 letters and digits".into()) }
}

fn port_range(text: &str) -> Result<Ports, String> {
    let parse = || {
        let (low, high) = text.split_once('-')?;
        let (low, high): (u16, u16) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        (low >= 1024 && low < high).then_some(Ports::Range(low..=high))
    };
    parse().ok_or_else(|| {
        "a range of ports is LOW-HIGH, such as 16384-32767, and begins at 1024 or above".into()
    })
}

/// Whether an address names this very host, where another would be meant.
fn is_unspecified(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_names_are_stable_and_differ() {
        assert_eq!(own_name("", 1), own_name("", 1));
        let names: std::collections::BTreeSet<_> =
            (0..100).map(|instance| own_name("machine", instance)).collect();
        assert_eq!(names.len(), 100);
        for name in names {
            assert!(name.starts_with("SEP02") && name.len() == 15, "{name}");
            assert_ne!(Config::new(name, ModelClass::P7960).mac, [0; 6]);
        }
    }

    #[test]
    fn every_model_of_the_site_can_be_played() {
        for known in selsius_site::PHONES {
            let found = facts(&known.name.to_lowercase()).unwrap();
            assert_eq!(found.device_type, known.device_type);
            let _ = class(found);
        }
        let error = facts("7999").unwrap_err().to_string();
        assert!(error.starts_with("there is no model `7999`; models are 6901, "), "{error}");
    }

    #[test]
    fn ranges_of_ports() {
        assert_eq!(port_range("16384-32767"), Ok(Ports::Range(16384..=32767)));
        for text in ["", "1", "2-1", "80-90", "a-b", "16384-70000"] {
            assert!(port_range(text).is_err(), "{text}");
        }
    }
}
