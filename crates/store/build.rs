//! The migrations are compiled in; without this a new file would not be noticed.

#![allow(clippy::print_stdout, reason = "how a build script talks to cargo")]

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
