//! Starting and ending.

use std::{
    fs,
    net::{TcpListener, UdpSocket},
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
};

use rustix::process::Signal;

use crate::support::{Manager, OFFICE, Pair, fails, phone, selsius, serve, skipped, until};

#[test]
fn the_line_gives_real_ports_and_the_end_is_in_order() {
    let top = tempfile::tempdir().unwrap();
    let mut manager = Manager::start(top.path(), &[]);
    for address in [manager.sccp, manager.tftp, manager.http] {
        assert_ne!(address.port(), 0);
    }
    assert_eq!(manager.admin, top.path().join("admin.sock"));
    let hint = manager.log.find(|line| line.contains("the site is empty")).unwrap();
    assert!(hint.contains("selsius site init") && hint.contains("--auto-register 1001-1999"), "{hint}");
    let status = manager.status();
    assert_eq!(status.addresses.sccp, [manager.sccp]);

    let admin = manager.admin.clone();
    manager.signal(Signal::TERM);
    let (status, out, log) = manager.end();
    assert_eq!(status.code(), Some(0), "{log:#?}");
    assert_eq!(out.len(), 1, "one line on standard output: {out:?}");
    assert!(!admin.exists());
}

#[test]
fn ctrl_c_ends_calls_and_says_so_in_their_records() {
    let top = tempfile::tempdir().unwrap();
    let manager = Manager::start(top.path(), &[]);
    manager.apply(OFFICE);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pair = Pair::register(manager.sccp).await;
        pair.talk().await;
        manager.signal(Signal::INT);
        for phone in [&mut pair.alice, &mut pair.bob] {
            until(phone, |now| !matches!(now.connection, selsius_client::Connection::Up { .. })).await;
        }
    });
    let (status, _, log) = manager.end();
    assert_eq!(status.code(), Some(0), "{log:#?}");

    let manager = Manager::start(top.path(), &[]);
    let calls = manager.calls();
    assert_eq!((calls.len(), calls[0].cause.as_str()), (1, "shutdown"), "{calls:?}");
    assert_eq!(calls[0].called.device.as_deref(), Some("SEP020000001002"));
    manager.stop();
}

#[test]
fn several_addresses_and_both_protocols() {
    let top = tempfile::tempdir().unwrap();
    let mut command = selsius();
    command.args([
        "serve",
        "--sccp",
        "[::]:0",
        "--sccp",
        "127.0.0.2:0",
        "--tftp",
        "[::]:0",
        "--http",
        "[::]:0",
    ]);
    command.arg("--data-dir").arg(top.path());
    let manager = Manager::run(top.path(), command);
    let sccp = manager.status().addresses.sccp;
    assert_eq!(sccp.len(), 2);
    let mut ways = vec![format!("127.0.0.1:{}", sccp[0].port()), sccp[1].to_string()];
    if UdpSocket::bind("[::1]:0").is_ok() {
        ways.push(format!("[::1]:{}", sccp[0].port()));
    }
    for address in ways {
        std::net::TcpStream::connect(&address).unwrap_or_else(|error| panic!("{address}: {error}"));
    }
    manager.stop();
}

/// The one line that a manager says that does not start.
fn refusal(arguments: &[&str], data_dir: &Path) -> String {
    let mut command = serve(data_dir);
    command.args(arguments);
    let said = fails(command);
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let top = tempfile::tempdir().unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (tcp, udp) = (tcp.local_addr().unwrap().to_string(), udp.local_addr().unwrap().to_string());
    // The last of an option that can be given once wins; SCCP gets one more address.
    for (option, address) in [("--sccp", &tcp), ("--http", &tcp), ("--tftp", &udp)] {
        let mut command = selsius();
        command.arg("serve").arg("--data-dir").arg(top.path());
        for other in ["--sccp", "--http", "--tftp"] {
            command.args([other, if other == option { address } else { "127.0.0.1:0" }]);
        }
        let said = fails(command);
        assert!(
            said.contains(address.as_str()) && said.contains("in use") && said.contains(option),
            "{said}"
        );
        assert!(!top.path().join("admin.sock").exists());
    }
    drop(udp);
}

#[test]
fn without_the_right_to_port_69_tftp_takes_another_and_says_how_to_get_it() {
    let top = tempfile::tempdir().unwrap();
    fs::set_permissions(top.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let data_dir = top.path().join("data");
    let mut command = std::process::Command::new("setpriv");
    let limits =
        ["--reuid", "65534", "--clear-groups", "--inh-caps=-all", "--ambient-caps=-all", "--no-new-privs"];
    command.args(limits).arg(env!("CARGO_BIN_EXE_selsius")).arg("serve").arg("--data-dir").arg(&data_dir);
    command.args(["--sccp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--tftp", "127.0.0.1:69"]);
    let tried =
        std::process::Command::new("setpriv").args(limits).arg(env!("CARGO_BIN_EXE_selsius")).output();
    let low = fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if !tried.is_ok_and(|output| output.status.code() == Some(2)) || low.trim() != "1024" {
        return skipped(
            "cannot run a process that may not bind port 69 (needs root, setpriv and low ports kept)",
        );
    }
    let mut manager = Manager::run(&data_dir, command);
    assert_eq!(manager.tftp.port(), 6969);
    manager.log.find(|line| line.contains("UDP port 69 only")).unwrap();
    let line = manager.log.find(|line| line.contains("setcap")).unwrap();
    let expected = format!("sudo setcap cap_net_bind_service=+ep {}", env!("CARGO_BIN_EXE_selsius"));
    assert_eq!(line.trim(), expected);
    manager.stop();
}

#[test]
fn one_manager_works_in_a_data_directory() {
    let top = tempfile::tempdir().unwrap();
    let first = Manager::start(top.path(), &[]);
    let said = refusal(&[], top.path());
    assert!(said.contains("in use by another selsius") && said.contains("--data-dir"), "{said}");
    assert!(first.ask(&["status"]).contains("0 of 0 devices registered"));
    first.stop();
}

#[test]
fn a_directory_that_cannot_be_made() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("file"), "").unwrap();
    let said = refusal(&[], &top.path().join("file/data"));
    assert!(said.contains("cannot write to the data directory") && said.contains("--data-dir"), "{said}");
}

