//! `cargo xtask test`: all that has to hold, the quick checks first.

use anyhow::Result;
use cargo_metadata::{Metadata, MetadataCommand, TargetKind};

use crate::{
    debian, deps, messages,
    step::{Steps, call, cargo, find_program, top},
};

/// The long run of the test bed: random users on a virtual clock. Package, example and its arguments.
const BED: (&str, &str, &[&str]) = ("selsius-testkit", "bed", &["--actions", "10000000"]);

/// How much is run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// What a developer wants to know every few minutes.
    Quick,
    /// Everything.
    Full,
}

/// Runs the steps, ends at the first that fails.
///
/// Clippy and rustdoc share the checked dependencies, tests and doctests the built ones, and only the test
/// bed is built in release mode: nothing is compiled twice with the same settings.
pub(crate) fn run(extent: Extent) -> Result<()> {
    let mut steps = Steps::new();
    steps.run("format", || call(&mut cargo(&["fmt", "--all", "--check"])))?;
    steps.run("dependencies", deps::run)?;
    steps.run("message reference", || messages::run(messages::Mode::Check))?;
    steps.run("lints", || {
        call(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
    })?;
    if extent == Extent::Full {
        steps.run("fuzz targets", || {
            call(&mut cargo(&["check", "--quiet", "--locked", "--manifest-path", "fuzz/Cargo.toml"]))
        })?;
        steps.run("documentation", || {
            call(cargo(&["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
        })?;
    }
    steps.run("programs for the tests", debian::provide)?;
    if extent == Extent::Full {
        // Before the tests, so that what stands last on the screen is the count of the tests.
        steps.run("doctests", || call(&mut cargo(&["test", "--workspace", "--doc", "--quiet"])))?;
    }
    steps.run("tests", || {
        if find_program("cargo-nextest").is_some() {
            call(&mut cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]))
        } else {
            println!("    cargo-nextest is not installed (it is faster): plain cargo test");
            call(&mut cargo(&["test", "--workspace", "--all-targets", "--no-fail-fast"]))
        }
    })?;
    if extent == Extent::Full && has_example(&metadata()?, BED.0, BED.1) {
        steps.run("test bed", || {
            let run = ["run", "--release", "--package", BED.0, "--example", BED.1, "--"];
            call(cargo(&run).args(BED.2))
        })?;
    }
    steps.summary();
    Ok(())
}

/// The workspace as cargo sees it, without what it depends on.
pub(crate) fn metadata() -> Result<Metadata> {
    Ok(MetadataCommand::new().current_dir(top()).no_deps().exec()?)
}

fn has_example(metadata: &Metadata, package: &str, example: &str) -> bool {
    metadata.packages.iter().filter(|found| found.name == package).any(|found| {
        found
            .targets
            .iter()
            .any(|target| target.name == example && target.kind.contains(&TargetKind::Example))
    })
}
