//! The configuration file that a phone fetches by TFTP before it registers.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use quick_xml::{Reader, events::Event};
use selsius_client::Target;
use selsius_provision::tftp::{Fetch, FetchError, FetchInput, FetchOptions, FetchOutput};
use tokio::net::{UdpSocket, lookup_host};

use super::{PhoneSettings, is_unspecified};

const TFTP_PORT: u16 = 69;
/// Configuration files have a few kilobytes.
const LONGEST: usize = 1 << 20;
/// How long real phones wait at most, roughly.
const PATIENCE: Duration = Duration::from_secs(20);

/// Fetches the phone's file, or the one for phones without their own, and takes the manager from it.
pub(super) async fn configure(settings: &mut PhoneSettings, from: Option<&str>) -> anyhow::Result<()> {
    let host = settings.target.host.clone();
    let from = match from {
        Some(text) => with_port(text)?,
        None => Target { host, port: TFTP_PORT },
    };
    let server = lookup_host((from.host.as_str(), from.port)).await.ok().and_then(|mut found| found.next());
    let server = server.with_context(|| format!("there is no host {}", from.host))?;
    let own = format!("{}.cnf.xml", settings.name);
    for name in [own.as_str(), "XMLDefault.cnf.xml"] {
        match fetch(server, name).await? {
            Ok(file) => {
                let manager =
                    manager(&file).with_context(|| format!("{name} from {server} names no manager"))?;
                tracing::info!(file = name, %server, %manager, "configured");
                // A manager that does not know its address means the host that the file came from.
                let host = if is_unspecified(&manager.host) { server.ip().to_string() } else { manager.host };
                settings.target = Target { host, port: manager.port };
                return Ok(());
            }
            Err(FetchError::NotFound) => {}
            Err(error) => return Err(error).with_context(|| format!("cannot fetch {name} from {server}")),
        }
    }
    bail!("{server} has neither {own} nor XMLDefault.cnf.xml")
}

/// `HOST` or `HOST:PORT`, with the port of TFTP where none is given.
fn with_port(text: &str) -> anyhow::Result<Target> {
    let target: Target = text.parse().context("--tftp")?;
    let says_port = text.ends_with(&format!(":{}", target.port)) && text != target.host;
    Ok(if says_port { target } else { Target { port: TFTP_PORT, ..target } })
}

async fn fetch(server: SocketAddr, name: &str) -> anyhow::Result<Result<Vec<u8>, FetchError>> {
    let local: SocketAddr = if server.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0_u16; 8], 0).into() };
    let socket = UdpSocket::bind(local).await.context("no port for TFTP")?;
    let start = Instant::now();
    let options = FetchOptions { block_size: Some(1024), limit: LONGEST };
    let mut fetch = Fetch::new(start.elapsed(), server, name, options);
    let mut buffer = vec![0; 2048];
    loop {
        while let Some(output) = fetch.poll_output() {
            match output {
                FetchOutput::Send { to, datagram } => drop(socket.send_to(&datagram, to).await?),
                FetchOutput::Done(result) => {
                    // The last acknowledgement goes out before nobody is here to send it.
                    while let Some(FetchOutput::Send { to, datagram }) = fetch.poll_output() {
                        socket.send_to(&datagram, to).await?;
                    }
                    return Ok(result);
                }
            }
        }
        if start.elapsed() > PATIENCE {
            return Ok(Err(FetchError::Silent));
        }
        let wait = fetch.poll_timeout().unwrap_or_default().saturating_sub(start.elapsed());
        match tokio::time::timeout(wait, socket.recv_from(&mut buffer)).await {
            Ok(received) => {
                let (len, from) = received.context("TFTP")?;
                let datagram = buffer.get(..len).unwrap_or_default();
                fetch.handle(start.elapsed(), FetchInput::Datagram { from, datagram });
            }
            Err(_) => fetch.handle(start.elapsed(), FetchInput::Timeout),
        }
    }
}

/// The first manager that a configuration file names: `processNodeName`, and `ethernetPhonePort`.
fn manager(file: &[u8]) -> Option<Target> {
    let file = String::from_utf8_lossy(file);
    let mut reader = Reader::from_str(&file);
    let (mut host, mut port) = (None, None);
    let mut element = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => element = start.name().as_ref().to_owned(),
            Ok(Event::End(_)) => element.clear(),
            Ok(Event::Text(text)) => {
                let text = text.trim().to_owned();
                match element.as_str() {
                    "processNodeName" if host.is_none() && !text.is_empty() => host = Some(text),
                    "ethernetPhonePort" if port.is_none() => port = text.parse().ok(),
                    _ => {}
                }
            }
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    Some(Target { host: host?, port: port.unwrap_or(selsius_client::DEFAULT_PORT) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_stands_in_the_file() {
        let file = b"<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager>
            <ports><ethernetPhonePort>2001</ethernetPhonePort><mgcpPorts/></ports>
            <processNodeName>10.0.0.180</processNodeName></callManager></member>
            <member><callManager><processNodeName>10.0.0.181</processNodeName></callManager></member>
            </members></callManagerGroup></devicePool></device>";
        assert_eq!(manager(file), Some("10.0.0.180:2001".parse().unwrap()));
        assert_eq!(manager(b"<device><processNodeName></processNodeName></device>"), None);
        assert_eq!(manager(b"not < xml"), None);
        assert_eq!(manager(b""), None);
    }

    #[test]
    fn tftp_has_its_own_port() {
        for (text, full) in
            [("192.0.2.1", "192.0.2.1:69"), ("192.0.2.1:6969", "192.0.2.1:6969"), ("::1", "[::1]:69")]
        {
            assert_eq!(with_port(text).unwrap().to_string(), full);
        }
    }
}
