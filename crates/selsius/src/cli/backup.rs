//! `selsius backup` and `selsius restore`: everything that is stored, while the manager runs.

use std::{fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, anyhow};
use clap::Args;
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use hyper::{Method, body::Frame};
use selsius_server::api::SiteChange;
use tokio::{
    fs::{File, remove_file},
    io::AsyncWriteExt,
};
use tokio_util::io::ReaderStream;

use super::{
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
    let length = block_on(async {
        let mut body = args.node.connect().await?.answer(Method::POST, "/v1/backup").await?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&args.file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => anyhow!("{name} exists already; choose another name"),
            _ => anyhow!(error).context(format!("cannot write {name}")),
        })?;
        let written = async {
            let mut file = File::from_std(file);
            let mut length = 0;
            while let Some(frame) = body.frame().await {
                let Ok(bytes) = frame.context("the manager broke off")?.into_data() else { continue };
                length += bytes.len();
                file.write_all(&bytes).await.with_context(|| format!("cannot write {name}"))?;
            }
            file.sync_all().await.with_context(|| format!("cannot write {name}"))?;
            Ok::<_, anyhow::Error>(length)
        }
        .await;
        if written.is_err() {
            // Half a backup is none. The error says more than one from here could.
            let _ = remove_file(&args.file).await;
        }
        written
    })?;
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
