//! The description of the admin API that is committed is the one of this code, and is one.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

use std::{path::Path, process::Command};

fn committed() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json")
}

#[test]
fn the_committed_description_is_up_to_date() {
    let text = std::fs::read_to_string(committed()).unwrap();
    assert!(
        text == selsius_server::openapi(),
        "docs/openapi.json is old: cargo run -p selsius-server --example openapi > docs/openapi.json"
    );
}

#[test]
fn a_validator_of_other_people_takes_it() {
    let has = Command::new("python3").args(["-c", "import openapi_spec_validator"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no Python module openapi-spec-validator");
        return;
    }
    let output =
        Command::new("python3").args(["-m", "openapi_spec_validator"]).arg(committed()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
