//! What goes out: a Via on top, the way to the peer, a transaction.

use std::{net::SocketAddr, sync::Arc};

use rsipstack::{
    sip::{Header, Host, Method, Param, Request, Response, SipMessage, typed},
    transaction::{make_via_branch, transaction::TransactionEvent},
    transport::{SipConnection, TlsConfig},
};
use selsius_exchange::TrunkLegId;

use super::{Driver, trunks::Server};
use crate::{
    config::Transport,
    endpoint::{
        USER_AGENT, stack_transport,
        transactions::{Whom, Wire, drive},
        ways::Way,
    },
    message::{put, respond, tag, value},
};

impl Driver {
    /// Sends a request of a call.
    pub(super) fn request(&mut self, leg: TrunkLegId, id: u32, request: Request) {
        let whom = Whom::Call { leg, id };
        let Some((transport, server, flow)) = self.destination(leg, &request) else {
            let response = Box::new(respond(&request, 503, "none"));
            return self.wire(Wire::Response { whom, response });
        };
        let sent = self.send(whom, request, transport, &server, flow);
        if let (Some(sent), Some(line)) = (sent, self.lines.get_mut(&leg))
            && sent.method == Method::Invite
        {
            line.invites.insert(id, sent);
        }
    }

    /// Sends a request; its responses come as [`Wire::Response`]. The request as it was sent.
    pub(super) fn send(
        &mut self,
        whom: Whom,
        mut request: Request,
        transport: Transport,
        server: &Server,
        flow: Option<SipConnection>,
    ) -> Option<Request> {
        let Some(way) = self.way(transport, server, flow) else {
            let response = Box::new(respond(&request, 503, "none"));
            self.wire(Wire::Response { whom, response });
            return None;
        };
        self.address(&mut request, &way);
        self.spawn(drive(request.clone(), way, whom, self.happen.clone()));
        Some(request)
    }

    /// Where a request goes: within a dialog by its route, else to the trunk's server. A host name in a route stands for the
    /// peer that we know.
    fn destination(
        &self,
        leg: TrunkLegId,
        request: &Request,
    ) -> Option<(Transport, Server, Option<SipConnection>)> {
        let line = self.lines.get(&leg)?;
        let transport = line.call.trunk.transport;
        if value(&request.headers, "To").and_then(tag).is_none() {
            return Some((transport, line.peer.clone(), line.flow.clone()));
        }
        // A phone may be behind a translation of addresses, where its own name for itself leads to nobody.
        if line.call.trunk.phone.is_some() {
            return Some((transport, line.peer.clone(), line.flow.clone()));
        }
        let next = request.destination().host_with_port;
        let usual = if transport == Transport::Tls { 5061 } else { 5060 };
        let address = match next.host {
            Host::Domain(_) => line.peer.address,
            // Whoever opened a stream is reached by it, not by another one to the port that he names (RFC 5923).
            Host::IpAddr(ip) if transport != Transport::Udp && ip == line.peer.address.ip() => {
                line.peer.address
            }
            Host::IpAddr(ip) => SocketAddr::new(ip, next.port.map_or(usual, |port| port.0)),
        };
        let server = Server { address, tls: line.peer.tls.clone() };
        Some((transport, server, line.flow.clone()))
    }

    fn way(&self, transport: Transport, server: &Server, flow: Option<SipConnection>) -> Option<Way> {
        let to = server.address;
        let ready = match transport {
            Transport::Udp => Some(self.listener(transport, to)?.connection.clone()?),
            Transport::Tcp | Transport::Tls => flow,
        };
        Some(Way {
            to,
            transport,
            ready,
            streams: self.streams.clone(),
            stack: self.endpoint.clone(),
            stop: self.stop.clone(),
            tls: server.tls.clone(),
        })
    }

    /// Puts a Via on top.
    fn address(&self, request: &mut Request, way: &Way) {
        let own = self.own_address(way.transport, way.to).unwrap_or(way.to);
        let via = typed::Via {
            version: rsipstack::sip::Version::V2,
            transport: stack_transport(way.transport),
            uri: rsipstack::sip::HostWithPort::from(own).into(),
            params: vec![make_via_branch(), Param::Rport(None)],
        };
        request.headers.push_front(Header::Via(via.into()));
        put(&mut request.headers, "User-Agent", USER_AGENT);
    }

    /// CANCEL takes the way and the branch of its INVITE (RFC 3261 section 9.1).
    pub(super) fn cancel(&mut self, leg: TrunkLegId, id: u32) {
        let Some(line) = self.lines.get(&leg) else { return };
        let Some(invite) = line.invites.get(&id) else { return };
        let mut cancel = crate::message::request(Method::Cancel, invite.uri.clone());
        for header in invite.headers.iter() {
            match header {
                Header::Via(_)
                | Header::From(_)
                | Header::To(_)
                | Header::CallId(_)
                | Header::MaxForwards(_)
                | Header::Route(_) => cancel.headers.push(header.clone()),
                Header::CSeq(cseq) => {
                    let number = cseq.seq().unwrap_or(1);
                    put(&mut cancel.headers, "CSeq", format!("{number} CANCEL"));
                }
                _ => {}
            }
        }
        let Some((transport, server, flow)) = self.destination(leg, &cancel) else { return };
        let Some(way) = self.way(transport, &server, flow) else { return };
        // Its response means nothing: what counts is the INVITE's.
        self.spawn(drive(cancel, way, Whom::Call { leg, id: u32::MAX }, self.happen.clone()));
    }

    pub(super) fn acknowledge(&mut self, leg: TrunkLegId, mut ack: Request) {
        let Some((transport, server, flow)) = self.destination(leg, &ack) else { return };
        let Some(way) = self.way(transport, &server, flow) else { return };
        self.address(&mut ack, &way);
        ack.headers.push(Header::ContentLength(length(&ack.body)));
        let watcher = self.watcher.clone();
        self.spawn(async move {
            let Some(connection) = way.open().await else { return };
            watcher.remember(&ack, &connection, Some(way.address()));
            // One that is lost is sent again when the 2xx comes again.
            let _ = connection.send(SipMessage::Request(ack), Some(&way.address())).await;
        });
    }

    /// Answers a request of the far end.
    pub(super) fn reply(&mut self, server: u64, mut response: Response) {
        let Some(serving) = self.servers.get(&server) else { return };
        put(&mut response.headers, "Server", USER_AGENT);
        response.headers.push(Header::ContentLength(length(&response.body)));
        let _ = serving.tell.send(TransactionEvent::Respond(response));
    }
}

fn length(body: &[u8]) -> rsipstack::sip::ContentLength {
    u32::try_from(body.len()).unwrap_or(u32::MAX).into()
}

/// A peer that we know only by where its request came from.
pub(super) fn peer(address: SocketAddr) -> Server {
    Server { address, tls: Arc::new(TlsConfig::default()) }
}
