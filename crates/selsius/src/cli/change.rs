//! Changes of one entry of the site: a phone, a line, a group. They go the way of `site apply`.

use std::str::FromStr;

use anyhow::Result;
use clap::Args;
use hyper::{Method, body::Bytes};
use selsius_server::api::SiteChange;
use selsius_site::SiteFile;

use super::{
    node::{Node, block_on, escaped},
    out,
};

/// What to set, and how far to go.
#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// A key of the site file and its value, as often as needed: `--set model=7960`,
    /// `--set 'buttons=[{ line = "1001" }]'`. Texts need no quotes.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<Setting>,
    #[command(flatten)]
    how: How,
}

/// How far to go, and how to say it.
#[derive(Debug, Args)]
pub(crate) struct How {
    /// Only shows what would change.
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Setting {
    key: String,
    value: String,
}

impl FromStr for Setting {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as model=7960")?;
        let key = key.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if key.is_empty() || !key.chars().all(plain) {
            return Err("expected a key of the site file before the `=`, such as model=7960");
        }
        Ok(Self { key: key.into(), value: value.trim().into() })
    }
}

/// Adds an entry that is not there yet.
pub(crate) fn add(node: &Node, section: &str, key: &str, args: &SetArgs) -> Result<()> {
    send(node, Method::POST, section, key, table(section, key, &args.settings)?, &args.how)
}

/// Changes what is set of an entry; the rest stays.
pub(crate) fn change(node: &Node, section: &str, key: &str, args: &SetArgs) -> Result<()> {
    send(node, Method::PATCH, section, key, table(section, key, &args.settings)?, &args.how)
}

/// Removes an entry.
pub(crate) fn remove(node: &Node, section: &str, key: &str, how: &How) -> Result<()> {
    send(node, Method::DELETE, section, key, String::new(), how)
}

fn send(node: &Node, method: Method, section: &str, key: &str, body: String, how: &How) -> Result<()> {
    let path = format!("/v1/site/{section}/{}?dry-run={}&name={FILE}", escaped(key), how.dry_run);
    let change: SiteChange =
        block_on(async { node.connect().await?.json(method, &path, Bytes::from(body)).await })?;
    if how.json { out::json(&change) } else { show(&change) }
}

/// What the settings are called in messages about their mistakes.
const FILE: &str = "--set";

/// Prints what a change changes.
pub(crate) fn show(SiteChange { changes, applied }: &SiteChange) -> Result<()> {
    let end = match (changes.len(), applied) {
        (0, _) => "nothing changes".into(),
        (number, true) => format!("applied: {}", out::count(number, "change")),
        (number, false) => format!("would apply: {}", out::count(number, "change")),
    };
    let lines: Vec<_> = changes.iter().map(|line| out::clean(line) + "\n").collect();
    out::print(&format!("{}{end}\n", lines.concat()))
}

/// The settings as the entry's table of a site file.
fn table(section: &str, key: &str, settings: &[Setting]) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let key = if key.chars().all(plain) { key.to_owned() } else { serde_json::to_string(key)? };
    let mut table = format!("[{section}.{key}]\n");
    for setting in settings {
        let line = setting.line(&table)?;
        table += &line;
    }
    Ok(table)
}

impl Setting {
    /// As a line below `table`. A value that is one in TOML but not of the kind that the key wants is meant as a text: `7960`.
    fn line(&self, table: &str) -> Result<String> {
        let Self { key, value } = self;
        let as_is = format!("{key} = {value}\n");
        let Err(error) = SiteFile::parse(FILE, format!("{table}{as_is}")) else { return Ok(as_is) };
        let text = format!("{key} = {}\n", serde_json::to_string(value)?);
        match SiteFile::parse(FILE, format!("{table}{text}")) {
            Ok(_) => Ok(text),
            // What is no TOML at all has no key yet.
            Err(text_error) if error.problems.iter().any(|problem| problem.key.is_empty()) => {
                Err(text_error.into())
            }
            Err(_) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(section: &str, key: &str, settings: &[&str]) -> String {
        let settings: Vec<Setting> = settings.iter().map(|text| text.parse().unwrap()).collect();
        table(section, key, &settings).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn values_take_the_form_that_their_key_wants() {
        let device = made(
            "devices",
            "SEP001122334455",
            &["model=7960", "roam = true", r#"buttons=[{ line = "1001" }]"#, "description=Anna's \"own\""],
        );
        assert_eq!(
            device,
            "[devices.SEP001122334455]\nmodel = \"7960\"\nroam = true\nbuttons = [{ line = \"1001\" }]\n\
             description = \"Anna's \\\"own\\\"\"\n"
        );
        assert_eq!(made("routes", "0.!", &["block=true"]), "[routes.\"0.!\"]\nblock = true\n");
        assert_eq!(made("lines", "1001", &["name="]), "[lines.1001]\nname = \"\"\n");
    }

    #[test]
    fn mistakes_are_told_once_and_at_their_key() {
        for (settings, expected) in [
            (&["nmae=Carl"][..], "--set:2:1: lines.1001.nmae: unknown key"),
            (&["name=A", "calls=many"], "--set:3:"),
            (&["calls=[1"], "lines.1001.calls"),
        ] {
            let said = made("lines", "1001", settings);
            assert!(said.starts_with("--set:") && said.contains(expected), "{said}");
        }
        assert!("model".parse::<Setting>().unwrap_err().contains("KEY=VALUE"));
        assert!("a\n[b]=1".parse::<Setting>().unwrap_err().contains("a key of the site file"));
    }
}
