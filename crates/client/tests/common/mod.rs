//! A manager that says what a test wants it to say.

#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{net::SocketAddr, time::Duration};

use selsius_wire::{
    Dialect, Framer, ManagerMessage, StationMessage,
    message::{self, OpenReceiveChannel, RegisterAck, StartMediaTransmission},
    value::{Codec, DeviceType, Features, MediaAddress, Text},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

/// Longest wait of a test; nothing here takes a tenth of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Manager {
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

pub(crate) struct Session {
    stream: TcpStream,
    framer: Framer,
    dialect: Dialect,
}

impl Manager {
    pub(crate) async fn listen(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) async fn accept(&self) -> Session {
        let (stream, _) = timeout(PATIENCE, self.listener.accept()).await.unwrap().unwrap();
        let dialect = Dialect::new(11, [0, 0, 0x84], DeviceType::Cisco7960);
        Session { stream, framer: Framer::new(), dialect }
    }

    /// Takes a connection, and everything that a 7960 says until it asks for the time.
    pub(crate) async fn register(&self) -> Session {
        let mut session = self.accept().await;
        session.until(|message| matches!(message, StationMessage::Register(_))).await;
        session
            .tell(RegisterAck {
                keep_alive_interval: 30,
                date_template: Text::new("D/M/Y"),
                alignment_padding: 0,
                secondary_keep_alive_interval: 60,
                max_protocol_ver: 11,
                features: Features([0x20, 0xf1, 0xfe]),
            })
            .await;
        session.tell(message::CapabilitiesReq).await;
        session
    }
}

impl Session {
    /// What the phone says next; `None` at the end of the connection.
    pub(crate) async fn next(&mut self) -> Option<StationMessage> {
        loop {
            if let Some(frame) = self.framer.next().unwrap() {
                return Some(StationMessage::decode(frame, self.dialect.context()).unwrap().message);
            }
            let mut buffer = [0; 4096];
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await.unwrap() {
                Ok(0) | Err(_) => return None,
                Ok(len) => self.framer.feed(&buffer[..len]),
            }
        }
    }

    /// Waits for a message that fits.
    pub(crate) async fn until(&mut self, fits: impl Fn(&StationMessage) -> bool) -> StationMessage {
        loop {
            let message = self.next().await.expect("the phone hung up");
            if fits(&message) {
                return message;
            }
        }
    }

    pub(crate) async fn tell(&mut self, message: impl Into<ManagerMessage>) {
        let mut bytes = Vec::new();
        self.dialect.encode_manager(&message.into(), &mut bytes);
        self.stream.write_all(&bytes).await.unwrap();
    }

    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }
}

pub(crate) fn open_receive(party: u32, codec: Codec) -> OpenReceiveChannel {
    OpenReceiveChannel {
        conference_id: 7,
        pass_through_party_id: party,
        milli_second_packet_size: 20,
        compression_type: codec,
        call_reference: 7,
        ..OpenReceiveChannel::default()
    }
}

pub(crate) fn start_transmission(party: u32, to: SocketAddr, codec: Codec) -> StartMediaTransmission {
    StartMediaTransmission {
        conference_id: 7,
        pass_through_party_id: party,
        remote_ip_addr: MediaAddress::from(to.ip()),
        remote_port_number: to.port().into(),
        milli_second_packet_size: 20,
        compression_type: codec,
        precedence_value: 0xb8,
        call_reference: 7,
        ..StartMediaTransmission::default()
    }
}
