//! Servers that are found by their names (RFC 3263), at a name server of the test's own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::net::{Ipv4Addr, SocketAddr};

use common::{Bed, Carrier};
use hickory_resolver::proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        Name, RData, Record, RecordType,
        rdata::{A, SRV},
    },
};
use selsius_exchange::{TrunkEvent, record::EndCause};
use selsius_sip::TrunkConfig;
use tokio::net::UdpSocket;

/// A name server with these hosts behind `carrier.test`: priority, port. All are this machine.
async fn name_server(hosts: Vec<(u16, u16)>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let question = Message::from_vec(&buffer[..length]).unwrap();
            let query = question.queries[0].clone();
            let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
            answer.metadata.recursion_available = true;
            let (name, host) =
                (query.name().clone(), |at| Name::from_utf8(format!("h{at}.carrier.test.")).unwrap());
            match query.query_type() {
                RecordType::SRV if name == Name::from_utf8("_sip._udp.carrier.test.").unwrap() => {
                    for (at, &(priority, port)) in hosts.iter().enumerate() {
                        let data = RData::SRV(SRV::new(priority, 1, port, host(at)));
                        answer.add_answer(Record::from_rdata(name.clone(), 60, data));
                    }
                }
                RecordType::A if (0..hosts.len()).any(|at| name == host(at)) => {
                    let data = RData::A(A(Ipv4Addr::LOCALHOST));
                    answer.add_answer(Record::from_rdata(name, 60, data));
                }
                RecordType::AAAA if (0..hosts.len()).any(|at| name == host(at)) => {}
                _ => answer.metadata.response_code = ResponseCode::NXDomain,
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn servers_are_tried_in_the_order_that_their_name_says() {
    let (first, first_port) = Carrier::new().await;
    let (second, second_port) = Carrier::new().await;
    // The better one comes last in the answer.
    let nameserver = name_server(vec![(20, second_port), (10, first_port)]).await;
    let trunk = TrunkConfig { nameservers: vec![nameserver], ..TrunkConfig::peer("carrier", "carrier.test") };
    let mut bed = Bed::with(TrunkConfig { probe: Some(std::time::Duration::from_secs(60)), ..trunk }).await;
    first.answers("OPTIONS", "200 OK", "", "").await;
    assert!(matches!(bed.event().await, selsius_sip::Event::Trunk { .. }));
    let leg = bed.call("5", true);
    let invite = first.answers("INVITE", "503 Service Unavailable", "", "").await;
    assert!(invite.starts_with("INVITE sip:5@carrier.test SIP/2.0\r\n"), "{invite}");
    let again = second.answers("INVITE", "486 Busy Here", "", "").await;
    assert!(again.starts_with("INVITE sip:5@carrier.test SIP/2.0\r\n"), "{again}");
    assert_eq!(bed.settles().await, TrunkEvent::HungUp { leg, cause: EndCause::Busy });
    // Whoever is found is known: a call that comes in from there is no stranger's.
    assert_eq!(bed.handle.figures(), selsius_sip::Figures::default());
}

#[tokio::test]
async fn a_name_without_servers_leads_nowhere() {
    let nameserver = name_server(Vec::new()).await;
    let trunk = TrunkConfig { nameservers: vec![nameserver], ..TrunkConfig::peer("carrier", "carrier.test") };
    let mut bed = Bed::with(trunk).await;
    let leg = bed.call("5", true);
    assert_eq!(bed.happens().await, TrunkEvent::HungUp { leg, cause: EndCause::NoTrunk });
}
