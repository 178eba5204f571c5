//! `selsius group`: pickup, hunt and paging groups.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use hyper::{Method, body::Bytes};
use selsius_server::api::{Group, GroupKind};

use super::{
    change::{self, How, SetArgs},
    node::{Node, block_on, escaped},
    out,
};

/// Lists, shows, adds, changes, removes groups of lines: pickup, hunt and paging groups.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct GroupArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Adds a group.
    Add {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Changes a group.
    Change {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        set: SetArgs,
    },
    /// Removes a group.
    Remove {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        how: How,
    },
}

/// A group of a manager.
#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    node: Node,
    /// What it is for.
    kind: Kind,
    /// Its name (pickup groups) or number.
    key: String,
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

pub(crate) fn run(args: GroupArgs) -> Result<ExitCode> {
    match args.command {
        Command::List { node, json } => {
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
        Command::Show { which: Which { node, kind, key }, json } => {
            if json {
                let found = groups(&node)?.into_iter().find(|group| kind.is(group.kind) && group.key == key);
                let Some(group) = found else { bail!("the site has no {}.{key}", kind.section()) };
                out::json(&group)?;
            } else {
                let path = format!("/v1/site/{}/{}", kind.section(), escaped(&key));
                let text =
                    block_on(async { node.connect().await?.bytes(Method::GET, &path, Bytes::new()).await })?;
                out::print(&String::from_utf8_lossy(&text))?;
            }
        }
        Command::Add { which, set } => change::add(&which.node, which.kind.section(), &which.key, &set)?,
        Command::Change { which, set } => {
            change::change(&which.node, which.kind.section(), &which.key, &set)?
        }
        Command::Remove { which, how } => {
            change::remove(&which.node, which.kind.section(), &which.key, &how)?
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn groups(node: &Node) -> Result<Vec<Group>> {
    block_on(async { node.connect().await?.json(Method::GET, "/v1/groups", Bytes::new()).await })
}
