//! `selsius line`: the numbers of the office.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use hyper::{Method, body::Bytes};
use selsius_server::api::{DoNotDisturb, Done, Forwards, Line, Messages};
use selsius_site::LineNumber;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    change::{self, How, SetArgs},
    node::{Node, block_on, escaped},
    out,
};

/// Lists, shows, adds, changes, removes lines.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct LineArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the lines.
    List {
        #[command(flatten)]
        node: Node,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a line: its phones, where its calls go, its messages.
    Show {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Adds a line to the site.
    Add {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Changes what the site says of a line.
    Change {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Has nobody disturb a line, or everybody again.
    DoNotDisturb {
        #[command(flatten)]
        which: Which,
        /// What it is to be.
        state: Switch,
    },
    /// Says how many messages wait in the mailbox of a line, for a voice mail system that cannot say so itself.
    Messages {
        #[command(flatten)]
        which: Which,
        /// Not heard yet; its lamps are lit while there are some.
        new: u32,
        /// Heard and kept.
        #[arg(default_value_t = 0)]
        old: u32,
    },
    /// Removes a line from the site. Phones and routes that have it have to give it up before.
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    /// Yes.
    On,
    /// No.
    Off,
}

/// A line of a manager.
#[derive(Debug, Args)]
pub(crate) struct Which {
    #[command(flatten)]
    pub(crate) node: Node,
    /// The line's number.
    pub(crate) number: LineNumber,
}

pub(crate) fn run(args: LineArgs) -> Result<ExitCode> {
    match args.command {
        Command::List { node, json } => {
            let lines: Vec<Line> =
                block_on(async { node.connect().await?.json(Method::GET, "/v1/lines", Bytes::new()).await })?;
            if json { out::json(&lines)? } else { out::print(&list(&lines))? }
        }
        Command::Show { which, json } => {
            let line: Line = which.ask("")?;
            if json { out::json(&line)? } else { out::print(&show(&line))? }
        }
        Command::Add { which, set } => change::add(&which.node, "lines", which.number.as_str(), &set)?,
        Command::Change { which, set } => change::change(&which.node, "lines", which.number.as_str(), &set)?,
        Command::DoNotDisturb { which, state } => {
            let on = state == Switch::On;
            which.put("/do-not-disturb", &DoNotDisturb { on })?;
            let who = if on { "nobody" } else { "everybody" };
            out::print(&format!("{who} may disturb {}\n", which.number))?;
        }
        Command::Messages { which, new, old } => {
            which.put("/messages", &Messages { new, old })?;
            out::print(&format!("{}: {new} new, {old} old\n", which.number))?;
        }
        Command::Remove { which, how } => change::remove(&which.node, "lines", which.number.as_str(), &how)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    /// Sends a value for the line.
    pub(crate) fn put(&self, more: &str, body: &impl Serialize) -> Result<()> {
        let path = self.path(more);
        let Done {} =
            block_on(async { self.node.connect().await?.send_json(Method::PUT, &path, body).await })?;
        Ok(())
    }

    /// The path of something of the line.
    pub(crate) fn path(&self, more: &str) -> String {
        format!("/v1/lines/{}{more}", escaped(self.number.as_str()))
    }

    /// Asks for something of the line.
    pub(crate) fn ask<T: DeserializeOwned>(&self, more: &str) -> Result<T> {
        let path = self.path(more);
        block_on(async { self.node.connect().await?.json(Method::GET, &path, Bytes::new()).await })
    }
}

fn list(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "the site has no lines; `selsius line add NUMBER --set name=NAME` adds one\n".into();
    }
    let rows = lines.iter().map(|line| {
        let phones: Vec<_> = line.devices.iter().map(|device| device.name.as_str()).collect();
        [
            line.number.clone(),
            line.name.clone(),
            phones.join(", "),
            forwards(&line.forwards).join(", "),
            messages(line),
        ]
    });
    out::table(["LINE", "NAME", "DEVICES", "FORWARDED", "MESSAGES"], rows)
}

fn show(line: &Line) -> String {
    let mut text = format!("{}  {}\n", line.number, line.name).trim_end().to_owned() + "\n";
    let mut say = |what: &str, value: &str| {
        if !value.is_empty() {
            text += &format!("{what:<10} {}\n", out::clean(value));
        }
    };
    say("label", &line.label);
    for device in &line.devices {
        let there = if device.registered { "registered" } else { "absent" };
        say("phone", &format!("{}, {there}", device.name));
    }
    for forward in forwards(&line.forwards) {
        say("forwarded", &forward);
    }
    say("messages", &messages(line));
    say("disturb", if line.do_not_disturb { "not to be disturbed" } else { "" });
    say("hunting", if line.hunt_logged_out { "logged out of its hunt groups" } else { "" });
    text
}

fn messages(line: &Line) -> String {
    match (line.messages.new, line.messages.old) {
        (0, 0) => String::new(),
        (new, old) => format!("{new} new, {old} old"),
    }
}

/// Where calls go instead, a case each.
pub(crate) fn forwards(forwards: &Forwards) -> Vec<String> {
    let kinds = [
        ("all", &forwards.all),
        ("busy", &forwards.busy),
        ("no-answer", &forwards.no_answer),
        ("unregistered", &forwards.unregistered),
    ];
    kinds.iter().filter_map(|(kind, to)| Some(format!("{kind} -> {}", to.as_ref()?))).collect()
}
