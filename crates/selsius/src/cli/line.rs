//! `selsius line`, `selsius forward` and `selsius group`: numbers of the office, and where their calls go.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use hyper::{Method, body::Bytes};
use selsius_server::api::{Forwards, Group, GroupKind, Line};
use selsius_site::LineNumber;

use super::{
    change::{self, How, SetArgs},
    node::{Node, block_on},
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
    /// Removes a line from the site. Phones and routes that have it have to give it up before.
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
}

/// A line of a manager.
#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    node: Node,
    /// The line's number.
    number: LineNumber,
}

/// Lists, shows, adds, changes, removes groups of lines: pickup, hunt and paging groups.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    command: GroupCommand,
}

#[derive(Debug, Subcommand)]
enum GroupCommand {
    /// Lists the groups.
    List {
        #[command(flatten)]
        node: Node,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Shows a group as the site file has it.
    Show {
        #[command(flatten)]
        node: Node,
        /// What it is for.
        kind: Kind,
        /// Its name (pickup groups) or number.
        key: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Adds a group.
    Add {
        #[command(flatten)]
        node: Node,
        /// What it is for.
        kind: Kind,
        /// Its name (pickup groups) or number.
        key: String,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Changes a group.
    Change {
        #[command(flatten)]
        node: Node,
        /// What it is for.
        kind: Kind,
        /// Its name (pickup groups) or number.
        key: String,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Removes a group.
    Remove {
        #[command(flatten)]
        node: Node,
        /// What it is for.
        kind: Kind,
        /// Its name (pickup groups) or number.
        key: String,
        #[command(flatten)]
        how: How,
    },
}

/// What a group is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Its members pick up each other's calls.
    Pickup,
    /// Its number rings one of them.
    Hunt,
    /// Its number speaks to all of them.
    Paging,
}

impl Kind {
    fn section(self) -> &'static str {
        match self {
            Self::Pickup => "pickup-groups",
            Self::Hunt => "hunt-groups",
            Self::Paging => "paging-groups",
        }
    }

    fn is(self, kind: GroupKind) -> bool {
        self.section() == section(kind)
    }
}

fn section(kind: GroupKind) -> &'static str {
    match kind {
        GroupKind::Pickup => Kind::Pickup.section(),
        GroupKind::Hunt => Kind::Hunt.section(),
        GroupKind::Paging => Kind::Paging.section(),
    }
}

/// Shows where calls to a line go instead.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ForwardArgs {
    #[command(subcommand)]
    command: ForwardCommand,
}

#[derive(Debug, Subcommand)]
enum ForwardCommand {
    /// Shows where calls to a line go instead, and when.
    Show {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
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
        Command::Remove { which, how } => change::remove(&which.node, "lines", which.number.as_str(), &how)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    fn ask<T: serde::de::DeserializeOwned>(&self, more: &str) -> Result<T> {
        let path = format!("/v1/lines/{}{more}", super::node::escaped(self.number.as_str()));
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

fn forwards(forwards: &Forwards) -> Vec<String> {
    let kinds = [
        ("all", &forwards.all),
        ("busy", &forwards.busy),
        ("no-answer", &forwards.no_answer),
        ("unregistered", &forwards.unregistered),
    ];
    kinds.iter().filter_map(|(kind, to)| Some(format!("{kind} -> {}", to.as_ref()?))).collect()
}

pub(crate) fn run_forward(args: ForwardArgs) -> Result<ExitCode> {
    match args.command {
        ForwardCommand::Show { which, json } => {
            let found: Forwards = which.ask("/forward")?;
            let lines = forwards(&found);
            match json {
                true => out::json(&found)?,
                false if lines.is_empty() => out::print(&format!("{} is not forwarded\n", which.number))?,
                false => out::print(&(lines.join("\n") + "\n"))?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn run_group(args: GroupArgs) -> Result<ExitCode> {
    match args.command {
        GroupCommand::List { node, json } => {
            let groups = groups(&node)?;
            if json {
                out::json(&groups)?;
            } else if groups.is_empty() {
                out::print("the site has no groups; `selsius group add KIND NAME` adds one\n")?;
            } else {
                let rows = groups.iter().map(|group| {
                    [
                        section(group.kind).trim_end_matches("-groups").to_owned(),
                        group.key.clone(),
                        group.name.clone(),
                        group.how.clone(),
                        group.members.join(", "),
                    ]
                });
                out::print(&out::table(["KIND", "GROUP", "NAME", "HOW", "LINES"], rows))?;
            }
        }
        GroupCommand::Show { node, kind, key, json } => {
            if json {
                let found = groups(&node)?.into_iter().find(|group| kind.is(group.kind) && group.key == key);
                let Some(group) = found else { bail!("the site has no {}.{key}", kind.section()) };
                out::json(&group)?;
            } else {
                let path = format!("/v1/site/{}/{}", kind.section(), super::node::escaped(&key));
                let text =
                    block_on(async { node.connect().await?.bytes(Method::GET, &path, Bytes::new()).await })?;
                out::print(&String::from_utf8_lossy(&text))?;
            }
        }
        GroupCommand::Add { node, kind, key, set } => change::add(&node, kind.section(), &key, &set)?,
        GroupCommand::Change { node, kind, key, set } => change::change(&node, kind.section(), &key, &set)?,
        GroupCommand::Remove { node, kind, key, how } => change::remove(&node, kind.section(), &key, &how)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn groups(node: &Node) -> Result<Vec<Group>> {
    block_on(async { node.connect().await?.json(Method::GET, "/v1/groups", Bytes::new()).await })
}
