//! Files by TFTP and HTTP, fetched with other people's clients.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use crate::support::{Manager, OFFICE, PATIENCE, output, selsius, skipped};

const NAME: &str = "SEP020000001001.cnf.xml";

/// A file that is longer than 1 MB and no multiple of a block.
fn firmware() -> Vec<u8> {
    (0..1_300_001_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

fn manager(data_dir: &Path) -> Manager {
    let manager = Manager::start(data_dir, &[]);
    manager.apply(OFFICE);
    fs::write(data_dir.join("files/P00308010200.bin"), firmware()).unwrap();
    manager
}

fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_err() {
        skipped(&format!("{program} is not installed"));
    }
    found.is_ok()
}

/// What curl gets.
fn curl(arguments: &[&str]) -> Result<Vec<u8>, i32> {
    let mut command = Command::new("curl");
    command.args(["-sS", "--noproxy", "*", "--max-time", "60"]).args(arguments);
    let output = output(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    if output.status.success() { Ok(output.stdout) } else { Err(output.status.code().unwrap()) }
}

#[test]
fn curl_fetches_by_tftp_with_and_without_options() {
    if !has("curl") {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let manager = manager(top.path());
    let tftp = manager.tftp;
    let config = String::from_utf8(curl(&[&format!("tftp://{tftp}/{NAME}")]).unwrap()).unwrap();
    assert!(config.contains("<processNodeName>127.0.0.1</processNodeName>"), "{config}");
    let port = format!("<ethernetPhonePort>{}</ethernetPhonePort>", manager.sccp.port());
    assert!(config.contains(&port), "{config}");
    let load = format!("tftp://{tftp}/P00308010200.bin");
    for options in
        [&["--tftp-no-options"][..], &["--tftp-blksize", "1428"], &["--tftp-blksize", "65464"], &[]]
    {
        let fetched = curl(&[options, &[&load]].concat());
        assert!(fetched == Ok(firmware()), "{options:?}");
    }
    // 68: the server says that there is no such file.
    let before = Instant::now();
    assert_eq!(curl(&[&format!("tftp://{tftp}/CTLSEP020000001001.tlv")]), Err(68));
    assert!(before.elapsed() < PATIENCE / 6, "at once, not after a time-out");
    manager.stop();
}

#[test]
fn the_debian_client_fetches_by_tftp() {
    if !has("tftp") {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let manager = manager(top.path());
    let fetched = top.path().join("fetched");
    let get = |name: &str| {
        let mut command = Command::new("tftp");
        let (host, port) = (manager.tftp.ip().to_string(), manager.tftp.port().to_string());
        command.args(["-m", "binary", &host, &port, "-c", "get", name]).arg(&fetched);
        let output = output(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    get("P00308010200.bin");
    assert!(fs::read(&fetched).unwrap() == firmware());
    get(NAME);
    assert!(fs::read_to_string(&fetched).unwrap().contains("<callManagerGroup>"));
    let said = get("nothing");
    assert!(said.contains("Error code 1"), "{said}");
    manager.stop();
}

#[test]
fn curl_fetches_by_http() {
    if !has("curl") {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let manager = manager(top.path());
    let at = |name: &str| format!("http://{}/{name}", manager.http);
    assert!(curl(&[&at("P00308010200.bin")]) == Ok(firmware()));
    let config = String::from_utf8(curl(&[&at(NAME)]).unwrap()).unwrap();
    assert!(config.contains("<processNodeName>127.0.0.1</processNodeName>"), "{config}");
    let head = String::from_utf8(curl(&["--head", &at(NAME)]).unwrap()).unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains(&format!("content-length: {}", config.len())),
        "{head}"
    );
    // 22: an error status.
    for name in ["nothing", "../selsius.db", "%2e%2e/selsius.db", "..%2fselsius.db", "/etc/passwd", ""] {
        assert_eq!(curl(&["--fail", "--path-as-is", &at(name)]), Err(22), "{name}");
    }
    assert_eq!(curl(&["--fail", "-X", "DELETE", &at(NAME)]), Err(22));
    manager.stop();
}

#[test]
fn each_phone_is_told_the_address_that_it_asked() {
    if !has("curl") {
        return;
    }
    let top = tempfile::tempdir().unwrap();
    let start = |more: &[&str]| {
        let mut command = selsius();
        command.args([
            "serve",
            "--sccp",
            "[::]:0",
            "--tftp",
            "[::]:0",
            "--http",
            "[::]:0",
            "--auto-register",
            "1001-1009",
        ]);
        command.args(more).arg("--data-dir").arg(top.path());
        Manager::run(top.path(), command)
    };
    let told = |manager: &Manager, asked: &str| {
        let urls = [("tftp", manager.tftp.port()), ("http", manager.http.port())];
        urls.map(|(protocol, port)| {
            let fetched = curl(&["-g", &format!("{protocol}://{asked}:{port}/{NAME}")]);
            let text = String::from_utf8(fetched.unwrap_or_else(|code| panic!("{protocol} {asked}: {code}")))
                .unwrap();
            let (_, rest) = text.split_once("<processNodeName>").unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        })
    };
    let manager = start(&[]);
    // A machine with several addresses: the answer has to come from the one that was asked, and name it.
    for asked in ["127.0.0.1", "127.0.0.5"] {
        assert_eq!(told(&manager, asked), [asked, asked]);
    }
    if UdpSocket::bind("[::1]:0").is_ok() {
        assert_eq!(told(&manager, "[::1]"), ["::1", "::1"]);
    }
    manager.stop();
    let manager = start(&["--advertise", "192.0.2.7"]);
    assert_eq!(told(&manager, "127.0.0.1"), ["192.0.2.7", "192.0.2.7"]);
    manager.stop();
}

#[test]
fn a_refusal_comes_from_the_address_that_was_asked() {
    let top = tempfile::tempdir().unwrap();
    let mut command = selsius();
    command.args(["serve", "--sccp", "127.0.0.1:0", "--tftp", "0.0.0.0:0", "--http", "127.0.0.1:0"]);
    command.arg("--data-dir").arg(top.path());
    let manager = Manager::run(top.path(), command);
    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(PATIENCE)).unwrap();
    for (request, code) in
        [(&b"\0\x01nothing\0octet\0"[..], 1), (b"\0\x01../selsius.db\0octet\0", 2), (b"\0\x02a\0octet\0", 2)]
    {
        phone.send_to(request, ("127.0.0.9", manager.tftp.port())).unwrap();
        let mut answer = [0; 600];
        let (length, from) = phone.recv_from(&mut answer).unwrap();
        assert_eq!(from.ip().to_string(), "127.0.0.9");
        assert_eq!(answer[..4], [0, 5, 0, code], "{}", String::from_utf8_lossy(&answer[..length]));
    }
    manager.stop();
}

#[test]
fn garbage_and_floods_are_bounded_and_phones_are_served_on() {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("selsius.toml");
    fs::write(&file, "[limits]\nhttp-connections = 2\ntftp-transfers-per-address = 2\n").unwrap();
    let manager = Manager::start(top.path(), &["--config", file.to_str().unwrap()]);
    fs::write(top.path().join("files/load.bin"), firmware()).unwrap();
    let end = |stream: &mut TcpStream| {
        let mut bytes = Vec::new();
        // The end of the connection, whether in order or not.
        let _ = stream.read_to_end(&mut bytes);
        bytes
    };
    let connect = || {
        let stream = TcpStream::connect(manager.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let idle = [connect(), connect()];
    assert_eq!(end(&mut connect()), b"", "a third connection is closed");
    drop(idle);
    let answered = || {
        let mut stream = connect();
        let _ = stream.write_all(b"GET /load.bin HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        end(&mut stream).starts_with(b"HTTP/1.1 200")
    };
    let deadline = Instant::now() + PATIENCE;
    while !answered() {
        assert!(Instant::now() < deadline, "places become free again");
    }

    let phone = UdpSocket::bind("127.0.0.1:0").unwrap();
    phone.set_read_timeout(Some(PATIENCE)).unwrap();
    for length in 0..200_usize {
        let garbage: Vec<u8> = (0..length).map(|at| (at * 31 + length) as u8).collect();
        phone.send_to(&garbage, manager.tftp).unwrap();
    }
    // Two transfers of one address are served, the third has to ask again.
    let ask = || {
        let phone = UdpSocket::bind("127.0.0.3:0").unwrap();
        phone.set_read_timeout(Some(PATIENCE)).unwrap();
        phone.send_to(b"\0\x01load.bin\0octet\0", manager.tftp).unwrap();
        phone
    };
    let mut block = [0; 600];
    let transfers = [ask(), ask()];
    for transfer in &transfers {
        assert_eq!(transfer.recv(&mut block).unwrap(), 516);
    }
    let third = ask();
    transfers[0].send_to(b"\0\x05\0\0enough\0", transfers[0].peer(&mut block)).unwrap();
    third.set_nonblocking(true).unwrap();
    assert!(third.recv(&mut block).is_err(), "no answer at all: it will ask again");
    manager.stop();
}

/// Where a transfer's blocks come from.
trait Peer {
    fn peer(&self, block: &mut [u8]) -> SocketAddr;
}

impl Peer for UdpSocket {
    fn peer(&self, block: &mut [u8]) -> SocketAddr {
        // Nothing is acknowledged, so the first block comes again.
        self.recv_from(block).unwrap().1
    }
}
