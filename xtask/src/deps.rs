//! Who may use whom: the table of rooms (docs/ARCHITECTURE.md) held against `cargo metadata`, and the proof
//! that the cores cannot reach sockets, files, threads or clocks because they are built without std.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, bail};
use cargo_metadata::{DependencyKind, Metadata, Package, TargetKind};

use crate::test::metadata;

/// One crate of the workspace and what it may stand on.
struct Room {
    name: &'static str,
    may_use: &'static [&'static str],
    /// Is it a core, built without std?
    core: bool,
}

/// The table, from the ground up: a room may use only rooms above its own row.
const ROOMS: &[Room] = &[
    shell("selsius-wire-derive", &[]),
    core("selsius-wire", &["selsius-wire-derive"]),
    shell("selsius-phone-xml", &[]),
    core("selsius-media", &[]),
    core("selsius-voice", &[]),
    shell("selsius-srtp", &["selsius-wire"]),
    shell("selsius-site", &[]),
    core("selsius-exchange", &["selsius-wire", "selsius-phone-xml", "selsius-site"]),
    core("selsius-station", &["selsius-wire", "selsius-phone-xml"]),
    core("selsius-inspect", &["selsius-wire"]),
    core("selsius-provision", &["selsius-phone-xml", "selsius-site"]),
    shell("selsius-testkit", &["selsius-wire", "selsius-site", "selsius-exchange", "selsius-station"]),
    shell("selsius-store", &["selsius-site", "selsius-exchange"]),
    shell("selsius-sip", &["selsius-site", "selsius-exchange"]),
    shell(
        "selsius-server",
        &[
            "selsius-wire",
            "selsius-phone-xml",
            "selsius-media",
            "selsius-voice",
            "selsius-srtp",
            "selsius-site",
            "selsius-exchange",
            "selsius-station",
            "selsius-inspect",
            "selsius-provision",
            "selsius-store",
            "selsius-sip",
        ],
    ),
    shell(
        "selsius-client",
        &["selsius-wire", "selsius-media", "selsius-srtp", "selsius-station", "selsius-provision"],
    ),
    shell("selsius-load", &["selsius-wire", "selsius-station", "selsius-media"]),
    shell("selsius-guard", &["selsius-wire", "selsius-inspect", "selsius-provision"]),
    shell(
        "selsius",
        &[
            "selsius-wire",
            "selsius-phone-xml",
            "selsius-media",
            "selsius-site",
            "selsius-exchange",
            "selsius-station",
            "selsius-inspect",
            "selsius-provision",
            "selsius-testkit",
            "selsius-store",
            "selsius-server",
            "selsius-client",
            "selsius-load",
            "selsius-guard",
        ],
    ),
    shell("xtask", &["selsius-wire", "selsius-inspect"]),
];

const fn core(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, core: true }
}

const fn shell(name: &'static str, may_use: &'static [&'static str]) -> Room {
    Room { name, may_use, core: false }
}

/// Prints the table and fails if the workspace breaks it.
pub(crate) fn run() -> Result<()> {
    let metadata = metadata()?;
    let edges = edges(&metadata);
    print_table(&edges);

    let mut faults = forbidden(&edges);
    for room in ROOMS.iter().filter(|room| room.core) {
        if let Some(package) = metadata.packages.iter().find(|package| package.name == room.name) {
            faults.extend(std_in(package)?);
        }
    }
    if faults.is_empty() {
        println!("every crate uses only what it may; every core is free of std");
        return Ok(());
    }
    for fault in &faults {
        println!("  {fault}");
    }
    bail!("{} broken by the workspace: {}", plural(faults.len(), "rule"), faults.join("; "))
}

/// What each crate of the workspace uses of the workspace. Dev-dependencies are free: a test may look from
/// above.
fn edges(metadata: &Metadata) -> BTreeMap<String, Vec<String>> {
    let ours = |package: &Package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development && dependency.path.is_some())
            .map(|dependency| dependency.name.clone())
            .collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), ours(package))).collect()
}

/// Every edge that the table does not have.
fn forbidden(edges: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, uses) in edges {
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            faults.push(format!("{name} has no row in the table (xtask/src/deps.rs)"));
            continue;
        };
        faults.extend(
            uses.iter()
                .filter(|used| !room.may_use.contains(&used.as_str()))
                .map(|used| format!("{name} must not use {used}")),
        );
    }
    faults
}

