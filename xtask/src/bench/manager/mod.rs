//! The real manager under the load of `selsius load`, both as processes of their own, on loopback.

mod calls;
mod guard;
mod peer;
mod process;
mod restart;
mod storm;

use std::path::{Path, PathBuf};

use anyhow::Result;

pub(super) use self::{
    calls::Options as CallOptions,
    guard::Options as GuardOptions,
    peer::Options as PeerOptions,
    process::{Sample, Watched, sample},
    restart::Options as RestartOptions,
    storm::Options as StormOptions,
};
use crate::{
    bench::verdict::short,
    step::{call, cargo},
    test::metadata,
};

/// Phones that one process can hold here, beside its other files.
const MOST: u32 = 18_000;

pub(super) fn calls(options: &CallOptions) -> Result<()> {
    calls::run(options, &built()?)
}

pub(super) fn guard(options: &GuardOptions) -> Result<()> {
    guard::run(options, &built()?)
}

pub(super) fn storm(options: &StormOptions) -> Result<()> {
    storm::run(options, &built()?)
}

pub(super) fn peer(options: &PeerOptions) -> Result<()> {
    peer::run(options, &built()?)
}

pub(super) fn restart(options: &RestartOptions) -> Result<()> {
    restart::run(options, &built()?)
}

/// The binary and a folder for what a benchmark leaves.
struct Place {
    selsius: PathBuf,
    folder: PathBuf,
}

fn built() -> Result<Place> {
    call(&mut cargo(&["build", "--profile", "dist", "--quiet", "--package", "selsius"]))?;
    let target = PathBuf::from(metadata()?.target_directory);
    let place = Place { selsius: target.join("dist/selsius"), folder: target.join("bench/manager") };
    clean(&place.folder)?;
    Ok(place)
}

/// Prints a row of a table: what it is, and a figure for each number of phones.
fn print_row(name: &str, all: impl Iterator<Item = f64>) {
    print!("{name:44}");
    all.for_each(|figure| print!(" {:>9}", short(figure)));
    println!();
}

/// Makes the folder anew.
fn clean(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}
