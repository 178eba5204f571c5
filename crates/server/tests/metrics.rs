//! Figures and health, as Prometheus and a load balancer ask for them, of a whole manager.

#![allow(clippy::unwrap_used, reason = "helpers of tests, outside of any test function")]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

mod bench;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use bench::{Phone, device_name};
use selsius_server::{
    Options, Server,
    api::{Health, ProblemKind},
    config::Config,
};
use tokio::task::spawn_blocking;

const SITE: &str = r#"
[lines.1001]
[lines.1002]
[devices.SEP000000001001]
buttons = [{ line = "1001" }]
[devices.SEP000000001002]
buttons = [{ line = "1002" }]
"#;

fn options(folder: &tempfile::TempDir) -> Options {
    let mut options = Options::loopback(folder.path());
    options.config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    options.site = Some(("office.toml".into(), SITE.into()));
    options
}

/// Status, content type and body of an answer.
fn get(at: SocketAddr, path: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(bench::DEADLINE)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: selsius\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
    (status, kind.into(), body.into())
}

fn registered(sccp: SocketAddr, number: &str) -> Phone {
    let mut phone = Phone::connect(sccp);
    phone.say_register(&device_name(number));
    phone.settle();
    let capabilities = selsius_wire::message::AudioCapability::new(selsius_wire::Codec::G711Ulaw64k, 40);
    phone.say(selsius_wire::message::CapabilitiesRes::new(&[capabilities]));
    phone.say(selsius_wire::message::TimeDateReq);
    phone.settle();
    phone
}

/// A bit of everything that is counted: a call that ends, one that rings, a phone that is refused, one that goes, nonsense.
fn use_it(sccp: SocketAddr) -> [Phone; 2] {
    let (mut alice, mut bob) = (registered(sccp, "1001"), registered(sccp, "1002"));
    for answered in [true, false] {
        alice.off_hook();
        alice.dial("1002");
        bob.until(|message| message.name() == "SetRinger");
        if answered {
            bob.off_hook();
            bob.settle();
            bob.on_hook();
            bob.settle();
            alice.on_hook();
        }
        alice.settle();
    }
    // A key that it does not have, and a message that nobody knows.
    alice.say(selsius_wire::message::SoftKeyEvent::default());
    alice.say_raw(0x7777, &[]);
    alice.settle();
    let mut stranger = Phone::connect(sccp);
    stranger.say_register("SEPAAAAAAAAAAAA");
    stranger.ends();
    let mut garbage = Phone::connect(sccp);
    garbage.send(&[0xFF; 12]);
    garbage.ends();
    [alice, bob]
}

/// The names of the families, and the values by name and labels.
fn read(text: &str) -> (BTreeSet<String>, BTreeMap<String, f64>) {
    let names =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next().map(String::from));
    let values = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.into(), value.parse().unwrap())
    });
    (names.collect(), values.collect())
}

fn repository(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of our own figures in a text, without what histograms append.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let names = words.filter(|word| word.starts_with("selsius_") || word.starts_with("process_"));
    let base = |name: &str| {
        let ends = ["_bucket", "_sum", "_count"];
        ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name).to_owned()
    };
    names.map(base).collect()
}

/// Runs promtool, if this machine has it.
fn promtool(arguments: &[&str], input: &str) {
    let command = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = command else {
        eprintln!("skipped: no promtool (Debian's package prometheus)");
        return;
    };
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Runs this beside the manager, which lives on the test's own thread.
async fn beside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.unwrap()
}

#[tokio::test]
async fn what_happens_is_counted_and_prometheus_understands_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(options(&folder)).await.unwrap();
    let (at, sccp) = (server.metrics().unwrap(), server.addresses().sccp[0]);
    let (phones, (status, kind, text)) = beside(move || (use_it(sccp), get(at, "/metrics"))).await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; version=0.0.4"));
    promtool(&["check", "metrics"], &text);

    let (names, values) = read(&text);
    for (name, expected) in [
        ("selsius_up", 1.0),
        ("selsius_registered_phones", 2.0),
        ("selsius_configured_phones", 2.0),
        ("selsius_registrations_total", 2.0),
        ("selsius_registrations_rejected_total", 1.0),
        ("selsius_register_to_ready_seconds_count", 2.0),
        ("selsius_calls{state=\"ringing\"}", 1.0),
        ("selsius_calls{state=\"talking\"}", 0.0),
        ("selsius_calls_started_total", 2.0),
        ("selsius_call_setup_seconds_count", 2.0),
        ("selsius_calls_ended_total{cause=\"called-hung-up\"}", 1.0),
        ("selsius_calls_ended_total{cause=\"busy\"}", 0.0),
        ("selsius_call_talking_seconds_count", 1.0),
        ("selsius_connections", 2.0),
        ("selsius_connections_unregistered", 0.0),
        ("selsius_connections_accepted_total", 4.0),
        ("selsius_connections_dropped_total{reason=\"garbage\"}", 1.0),
        ("selsius_messages_total{direction=\"in\",message=\"Register\"}", 3.0),
        ("selsius_messages_total{direction=\"out\",message=\"RegisterAck\"}", 2.0),
        ("selsius_messages_total{direction=\"out\",message=\"RegisterReject\"}", 1.0),
        ("selsius_messages_total{direction=\"in\",message=\"Unknown\"}", 1.0),
        ("selsius_exchange_crashes_total", 0.0),
        ("selsius_store_failing", 0.0),
        ("selsius_store_records_lost_total{kind=\"call-ended\"}", 0.0),
    ] {
        assert_eq!(values.get(name), Some(&expected), "{name} in\n{text}");
    }
    assert!(values["process_resident_memory_bytes"] > 1e6 && values["process_open_fds"] > 4.0, "{text}");

    // Whatever tells people of figures tells of those that exist.
    let mut table: BTreeSet<_> = mentioned(&repository("docs/operations.md"));
    // This office has no SIP trunk; `observe` tests the figure.
    assert!(table.remove("selsius_sip_trunk_up"));
    assert_eq!(names, table, "docs/operations.md has a row for each figure");
    for file in ["deploy/grafana-dashboard.json", "deploy/prometheus-rules.yml"] {
        let unknown: Vec<_> = mentioned(&repository(file)).difference(&names).cloned().collect();
        assert_eq!(unknown, [""; 0], "{file}");
    }
    drop(phones);
    server.stop().await.unwrap();
}

