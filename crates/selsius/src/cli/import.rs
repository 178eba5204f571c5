//! `selsius site import`: an office out of a table, or out of another manager's configuration.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read, Write, stderr, stdin},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use selsius_site::{CSV_TEMPLATE, ImportFormat, Imported, Site};

use super::{
    change,
    node::Node,
    out,
    site::{export, put},
};

/// Makes a site out of a table of phones (CSV), or out of the sccp.conf of Asterisk's chan-sccp.
///
/// Says what it could not take over, line by line. A file with a fault changes nothing.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    node: Node,
    /// The file; `-` is standard input.
    #[arg(required_unless_present = "template")]
    file: Option<PathBuf>,
    /// What it is written as [default: by the end of its name, .csv or .conf].
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Writes the site to this file, never over one that exists; `-` is standard output, and what happens without
    /// `--apply`.
    #[arg(long, short, value_name = "SITE", conflicts_with = "apply")]
    output: Option<PathBuf>,
    /// Puts it on top of the office of the manager that runs.
    #[arg(long)]
    apply: bool,
    /// Only shows what would change.
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Prints a table to fill in.
    #[arg(long, exclusive = true)]
    template: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    SccpConf,
}

impl Format {
    fn of(file: &Path) -> Result<Self> {
        let end = file.extension().map(|end| end.to_ascii_lowercase());
        match end.as_ref().and_then(|end| end.to_str()) {
            Some("csv") => Ok(Self::Csv),
            Some("conf") => Ok(Self::SccpConf),
            _ => bail!("{} ends in neither .csv nor .conf; say what it is with --format", file.display()),
        }
    }
}

pub(super) fn run(args: ImportArgs) -> Result<()> {
    let Some(file) = args.file else { return out::print(CSV_TEMPLATE) };
    let format = match args.format.map_or_else(|| Format::of(&file), Ok)? {
        Format::Csv => ImportFormat::Csv,
        Format::SccpConf => ImportFormat::SccpConf,
    };
    let (name, bytes) = read(&file)?;
    let base = if args.apply { Site::from_toml("site", &export(&args.node)?)? } else { Site::default() };
    let imported = base.import(format, &name, &bytes)?;
    if args.apply {
        let changed = put(&args.node, &name, imported.site.to_toml(), false, args.dry_run)?;
        change::show(&changed)?;
    } else if args.dry_run {
        let changes: Vec<_> =
            selsius_site::diff(&base, &imported.site).iter().map(|change| format!("{change}\n")).collect();
        out::print(&format!("{}would write {}\n", changes.concat(), out::count(changes.len(), "change")))?;
    } else {
        write(args.output.as_deref().unwrap_or(Path::new("-")), &imported.site)?;
    }
    report(&imported)
}

fn read(file: &Path) -> Result<(String, Vec<u8>)> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        stdin().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(("standard input".into(), bytes));
    }
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {name}"))?;
    Ok((name, bytes))
}

fn write(file: &Path, site: &Site) -> Result<()> {
    if file == Path::new("-") {
        return out::print(&site.to_toml());
    }
    let name = file.display();
    let created = OpenOptions::new().write(true).create_new(true).open(file);
    let mut created = created.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{name} exists already; choose another name"),
        _ => anyhow!(error).context(format!("cannot write {name}")),
    })?;
    created.write_all(site.to_toml().as_bytes()).with_context(|| format!("cannot write {name}"))
}

/// Says on standard error what there is, and what could not be taken over.
fn report(Imported { site, left_out }: &Imported) -> Result<()> {
    let lines: Vec<_> = left_out.iter().map(|left| format!("{}\n", out::clean(&left.to_string()))).collect();
    let devices = out::count(site.devices.len(), "device");
    let of_lines = out::count(site.lines.len(), "line");
    let end = match lines.len() {
        0 => "everything was taken over".into(),
        number => format!("{} could not be taken over", out::count(number, "setting")),
    };
    Ok(writeln!(stderr().lock(), "{}{devices}, {of_lines}; {end}", lines.concat())?)
}
