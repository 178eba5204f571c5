//! SIPp as the telephone company: one process a call, with a scenario that is written for it.
//!
//! With `-rtp_echo` it says back what it hears.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    time::Duration,
};

use anyhow::{Context, bail};

use super::outside::{Running, free_port, is_installed, listening, start};

/// Takes a call, rings for a while, answers, and is hung up on.
const ANSWERS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="answers">
  <recv request="INVITE"/>
  <send><![CDATA[
SIP/2.0 180 Ringing
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Length: 0

]]></send>
  <pause milliseconds="RING"/>
  <send retrans="500"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

SESSION

]]></send>
  <recv request="ACK"/>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

/// What both say of their audio.
const SESSION: &str = "v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000";

/// Calls, waits for the answer, and is hung up on.
const CALLS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE scenario SYSTEM "sipp.dtd">
<scenario name="calls">
  <send retrans="500"><![CDATA[
INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "NAME" <sip:NUMBER@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:NUMBER@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

SESSION

]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200"/>
  <send><![CDATA[
ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "NAME" <sip:NUMBER@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
  <recv request="BYE"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"#;

/// Where SIPp listens, for SIP and for voice.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sipp {
    pub(super) address: SocketAddr,
    media: u16,
}

impl Sipp {
    /// If it is installed, on ports that nobody has now.
    pub(super) fn find() -> anyhow::Result<Option<Self>> {
        if !is_installed("sipp", "-v") {
            return Ok(None);
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Some(Self { address, media: free_pair()? }))
    }

    /// Waits for a call, and answers it after it has rung for so long.
    pub(super) async fn answers(&self, folder: &Path, ring: Duration) -> anyhow::Result<Running> {
        let scenario = ANSWERS.replace("RING", &ring.as_millis().to_string());
        let mut running = self.start(folder, "answers", &scenario, &[])?;
        listening(&mut running, self.address).await?;
        Ok(running)
    }

    /// Calls a number of the manager's.
    pub(super) fn calls(
        &self,
        folder: &Path,
        manager: SocketAddr,
        (name, number): (&str, &str),
        called: &str,
    ) -> anyhow::Result<Running> {
        let scenario = CALLS.replace("NAME", name).replace("NUMBER", number);
        self.start(folder, "calls", &scenario, &["-s", called, &manager.to_string()])
    }

    fn start(
        &self,
        folder: &Path,
        name: &str,
        scenario: &str,
        arguments: &[&str],
    ) -> anyhow::Result<Running> {
        let file = folder.join(format!("{name}.xml"));
        std::fs::write(&file, scenario.replace("SESSION", SESSION))
            .context("cannot write SIPp's scenario")?;
        let (file, port, media) =
            (file.to_string_lossy(), self.address.port().to_string(), self.media.to_string());
        let common = [
            "-sf",
            &file,
            "-i",
            "127.0.0.1",
            "-p",
            &port,
            "-mp",
            &media,
            "-m",
            "1",
            "-rtp_echo",
            "-nostdin",
            "-timeout",
            "60",
        ];
        start("sipp", &[&common, arguments].concat(), folder)
    }
}

/// An even port that is free with the three after it: SIPp has two streams.
fn free_pair() -> anyhow::Result<u16> {
    for _ in 0..50 {
        let port = free_port()? & !3;
        let all = (0..4).map(|offset| UdpSocket::bind((Ipv4Addr::LOCALHOST, port + offset)));
        if all.collect::<io::Result<Vec<_>>>().is_ok() {
            return Ok(port);
        }
    }
    bail!("no free ports for voice")
}
