//! TFTP for the phones behind the guard: each file is read from the manager's server, and the managers' addresses in it become the
//! guard's own. Phones read there which manager they have.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use selsius_provision::tftp::{
    Answer, Fetch, FetchError, FetchInput, FetchOptions, FetchOutput, Input, Limits, Output, Server,
    TransferId,
};
use tokio::{
    net::UdpSocket,
    sync::mpsc,
    task::AbortHandle,
    time::{Instant as Wake, sleep_until},
};

/// Events of transfers that may wait; more waits in their own sockets.
const EVENTS: usize = 256;
/// Requests and acknowledgements are short.
const LONGEST_REQUEST: usize = 1024;
/// How large the blocks are that are read from the manager's server.
const BLOCK: u16 = 1428;

/// How managers appear to phones: by address and port.
pub type Servers = BTreeMap<SocketAddr, SocketAddr>;

enum Event {
    File(TransferId, Answer),
    Datagram(TransferId, Vec<u8>),
}

struct Relay {
    socket: UdpSocket,
    upstream: SocketAddr,
    servers: Arc<Servers>,
    server: Server,
    transfers: BTreeMap<TransferId, Transfer>,
    events: mpsc::Sender<Event>,
    origin: Instant,
}

/// A transfer to a phone: what reads its file, and its socket once there is something to send.
struct Transfer {
    fetches: AbortHandle,
    socket: Option<(Arc<UdpSocket>, AbortHandle)>,
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.fetches.abort();
        if let Some((_, reads)) = &self.socket {
            reads.abort();
        }
    }
}

/// Serves until it is dropped.
///
/// # Errors
/// If the socket fails.
pub async fn serve(socket: UdpSocket, upstream: SocketAddr, servers: Servers) -> io::Result<()> {
    let (events, mut happened) = mpsc::channel(EVENTS);
    let mut relay = Relay {
        socket,
        upstream,
        servers: Arc::new(servers),
        server: Server::new(Limits::default()),
        transfers: BTreeMap::new(),
        events,
        origin: Instant::now(),
    };
    let mut buffer = [0; LONGEST_REQUEST];
    loop {
        let deadline = relay.server.poll_timeout().map(|at| Wake::from_std(relay.origin + at));
        tokio::select! {
            came = relay.socket.recv_from(&mut buffer) => match came {
                Ok((length, from)) => relay.handle(Input::Request { from, datagram: &buffer[..length] }).await,
                // An answer to a phone that is gone comes back as an error of the next read.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(error) => return Err(error),
            },
            Some(event) = happened.recv() => match event {
                Event::File(transfer, answer) => relay.handle(Input::File { transfer, answer }).await,
                Event::Datagram(transfer, datagram) => {
                    let known = relay.transfers.get(&transfer).and_then(|transfer| transfer.socket.as_ref());
                    // Its socket is connected: nobody else is heard there.
                    if let Some(from) = known.and_then(|(socket, _)| socket.peer_addr().ok()) {
                        relay.handle(Input::Datagram { transfer, from, datagram: &datagram }).await;
                    }
                }
            },
            () = sleep_until(deadline.unwrap_or_else(Wake::now)), if deadline.is_some() => {
                relay.handle(Input::Timeout).await;
            }
        }
    }
}

impl Relay {
    async fn handle(&mut self, input: Input<'_>) {
        self.server.handle(self.origin.elapsed(), input);
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Open { transfer, name, .. } => self.open(transfer, name.as_str().into()),
                Output::Send { transfer, to, datagram } => {
                    if let Err(error) = self.send(transfer, to, &datagram).await {
                        tracing::debug!(%to, %error, "tftp: sending");
                    }
                }
                Output::Reply { to, datagram } => drop(self.socket.send_to(&datagram, to).await),
                Output::Closed { transfer, report } => {
                    self.transfers.remove(&transfer);
                    tracing::debug!(peer = %report.peer, file = %report.name, outcome = ?report.outcome, "tftp");
                }
                Output::Refused { from, reason } => tracing::debug!(%from, %reason, "tftp request refused"),
            }
        }
    }

    fn open(&mut self, transfer: TransferId, name: String) {
        let (upstream, servers, events) = (self.upstream, Arc::clone(&self.servers), self.events.clone());
        let fetches = tokio::spawn(async move {
            let answer = match fetch(upstream, &name).await {
                Ok(file) => Answer::Found(rewritten(file, &servers).into()),
                Err(FetchError::NotFound) => Answer::NotFound,
                Err(error) => {
                    tracing::warn!(file = name, server = %upstream, %error, "tftp: the manager's server gives no file");
                    Answer::Unreadable
                }
            };
            let _ = events.send(Event::File(transfer, answer)).await;
        });
        self.transfers.insert(transfer, Transfer { fetches: fetches.abort_handle(), socket: None });
    }

    async fn send(&mut self, id: TransferId, to: SocketAddr, datagram: &[u8]) -> io::Result<()> {
        let local = SocketAddr::new(self.socket.local_addr()?.ip(), 0);
        let Some(transfer) = self.transfers.get_mut(&id) else { return Ok(()) };
        if transfer.socket.is_none() {
            let socket = Arc::new(UdpSocket::bind(local).await?);
            socket.connect(to).await?;
            let (reading, events) = (Arc::clone(&socket), self.events.clone());
            let reads = tokio::spawn(async move {
                let mut buffer = [0; LONGEST_REQUEST];
                // A phone that has closed its port is noticed by the clock.
                while let Ok(length) = reading.recv(&mut buffer).await {
                    if events.send(Event::Datagram(id, buffer[..length].to_vec())).await.is_err() {
                        return;
                    }
                }
            });
            transfer.socket = Some((socket, reads.abort_handle()));
        }
        match &transfer.socket {
            Some((socket, _)) => socket.send(datagram).await.map(drop),
            None => Ok(()),
        }
    }
}

