//! Transactions of the stack as tasks that report to the driver, and what the stack does not do for them: the ACK of a
//! 2xx, again for each time that the 2xx comes again (RFC 6026 section 7.2).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rsipstack::{
    sip::{Method, Request, Response, SipMessage},
    transaction::{
        Transaction, TransactionState, TransactionType,
        endpoint::TransportEventInspector,
        key::{TransactionKey, TransactionRole},
    },
    transport::{SipAddr, SipConnection, TransportEvent},
};
use selsius_exchange::TrunkLegId;
use tokio::sync::mpsc;

use super::{driver::Server, flows::Flows, ways::Way};
use crate::{
    gate::{Gate, count},
    message::{sequence, tag, value},
};

/// How long a 2xx may come again (64 times T1).
const REPEATED: Duration = Duration::from_secs(32);

/// Whose request it is.
#[derive(Debug, Clone)]
pub(super) enum Whom {
    /// A call's.
    Call { leg: TrunkLegId, id: u32 },
    /// A trunk's registration or probe, since it is at this place.
    Trunk { name: String, place: u64 },
    /// A phone that is told about its messages, by its subscription if it has one.
    Mailbox(Option<(String, String)>),
}

/// What transactions report.
#[derive(Debug)]
pub(super) enum Wire {
    /// A response to a request of ours.
    Response { whom: Whom, response: Box<Response> },
    /// Another branch of an INVITE of ours was answered.
    Fork(Box<Response>),
    /// An ACK for a final response of ours to an INVITE.
    Ack { leg: TrunkLegId, server: u64, request: Box<Request> },
    /// Our 2xx was not acknowledged.
    NoAck { leg: TrunkLegId, server: u64 },
    /// The far end cancels.
    Cancelled { leg: TrunkLegId, server: u64 },
    /// A request's transaction is over.
    Served { server: u64 },
    /// The servers of a trunk have been looked up.
    Resolved { trunk: String, place: u64, servers: Vec<Server> },
}

/// Drives a request of ours to its final response. There is always one: the stack makes up 408 where none comes, and this
/// 503 where it cannot be sent.
pub(super) async fn drive(request: Request, way: Way, whom: Whom, happen: mpsc::Sender<Wire>) {
    let mut last = 0;
    match begin(&request, &way).await {
        None => {}
        Some(mut transaction) => {
            while let Some(message) = transaction.receive().await {
                let SipMessage::Response(response) = message else { continue };
                if last < 200 {
                    last = response.status_code.code();
                    let report = Wire::Response { whom: whom.clone(), response: Box::new(response) };
                    if happen.send(report).await.is_err() {
                        return;
                    }
                }
            }
        }
    }
    if last < 200 {
        let response = Box::new(crate::message::respond(&request, 503, "none"));
        let _ = happen.send(Wire::Response { whom, response }).await;
    }
}

async fn begin(request: &Request, way: &Way) -> Option<Transaction> {
    let connection = way.open().await?;
    let key = TransactionKey::from_request(request, TransactionRole::Client).ok()?;
    let mut transaction = Transaction::new_client(key, request.clone(), way.stack.clone(), Some(connection));
    transaction.destination = Some(way.address());
    if let Err(error) = transaction.send().await {
        tracing::debug!(%error, "a request could not be sent");
        return None;
    }
    Some(transaction)
}

/// Serves a request of the far end until its transaction is over. Responses come by the transaction's own queue.
pub(super) async fn serve(
    mut transaction: Transaction,
    leg: TrunkLegId,
    server: u64,
    happen: mpsc::Sender<Wire>,
) {
    let invite = transaction.transaction_type == TransactionType::ServerInvite;
    if invite {
        let _ = transaction.reply(rsipstack::sip::StatusCode::Trying).await;
    }
    let mut acknowledged = false;
    while let Some(message) = transaction.receive().await {
        let SipMessage::Request(request) = message else { continue };
        let report = match request.method {
            Method::Ack => {
                acknowledged = true;
                Wire::Ack { leg, server, request: Box::new(request) }
            }
            Method::Cancel => Wire::Cancelled { leg, server },
            _ => continue,
        };
        if happen.send(report).await.is_err() {
            return;
        }
    }
    let accepted =
        transaction.last_response.as_ref().is_some_and(|last| (200..300).contains(&last.status_code.code()));
    if invite && accepted && !acknowledged && transaction.state == TransactionState::Terminated {
        let _ = happen.send(Wire::NoAck { leg, server }).await;
    }
    let _ = happen.send(Wire::Served { server }).await;
}

