//! `selsius device`: one phone.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use hyper::{Method, body::Bytes};
use selsius_server::api::{DeviceEvent, Dial, Done, Message, Phone};
use selsius_site::{DeviceName, LineNumber};
use serde::Serialize;

use super::{
    change::{self, How, SetArgs},
    node::{Node, block_on, escaped},
    out,
    watch::words,
};

/// Shows, uses, changes, resets a phone, or shows its history.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct DeviceArgs {
    #[command(subcommand)]
    command: Command,
}

/// A phone of a manager.
#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    node: Node,
    /// The phone's name, such as SEP001122334455.
    name: DeviceName,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows a phone: its registration, its calls, what is on its screen.
    Show {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Dials a number from a phone, as if somebody had lifted it.
    Dial {
        #[command(flatten)]
        which: Which,
        /// The number, as one dials it at the phone.
        number: LineNumber,
    },
    /// Answers the call that rings at a phone.
    Answer(Which),
    /// Ends the call that is up at a phone, else the one that is on hold.
    HangUp(Which),
    /// Puts the call that is up at a phone on hold.
    Hold(Which),
    /// Takes up the call that is on hold at a phone.
    Resume(Which),
    /// Writes a text on a phone's screen for some seconds; it shows about 30 characters. Or shows a picture there until its
    /// user leaves it, on phones that show pictures.
    Message {
        #[command(flatten)]
        which: Which,
        /// The text; with a picture what stands above that.
        #[arg(required_unless_present = "picture")]
        text: Option<String>,
        /// A PNG picture; it is made as small and as grey as the phone's display.
        #[arg(long, value_name = "FILE")]
        picture: Option<PathBuf>,
    },
    /// Makes a phone fetch its files and register again, as soon as it is idle.
    Restart(Which),
    /// Makes a phone start again from its loader as if it had been unplugged, as soon as it is idle.
    Reset(Which),
    /// Adds a phone to the site.
    Add {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Changes what the site says of a phone. It restarts when it is idle if it has to.
    Change {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Removes a phone from the site. It is put out as soon as it is idle.
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
    /// Shows registrations, rejections and alarms of a phone, newest first; it may be unknown to the site.
    History {
        #[command(flatten)]
        which: Which,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: DeviceArgs) -> Result<ExitCode> {
    match args.command {
        Command::Show { which: Which { node, name }, json } => {
            let phone = phone(&node, &name)?;
            if json { out::json(&phone)? } else { out::print(&words::phone(&phone))? }
        }
        Command::Dial { which, number } => {
            let said = format!("{} dials {number}", which.name);
            which.post("dial", &Dial { number: number.to_string() }, &said)?;
        }
        Command::Answer(which) => which.post("answer", &Done {}, &format!("{} answers", which.name))?,
        Command::HangUp(which) => which.post("hang-up", &Done {}, &format!("{} hangs up", which.name))?,
        Command::Hold(which) => which.post("hold", &Done {}, &format!("{} holds the call", which.name))?,
        Command::Resume(which) => {
            which.post("resume", &Done {}, &format!("{} resumes the call", which.name))?;
        }
        Command::Message { which, text, picture: Some(file) } => {
            which.show(&file, text.as_deref().unwrap_or_default())?;
        }
        Command::Message { which, text, picture: None } => {
            let text = text.unwrap_or_default();
            let said = format!("{} shows the message", which.name);
            which.post("message", &Message { text }, &said)?;
        }
        Command::Restart(which) => which.again("restart")?,
        Command::Reset(which) => which.again("reset")?,
        Command::Add { which, set } => change::add(&which.node, "devices", which.name.as_str(), &set)?,
        Command::Change { which, set } => {
            change::change(&which.node, "devices", which.name.as_str(), &set)?;
        }
        Command::Remove { which, how } => {
            change::remove(&which.node, "devices", which.name.as_str(), &how)?;
        }
        Command::History { which: Which { node, name }, last, json } => history(&node, &name, last, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A phone, and what it shows.
pub(crate) fn phone(node: &Node, name: &DeviceName) -> Result<Phone> {
    let path = format!("/v1/devices/{name}");
    block_on(async { node.connect().await?.json(Method::GET, &path, Bytes::new()).await })
}

impl Which {
    fn post(&self, what: &str, body: &impl Serialize, said: &str) -> Result<()> {
        let path = format!("/v1/devices/{}/{what}", self.name);
        let Done {} =
            block_on(async { self.node.connect().await?.send_json(Method::POST, &path, body).await })?;
        out::print(&format!("{said}\n"))
    }

    fn show(&self, file: &Path, title: &str) -> Result<()> {
        let picture = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        let path = format!("/v1/devices/{}/picture?title={}", self.name, escaped(title));
        let Done {} =
            block_on(async { self.node.connect().await?.json(Method::POST, &path, picture.into()).await })?;
        out::print(&format!("{} shows the picture\n", self.name))
    }

    fn again(&self, what: &str) -> Result<()> {
        let said = format!("{} was told to {what}; it does so when it is idle", self.name);
        self.post(what, &Done {}, &said)
    }
}

fn history(node: &Node, name: &DeviceName, last: u32, json: bool) -> Result<()> {
    let path = format!("/v1/devices/{name}/history?last={last}");
    let events: Vec<DeviceEvent> =
        block_on(async { node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
    if json {
        return out::json(&events);
    }
    if events.is_empty() {
        return out::print(&format!("nothing is known of {name}\n"));
    }
    let rows = events.iter().map(|event| {
        let [kind, text] = words::device_event(&event.kind);
        [out::time(event.at), kind, text]
    });
    out::print(&out::table(["WHEN", "WHAT", ""], rows))
}
