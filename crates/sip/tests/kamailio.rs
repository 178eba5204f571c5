//! Kamailio as registrar and proxy: we register with it, and a call of ours comes back to us through it.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic, and says what it skips")]

mod common;

use std::{process::Stdio, time::Duration};

use common::{Bed, free_port};
use selsius_exchange::{TrunkEvent, TrunkLegId, TrunkOrder, record::EndCause};
use selsius_sip::{Event, TrunkConfig, TrunkStatus};

const CONFIG: &str = r#"#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
listen=udp:127.0.0.1:PORT
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("usrloc", "db_mode", 0)
modparam("auth", "qop", "auth")
modparam("auth", "algorithm", "ALGORITHM")
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("REGISTER")) {
        if (!pv_www_authenticate("office.example", "secret", "0")) { www_challenge("office.example", "1"); exit; }
        save("location");
        exit;
    }
    if (has_totag()) {
        if (loose_route()) { t_relay(); exit; }
        if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
        sl_send_reply("404", "Not Here");
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
    if (is_method("INVITE")) {
        if (!pv_proxy_authenticate("office.example", "secret", "0")) { proxy_challenge("office.example", "1"); exit; }
        consume_credentials();
        record_route();
        if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
        t_relay();
        exit;
    }
    sl_send_reply("405", "Method Not Allowed");
}
"#;

#[tokio::test]
async fn a_call_comes_back_through_kamailio() {
    for algorithm in ["MD5", "SHA-256"] {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("kamailio.cfg");
        std::fs::write(&config, CONFIG.replace("PORT", &port.to_string()).replace("ALGORITHM", algorithm))
            .unwrap();
        let program = ["/usr/sbin/kamailio", "kamailio"].into_iter().find_map(|program| {
            tokio::process::Command::new(program)
                .arg("-DD")
                .arg("-E")
                .arg("-f")
                .arg(&config)
                .arg("-Y")
                .arg(folder.path())
                .args(["-m", "32", "-M", "4"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .ok()
        });
        let Some(mut kamailio) = program else {
            eprintln!("skipped: kamailio is not installed");
            return;
        };
        let mut bed = Bed::with(TrunkConfig {
            port: Some(port),
            user: Some("office".into()),
            password: Some("secret".into()),
            register: true,
            from: Some("office.example".into()),
            ..TrunkConfig::peer("carrier", "127.0.0.1")
        })
        .await;
        let event = bed.event().await;
        assert_eq!(event, Event::Trunk { trunk: "carrier".into(), status: TrunkStatus::Up }, "{algorithm}");
        let out = bed.call("office", true);
        let back = offered(&mut bed).await;
        bed.order(TrunkOrder::Ringing { leg: back });
        assert_eq!(bed.happens().await, TrunkEvent::Progress { leg: out, ringing: true, early: None });
        bed.answer(back);
        assert!(matches!(bed.settles().await, TrunkEvent::Answered { leg, .. } if leg == out));
        // Through the proxy, both ways.
        bed.order(TrunkOrder::Digit { leg: out, digit: '7' });
        assert_eq!(bed.happens().await, TrunkEvent::Digit { leg: back, digit: '7' });
        bed.order(TrunkOrder::Hold { leg: back, held: true });
        assert_eq!(bed.happens().await, TrunkEvent::Hold { leg: out, held: true });
        bed.hang_up(out);
        assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg: back, cause: EndCause::CalledHungUp });

        // A call that is given up, and a number that nobody has.
        let out = bed.call("office", true);
        let back = offered(&mut bed).await;
        bed.order(TrunkOrder::Ringing { leg: back });
        assert_eq!(bed.happens().await, TrunkEvent::Progress { leg: out, ringing: true, early: None });
        bed.hang_up(out);
        assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg: back, cause: EndCause::CallerHungUp });
        let out = bed.call("nobody", true);
        assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg: out, cause: EndCause::UnknownNumber });

        // Its main process ends its children when it is asked to.
        let id = kamailio.id().unwrap();
        let process = rustix::process::Pid::from_raw(id.try_into().unwrap()).unwrap();
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
        tokio::time::timeout(Duration::from_secs(10), kamailio.wait()).await.unwrap().unwrap();
    }
}

async fn offered(bed: &mut Bed) -> TrunkLegId {
    match bed.settles().await {
        TrunkEvent::Offer { leg, .. } => leg,
        other => panic!("{other:?}"),
    }
}
