//! What comes in before the stack sees it: who may speak, how much, and what the stack would drop without an answer.
//!
//! For datagrams this is a socket of ours under the stack's; streams pass the same test when they are accepted.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Instant,
};

use async_trait::async_trait;
use rsipstack::{
    platform::net::UdpSocket as StackSocket,
    sip::{Method, SipMessage},
    transport::SipConnection,
};
use selsius_exchange::{Meters, Rate, Time};
use tokio::{net::UdpSocket, sync::Notify};

use crate::{
    config::Network,
    tap::{Tap, Tapped},
};

/// A header section longer than this is nobody's.
const MOST_HEADER_BYTES: usize = 6 * 1024;
/// More lines of headers than this are nobody's.
const MOST_HEADERS: usize = 128;
/// Bodies longer than this are not read: descriptions of sessions are a tenth of it.
const MOST_BODY_BYTES: usize = 4 * 1024;
/// Messages a second from addresses that no trunk has, all together. They are told that they may not; beyond this nothing.
const STRANGERS_A_SECOND: f64 = 20.0;
/// Messages a second from one address that no trunk has, where those are let in by password; and so many at once.
const GUEST_A_SECOND: u32 = 200;
const GUEST_AT_ONCE: u32 = 1000;
/// Datagrams of strangers between our socket and the stack.
const MOST_PASSING: usize = 64;

/// Messages that are read and wait for the stack. More wait in the kernel, which drops what does not fit there.
const MOST_WAITING: usize = 256;
/// Requests of the far ends that the stack keeps: as long as each may be repeated, half a minute and more. Beyond this
/// many, more are not even answered.
pub(crate) const MOST_KEPT: usize = 20_000;

/// How much was refused, since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Messages from addresses that no trunk has.
    pub(crate) strangers: AtomicU64,
    /// Messages that were too long, or no SIP.
    pub(crate) malformed: AtomicU64,
    /// Requests with a method that we do not know.
    pub(crate) unknown_methods: AtomicU64,
    /// Calls beyond a trunk's limits, and messages beyond those of a stream or of us all.
    pub(crate) limited: AtomicU64,
    /// Requests whose credentials were wrong.
    pub(crate) unauthorized: AtomicU64,
    /// Requests whose credentials were not looked at, since too many before them were wrong.
    pub(crate) throttled: AtomicU64,
    /// Events that did not fit the exchange's queue: each ended its call.
    pub(crate) lost: AtomicU64,
}

/// A copy of what was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Messages from addresses that no trunk has.
    pub strangers: u64,
    /// Messages that were too long, or no SIP.
    pub malformed: u64,
    /// Requests with a method that we do not know.
    pub unknown_methods: u64,
    /// Calls beyond a trunk's limits, and messages beyond those of a stream or of us all.
    pub limited: u64,
    /// Requests whose credentials were wrong.
    pub unauthorized: u64,
    /// Requests whose credentials were not looked at, since too many before them were wrong.
    pub throttled: u64,
    /// Events that did not fit the exchange's queue: each ended its call.
    pub lost: u64,
}

impl Counters {
    /// What was counted so far.
    pub(crate) fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            strangers: read(&self.strangers),
            malformed: read(&self.malformed),
            unknown_methods: read(&self.unknown_methods),
            limited: read(&self.limited),
            unauthorized: read(&self.unauthorized),
            throttled: read(&self.throttled),
            lost: read(&self.lost),
        }
    }
}

/// Counts one more, and says if it is the first.
pub(crate) fn count(counter: &AtomicU64) -> bool {
    counter.fetch_add(1, Ordering::Relaxed) == 0
}

/// Who may speak.
#[derive(Debug)]
pub(crate) struct Gate {
    friends: Mutex<Vec<Network>>,
    /// A trunk lets calls in by password from anywhere: then strangers may be as many as friends.
    open: AtomicBool,
    strangers: Mutex<Bucket>,
    /// What each address has used of its share, where strangers may become friends.
    guests: Mutex<Meters>,
    began: Instant,
    /// Strangers of whom a datagram is on its way through the stack.
    passing: Mutex<Vec<IpAddr>>,
    /// Messages between our sockets and the stack's next step.
    waiting: AtomicUsize,
    room: Notify,
    /// Requests of the far ends that the stack keeps.
    kept: AtomicUsize,
    pub(crate) counters: Counters,
}

