//! `selsius backup` and `selsius restore`: everything that is stored, while the manager runs.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Args;
use futures_util::TryStreamExt;
use hyper::body::Frame;
use selsius_server::api::SiteChange;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use super::{
    fetch,
    node::{Node, block_on},
    out,
};

/// Copies everything that is stored - site, call records, histories, mailboxes, announcements, prompts, music - into a new
/// file: a tar archive.
#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    node: Node,
    /// Where to; it must not exist. Only this user may read it.
    file: PathBuf,
}

/// Replaces everything that is stored by a backup. Calls go on; what was there before stays in the data directory as
/// `before-restore.db` and `before-restore` until the next time.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    node: Node,
    /// A file that `selsius backup` wrote.
    file: PathBuf,
}

pub(crate) fn backup(args: BackupArgs) -> Result<ExitCode> {
    let name = args.file.display();
    let length = block_on(fetch::into_new_file(&args.node, "/v1/backup", &args.file))?;
    out::print(&format!("{name}: {length} bytes\n"))?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn restore(args: RestoreArgs) -> Result<ExitCode> {
    let name = args.file.display();
    let SiteChange { changes, .. } = block_on(async {
        let file = File::open(&args.file).await.with_context(|| format!("cannot read {name}"))?;
        let frames = ReaderStream::with_capacity(file, 64 << 10).map_ok(Frame::data);
        args.node.connect().await?.upload("/v1/restore", frames).await
    })?;
    let lines: Vec<_> = changes.iter().map(|line| out::clean(line) + "\n").collect();
    out::print(&format!(
        "{}restored; the site has {}\n",
        lines.concat(),
        out::count(changes.len(), "change")
    ))?;
    Ok(ExitCode::SUCCESS)
}