/// Which 2xx an ACK is for: Call-ID, number, the far end's tag.
type Answered = (String, u32, String);

/// An ACK that was sent, and how.
#[derive(Debug)]
struct Acknowledged {
    ack: SipMessage,
    connection: SipConnection,
    to: Option<SipAddr>,
    until: Instant,
}

/// Remembers the ACKs of the last half minute.
#[derive(Debug, Default, Clone)]
pub(super) struct Watcher {
    acks: Arc<Mutex<BTreeMap<Answered, Acknowledged>>>,
}

impl Watcher {
    /// What looks at each message before the stack.
    pub(super) fn hook(&self, happen: mpsc::Sender<Wire>, gate: Arc<Gate>) -> Hook {
        Hook { watcher: self.clone(), happen, gate, flows: Flows::default() }
    }

    /// An ACK goes out this way.
    pub(super) fn remember(&self, ack: &Request, connection: &SipConnection, to: Option<SipAddr>) {
        let Some(key) = key(&ack.headers) else { return };
        let now = Instant::now();
        let mut acks = self.acks.lock().unwrap_or_else(PoisonError::into_inner);
        let message = SipMessage::Request(ack.clone());
        acks.insert(
            key,
            Acknowledged { ack: message, connection: connection.clone(), to, until: now + REPEATED },
        );
    }

    /// Forgets those whose time is over.
    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.acks.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, ack| ack.until > now);
    }

    fn again(&self, response: &Response) -> Again {
        let Some(key) = key(&response.headers) else { return Again::New };
        let acks = self.acks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = acks.get(&key) {
            return Again::Known(Box::new((known.ack.clone(), known.connection.clone(), known.to.clone())));
        }
        let (call, number, _) = key;
        let first = acks.range((call.clone(), number, String::new())..).next();
        match first {
            Some(((known, at, _), _)) if *known == call && *at == number => Again::Fork,
            _ => Again::New,
        }
    }
}

enum Again {
    New,
    Known(Box<(SipMessage, SipConnection, Option<SipAddr>)>),
    Fork,
}

fn key(headers: &rsipstack::sip::Headers) -> Option<Answered> {
    let to = tag(value(headers, "To")?)?;
    Some((value(headers, "Call-ID")?.into(), sequence(headers)?, to.into()))
}

/// Sees each message before the stack does.
pub(super) struct Hook {
    watcher: Watcher,
    happen: mpsc::Sender<Wire>,
    gate: Arc<Gate>,
    flows: Flows,
}

#[async_trait]
impl TransportEventInspector for Hook {
    async fn handle(&self, event: TransportEvent) -> Option<TransportEvent> {
        if let TransportEvent::Incoming(..) = &event {
            self.gate.taken();
        }
        match &event {
            TransportEvent::Incoming(message, connection, _) if connection.is_reliable() => {
                if !self.flows.admits(message, connection) {
                    count(&self.gate.counters.limited);
                    return None;
                }
            }
            TransportEvent::Incoming(..) | TransportEvent::New(_) => {}
            TransportEvent::Closed(connection) => self.flows.forget(connection),
        }
        let response = match &event {
            TransportEvent::Incoming(SipMessage::Response(response), ..) => response,
            TransportEvent::Incoming(SipMessage::Request(request), ..) => {
                let kept = matches!(request.method, Method::Ack | Method::Cancel);
                let passes = self.gate.measures(request) && (kept || self.gate.can_keep());
                return passes.then_some(event);
            }
            _ => return Some(event),
        };
        let invite = value(&response.headers, "CSeq").is_some_and(|cseq| cseq.trim_end().ends_with("INVITE"));
        if !invite || !(200..300).contains(&response.status_code.code()) {
            return Some(event);
        }
        match self.watcher.again(response) {
            Again::New => return Some(event),
            Again::Known(known) => {
                let (ack, connection, to) = *known;
                // Nobody else waits for a peer that does not read.
                tokio::spawn(async move { connection.send(ack, to.as_ref()).await });
            }
            Again::Fork => {
                let _ = self.happen.try_send(Wire::Fork(Box::new(response.clone())));
            }
        }
        None
    }
}
