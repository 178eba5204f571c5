//! `selsius site`: the office as one file.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Read, Write, stdin},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use hyper::{Method, body::Bytes};
use selsius_server::api::SiteChange;
use selsius_site::{Action, Button, SAMPLE, Site};

use super::{
    change,
    dhcp::{self, DhcpArgs},
    import::{self, ImportArgs},
    node::{Node, block_on, escaped},
    out::{self, table},
};

/// The office - phones, lines, buttons, routes - as one TOML file.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct SiteArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Writes a commented sample; never over a file that exists.
    Init {
        /// Where to; `-` is standard output.
        #[arg(default_value = "site.toml")]
        file: PathBuf,
    },
    /// Shows what a file changes and makes it so, at once, without dropping a call.
    Apply {
        #[command(flatten)]
        node: Node,
        /// The file; `-` is standard input. What it does not mention stays.
        file: PathBuf,
        /// Removes what the file does not mention.
        #[arg(long)]
        prune: bool,
        /// Only shows what would change.
        #[arg(long, short = 'n')]
        dry_run: bool,
    },
    /// Prints the site as a file that `apply` takes.
    Export {
        #[command(flatten)]
        node: Node,
    },
    /// Shows the site in tables.
    Show {
        #[command(flatten)]
        node: Node,
    },
    Import(ImportArgs),
    /// Prints the lines that tell phones where the manager is, for dnsmasq, ISC dhcpd and Kea.
    Dhcp(DhcpArgs),
}

pub(crate) fn run(args: SiteArgs) -> Result<ExitCode> {
    match args.command {
        Command::Init { file } => init(&file)?,
        Command::Apply { node, file, prune, dry_run } => apply(&node, &file, prune, dry_run)?,
        Command::Export { node } => out::print(&export(&node)?)?,
        Command::Show { node } => {
            let site = Site::from_toml("site", &export(&node)?)?;
            out::print(&show(&site))?;
        }
        Command::Import(args) => import::run(args)?,
        Command::Dhcp(args) => dhcp::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn init(file: &Path) -> Result<()> {
    if file == Path::new("-") {
        return out::print(SAMPLE);
    }
    let name = file.display();
    let mut created =
        OpenOptions::new().write(true).create_new(true).open(file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => anyhow!("{name} exists already; choose another name"),
            _ => anyhow!(error).context(format!("cannot write {name}")),
        })?;
    created.write_all(SAMPLE.as_bytes()).with_context(|| format!("cannot write {name}"))?;
    out::print(&format!(
        "{name} is a sample of an office; put your phones in. Then:\n  selsius serve --site {name}    starts a manager \
         with it\n  selsius site apply {name}      gives it to one that runs\n"
    ))
}

fn apply(node: &Node, file: &Path, prune: bool, dry_run: bool) -> Result<()> {
    let (name, text) = if file == Path::new("-") {
        let mut text = String::new();
        stdin().read_to_string(&mut text).context("cannot read standard input")?;
        ("standard input".into(), text)
    } else {
        let name = file.display().to_string();
        (name.clone(), std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?)
    };
    change::show(&put(node, &name, text, prune, dry_run)?)
}

/// Gives a site to a manager, or asks what it would change.
pub(super) fn put(node: &Node, name: &str, text: String, prune: bool, dry_run: bool) -> Result<SiteChange> {
    let path = format!("/v1/site?prune={prune}&dry-run={dry_run}&name={}", escaped(name));
    block_on(async { node.connect().await?.json(Method::PUT, &path, Bytes::from(text)).await })
}

pub(super) fn export(node: &Node) -> Result<String> {
    let text = block_on(async { node.connect().await?.bytes(Method::GET, "/v1/site", Bytes::new()).await })?;
    String::from_utf8(text.into()).context("the manager's answer is of another version")
}

fn show(site: &Site) -> String {
    let mut parts = Vec::new();
    let settings = &site.settings;
    let auto = settings.auto_registration.as_ref();
    parts.push(format!(
        "{}: {}, {}, {}; unknown phones {}\n",
        settings.name,
        out::count(site.devices.len(), "device"),
        out::count(site.lines.len(), "line"),
        out::count(site.routes.len(), "route"),
        auto.map_or("are refused".into(), |range| format!("get {range}")),
    ));
    let devices = site.devices.iter().map(|(name, device)| {
        let model = device.model.as_ref().map(ToString::to_string).unwrap_or_default();
        let buttons: Vec<_> = device.buttons.iter().map(button).collect();
        [name.to_string(), model, device.description.clone(), buttons.join(", ")]
    });
    let lines = site.lines.iter().map(|(number, line)| {
        let on: Vec<_> =
            site.devices.iter().filter(|(_, device)| device.lines().any(|shown| shown == number)).collect();
        let on: Vec<_> = on.iter().map(|(name, _)| name.to_string()).collect();
        [number.to_string(), line.name.clone(), line.label.clone(), on.join(", ")]
    });
    let routes = site.routes.iter().map(|(pattern, route)| {
        let leads = match &route.action {
            Action::Block => "refused".into(),
            Action::Number(number) => number.to_string(),
            Action::Trunks(trunks) => trunks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            Action::Lines(lines) => lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        [pattern.to_string(), leads, if route.emergency { "emergency".into() } else { String::new() }]
    });
    if !site.devices.is_empty() {
        parts.push(table(["DEVICE", "MODEL", "DESCRIPTION", "BUTTONS"], devices));
    }
    if !site.lines.is_empty() {
        parts.push(table(["LINE", "NAME", "LABEL", "DEVICES"], lines));
    }
    if !site.routes.is_empty() {
        parts.push(table(["ROUTE", "LEADS TO", ""], routes));
    }
    parts.join("\n")
}

fn button(button: &Button) -> String {
    match button {
        Button::Line { number, .. } => number.to_string(),
        Button::SpeedDial { number, .. } => format!("dial {number}"),
        Button::Service { url, .. } => url.clone(),
        Button::BusyLamp { number, .. } => format!("lamp {number}"),
        Button::Menu { service, .. } => service.to_string(),
        Button::Feature { feature, .. } => feature.to_string(),
        Button::Intercom { number, .. } => format!("intercom {number}"),
        Button::ParkSlot { number, .. } => format!("park {number}"),
        Button::Paging { number, .. } => format!("page {number}"),
        Button::Empty => "-".into(),
    }
}
