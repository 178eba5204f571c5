//! `selsius room`: who is in which meet-me room.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use hyper::{Method, body::Bytes};
use jiff::Timestamp;
use selsius_server::api::{Done, Mute, Room, RoomMember};
use selsius_site::LineNumber;

use super::{
    node::{Node, block_on, escaped},
    out,
};

/// Shows who is in which room; mutes them, and puts them out. (Rooms are applications of the site.)
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct RoomArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the rooms, and who is in them: since when, muted, talking.
    List {
        #[command(flatten)]
        node: Node,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Has the others hear somebody no longer; who is muted can unmute himself by `*6`.
    Mute(Member),
    /// Has them hear him again.
    Unmute(Member),
    /// Puts somebody out, who is told so.
    Remove(Member),
}

/// Somebody in a room of a manager.
#[derive(Debug, Args)]
struct Member {
    #[command(flatten)]
    node: Node,
    /// The room's number.
    room: LineNumber,
    /// Who, by the id that `selsius room list` shows.
    id: u32,
}

pub(crate) fn run(args: RoomArgs) -> Result<ExitCode> {
    match args.command {
        Command::List { node, json } => {
            let rooms: Vec<Room> =
                block_on(async { node.connect().await?.json(Method::GET, "/v1/rooms", Bytes::new()).await })?;
            if json { out::json(&rooms)? } else { out::print(&list(&rooms))? }
        }
        Command::Mute(member) => {
            member.mute(true)?;
            out::print(&format!("{} of room {} is muted\n", member.id, member.room))?;
        }
        Command::Unmute(member) => {
            member.mute(false)?;
            out::print(&format!("{} of room {} is heard again\n", member.id, member.room))?;
        }
        Command::Remove(member) => {
            let path = member.path();
            let Done {} = block_on(async {
                member.node.connect().await?.json(Method::DELETE, &path, Bytes::new()).await
            })?;
            out::print(&format!("{} is put out of room {}\n", member.id, member.room))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Member {
    fn path(&self) -> String {
        format!("/v1/rooms/{}/members/{}", escaped(self.room.as_str()), self.id)
    }

    fn mute(&self, on: bool) -> Result<()> {
        let path = self.path() + "/mute";
        let Done {} =
            block_on(async { self.node.connect().await?.send_json(Method::PUT, &path, &Mute { on }).await })?;
        Ok(())
    }
}

fn list(rooms: &[Room]) -> String {
    if rooms.is_empty() {
        return "the site has no rooms; an application with kind = \"room\" is one\n".into();
    }
    let now = Timestamp::now();
    let rows = rooms.iter().flat_map(|room| {
        let number = if room.locked { format!("{} (locked)", room.number) } else { room.number.clone() };
        let members: Vec<_> = room.members.iter().map(|member| row(number.clone(), member, now)).collect();
        let nobody = [number, String::new(), "nobody".into(), String::new(), String::new()];
        if members.is_empty() { vec![nobody] } else { members }
    });
    out::table(["ROOM", "ID", "WHO", "FOR", "STATE"], rows)
}

fn row(room: String, member: &RoomMember, now: Timestamp) -> [String; 5] {
    let who = format!("{} {}", member.who.number, member.who.name);
    let who = if who.trim().is_empty() { "unknown" } else { who.trim() };
    let words = [
        (member.moderator, "moderator"),
        (member.waiting, "waiting"),
        (member.muted, "muted"),
        (member.talking, "talking"),
    ];
    let state: Vec<_> = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    [room, member.id.to_string(), who.into(), out::duration(member.since, now), state.join(", ")]
}
