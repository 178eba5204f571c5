//! Live music: a stream that arrives at a port, or what a command writes. Each gets to the media thread as RTP; what fails is
//! tried again, and meanwhile people hear what they would hear without it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    process::Stdio,
    time::Duration,
};

use selsius_media::{
    Codec, Law, PacketTime, RtpTimestamp, Sender, SequenceNumber, Ssrc, engine::SourceId, rtp::StreamStart,
};
use selsius_site::{Music, Name};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::AsyncReadExt,
    process::Command,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};

use super::{Handle, Live, Order};

/// How long to wait after the first failure, and at most: each doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A command that ran for so long did not fail at once.
const RAN_WELL: Duration = Duration::from_secs(60);
/// A command that writes nothing for so long hangs, and is started again.
const STALLED: Duration = Duration::from_secs(30);
/// 20 ms of 16 bits at 8000 Hz.
const FRAME_BYTES: usize = 320;
const FRAME: Duration = Duration::from_millis(20);

/// May the site have commands run?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commands {
    /// `[media] commands` of the configuration says so.
    Run,
    /// Whoever may change the site could run anything else.
    Refused,
}

/// Brings a source what its music says, for as long as it is polled.
pub(super) async fn feed(media: Handle, source: SourceId, name: Name, music: Music, commands: Commands) {
    let mut pause = FIRST_PAUSE;
    loop {
        let began = Instant::now();
        let ended = match (music.stream, &music.command[..]) {
            (Some(address), _) => listen(&media, source, address).await,
            (None, [program, arguments @ ..]) if commands == Commands::Run => {
                run(&media, source, program, arguments).await
            }
            (None, [_, ..]) => {
                tracing::error!(
                    music = name.as_str(),
                    "its command is not run: that needs `commands = true` in [media] of the configuration"
                );
                return;
            }
            (None, []) => return,
        };
        if began.elapsed() >= RAN_WELL {
            pause = FIRST_PAUSE;
        }
        let again = pause.as_secs();
        tracing::warn!(music = name.as_str(), again, "live music has ended: {ended}; it begins again");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Gives the media thread a port where a stream arrives; comes back only if that fails.
async fn listen(media: &Handle, source: SourceId, address: SocketAddr) -> io::Error {
    let given = bind(address).and_then(|socket| {
        let live = Live::Socket(mio::net::UdpSocket::from_std(socket));
        media.send(Order::Live(source, live)).map_err(io::Error::other)
    });
    match given {
        Ok(()) => std::future::pending().await,
        Err(error) => error,
    }
}

/// A port of this machine, or of a group that it joins.
fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.ip().is_multicast() {
        // Others on this machine may listen to the group too.
        socket.set_reuse_address(true)?;
    }
    // Bound to the group itself it hears no other one that comes to this port.
    socket.bind(&address.into())?;
    match address.ip() {
        IpAddr::V4(group) if group.is_multicast() => {
            socket.join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED)?;
        }
        IpAddr::V6(group) if group.is_multicast() => socket.join_multicast_v6(&group, 0)?,
        IpAddr::V4(_) | IpAddr::V6(_) => {}
    }
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Runs a command and gives the media thread what it writes, at the pace of the clock; says why that has ended.
async fn run(media: &Handle, source: SourceId, program: &str, arguments: &[String]) -> io::Error {
    match play(media, source, program, arguments).await {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

async fn play(
    media: &Handle,
    source: SourceId,
    program: &str,
    arguments: &[String],
) -> io::Result<std::convert::Infallible> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn()?;
    let Some(mut out) = child.stdout.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
    media.send(Order::Live(source, Live::Fed)).map_err(io::Error::other)?;
    let start = StreamStart { ssrc: Ssrc(source.0), sequence: SequenceNumber(0), timestamp: RtpTimestamp(0) };
    let mut sender = Sender::new(Codec::Pcmu, PacketTime::DEFAULT, start);
    // What a command has ready is taken no faster than it is heard: the pipe holds it up.
    let mut clock = interval(FRAME);
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut bytes = [0; FRAME_BYTES];
    loop {
        clock.tick().await;
        let read = timeout(STALLED, out.read_exact(&mut bytes)).await;
        if let Err(error) = read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            return Err(match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    let status = child.wait().await?;
                    io::Error::other(format!("the command has ended ({status})"))
                }
                _ => error,
            });
        }
        let samples: Vec<i16> =
            bytes.chunks_exact(2).filter_map(|pair| Some(i16::from_le_bytes(*pair.first_chunk()?))).collect();
        let (mut payload, mut datagram) = (Vec::new(), Vec::new());
        Law::Mu.encode(&samples, &mut payload);
        sender.send(&payload, &mut datagram).map_err(io::Error::other)?;
        // What the media thread has no time for is lost, as on a network.
        let _ = media.send(Order::Feed(source, datagram));
    }
}

/// From where what is fed comes, as far as the engine is concerned.
pub(super) const HERE: SocketAddr = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), 0);
