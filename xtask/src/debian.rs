//! The Debian packages that some tests need: real tools of other people to hold our traffic against.

use std::{os::unix::fs::MetadataExt, process::Command};

use anyhow::{Context, Result};

use crate::step::{self, call};

/// Each program that a test runs, or file that it needs, and the package that brings it. A test that misses it says so and
/// passes, hence CI insists on having them.
const NEEDED: &[(&str, &str)] = &[
    ("tshark", "tshark"),
    ("tftp", "tftp-hpa"),
    ("curl", "curl"),
    ("promtool", "prometheus"),
    ("sipp", "sip-tester"),
    ("kamailio", "kamailio"),
    ("baresip", "baresip-core"),
    ("openssl", "openssl"),
    ("ffmpeg", "ffmpeg"),
    ("espeak-ng", "espeak-ng"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("/usr/include/srtp2/srtp.h", "libsrtp2-dev"),
];

/// Installs what is missing when it may (as root, with apt-get), else says what is missing.
pub(crate) fn provide() -> Result<()> {
    let missing: Vec<&str> = NEEDED
        .iter()
        .filter(|(program, _)| step::find_program(program).is_none())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        println!(
            "    all there: {}",
            NEEDED.iter().map(|(program, _)| *program).collect::<Vec<_>>().join(", ")
        );
        return Ok(());
    }
    let packages = missing.join(" ");
    let advice = format!("tests that need them are skipped; `apt-get install {packages}` brings them");
    if !is_root() || step::find_program("apt-get").is_none() {
        println!("    missing: {packages}; {advice}");
        return Ok(());
    }
    match install(&missing) {
        Err(error) if !step::in_ci() => {
            println!("    cannot install {packages} ({error:#}); {advice}");
            Ok(())
        }
        result => result.with_context(|| format!("CI needs {packages}")),
    }
}

fn install(packages: &[&str]) -> Result<()> {
    call(Command::new("apt-get").args(["update", "-qq"]))?;
    call(
        Command::new("apt-get")
            .args(["install", "-y", "-qq", "--no-install-recommends"])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