impl Gate {
    pub(crate) fn new(friends: Vec<Network>, open: bool) -> Self {
        Self {
            friends: Mutex::new(friends),
            open: AtomicBool::new(open),
            strangers: Mutex::new(Bucket::new(STRANGERS_A_SECOND)),
            guests: Mutex::new(Meters::new()),
            began: Instant::now(),
            passing: Mutex::new(Vec::new()),
            waiting: AtomicUsize::new(0),
            room: Notify::new(),
            kept: AtomicUsize::new(0),
            counters: Counters::default(),
        }
    }

    /// More addresses belong to trunks: their servers' names have been looked up.
    pub(crate) fn admit(&self, addresses: impl IntoIterator<Item = IpAddr>) {
        let mut friends = self.friends.lock().unwrap_or_else(PoisonError::into_inner);
        for address in addresses {
            let network = Network::from(address);
            if !friends.contains(&network) {
                friends.push(network);
            }
        }
    }

    /// The trunks have changed, and with them who is a friend.
    pub(crate) fn change(&self, friends: Vec<Network>, open: bool) {
        *self.friends.lock().unwrap_or_else(PoisonError::into_inner) = friends;
        self.open.store(open, Ordering::Relaxed);
    }

    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn knows(&self, address: IpAddr) -> bool {
        self.friends.lock().unwrap_or_else(PoisonError::into_inner).iter().any(|network| network.has(address))
    }

    /// May this address open a stream, or is it known here from a datagram that got in? The stack asks about both, by the
    /// address alone. Strangers may not, unless a password can make friends of them: a stream costs more
    /// than a datagram.
    pub(crate) fn accepts(&self, address: IpAddr) -> bool {
        let accepts = self.is_open() || self.knows(address) || {
            let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
            let at = passing.iter().position(|&known| known == address);
            at.map(|at| passing.swap_remove(at)).is_some()
        };
        if !accepts {
            count(&self.counters.strangers);
        }
        accepts
    }

    /// There is no place for a stream.
    pub(crate) fn refuse_stream(&self, from: SocketAddr) {
        if count(&self.counters.limited) {
            tracing::warn!(%from, "too many streams; more are only counted");
        }
    }

    /// A message was read, and waits for the stack.
    pub(crate) fn read(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    /// The stack takes a message.
    pub(crate) fn taken(&self) {
        // What came by a stream of ours was not counted.
        let less = |waiting: usize| Some(waiting.saturating_sub(1));
        if self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less) == Ok(MOST_WAITING) {
            self.room.notify_waiters();
        }
    }

    /// Waits until one more message may be read.
    pub(crate) async fn has_room(&self) {
        loop {
            let room = self.room.notified();
            if self.waiting.load(Ordering::Relaxed) < MOST_WAITING {
                return;
            }
            room.await;
        }
    }

    /// The stack keeps so many requests of the far ends.
    pub(crate) fn keeps(&self, requests: usize) {
        self.kept.store(requests, Ordering::Relaxed);
    }

    /// May the stack have one more request?
    pub(crate) fn can_keep(&self) -> bool {
        let can = self.kept.load(Ordering::Relaxed) < MOST_KEPT;
        if !can && count(&self.counters.limited) {
            tracing::warn!("more requests than can be kept; they are dropped, and only counted");
        }
        can
    }

    /// Is this message within the limits? Datagrams have passed [`judge`] already, what comes by stream has not.
    pub(crate) fn measures(&self, request: &rsipstack::sip::Request) -> bool {
        let bytes: usize = request.headers.iter().map(|header| header.value().len()).sum();
        let fits = bytes <= MOST_HEADER_BYTES
            && request.headers.len() <= MOST_HEADERS
            && request.body.len() <= MOST_BODY_BYTES;
        if !fits {
            count(&self.counters.malformed);
        }
        fits
    }

