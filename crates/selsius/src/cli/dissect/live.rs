//! What passes a network interface.

use std::{
    io::ErrorKind,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, anyhow, bail};
use pnet_datalink::{Channel, Config};
use selsius_inspect::{capture::Packet, packet::Stamp};
use selsius_wire::Time;

use super::source::Ending;

/// So soon an interrupt is noticed.
const PATIENCE: Duration = Duration::from_millis(200);
/// Ethernet, as link types are numbered.
const ETHERNET: u32 = 1;

/// Hands every packet to `take` until somebody interrupts.
pub(super) fn read(name: &str, take: &mut dyn FnMut(Stamp, &Packet<'_>) -> Result<()>) -> Result<Ending> {
    let interfaces = pnet_datalink::interfaces();
    let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
        let names: Vec<_> = interfaces.iter().map(|interface| interface.name.as_str()).collect();
        bail!("there is no network interface {name}: there are {}", names.join(", "));
    };
    let config = Config { read_timeout: Some(PATIENCE), read_buffer_size: 256 * 1024, ..Config::default() };
    let mut packets = match pnet_datalink::channel(interface, config) {
        Ok(Channel::Ethernet(_, packets)) => packets,
        Ok(_) => bail!("{name} cannot be captured on"),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            return Err(anyhow!(
                "capturing needs the right CAP_NET_RAW: run it as root, or `sudo setcap cap_net_raw+ep $(command -v selsius)`, \
                 or pipe: `sudo tcpdump -i {name} -U -w - | selsius dissect -`"
            ));
        }
        Err(error) => return Err(error).with_context(|| format!("cannot capture on {name}")),
    };
    let interrupted = interrupt()?;
    let mut number = 0;
    while !interrupted.load(Ordering::Relaxed) {
        let bytes = match packets.next() {
            Ok(bytes) => bytes,
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error).with_context(|| format!("cannot capture on {name}")),
        };
        number += 1;
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let time = Time::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX));
        let original = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        take(Stamp { time, number }, &Packet { time, link: ETHERNET, bytes, original })?;
    }
    Ok(Ending::Whole)
}

/// Becomes true at Ctrl-C.
fn interrupt() -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let waits = move || {
        runtime.block_on(async {
            // Without a handler Ctrl-C ends the process, as ever.
            if tokio::signal::ctrl_c().await.is_ok() {
                flag.store(true, Ordering::Relaxed);
            }
        });
    };
    std::thread::Builder::new().name("interrupt".into()).spawn(waits).context("no thread")?;
    Ok(interrupted)
}