/// Reads a file of the manager's server.
async fn fetch(server: SocketAddr, name: &str) -> Result<Vec<u8>, FetchError> {
    let gone = |_| FetchError::Silent;
    let any: IpAddr = if server.is_ipv4() { [0, 0, 0, 0].into() } else { [0; 16].into() };
    let socket = UdpSocket::bind((any, 0)).await.map_err(gone)?;
    let origin = Instant::now();
    let options = FetchOptions { block_size: Some(BLOCK), ..FetchOptions::default() };
    let mut fetch = Fetch::new(origin.elapsed(), server, name, options);
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        while let Some(output) = fetch.poll_output() {
            match output {
                FetchOutput::Send { to, datagram } => drop(socket.send_to(&datagram, to).await),
                FetchOutput::Done(result) => {
                    // What is still to be sent is the last acknowledgement.
                    while let Some(FetchOutput::Send { to, datagram }) = fetch.poll_output() {
                        let _ = socket.send_to(&datagram, to).await;
                    }
                    return result;
                }
            }
        }
        let Some(deadline) = fetch.poll_timeout() else { return Err(FetchError::Silent) };
        let input = tokio::select! {
            came = socket.recv_from(&mut buffer) => match came {
                Ok((length, from)) => FetchInput::Datagram { from, datagram: &buffer[..length] },
                Err(_) => continue,
            },
            () = sleep_until(Wake::from_std(origin + deadline)) => FetchInput::Timeout,
        };
        fetch.handle(origin.elapsed(), input);
    }
}

/// A file with the managers' addresses as phones are to see them. Only configuration files in clear text have any; what is
/// signed or packed stays as it is.
pub fn rewritten(file: Vec<u8>, servers: &Servers) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(&file) else { return file };
    if servers.is_empty() || text.contains('\0') {
        return file;
    }
    let is_part = |letter: char| letter.is_ascii_hexdigit() || letter == '.' || letter == ':';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|letter| !is_part(letter)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        let address = word.parse::<IpAddr>().ok();
        let known = address.and_then(|address| servers.iter().find(|(manager, _)| manager.ip() == address));
        match known {
            Some((_, own)) => out.push_str(&own.ip().to_string()),
            None => out.push_str(word),
        }
        rest = after;
    }
    out.push_str(rest);
    // The port stands apart from the address: it can be changed where all managers have the same one.
    let mut ports = servers.iter().map(|(manager, own)| (manager.port(), own.port()));
    if let Some((theirs, ours)) = ports.next()
        && theirs != ours
        && ports.all(|other| other == (theirs, ours))
    {
        let port = |port: u16| format!("<ethernetPhonePort>{port}</ethernetPhonePort>");
        out = out.replace(&port(theirs), &port(ours));
    }
    out.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers(port: u16) -> Servers {
        [("192.0.2.1:2000", "10.1.0.1"), ("192.0.2.2:2000", "10.1.0.2")]
            .map(|(manager, own)| (manager.parse().unwrap(), SocketAddr::new(own.parse().unwrap(), port)))
            .into()
    }

    #[test]
    fn managers_become_the_guard_and_nothing_else_changes() {
        let file = "<member priority=\"0\"><ports><ethernetPhonePort>2000</ethernetPhonePort></ports>\
                    <processNodeName>192.0.2.1</processNodeName></member>\
                    <processNodeName>192.0.2.2</processNodeName><ntp>192.0.2.11</ntp><x>1192.0.2.1</x>\
                    <loadInformation>SCCP45.9-4-2SR3</loadInformation><v>192.0.2.1.7</v>";
        let expected = file
            .replace(">192.0.2.1<", ">10.1.0.1<")
            .replace(">192.0.2.2<", ">10.1.0.2<")
            .replace("ethernetPhonePort>2000<", "ethernetPhonePort>2100<");
        assert_eq!(rewritten(file.into(), &servers(2100)), expected.as_bytes());
        let same_port = rewritten(file.into(), &servers(2000));
        assert!(String::from_utf8(same_port).unwrap().contains("ethernetPhonePort>2000<"));
    }

    #[test]
    fn what_is_no_text_stays_as_it_is() {
        for file in [&b"192.0.2.1\0"[..], b"\xff\xfe192.0.2.1", b""] {
            assert_eq!(rewritten(file.to_vec(), &servers(2000)), file);
        }
        assert_eq!(rewritten(b"192.0.2.1".to_vec(), &Servers::new()), b"192.0.2.1");
    }
}
