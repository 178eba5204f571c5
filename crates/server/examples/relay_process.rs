//! The media thread as a process of its own, for `cargo xtask bench rtpengine`: each line of standard input is where the two ends of a
//! call listen, and is answered by where they are listened to. It ends with its input.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a command for developers")]

use std::{
    io::{Write, stdin, stdout},
    net::SocketAddr,
};

use selsius_media::{
    Codec, PacketTime,
    engine::{BridgeId, Format, Learning, Place},
};
use selsius_server::media::{self, Opening, Order};

const FORMAT: Format = Format::new(Codec::Pcmu, PacketTime::DEFAULT);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let ports = std::env::args().nth(1).unwrap_or("20000-29999".into()).parse().unwrap();
    let (media, _ended) = media::start(media::Start { ports, tos: 0xB8 }).unwrap();
    for (call, line) in stdin().lines().map_while(Result::ok).enumerate() {
        let ends: Vec<SocketAddr> = line.split(' ').map(|end| end.parse().unwrap()).collect();
        let mut answers = Vec::new();
        for end in ends {
            let place = Place::Bridge(BridgeId(call as u64));
            let (address, remote) = (end.ip(), Some(end));
            let opening =
                Opening { format: FORMAT, address, remote, learning: Learning::SameHost, place, srtp: None };
            answers.push(media.open(opening, None).await.unwrap().unwrap().1.to_string());
        }
        println!("{}", answers.join(" "));
        stdout().flush().unwrap();
    }
    media.send(Order::End).unwrap();
}
