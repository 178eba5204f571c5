//! Ways as elements of nftables' sets, for audio that this machine routes.
//!
//! The guard's table has two chains: `forward` lets pass what a set names, and drops all other audio from and to the phones; `translate`
//! leads packets where the maps say. Each element lives for three minutes and is put there again each minute: what a guard leaves
//! behind that has crashed is gone by itself, and one that is started again soon enough takes it over.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::Write as _,
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use ipnet::IpNet;
use selsius_inspect::guard::{Hole, Passage};
use thiserror::Error;

use super::{Order, next};

/// What the table is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The name of the table.
    pub table: String,
    /// Where the phones are.
    pub phones: Vec<IpNet>,
    /// Where streams appear that are translated: what comes there without a way is dropped at once. Else the kernel would remember it
    /// as a flow of this machine's own, and not look at the map any more when the way is there.
    pub places: Vec<(IpAddr, RangeInclusive<u16>)>,
    /// Ports of audio: UDP to them, from and to phones, passes only where a way is open.
    pub ports: RangeInclusive<u16>,
}

/// Why there are no ways by nftables.
#[derive(Debug, Error)]
pub enum NftError {
    /// The program cannot be run.
    #[error("cannot run nft: {0} (Debian's package nftables brings it)")]
    Run(#[from] std::io::Error),
    /// It refuses.
    #[error("nft refuses the guard's table: {0}")]
    Refused(String),
}

/// How long an element lives, and how often it is put there again.
const LIFE: Duration = Duration::from_secs(180);
const AGAIN: Duration = Duration::from_secs(60);
/// What comes together is done together, within that time.
const TOGETHER: Duration = Duration::from_millis(2);

pub(super) fn start(network: Network, orders: Receiver<Order>) -> Result<JoinHandle<()>, NftError> {
    run(&table(&network))?;
    let mut ways = Nft { table: network.table, open: BTreeMap::new() };
    let thread = std::thread::Builder::new().name("nftables".into()).spawn(move || ways.run(&orders))?;
    Ok(thread)
}

/// The table with its sets and chains. What is in the sets stays; the rules are made anew.
fn table(network: &Network) -> String {
    let Network { table, phones, places, ports } = network;
    let (first, last) = (ports.start(), ports.end());
    let mut text = format!("add table inet {table}\n");
    for (family, address) in [("4", "ipv4_addr"), ("6", "ipv6_addr")] {
        let place = format!("{address} . inet_service");
        let _ = writeln!(
            text,
            "add set inet {table} known{family} {{ type {place} . {address}; flags timeout; }}"
        );
        let _ = writeln!(text, "add set inet {table} open{family} {{ type {place}; flags timeout; }}");
        let _ =
            writeln!(text, "add map inet {table} to{family} {{ type {place} : {place}; flags timeout; }}");
        let _ =
            writeln!(text, "add map inet {table} from{family} {{ type {place} : {place}; flags timeout; }}");
    }
    let _ = writeln!(
        text,
        "add chain inet {table} forward {{ type filter hook forward priority filter; policy accept; }}"
    );
    let _ = writeln!(
        text,
        "add chain inet {table} translate {{ type nat hook prerouting priority dstnat; policy accept; }}"
    );
    let _ = writeln!(
        text,
        "add chain inet {table} appear {{ type nat hook postrouting priority srcnat; policy accept; }}"
    );
    for chain in ["forward", "translate", "appear"] {
        let _ = writeln!(text, "flush chain inet {table} {chain}");
    }
    for (family, ip) in [("4", "ip"), ("6", "ip6")] {
        let own = |phone: &&IpNet| phone.addr().is_ipv4() == (family == "4");
        let phones: Vec<String> = phones.iter().filter(own).map(ToString::to_string).collect();
        let _ = writeln!(
            text,
            "add rule inet {table} translate dnat {ip} to {ip} daddr . udp dport map @to{family}"
        );
        let _ = writeln!(
            text,
            "add rule inet {table} appear snat {ip} to {ip} daddr . udp dport map @from{family}"
        );
        let _ = writeln!(
            text,
            "add rule inet {table} forward {ip} daddr . udp dport . {ip} saddr @known{family} accept"
        );
        let _ = writeln!(text, "add rule inet {table} forward {ip} daddr . udp dport @open{family} accept");
        if !phones.is_empty() {
            let phones = phones.join(", ");
            for way in ["saddr", "daddr"] {
                let _ = writeln!(
                    text,
                    "add rule inet {table} forward {ip} {way} {{ {phones} }} udp dport {first}-{last} counter drop"
                );
            }
        }
    }
    for (address, ports) in places {
        let ip = if address.is_ipv4() { "ip" } else { "ip6" };
        let (first, last) = (ports.start(), ports.end());
        let _ = writeln!(
            text,
            "add rule inet {table} translate {ip} daddr {address} udp dport {first}-{last} drop"
        );
    }
    text
}

struct Nft {
    table: String,
    open: BTreeMap<u64, Passage>,
}

impl Nft {
    fn run(&mut self, orders: &Receiver<Order>) {
        let mut again = Instant::now() + AGAIN;
        loop {
            let patience = again.saturating_duration_since(Instant::now());
            let mut changed = BTreeMap::new();
            let mut ends = false;
            let mut order = next(orders, patience);
            while let Some(one) = order {
                match one {
                    Order::Set(passage) => drop(changed.insert(passage.id, passage)),
                    Order::End => ends = true,
                }
                if ends {
                    break;
                }
                order = next(orders, TOGETHER);
            }
            let mut text = String::new();
            for (id, passage) in changed {
                let before = self.open.remove(&id);
                self.change(before.as_ref(), Some(&passage), &mut text);
                if passage.inward.is_some() || passage.outward.is_some() {
                    self.open.insert(id, passage);
                }
            }
            if Instant::now() >= again {
                again = Instant::now() + AGAIN;
                for passage in self.open.values() {
                    self.change(Some(passage), Some(passage), &mut text);
                }
            }
            if !text.is_empty()
                && let Err(error) = run(&text)
            {
                tracing::error!(%error, "ways for audio are not what they should be");
            }
            if ends {
                return;
            }
        }
    }

