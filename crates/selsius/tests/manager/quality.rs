//! How calls sounded, by their records and by the metrics.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    num::NonZeroU32,
};

use selsius_client::{AudioSource, Options, Phone};
use selsius_server::api::{Call, Quality};
use selsius_station::{Action, Config, ModelClass};

use crate::support::{Manager, until};

/// Bob's audio goes through the manager.
const OFFICE: &str = r#"
[settings]
codecs = ["pcma", "pcmu"]
[lines.1001]
[lines.1002]
[lines.1003]
[devices.SEP020000001001]
model = "7960"
buttons = [{ line = "1001" }]
[devices.SEP020000001002]
model = "7960"
media = "relay"
buttons = [{ line = "1002" }]
[devices.SEP020000001003]
model = "7960"
buttons = [{ line = "1003" }]
"#;
const ALICE: &str = "SEP020000001001";
const BOB: &str = "SEP020000001002";
const CAROL: &str = "SEP020000001003";
/// Of Alice's packets every fourth is lost.
const LOSES: u32 = 4;

async fn phone(manager: &Manager, name: &str, loses: Option<u32>) -> Phone {
    let loses = loses.and_then(NonZeroU32::new);
    let options = Options { source: AudioSource::Tone(1000), loses, ..Options::default() };
    let mut phone = Phone::start(manager.sccp.into(), Config::new(name, ModelClass::P7960), options);
    until(&mut phone, |now| now.face.registered).await;
    phone
}

/// Alice calls somebody, both hear a few seconds, and she hangs up. The record of the call, once all who can have counted.
async fn call(manager: &Manager, alice: &mut Phone, other: &mut Phone, number: &str, counts: usize) -> Call {
    alice.act(Action::OffHook).await.unwrap();
    until(alice, |now| now.face.tone.is_some()).await;
    alice.act(Action::Dial(number.into())).await.unwrap();
    until(other, |now| now.face.ringing.is_some()).await;
    other.act(Action::OffHook).await.unwrap();
    until(other, |now| now.voice.received.packets >= 90).await;
    until(alice, |now| now.voice.received.packets >= 90).await;
    alice.act(Action::OnHook).await.unwrap();
    until(alice, |now| now.face.calls.is_empty()).await;
    let waits = async {
        loop {
            let calls = manager.calls();
            if let Some(call) =
                calls.into_iter().find(|call| call.dialed == number && call.quality.len() >= counts)
            {
                return call;
            }
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(crate::support::PATIENCE, waits).await;
    waited.unwrap_or_else(|_| panic!("{:#?}", manager.calls()))
}

fn of<'a>(call: &'a Call, device: &str, counted_by: &str) -> &'a Quality {
    let found =
        call.quality.iter().find(|quality| quality.device == device && quality.counted_by == counted_by);
    found.unwrap_or_else(|| panic!("{device} by {counted_by}: {call:#?}"))
}

/// About a quarter is lost. Nothing else is expected to be, but this is a real network and a busy machine.
fn lost_a_quarter(quality: &Quality) -> bool {
    let all = quality.packets_received + quality.packets_lost;
    let share = f64::from(quality.packets_lost) / f64::from(all);
    quality.packets_received >= 80 && (share - 1.0 / f64::from(LOSES)).abs() < 0.05
}