    /// May this address say something now?
    pub(crate) fn lets_in(&self, address: IpAddr) -> bool {
        if self.knows(address) {
            return true;
        }
        if self.is_open() {
            // Each has as much as a house full of phones that all register again at once.
            let now = Time::from_micros(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX));
            let mut guests = self.guests.lock().unwrap_or_else(PoisonError::into_inner);
            let passes = guests.take(now, address, Rate::per_second(GUEST_A_SECOND, GUEST_AT_ONCE));
            if !passes {
                count(&self.counters.strangers);
            }
            return passes;
        }
        count(&self.counters.strangers);
        let passes = self.strangers.lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
        if passes {
            let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
            // What is not taken out again was no SIP; the oldest make room.
            if passing.len() >= MOST_PASSING {
                passing.remove(0);
            }
            passing.push(address);
        }
        passes
    }
}

/// So many a second, and twice as many at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    left: f64,
    at: Option<Instant>,
}

impl Bucket {
    pub(crate) fn new(rate: f64) -> Self {
        Self { rate, left: rate * 2.0, at: None }
    }

    pub(crate) fn take(&mut self, now: Instant) -> bool {
        if let Some(at) = self.at.replace(now) {
            let passed = now.saturating_duration_since(at).as_secs_f64();
            self.left = (self.left + passed * self.rate).min(self.rate * 2.0);
        }
        let enough = self.left >= 1.0;
        if enough {
            self.left -= 1.0;
        }
        enough
    }
}

/// What a datagram is to us.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// The stack's business.
    Pass,
    /// Nobody's.
    Drop,
    /// To be answered at once.
    Answer(Vec<u8>),
}

/// The socket under the stack's.
pub(crate) struct GatedSocket {
    socket: UdpSocket,
    gate: std::sync::Arc<Gate>,
    tap: Option<Tap>,
}

impl GatedSocket {
    pub(crate) fn new(socket: UdpSocket, gate: std::sync::Arc<Gate>, tap: Option<Tap>) -> Self {
        Self { socket, gate, tap }
    }

    /// Lets somebody hear what comes from a peer, or goes there.
    fn tell(&self, peer: SocketAddr, sent: bool, datagram: &[u8]) {
        if let Some(tap) = &self.tap
            && let Ok(own) = self.socket.local_addr()
        {
            let (from, to) = if sent { (own, peer) } else { (peer, own) };
            tap.hear(Tapped { from, to, sent, datagram });
        }
    }
}

#[async_trait]
impl StackSocket for GatedSocket {
    async fn recv_from(&self, buffer: &mut [u8]) -> rsipstack::Result<(usize, SocketAddr)> {
        loop {
            self.gate.has_room().await;
            // An error here is a datagram's (ICMP says that somebody does not listen), not the socket's.
            let Ok((length, from)) = self.socket.recv_from(buffer).await else {
                tokio::task::yield_now().await;
                continue;
            };
            if !self.gate.lets_in(from.ip()) {
                continue;
            }
            let full = length == buffer.len();
            let Some(datagram) = buffer.get(..length).filter(|_| !full) else {
                count(&self.gate.counters.malformed);
                continue;
            };
            match judge(datagram) {
                Verdict::Pass => {
                    if will_be_taken(datagram, from) {
                        self.gate.read();
                    } else if !datagram.iter().all(u8::is_ascii_whitespace) {
                        count(&self.gate.counters.malformed);
                        continue;
                    }
                    self.tell(from, false, datagram);
                    return Ok((length, from));
                }
                Verdict::Drop => {
                    count(&self.gate.counters.malformed);
                }
                Verdict::Answer(answer) => {
                    count(&self.gate.counters.unknown_methods);
                    // As with every answer by datagram: it may get lost.
                    let _ = self.socket.send_to(&answer, from).await;
                }
            }
        }
    }

