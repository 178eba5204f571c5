//! Questions and orders to a guard that runs.

use std::{io::ErrorKind, net::IpAddr, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use http_body_util::{BodyExt, Empty};
use hyper::{Method, Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use selsius_guard::proxy::Status;
use tokio::net::UnixStream;

use crate::cli::{node::block_on, out};

/// Where a guard is asked unless it is told another place.
pub(super) const SOCKET: &str = "/run/selsius-guard.sock";

/// What a guard that runs can be asked.
#[derive(Debug, Subcommand)]
pub(super) enum Ask {
    /// How it is, what it found, and which phones are connected.
    Status {
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Reads its policy again. If something is wrong in it, nothing changes.
    Reload {
        #[command(flatten)]
        which: Which,
    },
    /// Lets a source connect again that was blocked.
    Unblock {
        #[command(flatten)]
        which: Which,
        /// Its address.
        source: IpAddr,
    },
}

/// Which guard.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The socket of the guard.
    #[arg(long, value_name = "PATH", default_value = SOCKET)]
    control: PathBuf,
}

pub(super) fn run(ask: Ask) -> Result<ExitCode> {
    match ask {
        Ask::Status { which, json } => {
            let (_, body) = block_on(which.request(Method::GET, "/v1/status"))?;
            let status: Status = serde_json::from_slice(&body).context("the guard is of another version")?;
            if json { out::json(&status)? } else { out::print(&shown(&status))? }
        }
        Ask::Reload { which } => {
            let (status, body) = block_on(which.request(Method::POST, "/v1/reload"))?;
            if !status.is_success() {
                bail!("the rules stay as they are: {}", String::from_utf8_lossy(&body));
            }
            out::print("the rules were read again\n")?;
        }
        Ask::Unblock { which, source } => {
            let (status, _) = block_on(which.request(Method::DELETE, &format!("/v1/blocked/{source}")))?;
            if status == StatusCode::NOT_FOUND {
                bail!("{source} is not blocked");
            }
            out::print(&format!("{source} may connect again\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    async fn request(&self, method: Method, path: &str) -> Result<(StatusCode, Bytes)> {
        let name = self.control.display();
        let stream = UnixStream::connect(&self.control).await.map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                anyhow!("no guard is asked at {name}; --control says where, as with `selsius guard --listen`")
            }
            ErrorKind::PermissionDenied => {
                anyhow!(
                    "{name} belongs to another user; try it as root or as the user that the guard runs as"
                )
            }
            _ => anyhow!(error).context(format!("cannot speak to {name}")),
        })?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request =
            Request::builder().method(method).uri(path).header("host", "guard").body(Empty::<Bytes>::new())?;
        let answer = sender.send_request(request).await.context("the guard does not answer")?;
        let status = answer.status();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            bail!("the guard does not answer in time");
        }
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }
}

fn shown(status: &Status) -> String {
    let [from_phones, from_managers] = status.messages;
    let [phones_dropped, managers_dropped] = status.dropped;
    let mut text = format!(
        "policy {}, since {}{}\n{}, {} since the start; {from_phones} messages of phones ({phones_dropped} dropped), \
         {from_managers} of managers ({managers_dropped} dropped), {} changed; {} reset\n",
        status.preset,
        out::time(status.started),
        if status.overloaded { "; OVERLOADED" } else { "" },
        out::count(status.connections, "connection"),
        status.connections_total,
        status.changed,
        out::count(usize::try_from(status.resets).unwrap_or(usize::MAX), "connection"),
    );
    if !status.findings.is_empty() {
        let rows = status
            .findings
            .iter()
            .map(|(kind, action, count)| [kind.clone(), action.clone(), count.to_string()]);
        text += &format!("\n{}", out::table(["finding", "action", "times"], rows));
    }
    if !status.blocked.is_empty() {
        let rows = status.blocked.iter().map(|(source, until)| [source.to_string(), out::time(*until)]);
        text += &format!("\n{}", out::table(["blocked", "until"], rows));
    }
    if !status.phones.is_empty() {
        let rows = status.phones.iter().map(|phone| {
            [
                phone.device.clone().unwrap_or_default(),
                phone.station.to_string(),
                phone.manager.to_string(),
                phone.version.map(|version| version.to_string()).unwrap_or_default(),
                phone.calls.to_string(),
                phone.messages.iter().sum::<u64>().to_string(),
                phone.findings.to_string(),
            ]
        });
        let heads = ["phone", "address", "manager", "version", "calls", "messages", "findings"];
        text += &format!("\n{}", out::table(heads, rows));
    }
    text
}
