//! What a manager sends as it is, into a file of its own.

use std::{fs::OpenOptions, io::ErrorKind, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::{Context, Result, anyhow};
use http_body_util::BodyExt;
use hyper::Method;
use tokio::{
    fs::{File, remove_file},
    io::AsyncWriteExt,
};

use super::node::Node;

/// Asks (by POST, since it is recorded or takes long) and writes the answer into a new file that only this user may read; says how many bytes
/// that were. What does not arrive whole is not there.
pub(super) async fn into_new_file(node: &Node, path: &str, file: &Path) -> Result<usize> {
    let name = file.display();
    let mut body = node.connect().await?.answer(Method::POST, path).await?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let opened = options.open(file).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!("{name} exists already; choose another name"),
        _ => anyhow!(error).context(format!("cannot write {name}")),
    })?;
    let written = async {
        let mut file = File::from_std(opened);
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
        // Half of it is none. The error says more than one from here could.
        let _ = remove_file(file).await;
    }
    written
}
