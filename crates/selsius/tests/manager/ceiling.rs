//! Memory has a ceiling, whatever the network makes of the manager: floods against a process that may take little more than it
//! has when it begins. An allocation beyond that ends it, and with it the test.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
};

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use selsius_station::Action;
use selsius_wire::{
    Dialect, StationMessage, message,
    value::{DeviceType, Text},
};

use crate::support::{Manager, OFFICE, Pair, until};

/// What the manager may take beyond what it has when it is ready, in bytes of its address space.
const ROOM: u64 = 160 << 20;
/// What it is, and how it begins: its connections are held for the length of a call.
type Flood = (&'static str, fn(&Manager) -> Vec<TcpStream>);

/// Connections of one flood.
const MANY: usize = 3000;

#[test]
fn floods_do_not_take_the_memory_and_calls_go_on() {
    may_open_many_files();
    let top = tempfile::tempdir().unwrap();
    // What keeps floods away has tests of its own: how fast connections come, and overload on a slow machine.
    let config = top.path().join("selsius.toml");
    fs::write(&config, "[limits]\nlate-ms = 60000\nconnections-per-second = 100000\n").unwrap();
    let config = config.to_str().unwrap();
    let manager = Manager::start(top.path(), &["--auto-register", "5000-5099", "--config", config]);
    manager.apply(OFFICE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        // Everything that a call needs is there once.
        call(&mut pair).await;
        let ceiling = size(manager.process, "VmSize") + ROOM;
        let limit = Rlimit { current: Some(ceiling), maximum: Some(ceiling) };
        prlimit(Some(manager.process), Resource::As, limit).unwrap();

        let floods: [Flood; 9] = [
            ("connections that say nothing", |manager| connect(manager.sccp, MANY)),
            ("half of the longest frame", |manager| {
                let mut half = 4096_u32.to_le_bytes().to_vec();
                half.resize(4100, 0);
                said(connect(manager.sccp, MANY), &half)
            }),
            ("garbage", |manager| said(connect(manager.sccp, MANY), &[0xA5; 20_000])),
            ("messages without end", |manager| {
                said(connect(manager.sccp, 200), &frame(message::KeepAlive).repeat(100_000))
            }),
            ("alarms before Register", |manager| {
                let alarm = message::Alarm { text: Text::full([b'x'; 80]), ..message::Alarm::default() };
                said(connect(manager.sccp, 1000), &frame(alarm).repeat(400))
            }),
            ("names that nobody knows", |manager| {
                let mut open = Vec::new();
                for guess in 0..1000 {
                    open.extend(said(connect(manager.sccp, 1), &register(&format!("ATA{guess:012}"))));
                }
                open
            }),
            ("registered phones that ask and do not read", |manager| {
                let mut open = Vec::new();
                for phone in 0..100 {
                    let mut words = register(&format!("SEP0200000F{phone:04}"));
                    words.extend(frame(message::SoftKeyTemplateReq).repeat(20_000));
                    open.extend(said(connect(manager.sccp, 1), &words));
                }
                open
            }),
            ("screens as long as they can be", |manager| {
                let mut words = register("SEP0200000F0000");
                let xmldata = vec![b'<'; 2000];
                let data = message::DeviceToUserDataVersion1 {
                    data_length: 2000,
                    xmldata: xmldata.into(),
                    ..message::DeviceToUserDataVersion1::default()
                };
                words.extend(frame(data).repeat(2000));
                said(connect(manager.sccp, 1), &words)
            }),
            ("HTTP and TFTP without end", |manager| {
                let mut heads = b"GET /".to_vec();
                heads.resize(1 << 20, b'a');
                let open = said(connect(manager.http, 1000), &heads);
                let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
                for _ in 0..5000 {
                    let _ = socket.send_to(b"\0\x01SEP020000001001.cnf.xml\0octet\0", manager.tftp);
                }
                open
            }),
        ];
        for (flood, begin) in floods {
            let open = begin(&manager);
            assert!(!open.is_empty(), "{flood}");
            call(&mut pair).await;
            let peak = size(manager.process, "VmPeak");
            assert!(peak <= ceiling, "{flood}: {peak} of {ceiling} bytes");
            drop(open);
        }
        call(&mut pair).await;
    });
    let counters = manager.status().counters;
    assert!(counters.calls >= 11 && counters.garbage > 0 && counters.held > 0, "{counters:?}");
    manager.stop();
}

/// Alice calls Bob, and both hang up.
async fn call(pair: &mut Pair) {
    pair.talk().await;
    for phone in [&mut pair.alice, &mut pair.bob] {
        phone.act(Action::OnHook).await.unwrap();
        until(phone, |now| now.face.calls.is_empty()).await;
    }
}

/// As many connections as are taken of so many.
fn connect(to: SocketAddr, count: usize) -> Vec<TcpStream> {
    (0..count).map_while(|_| TcpStream::connect(to).ok()).collect()
}

/// All of them say this, as far as it goes without waiting; none reads.
fn said(mut connections: Vec<TcpStream>, words: &[u8]) -> Vec<TcpStream> {
    for connection in &mut connections {
        connection.set_nonblocking(true).unwrap();
        // The manager may not take it, or close.
        let _ = connection.write_all(words);
    }
    connections
}

fn frame(message: impl Into<StationMessage>) -> Vec<u8> {
    let mut bytes = Vec::new();
    Dialect::default().encode_station(&message.into(), &mut bytes);
    bytes
}

fn register(name: &str) -> Vec<u8> {
    frame(message::Register {
        device_name: Text::new(name.as_bytes()),
        device_type: DeviceType::from(7_u32),
        protocol_ver: 11,
        ..message::Register::default()
    })
}

/// A figure of the kernel about a process, in bytes.
fn size(process: Pid, figure: &str) -> u64 {
    let mut text = String::new();
    let path = format!("/proc/{}/status", process.as_raw_nonzero());
    fs::File::open(path).unwrap().read_to_string(&mut text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':')).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

fn may_open_many_files() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}
