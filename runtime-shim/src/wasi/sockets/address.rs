//! Addresses: as adapters pass them, and what is allowed where.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use rustix::net::AddressFamily;

/// `ip-address-family`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `ipv4`
    V4,
    /// `ipv6`
    V6,
}

impl Family {
    /// From the number of the case.
    pub fn from_case(case: u32) -> Family {
        if case == 0 { Family::V4 } else { Family::V6 }
    }

    /// The system's name of it.
    pub fn for_system(self) -> AddressFamily {
        match self {
            Family::V4 => AddressFamily::INET,
            Family::V6 => AddressFamily::INET6,
        }
    }

    /// Whether a socket of this family can use the address. Sockets for IPv6 carry nothing else,
    /// so addresses that stand for ones of IPv4 do not fit.
    pub fn fits(self, address: &SocketAddr) -> bool {
        match (self, address.ip()) {
            (Family::V4, IpAddr::V4(_)) => true,
            (Family::V6, IpAddr::V6(ip)) => {
                let [high @ .., _, _] = ip.segments();
                let is_special = ip.is_unspecified() || ip.is_loopback();
                let is_compatible = high == [0; 6] && !is_special;
                ip.to_ipv4_mapped().is_none() && !is_compatible
            }
            _ => false,
        }
    }
}

/// Whether it belongs to one machine.
pub fn is_unicast(address: &SocketAddr) -> bool {
    match address.ip() {
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
        IpAddr::V6(ip) => !ip.is_multicast(),
    }
}

/// Whether something can be sent to it.
pub fn is_remote(address: &SocketAddr) -> bool {
    !address.ip().is_unspecified() && address.port() != 0
}

/// `ip-socket-address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, u8)]
pub enum SocketAddress {
    /// `ipv4`
    V4(V4SocketAddress),
    /// `ipv6`
    V6(V6SocketAddress),
}

/// `ipv4-socket-address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct V4SocketAddress {
    port: u16,
    address: [u8; 4],
}

/// `ipv6-socket-address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct V6SocketAddress {
    port: u16,
    flow_info: u32,
    address: [u16; 8],
    scope_id: u32,
}

impl SocketAddress {
    /// From the parameters that one becomes.
    pub fn from_words(case: u32, words: [u32; 11]) -> SocketAddress {
        let [port, rest @ ..] = words;
        let port = port as u16;
        if case == 0 {
            let [a, b, c, d, ..] = rest.map(|word| word as u8);
            return SocketAddress::V4(V4SocketAddress { port, address: [a, b, c, d] });
        }
        let [flow_info, address @ .., scope_id] = rest;
        let address = address.map(|word| word as u16);
        SocketAddress::V6(V6SocketAddress { port, flow_info, address, scope_id })
    }
}

impl From<SocketAddress> for SocketAddr {
    fn from(address: SocketAddress) -> SocketAddr {
        match address {
            SocketAddress::V4(it) => SocketAddrV4::new(it.address.into(), it.port).into(),
            SocketAddress::V6(it) => {
                SocketAddrV6::new(it.address.into(), it.port, it.flow_info, it.scope_id).into()
            }
        }
    }
}

impl From<SocketAddr> for SocketAddress {
    fn from(address: SocketAddr) -> SocketAddress {
        match address {
            SocketAddr::V4(it) => {
                SocketAddress::V4(V4SocketAddress { port: it.port(), address: it.ip().octets() })
            }
            SocketAddr::V6(it) => SocketAddress::V6(V6SocketAddress {
                port: it.port(),
                flow_info: it.flowinfo(),
                address: it.ip().segments(),
                scope_id: it.scope_id(),
            }),
        }
    }
}

/// `ip-address`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, u8)]
pub enum Address {
    /// `ipv4`
    V4([u8; 4]),
    /// `ipv6`
    V6([u16; 8]),
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Address {
        match address {
            IpAddr::V4(ip) => Address::V4(ip.octets()),
            IpAddr::V6(ip) => Address::V6(ip.segments()),
        }
    }
}

/// The address that means any, with a port of the system's choice.
pub fn unspecified(family: Family) -> SocketAddr {
    match family {
        Family::V4 => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into(),
        Family::V6 => SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, 0, 0, 0).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn layouts_are_canonical() {
        assert_eq!((size_of::<V4SocketAddress>(), size_of::<V6SocketAddress>()), (6, 28));
        assert_eq!(offset_of!(V6SocketAddress, address), 8);
        assert_eq!((size_of::<SocketAddress>(), align_of::<SocketAddress>()), (32, 4));
        assert_eq!((size_of::<Address>(), align_of::<Address>()), (18, 2));
    }

    #[test]
    fn words_become_addresses() {
        let v4 = SocketAddress::from_words(0, [0x1_0050, 127, 0, 0, 1, 9, 9, 9, 9, 9, 9]);
        assert_eq!(SocketAddr::from(v4), address("127.0.0.1:80"));
        let v6 = SocketAddress::from_words(1, [80, 5, 0xfe80, 0, 0, 0, 0, 0, 0, 1, 3]);
        let wanted = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 5, 3);
        assert_eq!(SocketAddr::from(v6), SocketAddr::V6(wanted));
        assert_eq!(SocketAddress::from(SocketAddr::V6(wanted)), v6);
    }

    #[test]
    fn addresses_fit_their_family() {
        assert!(Family::V4.fits(&address("10.0.0.1:1")));
        assert!(!Family::V4.fits(&address("[::1]:1")));
        for fitting in ["[::1]:1", "[::]:0", "[2001:db8::1]:1", "[::1:0:0]:1"] {
            assert!(Family::V6.fits(&address(fitting)), "{fitting}");
        }
        for other in ["[::ffff:10.0.0.1]:1", "[::10.0.0.1]:1", "[::2]:1", "1.2.3.4:1"] {
            assert!(!Family::V6.fits(&address(other)), "{other}");
        }
    }

    #[test]
    fn some_addresses_are_nobodys() {
        assert!(is_unicast(&address("10.0.0.1:1")) && is_unicast(&address("[::1]:1")));
        for group in ["224.0.0.1:1", "255.255.255.255:1", "[ff02::1]:1"] {
            assert!(!is_unicast(&address(group)), "{group}");
        }
        assert!(is_remote(&address("10.0.0.1:1")));
        assert!(!is_remote(&address("10.0.0.1:0")) && !is_remote(&address("0.0.0.0:1")));
    }
}
