//! Listening in on what goes by datagram: for pictures of a call, and captures without the right to capture.

use std::{fmt, net::SocketAddr, sync::Arc};

/// A datagram that came or goes.
#[derive(Debug, Clone, Copy)]
pub struct Tapped<'a> {
    /// Where it came from.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// It is one of ours.
    pub sent: bool,
    /// All of it.
    pub datagram: &'a [u8],
}

/// Gets every datagram that is let in or sent, at once and in order. It is called on the task that serves SIP, so it must not
/// block: hand over what you need. Passwords are in no message, digests of them are.
#[derive(Clone)]
pub struct Tap(Arc<dyn Fn(Tapped<'_>) + Send + Sync>);

impl Tap {
    /// One that calls this.
    pub fn new(hears: impl Fn(Tapped<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hears))
    }

    pub(crate) fn hear(&self, tapped: Tapped<'_>) {
        (self.0)(tapped);
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tap")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use rsipstack::platform::net::UdpSocket as _;
    use tokio::net::UdpSocket;

    use super::*;
    use crate::gate::{Gate, GatedSocket};

    /// Only a failure takes so long.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

    #[tokio::test]
    async fn what_comes_in_and_goes_out_is_heard_and_what_is_dropped_is_not() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&heard);
        let tap = Tap::new(move |tapped| {
            let mut heard = hears.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push((tapped.sent, tapped.from, tapped.to, tapped.datagram.to_vec()));
        });
        let bind = async || UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (own, peer) = (bind().await, bind().await);
        let (here, there) = (own.local_addr().unwrap(), peer.local_addr().unwrap());
        let gate = Arc::new(Gate::new(vec![here.ip().into()], false));
        let gated = GatedSocket::new(own, gate, Some(tap));
        let message = b"OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
            To: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
        peer.send_to(b"no SIP\r\n\r\n", here).await.unwrap();
        peer.send_to(message, here).await.unwrap();
        let mut buffer = [0; 2048];
        let read = tokio::time::timeout(PATIENCE, gated.recv_from(&mut buffer)).await;
        let (length, from) = read.unwrap().unwrap();
        assert_eq!((length, from), (message.len(), there));
        gated.send_to(b"answer", there).await.unwrap();
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        let expected = [(false, there, here, message.to_vec()), (true, here, there, b"answer".to_vec())];
        assert_eq!(*heard, expected);
    }
}
