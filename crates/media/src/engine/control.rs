//! RTCP of one party: what it says of us, and what we say of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use super::outbound::Outbound;
use crate::rtcp::{self, NtpTime, ReportBlock, RtcpPacket};
use crate::{ReceiverStats, Ssrc, Time};

/// How often reports go out (RFC 3550, section 6.2: five seconds at least).
const INTERVAL: Duration = Duration::from_secs(5);
/// Datagrams that a party may send in an interval; phones send one or two.
const MOST: u32 = 50;

#[derive(Debug, Default)]
pub(super) struct Control {
    /// Where its control packets come from, if not from the port above that of its media.
    pub(super) source: Option<SocketAddr>,
    /// Datagrams taken in this interval.
    taken: u32,
    /// Packets sent when the last report was made.
    reported: u32,
    pub(super) round_trip: Option<Duration>,
    /// What the party says of what it hears: share lost lately and in all, jitter in ticks.
    pub(super) heard: Option<ReportBlock>,
}

impl Control {
    /// Whether there is room for one more datagram.
    pub(super) const fn admit(&mut self) -> bool {
        self.taken += 1;
        self.taken <= MOST
    }

    /// Reads a datagram of the party. `false` if it is none.
    pub(super) fn receive(
        &mut self,
        now: Time,
        wall: NtpTime,
        ours: Ssrc,
        stats: &mut ReceiverStats,
        datagram: &[u8],
    ) -> bool {
        let Ok(packets) = rtcp::parse(datagram) else { return false };
        for packet in packets {
            match packet {
                RtcpPacket::SenderReport { ssrc, info, reports, .. } => {
                    if stats.ssrc() == Some(ssrc) {
                        stats.sender_report(now, info.ntp);
                    }
                    self.blocks(wall, ours, &reports);
                }
                RtcpPacket::ReceiverReport { reports, .. } => self.blocks(wall, ours, &reports),
                RtcpPacket::SourceDescription(_) | RtcpPacket::Goodbye { .. } | RtcpPacket::Other { .. } => {}
            }
        }
        true
    }

    fn blocks(&mut self, wall: NtpTime, ours: Ssrc, blocks: &[ReportBlock]) {
        let Some(block) = blocks.iter().find(|block| block.ssrc == ours) else { return };
        if let Some(round_trip) = block.round_trip(wall) {
            let micros = u64::from(round_trip) * 1_000_000 / 65_536;
            self.round_trip = Some(Duration::from_micros(micros)).filter(|&time| time < MOST_ROUND_TRIP);
        }
        self.heard = Some(*block);
    }

    /// Appends the report that is due, and says when the next one is. Nothing is said where nothing was sent or heard.
    pub(super) fn report(
        &mut self,
        now: Time,
        wall: NtpTime,
        name: &str,
        outbound: &Outbound,
        stats: &mut ReceiverStats,
    ) -> Option<Vec<RtcpPacket>> {
        self.taken = 0;
        let ssrc = outbound.ssrc();
        let sends = core::mem::replace(&mut self.reported, outbound.packets) != outbound.packets;
        let reports: Vec<_> = stats.report_block(now).into_iter().collect();
        let extension = Vec::new();
        let report = match (sends, reports.is_empty()) {
            (true, _) => {
                RtcpPacket::SenderReport { ssrc, info: outbound.info(now, wall), reports, extension }
            }
            (false, false) => RtcpPacket::ReceiverReport { ssrc, reports, extension },
            (false, true) => return None,
        };
        Some(alloc::vec![report, RtcpPacket::cname(ssrc, name)])
    }
}

/// Beyond this a party's report is wrong.
const MOST_ROUND_TRIP: Duration = Duration::from_secs(10);

/// When the report after this moment is due: by half an interval more or less, so that those of many calls spread
/// (RFC 3550, section 6.3.1). `chance` is any number.
pub(super) fn next_report(now: Time, chance: u64) -> Time {
    let interval = INTERVAL.as_micros() as u64;
    now + Duration::from_micros(interval / 2 + chance % interval)
}

/// The wall clock, as reports carry it.
#[derive(Debug, Clone)]
pub(super) struct Wall {
    /// At [`Time::ZERO`].
    pub(super) origin: NtpTime,
    /// Canonical name of all streams.
    pub(super) name: String,
}

impl Wall {
    pub(super) fn at(&self, now: Time) -> NtpTime {
        let elapsed = (u128::from(now.as_micros()) << 32) / 1_000_000;
        NtpTime(self.origin.0.wrapping_add(elapsed as u64))
    }
}