#[test]
fn a_database_that_is_none() {
    let top = tempfile::tempdir().unwrap();
    fs::write(top.path().join("selsius.db"), "garbage, and more than sixteen bytes of it").unwrap();
    let said = refusal(&[], top.path());
    assert!(said.contains("selsius.db") && said.contains("database"), "{said}");
}

#[test]
fn a_database_of_a_newer_version() {
    let top = tempfile::tempdir().unwrap();
    Manager::start(top.path(), &[]).stop();
    let database = top.path().join("selsius.db");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&database);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
        let newer =
            "INSERT INTO _sqlx_migrations VALUES (9001, 'of the future', CURRENT_TIMESTAMP, TRUE, x'00', 0)";
        sqlx::query(newer).execute(&mut connection).await.unwrap();
        sqlx::Connection::close(connection).await.unwrap();
    });
    let said = refusal(&[], top.path());
    assert!(said.contains("has version 9001") && said.contains("use the newer selsius"), "{said}");
}

#[test]
fn systemd_names_the_data_directory() {
    let top = tempfile::tempdir().unwrap();
    let data_dir = top.path().join("selsius");
    let mut command = selsius();
    command.env("STATE_DIRECTORY", format!("{}:/other", data_dir.display())).arg("serve");
    command.args(["--sccp", "127.0.0.1:0", "--tftp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let manager = Manager::run(&data_dir, command);
    assert_eq!(manager.admin, data_dir.join("admin.sock"));
    manager.stop();
}

#[test]
fn the_log_can_be_json_with_device_and_session() {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("selsius.toml");
    fs::write(&file, "[log]\nformat = \"json\"\n").unwrap();
    let range = ["--auto-register", "1001-1009", "--config", file.to_str().unwrap()];
    let mut manager = Manager::start(top.path(), &range);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { drop(phone(manager.sccp, "SEP02000000AAAA").await) });
    let line = manager.log.find(|line| line.contains("registered from")).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["device"], "SEP02000000AAAA");
    assert!(line["session"].is_u64() && line["level"] == "INFO" && line["timestamp"].is_string(), "{line}");
    manager.stop();
}

#[test]
fn a_socket_that_nobody_answers_on_is_left_of_a_crash() {
    let top = tempfile::tempdir().unwrap();
    drop(UnixListener::bind(top.path().join("admin.sock")).unwrap());
    Manager::start(top.path(), &[]).stop();
}

#[test]
fn without_a_manager_commands_say_how_to_start_one() {
    let top = tempfile::tempdir().unwrap();
    for arguments in [&["status"][..], &["calls"], &["site", "export"], &["device", "history", "SEP1"]] {
        let mut command = selsius();
        command.args(arguments).arg("--data-dir").arg(top.path());
        let said = fails(command);
        let expected = format!("no manager runs with data directory {}", top.path().display());
        assert!(said.contains(&expected) && said.contains("selsius serve"), "{said}");
    }
}

#[test]
fn a_configuration_is_checked() {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("selsius.toml");
    let check = || {
        let mut command = selsius();
        command.args(["serve", "--check-config", "--config"]).arg(&file);
        command
    };
    fs::write(&file, "http = \"127.0.0.1:8080\"\ndata-dir = \"/srv/selsius\"\n").unwrap();
    let good = check().output().unwrap();
    let said = String::from_utf8(good.stdout).unwrap();
    assert!(good.status.success() && said.starts_with("configuration is good\n"), "{said}");
    assert!(said.contains("127.0.0.1:8080") && said.contains("/srv/selsius"), "{said}");

    for (text, place, what) in [
        ("[limits]\nconections = 3\n", ":2:1: ", "expected one of `connections`"),
        ("http = 80\n", ":1:8: ", "expected an address such as"),
        ("[dscp\n", ":1:6: ", "]"),
    ] {
        fs::write(&file, text).unwrap();
        for arguments in [check(), {
            let mut start = serve(top.path());
            start.arg("--config").arg(&file);
            start
        }] {
            let said = fails(arguments);
            assert!(said.contains(&format!("{}{place}", file.display())) && said.contains(what), "{said}");
        }
    }
    let usage = selsius().args(["serve", "--sccp", "nowhere"]).output().unwrap();
    assert_eq!(usage.status.code(), Some(2), "{usage:?}");
}

#[test]
fn the_sample_configuration_says_the_defaults() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/selsius.toml");
    let text = fs::read_to_string(sample).unwrap();
    let shown: String =
        text.lines().filter_map(|line| line.strip_prefix("#: ")).map(|line| format!("{line}\n")).collect();
    let config = selsius_server::config::Config::parse("deploy/selsius.toml", &shown)
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(config, selsius_server::config::Config::default());
    assert!(selsius_server::config::Config::parse("deploy/selsius.toml", &text).is_ok());
}