/// How a core reaches std, if it does.
fn std_in(package: &Package) -> Result<Vec<String>> {
    let library = package
        .targets
        .iter()
        .find(|target| target.kind.contains(&TargetKind::Lib))
        .with_context(|| format!("{} has no library", package.name))?;
    let root = read(library.src_path.as_std_path())?;
    let mut faults = Vec::new();
    if !says_no_std(&root) {
        faults.push(format!("{} does not say `#![cfg_attr(not(test), no_std)]`", package.name));
    }
    let folder = library.src_path.parent().with_context(|| format!("{} lies nowhere", library.src_path))?;
    visit(folder.as_std_path(), &mut |file, text| {
        if brings_std_back(text) {
            faults.push(format!("{} says `extern crate std` in {}", package.name, file.display()));
        }
    })?;
    Ok(faults)
}

fn says_no_std(root: &str) -> bool {
    root.lines().map(str::trim).any(|line| line == "#![no_std]" || line == "#![cfg_attr(not(test), no_std)]")
}

/// `extern crate std` is the one way past `no_std`; for tests it is fine.
fn brings_std_back(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut before = "";
    lines.any(|line| {
        let found = line.starts_with("extern crate std") && before != "#[cfg(test)]";
        before = line;
        found
    })
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path, &str)) -> Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read {}", folder.display()))?.path();
        if path.is_dir() {
            visit(&path, look)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &read(&path)?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// One row for each room; what it does use is marked.
fn print_table(edges: &BTreeMap<String, Vec<String>>) {
    println!("crate          core  may use (* = does)");
    for room in ROOMS {
        let uses = edges.get(room.name);
        let marked: Vec<String> = room
            .may_use
            .iter()
            .map(|name| {
                let used = uses.is_some_and(|uses| uses.iter().any(|used| used == name));
                format!("{}{}", short(name), if used { "*" } else { "" })
            })
            .collect();
        let core = if room.core { "core" } else { "" };
        let may_use = if marked.is_empty() { "nothing".into() } else { marked.join(" ") };
        println!("{:<14} {core:<4}  {may_use}", short(room.name));
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("selsius-").unwrap_or(name)
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str) -> BTreeMap<String, Vec<String>> {
        BTreeMap::from([(from.into(), vec![to.into()])])
    }

    #[test]
    fn rooms_stand_only_on_rooms_above_them() {
        for (row, room) in ROOMS.iter().enumerate() {
            for used in room.may_use {
                assert!(
                    ROOMS[..row].iter().any(|above| above.name == *used),
                    "{} may use {used}, which is not above it",
                    room.name
                );
            }
        }
    }

    #[test]
    fn a_forbidden_edge_is_named() {
        assert_eq!(forbidden(&edge("selsius-exchange", "selsius-wire")), Vec::<String>::new());
        assert_eq!(
            forbidden(&edge("selsius-wire", "selsius-exchange")),
            ["selsius-wire must not use selsius-exchange"]
        );
    }

    #[test]
    fn a_crate_without_a_row_is_named() {
        let faults = forbidden(&BTreeMap::from([("selsius-attic".into(), vec![])]));
        assert_eq!(faults, ["selsius-attic has no row in the table (xtask/src/deps.rs)"]);
    }

    #[test]
    fn the_ways_to_std_are_seen() {
        assert!(says_no_std("//! Doc.\n#![no_std]\n"));
        assert!(says_no_std("#![cfg_attr(not(test), no_std)]\nextern crate alloc;"));
        assert!(!says_no_std("// #![no_std]\n"));
        assert!(!says_no_std("#![cfg_attr(not(feature = \"std\"), no_std)]"));
        assert!(brings_std_back("use core::fmt;\nextern crate std;\n"));
        assert!(!brings_std_back("#[cfg(test)]\nextern crate std;\n"));
        assert!(!brings_std_back("//! No `extern crate std` here.\nextern crate alloc;"));
    }

    #[test]
    fn this_workspace_keeps_the_table() {
        assert_eq!(forbidden(&edges(&metadata().unwrap())), Vec::<String>::new());
    }
}
