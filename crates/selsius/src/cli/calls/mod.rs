//! `selsius calls`: call records, to look at or for other programs.

mod columns;
mod export;
mod show;
mod when;

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use hyper::{Method, body::Bytes};
use jiff::Timestamp;
use selsius_server::api::{Call, Party};

use super::{
    node::{Node, block_on, escaped},
    out,
};

/// Shows call records, newest first, or exports them.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = HELP)]
pub(crate) struct CallsArgs {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    node: Node,
    /// As a table to read, as CSV, or as JSON, one object a line. CSV and JSON have all calls unless `--last` says
    /// otherwise, and all that is known of them.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Writes to a file, which is there when it is complete; an older one of this name is replaced.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// At most so many, the newest [default for a table: 20].
    #[arg(long, value_name = "N")]
    last: Option<u64>,
    /// Only calls that ended then or later, such as 2026-11-01, "2026-11-01 8:00", 7d or "2h 30m" (ago).
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    since: Option<Timestamp>,
    /// Only calls that ended before.
    #[arg(long, value_name = "TIME", value_parser = when::parse)]
    until: Option<Timestamp>,
    /// Only calls from or to this number, that dialled it, or that it led on.
    #[arg(long, value_name = "NUMBER")]
    number: Option<String>,
    /// Only calls in which this phone took part.
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Only calls that ended so, such as busy or no-answer.
    #[arg(long, value_name = "CAUSE")]
    cause: Option<String>,
    /// Only calls that somebody answered.
    #[arg(long, conflicts_with = "missed")]
    answered: bool,
    /// Only calls that nobody answered.
    #[arg(long)]
    missed: bool,
    /// Only calls of which somebody has heard less than this mean opinion score, from 1 to 5 [without one: 3.5].
    #[arg(long, value_name = "MOS", num_args = 0..=1, require_equals = true, default_missing_value = "3.5")]
    poor: Option<f32>,
    /// As one JSON array.
    #[arg(long, conflicts_with_all = ["format", "output"])]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows one call: who, when, why it ended, and how the audio of each of its legs was.
    Show {
        #[command(flatten)]
        node: Node,
        /// The call's number, as `selsius calls` has it.
        id: u64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Columns for people.
    Table,
    /// Comma-separated values with a heading, in UTF-8.
    Csv,
    /// One JSON object a line.
    Json,
}

const HELP: &str = "\
The columns of CSV and the fields of JSON are described in docs/call-records.md. All calls of October:
  selsius calls --format csv --since 2026-10-01 --until 2026-11-01 --output october.csv
Calls of today that did not sound well, and one of them:
  selsius calls --poor --since 24h
  selsius calls show 17";

pub(crate) fn run(args: CallsArgs) -> Result<ExitCode> {
    if let Some(Command::Show { node, id, json }) = args.command {
        let path = format!("/v1/calls/{id}");
        let call: Call =
            block_on(async { node.connect().await?.json(Method::GET, &path, Bytes::new()).await })?;
        match json {
            true => out::json(&call)?,
            false => out::print(&show::text(&call))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    match (args.json, args.format) {
        (true, _) => {
            let calls = some(&args)?;
            out::json(&calls)?;
        }
        (false, Format::Table) => {
            let calls = some(&args)?;
            let table = match &calls[..] {
                [] => "no calls\n".into(),
                calls => table(calls),
            };
            match &args.output {
                Some(file) => export::to_file(file, |out| Ok(out.write_all(table.as_bytes())?))?,
                None => out::print(&table)?,
            }
        }
        (false, format @ (Format::Csv | Format::Json)) => export::run(&args, format)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// As many as fit on a screen or into one answer.
fn some(args: &CallsArgs) -> Result<Vec<Call>> {
    let path = format!("/v1/calls?last={}{}", args.last.unwrap_or(20), args.conditions());
    block_on(async { args.node.connect().await?.json(Method::GET, &path, Bytes::new()).await })
}

impl CallsArgs {
    /// What is asked of the calls, as the rest of a query.
    fn conditions(&self) -> String {
        let outcome = match (self.answered, self.missed) {
            (true, _) => Some("answered"),
            (_, true) => Some("missed"),
            _ => None,
        };
        let conditions = [
            ("since", self.since.map(|time| time.to_string())),
            ("until", self.until.map(|time| time.to_string())),
            ("number", self.number.clone()),
            ("device", self.device.clone()),
            ("cause", self.cause.clone()),
            ("outcome", outcome.map(Into::into)),
            ("mos_below", self.poor.map(|score| score.to_string())),
        ];
        let given = conditions.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.map(|(name, value)| format!("&{name}={}", escaped(&value))).collect()
    }
}

fn table(calls: &[Call]) -> String {
    let heading = ["CALL", "STARTED", "FROM", "TO", "TALKED", "END", "CODEC", "LOST", "MOS"];
    out::table(heading, calls.iter().map(row))
}

fn row(call: &Call) -> [String; 9] {
    let talked = call.answered.map(|from| out::duration(from, call.ended)).unwrap_or_default();
    let called = party(&call.called);
    // Where the call went is of interest when it is not what was dialled.
    let to = match call.called.number == call.dialed || call.called.number.is_empty() {
        true if called.is_empty() => call.dialed.clone(),
        true => called,
        false => format!("{} -> {called}", call.dialed),
    };
    // What did not come to the manager does not come to the phone behind it either, which counts it again.
    let of_phones = call.quality.iter().any(|quality| !columns::is_managers(quality));
    let counted = call.quality.iter().filter(|quality| columns::is_managers(quality) != of_phones);
    let lost: u64 = counted.map(|quality| u64::from(quality.packets_lost)).sum();
    let lost = if call.quality.is_empty() { String::new() } else { lost.to_string() };
    let mos = lowest_mos(call).map(|mos| format!("{mos:.1}"));
    [
        call.id.to_string(),
        out::time(call.started),
        party(&call.calling),
        to,
        talked,
        call.cause.clone(),
        call.codec.clone(),
        lost,
        mos.unwrap_or_default(),
    ]
}

/// The worst that somebody has heard.
fn lowest_mos(call: &Call) -> Option<f64> {
    call.quality.iter().flat_map(|quality| [quality.mos, quality.mos_there]).flatten().reduce(f64::min)
}

fn party(party: &Party) -> String {
    let Party { number, name, .. } = party;
    if name.is_empty() { number.clone() } else { format!("{number} ({name})") }
}