    /// What nft is told: first what was is put there (so that it can be taken away in any case) and taken away, then
    /// what is.
    fn change(&self, before: Option<&Passage>, after: Option<&Passage>, text: &mut String) {
        let elements = |passage: Option<&Passage>| passage.map(elements).unwrap_or_default();
        let (old, new) = (elements(before), elements(after));
        for (set, element) in &old {
            let (set, key) = (set, element.split(" : ").next().unwrap_or(element));
            let _ = writeln!(text, "add element inet {} {set} {{ {element} }}", self.table);
            let _ = writeln!(text, "delete element inet {} {set} {{ {key} }}", self.table);
        }
        for (set, element) in &new {
            let (key, value) =
                element.split_once(" : ").map_or((&**element, None), |(key, to)| (key, Some(to)));
            let _ =
                write!(text, "add element inet {} {set} {{ {key} timeout {}s", self.table, LIFE.as_secs());
            let _ = match value {
                Some(value) => writeln!(text, " : {value} }}"),
                None => writeln!(text, " }}"),
            };
        }
    }
}

/// The elements of a stream's ways, each with its set.
fn elements(passage: &Passage) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    let ways = [(passage.inward, passage.outward), (passage.outward, passage.inward)];
    for (hole, back) in ways.into_iter().filter_map(|(hole, back)| Some((hole?, back))) {
        // RTP, and RTCP one above.
        for above in [0, 1] {
            of_hole(&hole, back.as_ref(), above, &mut all);
        }
    }
    all
}

fn of_hole(hole: &Hole, back: Option<&Hole>, above: u16, all: &mut Vec<(&'static str, String)>) {
    let up = |place: SocketAddr| SocketAddr::new(place.ip(), place.port().saturating_add(above));
    let (at, to) = (up(hole.at), up(hole.to));
    let [known, open, dnat, snat] = match to.ip() {
        IpAddr::V4(_) => ["known4", "open4", "to4", "from4"],
        IpAddr::V6(_) => ["known6", "open6", "to6", "from6"],
    };
    let key = |place: SocketAddr| format!("{} . {}", place.ip(), place.port());
    // The filter comes behind the translation: it sees where packets go in the end.
    match hole.from {
        Some(from) => all.push((known, format!("{} . {from}", key(to)))),
        None => all.push((open, key(to))),
    }
    if at != to {
        all.push((dnat, format!("{} : {}", key(at), key(to))));
    }
    // They come from where the receiver sends to.
    if let Some(back) = back.filter(|back| back.at != back.to && back.at.is_ipv4() == to.is_ipv4()) {
        all.push((snat, format!("{} : {}", key(to), key(up(back.at)))));
    }
}

fn run(text: &str) -> Result<(), NftError> {
    let mut nft = Command::new("nft")
        .args(["-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // Closed at the end of the statement: nft then knows that this was all.
    nft.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(text.as_bytes()))?;
    let output = nft.wait_with_output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(NftError::Refused(said.lines().next().unwrap_or("it does not say why").into()))
}
