//! The little of rtpengine's control protocol that opens a call: dictionaries in bencode over UDP
//! (<https://rtpengine.readthedocs.io/en/latest/ng_control_protocol.html>).

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use anyhow::{Context, Result, bail};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks one rtpengine.
pub(super) struct Client {
    socket: UdpSocket,
    asked: u64,
}

impl Client {
    pub(super) fn new(server: SocketAddr) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(server)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, asked: 0 })
    }

    pub(super) fn ping(&mut self) -> Result<()> {
        let answer = self.ask(&[("command", "ping")])?;
        if text(&answer, "result") != Some("pong") {
            bail!("rtpengine does not know ping");
        }
        Ok(())
    }

    /// A call between two ends; where each of them sends to.
    pub(super) fn call(&mut self, call: usize, ends: [SocketAddr; 2]) -> Result<[SocketAddr; 2]> {
        let id = format!("call-{call}");
        let [offer, answer] = ends.map(description);
        let common = [("call-id", id.as_str()), ("from-tag", "a")];
        let offered = self.ask(&[&common[..], &[("command", "offer"), ("sdp", &offer)]].concat())?;
        let more = [("command", "answer"), ("sdp", &answer), ("to-tag", "b")];
        let answered = self.ask(&[&common[..], &more].concat())?;
        // What the answer becomes is for who offered, and the other way round.
        Ok([listens(&answered)?, listens(&offered)?])
    }

    fn ask(&mut self, words: &[(&str, &str)]) -> Result<String> {
        self.asked += 1;
        let cookie = format!("{} ", self.asked);
        self.socket.send(format!("{cookie}{}", bencode(words)).as_bytes())?;
        let mut buffer = [0; 8192];
        loop {
            let length = self.socket.recv(&mut buffer)?;
            let answer = std::str::from_utf8(&buffer[..length])?;
            // An answer to what was given up is passed over.
            let Some(answer) = answer.strip_prefix(&cookie) else { continue };
            if let Some(reason) = text(answer, "error-reason") {
                bail!("rtpengine: {reason}");
            }
            return Ok(answer.into());
        }
    }
}

/// A dictionary of texts, with its keys in order.
fn bencode(words: &[(&str, &str)]) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    let text = |text: &str| format!("{}:{text}", text.len());
    let words: String = words.iter().map(|(key, value)| text(key) + &text(value)).collect();
    format!("d{words}e")
}

/// The text of this key. No key that is asked for here stands in another's text with its length before it.
fn text<'a>(answer: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = answer.split_once(&format!("{}:{key}", key.len()))?;
    let (length, rest) = rest.split_once(':')?;
    rest.get(..length.parse().ok()?)
}

/// G.711 µ-law here.
fn description(end: SocketAddr) -> String {
    let (ip, port) = (end.ip(), end.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
}

/// Where the description in an answer says that packets go.
fn listens(answer: &str) -> Result<SocketAddr> {
    let description = text(answer, "sdp").context("rtpengine: no description")?;
    let line = |start: &str| description.lines().find_map(|line| line.strip_prefix(start));
    let ip = line("c=IN IP4 ").context("rtpengine: no address")?;
    let port = line("m=audio ").and_then(|rest| rest.split(' ').next()).context("rtpengine: no port")?;
    Ok(SocketAddr::new(ip.trim().parse()?, port.parse()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_written_in_order_and_read() {
        assert_eq!(bencode(&[("sdp", "v=0\r\n"), ("command", "offer")]), "d7:command5:offer3:sdp5:v=0\r\ne");
        let answer = bencode(&[("result", "ok"), ("sdp", &description("127.0.0.1:4000".parse().unwrap()))]);
        assert_eq!(text(&answer, "result"), Some("ok"));
        assert_eq!(listens(&answer).unwrap(), "127.0.0.1:4000".parse().unwrap());
        assert_eq!(text("d6:result99:oke", "result"), None);
    }
}
