//! Addresses of media streams.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::IpAddressType;
use crate::codec::{Field, FieldError, Kind, Reader, Value, Walk, Wire, Writer};

/// The address of a media stream; its port is a field of its own.
///
/// Up to version 16 it is an IPv4 address in 4 bytes; from 17 on a tag and 16 bytes, of which an IPv4 address
/// fills the first four (v17 and v20 captures).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MediaAddress {
    /// The address. An IPv6 address cannot be said where the layout has 4 bytes: 0.0.0.0 goes out.
    pub ip: IpAddr,
    /// What the tag says; [`IpAddressType::V4`] where there is none.
    pub kind: IpAddressType,
    /// The bytes after a tagged IPv4 address, kept as they were.
    padding: [u8; 12],
}

impl MediaAddress {
    /// 0.0.0.0.
    pub const UNSPECIFIED: Self =
        Self { ip: IpAddr::V4(Ipv4Addr::UNSPECIFIED), kind: IpAddressType::V4, padding: [0; 12] };

    /// The address with the tag that belongs to it.
    pub const fn new(ip: IpAddr) -> Self {
        let kind = match ip {
            IpAddr::V4(_) => IpAddressType::V4,
            IpAddr::V6(_) => IpAddressType::V6,
        };
        Self { ip, kind, padding: [0; 12] }
    }

    const fn width(tagged: bool) -> usize {
        if tagged { 20 } else { 4 }
    }
}

impl Default for MediaAddress {
    fn default() -> Self {
        Self::UNSPECIFIED
    }
}

impl From<IpAddr> for MediaAddress {
    fn from(ip: IpAddr) -> Self {
        Self::new(ip)
    }
}

impl From<Ipv4Addr> for MediaAddress {
    fn from(ip: Ipv4Addr) -> Self {
        Self::new(IpAddr::V4(ip))
    }
}

impl From<Ipv6Addr> for MediaAddress {
    fn from(ip: Ipv6Addr) -> Self {
        Self::new(IpAddr::V6(ip))
    }
}

impl Wire for MediaAddress {
    const KIND: Kind = Kind::MediaAddress;

    fn absent() -> Self {
        Self::UNSPECIFIED
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, FieldError> {
        if !r.layout().tagged_addresses {
            return Ok(r.take::<4>()?.map_or(Self::UNSPECIFIED, |bytes| Self::from(Ipv4Addr::from(*bytes))));
        }
        let Some([t0, t1, t2, t3, address @ ..]) = r.take::<20>()? else {
            return Ok(Self::UNSPECIFIED);
        };
        let kind = IpAddressType::from(u32::from_le_bytes([*t0, *t1, *t2, *t3]));
        if kind == IpAddressType::V6 {
            return Ok(Self { ip: IpAddr::from(*address), kind, padding: [0; 12] });
        }
        let [a, b, c, d, padding @ ..] = *address;
        Ok(Self { ip: IpAddr::from([a, b, c, d]), kind, padding })
    }

    fn encode(&self, w: &mut Writer<'_>) {
        if !w.layout().tagged_addresses {
            let IpAddr::V4(ip) = self.ip else {
                return w.put(&Ipv4Addr::UNSPECIFIED.octets());
            };
            return w.put(&ip.octets());
        }
        w.put(&u32::from(self.kind).to_le_bytes());
        match self.ip {
            IpAddr::V4(ip) => {
                w.put(&ip.octets());
                w.put(&self.padding);
            }
            IpAddr::V6(ip) => w.put(&ip.octets()),
        }
    }

    fn visit(&self, walk: &mut Walk<'_>, field: &'static Field) {
        let width = Self::width(walk.layout().tagged_addresses);
        walk.value(field, width, Value::Address(self.ip));
    }
}