#[tokio::test]
async fn packets_that_are_lost_are_in_the_record_of_the_call() {
    let top = tempfile::tempdir().unwrap();
    let config = top.path().join("selsius.toml");
    std::fs::write(&config, "[metrics]\nlisten = \"127.0.0.1:0\"\n").unwrap();
    let mut manager = Manager::start(top.path(), &["--config", config.to_str().unwrap()]);
    manager.apply(OFFICE);
    let mut alice = phone(&manager, ALICE, Some(LOSES)).await;
    let mut bob = phone(&manager, BOB, None).await;
    let mut carol = phone(&manager, CAROL, None).await;

    // Through the manager: what both phones counted, and what it did.
    let relayed = call(&manager, &mut alice, &mut bob, "1002", 4).await;
    assert_eq!(relayed.quality.len(), 4, "{relayed:#?}");
    let from_alice = of(&relayed, ALICE, "manager");
    assert!(lost_a_quarter(from_alice), "{relayed:#?}");
    assert_eq!((from_alice.number.as_str(), from_alice.codec.as_str()), ("1001", "PCMA"));
    assert!(from_alice.mos.is_some_and(|mos| mos < 2.5), "{relayed:#?}");
    assert!(from_alice.octets_received == from_alice.packets_received * 160, "{relayed:#?}");
    let from_bob = of(&relayed, BOB, "manager");
    assert!(from_bob.packets_received >= 80 && from_bob.packets_lost <= 2, "{relayed:#?}");
    assert!(from_bob.mos.is_some_and(|mos| mos > 4.0), "{relayed:#?}");
    assert!(of(&relayed, ALICE, "phone").mos.is_some_and(|mos| mos > 4.0), "{relayed:#?}");
    assert!(of(&relayed, BOB, "phone").packets_received >= 80, "{relayed:#?}");

    // Directly: the phones alone.
    let direct = call(&manager, &mut alice, &mut carol, "1003", 2).await;
    assert_eq!(direct.quality.len(), 2, "{direct:#?}");
    let carols = of(&direct, CAROL, "phone");
    assert!(lost_a_quarter(carols) && carols.mos.is_some_and(|mos| mos < 2.5), "{direct:#?}");
    let alices = of(&direct, ALICE, "phone");
    assert!(alices.packets_lost <= 2 && alices.mos.is_some_and(|mos| mos > 4.0), "{direct:#?}");

    let rows = manager.ask(&["calls", "--poor", "--format", "csv"]);
    let mut csv = csv::Reader::from_reader(rows.as_bytes());
    let rows: Vec<std::collections::BTreeMap<String, String>> =
        csv.deserialize().collect::<Result<_, _>>().unwrap();
    let [of_direct, of_relayed] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(of_direct["called_mos"], carols.mos.unwrap().to_string());
    assert_eq!(of_direct["called_relayed_packets_lost"], "");
    assert_eq!(of_relayed["calling_relayed_packets_lost"], from_alice.packets_lost.to_string());
    assert_eq!(manager.ask(&["calls", "--poor=1.05"]), "no calls\n");
    let shown = manager.ask(&["calls", "show", &relayed.id.to_string()]);
    let row =
        shown.lines().find(|line| line.starts_with(&format!("1001 {ALICE}")) && line.contains("manager"));
    assert!(row.is_some_and(|row| row.contains(&format!(" {} (2", from_alice.packets_lost))), "{shown}");

    let metrics = metrics(&mut manager);
    for (labels, count) in
        [(r#"heard_by="party",leg="phone",trunk="""#, 4), (r#"heard_by="manager",leg="phone",trunk="""#, 2)]
    {
        let line = format!("selsius_audio_mos_count{{{labels}}} {count}\n");
        assert!(metrics.contains(&line), "{line}{metrics}");
    }
    let poor = r#"selsius_audio_mos_bucket{heard_by="manager",leg="phone",trunk="",le="3.5"} 1"#;
    assert!(metrics.contains(poor), "{metrics}");
    manager.stop();
}

/// What Prometheus would get.
fn metrics(manager: &mut Manager) -> String {
    const WHERE: &str = "figures for Prometheus: http://";
    let line = manager.log.seen.iter().find(|line| line.contains(WHERE)).cloned();
    let line = line.or_else(|| manager.log.find(|line| line.contains(WHERE))).unwrap();
    let address = line.split(WHERE).nth(1).unwrap().split('/').next().unwrap();
    let mut connection = TcpStream::connect(address.parse::<SocketAddr>().unwrap()).unwrap();
    connection.write_all(b"GET /metrics HTTP/1.1\r\nHost: m\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}