    async fn send_to(&self, buffer: &[u8], to: SocketAddr) -> rsipstack::Result<usize> {
        self.tell(to, true, buffer);
        Ok(self.socket.send_to(buffer, to).await?)
    }

    fn local_addr(&self) -> rsipstack::Result<SocketAddr> {
        Ok(self.socket.local_addr()?)
    }
}

/// Will the stack make a message of it? It is asked the same as it does itself, since it says nothing of what it drops.
fn will_be_taken(datagram: &[u8], from: SocketAddr) -> bool {
    let Ok(message) = SipMessage::try_from(datagram) else { return false };
    SipConnection::update_msg_received(message, from, rsipstack::sip::Transport::Udp).is_ok()
}

/// Looks at the first line and the size of a message.
fn judge(datagram: &[u8]) -> Verdict {
    // Keep-alives (RFC 5626 section 4.4.1) are the stack's business.
    if datagram.iter().all(u8::is_ascii_whitespace) {
        return if datagram.len() <= 4 { Verdict::Pass } else { Verdict::Drop };
    }
    let Some(end) = datagram.windows(4).position(|four| four == b"\r\n\r\n") else { return Verdict::Drop };
    let Some(Ok(head)) = datagram.get(..end).map(std::str::from_utf8) else { return Verdict::Drop };
    let body = datagram.len() - end - 4;
    if head.len() > MOST_HEADER_BYTES || head.lines().count() > MOST_HEADERS || body > MOST_BODY_BYTES {
        return Verdict::Drop;
    }
    let first = head.lines().next().unwrap_or_default();
    if first.starts_with("SIP/2.0 ") {
        return Verdict::Pass;
    }
    let mut words = first.split(' ');
    let (Some(method), Some(_), Some("SIP/2.0"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Verdict::Drop;
    };
    if method.parse::<Method>().is_ok() {
        return Verdict::Pass;
    }
    let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
    if method.is_empty() || !method.chars().all(token) {
        return Verdict::Drop;
    }
    not_implemented(head).map_or(Verdict::Drop, Verdict::Answer)
}

/// 501 (RFC 3261 section 21.5.2) to a request that the stack cannot read, since it knows no other methods than its own.
/// Without state: a repeated request is answered again.
fn not_implemented(head: &str) -> Option<Vec<u8>> {
    let mut answer = String::from("SIP/2.0 501 Not Implemented\r\n");
    let mut found = [false; 5];
    for line in head.lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (at, name) = match name.trim().to_ascii_lowercase().as_str() {
            "via" | "v" => (0, "Via"),
            "from" | "f" => (1, "From"),
            "to" | "t" => (2, "To"),
            "call-id" | "i" => (3, "Call-ID"),
            "cseq" => (4, "CSeq"),
            _ => continue,
        };
        if let Some(found) = found.get_mut(at) {
            *found = true;
        }
        let value = value.trim();
        let tagged = at != 2 || crate::message::tag(value).is_some();
        let tag = if tagged { "" } else { ";tag=501" };
        answer.push_str(&format!("{name}: {value}{tag}\r\n"));
    }
    answer.push_str(&format!("Allow: {}\r\nContent-Length: 0\r\n\r\n", crate::message::ALLOW));
    found.iter().all(|&found| found).then(|| answer.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const HEAD: &str =
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nf: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\ni: 1\r\nCSeq: 1 X\r\n";

    #[test]
    fn requests_that_the_stack_cannot_read_are_answered() {
        let Verdict::Answer(answer) = judge(format!("PING sip:b@h SIP/2.0\r\n{HEAD}\r\n").as_bytes()) else {
            panic!("an answer")
        };
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("SIP/2.0 501 Not Implemented\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"));
        assert!(answer.contains("\r\nTo: <sip:b@h>;tag=501\r\n"), "{answer}");
        assert_eq!(judge(b"PING sip:b@h SIP/2.0\r\nVia: x\r\n\r\n"), Verdict::Drop);
    }

    #[test]
    fn what_is_no_sip_goes_no_further() {
        assert_eq!(judge(format!("INVITE sip:b@h SIP/2.0\r\n{HEAD}\r\n").as_bytes()), Verdict::Pass);
        assert_eq!(judge(b"SIP/2.0 200 OK\r\nVia: x\r\n\r\n"), Verdict::Pass);
        assert_eq!(judge(b"\r\n\r\n"), Verdict::Pass);
        for bad in [
            &b"INVITE sip:b@h SIP/2.0\r\nVia: x"[..],
            b"INVITE sip:b@h SIP/3.0\r\n\r\n",
            b"INV ITE sip:b@h SIP/2.0\r\n\r\n",
            b"\xff\xfe\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"\r\n\r\n\r\n\r\n",
        ] {
            assert_eq!(judge(bad), Verdict::Drop, "{}", String::from_utf8_lossy(bad));
        }
        let long = format!("INVITE sip:b@h SIP/2.0\r\n{HEAD}X: {}\r\n\r\n", "x".repeat(MOST_HEADER_BYTES));
        assert_eq!(judge(long.as_bytes()), Verdict::Drop);
        let many = format!("INVITE sip:b@h SIP/2.0\r\n{HEAD}{}\r\n", "X: y\r\n".repeat(MOST_HEADERS));
        assert_eq!(judge(many.as_bytes()), Verdict::Drop);
        let fat = format!("INVITE sip:b@h SIP/2.0\r\n{HEAD}\r\n{}", "x".repeat(MOST_BODY_BYTES + 1));
        assert_eq!(judge(fat.as_bytes()), Verdict::Drop);
    }

    #[test]
    fn strangers_are_few() {
        let gate = Gate::new(vec![Network::from(IpAddr::from([192, 0, 2, 1]))], false);
        let heard = (0..1000).filter(|_| gate.lets_in(IpAddr::from([203, 0, 113, 5]))).count();
        assert!((40..=60).contains(&heard), "{heard}");
        assert!((0..1000).all(|_| gate.lets_in(IpAddr::from([192, 0, 2, 1]))));
        assert_eq!(gate.counters.figures().strangers, 1000);
    }

    #[tokio::test]
    async fn no_more_is_read_than_is_taken() {
        let gate = std::sync::Arc::new(Gate::new(vec![Network::from(IpAddr::from([127, 0, 0, 1]))], false));
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let far = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        far.connect(socket.local_addr().unwrap()).await.unwrap();
        let socket = GatedSocket::new(socket, gate.clone(), None);
        let request = format!("OPTIONS sip:b@h SIP/2.0\r\n{HEAD}\r\n");
        let mut buffer = [0; 2048];
        for _ in 0..MOST_WAITING {
            // What is no message does not count.
            for datagram in ["OPTIONS sip:b@h SIP/2.0\r\nVia: nonsense\r\n\r\n", &request] {
                far.send(datagram.as_bytes()).await.unwrap();
            }
            socket.recv_from(&mut buffer).await.unwrap();
        }
        far.send(request.as_bytes()).await.unwrap();
        let mut reading = std::pin::pin!(socket.recv_from(&mut buffer));
        let no = tokio::time::timeout(Duration::from_millis(50), &mut reading).await;
        assert!(no.is_err(), "it waits in the kernel");
        gate.taken();
        reading.await.unwrap();
        assert_eq!(gate.counters.figures().malformed, 256);
    }

    #[test]
    fn what_cannot_be_kept_is_dropped() {
        let gate = Gate::new(Vec::new(), false);
        gate.keeps(MOST_KEPT - 1);
        assert!(gate.can_keep());
        gate.keeps(MOST_KEPT);
        assert!(!gate.can_keep());
        assert_eq!(gate.counters.figures().limited, 1);
    }

    #[test]
    fn buckets_fill_again() {
        let start = Instant::now();
        let mut bucket = Bucket::new(2.0);
        assert_eq!((0..10).filter(|_| bucket.take(start)).count(), 4);
        assert_eq!((0..10).filter(|_| bucket.take(start + Duration::from_millis(500))).count(), 1);
    }
}
