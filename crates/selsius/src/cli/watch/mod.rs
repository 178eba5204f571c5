//! `selsius watch`: what goes on, as it happens.

mod events;
mod screen;
pub(crate) mod words;

use std::{
    io::{IsTerminal, stdout},
    process::ExitCode,
};

use anyhow::{Result, bail};
use clap::Args;
use selsius_server::api::{Event, Face};
use selsius_site::DeviceName;

use self::events::Events;
use super::{
    device,
    node::{Node, block_on},
    out,
};

/// Watches all phones and calls, or one phone's screen and lamps, until it is interrupted.
#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    #[command(flatten)]
    node: Node,
    /// The phone to watch, such as SEP001122334455; without one, registrations and calls of all.
    name: Option<DeviceName>,
    /// As JSON, one line for each change.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: WatchArgs) -> Result<ExitCode> {
    let Some(name) = &args.name else {
        block_on(everything(&args))?;
        return Ok(ExitCode::SUCCESS);
    };
    // Says at once what is wrong with the name, and what the buttons are.
    let phone = device::phone(&args.node, name)?;
    block_on(async {
        let mut events = Events::open(&args.node, &format!("/v1/devices/{name}/watch")).await?;
        if !args.json && stdout().is_terminal() {
            return screen::show(&phone.device, &mut events).await;
        }
        while let Some(face) = events.next::<Face>().await? {
            let printed = match args.json {
                true => print(&(serde_json::to_string(&face)? + "\n"))?,
                false => print(&(words::face(&phone.device, &face) + "\n"))?,
            };
            if printed == Printed::NobodyReads {
                return Ok(());
            }
        }
        bail!(ENDED)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Why a stream ends that nobody here ended.
const ENDED: &str = "the manager has ended the stream: it stops, or what it said was not read fast enough";

async fn everything(args: &WatchArgs) -> Result<()> {
    let mut events = Events::open(&args.node, "/v1/events").await?;
    while let Some(event) = events.next::<Event>().await? {
        let line = if args.json { serde_json::to_string(&event)? } else { words::event(&event) };
        if print(&(line + "\n"))? == Printed::NobodyReads {
            return Ok(());
        }
    }
    bail!(ENDED)
}

/// Does anybody read what is printed?
#[derive(Debug, PartialEq, Eq)]
enum Printed {
    Yes,
    NobodyReads,
}

/// Prints text; who reads it may stop reading, which is the end here.
fn print(text: &str) -> Result<Printed> {
    out::print_on(text).map(|read| if read { Printed::Yes } else { Printed::NobodyReads })
}