#[test]
fn prometheus_understands_the_rules() {
    let rules = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus-rules.yml");
    promtool(&["check", "rules", rules.to_str().unwrap()], "");
}

#[test]
fn alerts_are_raised_when_they_should_be() {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/alerts.yml");
    promtool(&["test", "rules", tests.to_str().unwrap()], "");
}

#[test]
fn prometheus_understands_what_the_dashboard_asks() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&repository("deploy/grafana-dashboard.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "Grafana tells panels apart by their ids");
    let mut asked = Vec::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        asked.extend(targets.iter().map(|target| target["expr"].as_str().unwrap().to_owned()));
    }
    // A file of rules is the form in which promtool checks expressions; JSON is YAML.
    let rules = asked.iter().enumerate().map(|(at, expr)| {
        let expr = expr.replace("$__rate_interval", "5m").replace("$instance", ".*");
        serde_json::json!({ "record": format!("asked:{at}"), "expr": expr })
    });
    let rules =
        serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules.collect::<Vec<_>>() }] });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), rules.to_string()).unwrap();
    promtool(&["check", "rules", file.path().to_str().unwrap()], "");
}

fn health(body: &str) -> (Health, Vec<ProblemKind>) {
    let health: Health = serde_json::from_str(body).unwrap();
    let kinds = health.problems.iter().map(|problem| problem.kind).collect();
    (health, kinds)
}

#[tokio::test]
async fn health_tells_what_is_wrong_and_figures_are_told_even_without_an_exchange() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(options(&folder)).await.unwrap();
    let at = server.metrics().unwrap();
    for path in ["/health", "/health/ready", "/health/live"] {
        let (status, kind, body) = beside(move || get(at, path)).await;
        assert_eq!((status, kind.as_str()), (200, "application/json"), "{path}");
        assert_eq!(health(&body).0, Health::default());
    }
    let (status, _, body) = beside(move || get(at, "/")).await;
    assert_eq!((status, body.contains("/metrics")), (404, true));

    server.exchange().send(selsius_server::core::Command::Stop).unwrap();
    // Until it has ended, its thread still answers that it is being stopped.
    let (status, body) = beside(move || {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let (status, _, body) = get(at, "/health/live");
            if health(&body).1 != [ProblemKind::Stopping] || Instant::now() > deadline {
                return (status, body);
            }
        }
    })
    .await;
    let (health, kinds) = health(&body);
    assert_eq!((status, health.ready), (503, false));
    assert_eq!(kinds, [ProblemKind::ExchangeSilent], "{body}");
    let (status, _, text) = beside(move || get(at, "/metrics")).await;
    let values = read(&text).1;
    assert_eq!((status, values["selsius_up"], values["selsius_store_failing"]), (200, 0.0, 0.0));
    promtool(&["check", "metrics"], &text);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_reload_moves_the_figures_and_leaves_what_cannot_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(options(&folder)).await.unwrap();
    let before = server.metrics().unwrap();
    let mut config = Config::default();
    (config.sccp, config.tftp, config.http) = {
        let Options { config, .. } = options(&folder);
        (config.sccp, config.tftp, config.http)
    };
    config.limits.connections = 1;
    config.limits.http_connections = 3;
    let change = server.reload(config.clone()).await.unwrap();
    assert_eq!(change.live, ["limits.connections", "metrics.listen"]);
    assert_eq!(change.at_restart, ["limits.http-connections"]);
    assert_eq!(server.metrics(), None);

    // The new limit holds: the first connection is one too many for the second.
    let sccp = server.addresses().sccp[0];
    let _first = beside(move || registered(sccp, "1001")).await;
    beside(move || Phone::connect(sccp).ends()).await;

    // Somebody else's address: nothing changes, and the old one is not given up.
    config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    server.reload(config.clone()).await.unwrap();
    let (now, taken) = (server.metrics().unwrap(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
    config.metrics.listen = Some(taken.local_addr().unwrap());
    let error = server.reload(config).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot serve metrics on 127.0.0.1:"), "{error}");
    assert!(error.hint().unwrap().contains("[metrics]"), "{:?}", error.hint());
    assert_eq!(beside(move || get(now, "/health")).await.0, 200);
    assert_ne!(before, now);
    server.stop().await.unwrap();
}
