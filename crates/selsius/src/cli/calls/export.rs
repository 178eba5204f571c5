//! Records for other programs, line by line as they come: a million of them need no more memory than one.

use std::{
    io::{BufWriter, ErrorKind, Write, stdout},
    path::Path,
};

use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::{Method, body::Incoming};
use selsius_server::api::Call;
use tempfile::NamedTempFile;

use super::{CallsArgs, Format, columns};
use crate::cli::node::block_on;

pub(super) fn run(args: &CallsArgs, format: Format) -> Result<()> {
    let last = args.last.map(|last| format!("last={last}")).unwrap_or_default();
    let path = format!("/v1/calls/export?{last}{}", args.conditions());
    let copy = |out: &mut dyn Write| {
        block_on(async {
            let body = args.node.connect().await?.answer(Method::GET, &path).await?;
            match format {
                Format::Csv => csv(body, out).await,
                Format::Table | Format::Json => lines(body, |line| Ok(out.write_all(line)?)).await,
            }
        })
    };
    match &args.output {
        Some(file) => to_file(file, copy),
        None => {
            let mut out = BufWriter::new(stdout().lock());
            let copied = copy(&mut out).and_then(|()| Ok(out.flush()?));
            // Whoever reads it may stop reading.
            copied.or_else(|error| if is_broken_pipe(&error) { Ok(()) } else { Err(error) })
        }
    }
}

/// Fills a file that has its name only when it is complete. It is for its owner only, as records are.
pub(super) fn to_file(path: &Path, fill: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut out = BufWriter::new(NamedTempFile::new_in(folder).with_context(cannot)?);
    fill(&mut out)?;
    let file = out.into_inner().map_err(|error| error.into_error()).with_context(cannot)?;
    file.persist(path).map_err(|error| error.error).with_context(cannot)?;
    Ok(())
}

async fn csv(body: Incoming, out: &mut dyn Write) -> Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns::NAMES)?;
    lines(body, |line| {
        let call: Call =
            serde_json::from_slice(line).context("the manager's answer is of another version")?;
        Ok(writer.write_record(columns::of(&call))?)
    })
    .await?;
    Ok(writer.flush()?)
}

/// Hands each line over, with its end.
async fn lines(mut body: Incoming, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut begun = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(bytes) = frame.context("the manager broke off; its log says why")?.into_data() else {
            continue;
        };
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            if !piece.ends_with(b"\n") {
                begun.extend_from_slice(piece);
            } else if begun.is_empty() {
                take(piece)?;
            } else {
                begun.extend_from_slice(piece);
                take(&begun)?;
                begun.clear();
            }
        }
    }
    Ok(())
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let csv = cause.downcast_ref::<csv::Error>().and_then(|error| match error.kind() {
            csv::ErrorKind::Io(error) => Some(error.kind()),
            _ => None,
        });
        csv.or_else(|| Some(cause.downcast_ref::<std::io::Error>()?.kind()))
    };
    error.chain().filter_map(kind).any(|kind| kind == ErrorKind::BrokenPipe)
}
