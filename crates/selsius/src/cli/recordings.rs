//! `selsius recordings`: the calls that were recorded.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand};
use hyper::{Method, body::Bytes};
use selsius_server::api::{Done, Recording};

use super::{
    fetch,
    node::{Node, block_on, escaped},
    out,
};

/// Lists, gets, deletes recordings of calls. Who gets or deletes one is in the operators' log.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct RecordingsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the recordings, newest first.
    List {
        #[command(flatten)]
        node: Node,
        /// How many.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: u32,
        /// Only those of this number, as caller or called.
        #[arg(long, value_name = "NUMBER")]
        number: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Gets a recording as a WAV file: the caller on the left, who was called on the right.
    Get {
        #[command(flatten)]
        which: Which,
        /// Where to; it must not exist [default: its name, here].
        file: Option<PathBuf>,
    },
    /// Deletes a recording for ever.
    Delete {
        #[command(flatten)]
        which: Which,
    },
}

/// A recording of a manager.
#[derive(Debug, Args)]
struct Which {
    #[command(flatten)]
    node: Node,
    /// Its name, as `list` and call records show it.
    name: String,
}

pub(crate) fn run(args: RecordingsArgs) -> Result<ExitCode> {
    match args.command {
        Command::List { node, last, number, json } => {
            let number = number.map(|number| format!("&number={}", escaped(&number))).unwrap_or_default();
            let path = format!("/v1/recordings?last={last}{number}");
            let recordings: Vec<Recording> =
                block_on(async { node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
            if json { out::json(&recordings)? } else { out::print(&list(&recordings))? }
        }
        Command::Get { which, file } => {
            let file = file.unwrap_or_else(|| PathBuf::from(&which.name));
            let path = which.path("/export");
            let length = block_on(fetch::into_new_file(&which.node, &path, &file))?;
            out::print(&format!("{}: {length} bytes\n", file.display()))?;
        }
        Command::Delete { which } => {
            let path = which.path("");
            let Done {} = block_on(async {
                which.node.connect().await?.json(Method::DELETE, &path, Bytes::new()).await
            })?;
            out::print(&format!("{} is deleted\n", out::clean(&which.name)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    fn path(&self, more: &str) -> String {
        format!("/v1/recordings/{}{more}", escaped(&self.name))
    }
}

fn list(recordings: &[Recording]) -> String {
    if recordings.is_empty() {
        return "there are no recordings; `record` of the settings, a line or a trunk says which calls are recorded\n"
            .into();
    }
    let rows = recordings.iter().map(|one| {
        [
            out::time(one.began),
            one.calling.clone(),
            one.called.clone(),
            format!("{}:{:02}", one.seconds / 60, one.seconds % 60),
            one.name.clone(),
        ]
    });
    out::table(["BEGAN", "FROM", "TO", "LENGTH", "NAME"], rows)
}
