//! Licences, bans and sources of everything we stand on, as `deny.toml` says.

use anyhow::{Result, bail};

use crate::step::{self, call, cargo};

/// The version whose configuration format `deny.toml` is written in.
const VERSION: &str = "0.20";

/// Runs cargo-deny; installs it first when it is missing and `install` allows it.
pub(crate) fn run(install: bool) -> Result<()> {
    if !is_there() {
        if !install {
            bail!(
                "cargo-deny is not installed: `cargo xtask deny --install` or `cargo install --locked cargo-deny`"
            );
        }
        call(&mut cargo(&["install", "--locked", "--version", &format!("^{VERSION}"), "cargo-deny"]))?;
    }
    // Not `advisories`: their database is a git repository that builds without internet cannot reach.
    call(&mut cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"]))
}

fn is_there() -> bool {
    // Cargo looks for its subcommands in PATH and in its own folder, so it is cargo that has to be asked.
    step::find_program("cargo-deny").is_some()
        || cargo(&["deny", "--version"]).output().is_ok_and(|output| output.status.success())
}
