//! A small call manager on the crate `sccp-protocol`, to be measured beside ours: that crate's own station server, used
//! the way its documentation shows, and plain calls between two phones on top of it.
//!
//! The crate has the sockets (a task for each connection), registration, the answers to all that phones ask, keepalives,
//! and what a phone shows. [`Office`] has the calls. It keeps no records, knows no features and no rights, and forgets
//! everything when it ends.

mod office;
mod site;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result, bail};
use sccp_protocol::{Server, ServerConfig};
use tokio::signal::unix::{SignalKind, signal};

use self::office::Office;

/// `selsius-bench-peer-manager SITE`: says where it listens, and ends with SIGTERM.
#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(path), None) = (arguments.next(), arguments.next()) else {
        bail!("which site file? `selsius load --phones 100 --print-site` writes one");
    };
    let site = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let phones = site::phones(&site)?;
    let mut end = signal(SignalKind::terminate())?;
    let config = ServerConfig { bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), ..ServerConfig::default() };
    let (server, handle, mut events) =
        Server::bind(config, phones.iter().map(site::Phone::definition)).await?;
    println!("ready: sccp {}", server.local_addr()?);
    let mut office = Office::new(phones, handle.clone());
    let mut server = tokio::spawn(server.run());
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(event) => office.handle(event).await?,
                None => bail!("the server gives no events any more"),
            },
            _ = end.recv() => break,
            ended = &mut server => bail!("the server ended by itself: {ended:?}"),
        }
    }
    // What phones say at the end is read, or their connections could not close.
    events.close();
    while events.recv().await.is_some() {}
    handle.shutdown().await?;
    Ok(server.await??)
}
