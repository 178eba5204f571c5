//! The addresses that phones name for their voice.

use std::net::{IpAddr, SocketAddr};

/// The address that a phone says it receives voice at when nobody really listens. Phones of one host have ports of
/// their own, so that one can tell who was meant: 24,576 even ones.
pub(crate) fn nominal_address(host: IpAddr, phone: u32) -> SocketAddr {
    let port = 16_384 + phone % 24_576 * 2;
    SocketAddr::new(host, u16::try_from(port).expect("16,384 + 2 * 24,575 is below 65,536"))
}

/// The tone that a phone speaks with, in Hz, where one listens: whole periods in 20 ms, 40 different ones.
pub(crate) fn tone_of(phone: u32) -> u16 {
    400 + 50 * u16::try_from(phone % 40).expect("39 is below 65,536")
}
