//! `ip-name-lookup`: an address is what it says; a name is looked for in `/etc/hosts`, and then
//! the servers of `/etc/resolv.conf` are asked, over UDP.
//!
//! Nothing waits: a stream goes on with its work whenever the guest asks it for an address. What
//! it waits for, a server's answer or the time that the server has for it, stands behind one file
//! of `epoll`, so that it can be polled like any other.

pub mod config;
pub mod message;
mod servers;
mod text;

use super::address::Address;
use super::error_code::ErrorCode;
use super::network::require;
use super::{Reply, reply};
use crate::pages;
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::abi::{Maybe, elements};
use crate::wasi::grants::Network;
use crate::wasi::io::poll;
use config::{Name, is_this_machine, parse_address, search_hosts};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use message::is_host_name;
use rustix::event::PollFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
use servers::Servers;
use text::FileText;

/// A `resolve-address-stream`, in a mapping of its own.
struct Lookup {
    state: State,
    found: Addresses,
    /// What asks servers, if that was necessary.
    servers: Option<Servers>,
}

#[derive(Clone, Copy)]
enum State {
    /// Servers are being asked.
    Asking,
    /// All addresses are there.
    Found,
    Failed(ErrorCode),
}

const MAPPING_BYTES: usize = 0x2000;
const _: () = assert!(size_of::<Lookup>() <= MAPPING_BYTES);

static LOOKUPS: Single<Slab<*mut Lookup, 0>> = Single::new(Slab::new([]));

/// The addresses of a name.
pub struct Addresses {
    addresses: [IpAddr; Addresses::COUNT_MAX],
    len: usize,
    /// How many the guest has got.
    taken: usize,
}

impl Addresses {
    /// More than this nobody tries.
    const COUNT_MAX: usize = 32;

    fn new() -> Addresses {
        let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Addresses { addresses: [unspecified; Addresses::COUNT_MAX], len: 0, taken: 0 }
    }

    /// Adds an address, unless it is there or there is no room.
    fn push(&mut self, address: IpAddr) {
        if self.as_slice().contains(&address) {
            return;
        }
        if let Some(slot) = self.addresses.get_mut(self.len) {
            *slot = address;
            self.len += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn as_slice(&self) -> &[IpAddr] {
        self.addresses.get(..self.len).unwrap_or_default()
    }

    fn take(&mut self) -> Option<IpAddr> {
        let address = self.as_slice().get(self.taken).copied();
        self.taken += usize::from(address.is_some());
        address
    }

    /// Puts those that can be reached first, and among them those of IPv6.
    fn sort(&mut self) {
        let len = self.len;
        let addresses = self.addresses.get_mut(..len).unwrap_or_default();
        if addresses.len() < 2 {
            return;
        }
        let mut ranks = [0; Addresses::COUNT_MAX];
        for (rank, address) in ranks.iter_mut().zip(&*addresses) {
            *rank = match (has_route(*address), address) {
                (true, IpAddr::V6(_)) => 0,
                (true, IpAddr::V4(_)) => 1,
                (false, _) => 2,
            };
        }
        // Few addresses, mostly in order, and equals keep theirs.
        for end in 1..addresses.len() {
            for at in (1..=end).rev() {
                if ranks[at - 1] <= ranks[at] {
                    break;
                }
                ranks.swap(at - 1, at);
                addresses.swap(at - 1, at);
            }
        }
    }
}

/// Whether the system knows a way there: connecting a socket for datagrams sends nothing.
fn has_route(address: IpAddr) -> bool {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(family, SocketType::DGRAM, flags, None)
        .is_ok_and(|socket| connect(socket, &SocketAddr::new(address, 9)).is_ok())
}

/// `resolve-addresses`.
#[unsafe(export_name = "wasi_sockets_ip_name_lookup__resolve_addresses")]
pub unsafe extern "C" fn resolve_addresses(
    _network: u32,
    name: *const u8,
    len: usize,
    out: Reply<u32>,
) {
    // SAFETY: the parameters are an adapter's.
    let name = unsafe { elements(name, len) };
    reply(out, start(name));
}

fn start(name: &[u8]) -> Result<u32, ErrorCode> {
    let mut found = Addresses::new();
    let mut servers = None;
    match parse_address(name) {
        Some(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_some() => {
            return Err(ErrorCode::InvalidArgument);
        }
        Some(address) => found.push(address),
        // Names in other scripts have an ASCII form, which takes large tables to find.
        None if !name.is_ascii() => return Err(ErrorCode::NotSupported),
        None if !is_host_name(name) => return Err(ErrorCode::InvalidArgument),
        None => {
            require(Network::Outbound)?;
            find_locally(name, &mut found);
            if found.is_empty() {
                let name = Name::new(name).ok_or(ErrorCode::InvalidArgument)?;
                servers = Some(Servers::new(name)?);
            }
        }
    }
    let state = if servers.is_some() { State::Asking } else { State::Found };
    let lookup = pages::map(MAPPING_BYTES).cast::<Lookup>();
    // SAFETY: the mapping is new and large enough.
    unsafe { lookup.write(Lookup { state, found, servers }) };
    let id = LOOKUPS.with(|lookups| lookups.insert(lookup));
    // The first question is on its way before the guest waits.
    with(id, Lookup::advance);
    Ok(id)
}

/// Finds what is known without asking anybody.
fn find_locally(name: &[u8], found: &mut Addresses) {
    if let Some(hosts) = FileText::read(c"/etc/hosts") {
        search_hosts(hosts.as_bytes(), name, |address| found.push(address));
    }
    if found.is_empty() && is_this_machine(name) {
        found.push(Ipv6Addr::LOCALHOST.into());
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found.sort();
}

fn with<R>(lookup: u32, work: impl FnOnce(&mut Lookup) -> R) -> R {
    let lookup = LOOKUPS.with(|lookups| *lookups.get(lookup));
    // SAFETY: the mapping lives as long as the entry, and only one call uses it.
    work(unsafe { &mut *lookup })
}

impl Lookup {
    /// Goes on as far as that is possible without waiting.
    fn advance(&mut self) {
        if let (State::Asking, Some(servers)) = (self.state, &mut self.servers)
            && let Some(result) = servers.advance(&mut self.found)
        {
            self.found.sort();
            servers.finish();
            self.state = match result {
                Ok(()) => State::Found,
                Err(error) => State::Failed(error),
            };
        }
    }

    fn next_address(&mut self) -> Result<Option<IpAddr>, ErrorCode> {
        self.advance();
        match self.state {
            State::Asking => Err(ErrorCode::WouldBlock),
            State::Found => Ok(self.found.take()),
            State::Failed(error) => Err(error),
        }
    }
}

/// `resolve-address-stream.resolve-next-address`.
#[unsafe(export_name = "wasi_sockets_ip_name_lookup__resolve_address_stream__resolve_next_address")]
pub extern "C" fn resolve_next_address(stream: u32, out: Reply<Maybe<Address>>) {
    let next = with(stream, Lookup::next_address);
    reply(out, next.map(|address| address.map(Address::from).into()));
}

/// `resolve-address-stream.subscribe`.
#[unsafe(export_name = "wasi_sockets_ip_name_lookup__resolve_address_stream__subscribe")]
pub extern "C" fn subscribe(stream: u32) -> u32 {
    with(stream, |lookup| match (lookup.state, &lookup.servers) {
        (State::Asking, Some(servers)) => poll::subscribe_file(servers.events(), PollFlags::IN),
        _ => poll::READY,
    })
}

/// Drops a `resolve-address-stream`.
#[unsafe(export_name = "wasi_sockets_ip_name_lookup__resolve_address_stream__drop")]
pub extern "C" fn drop(stream: u32) {
    if let Some(lookup) = LOOKUPS.with(|lookups| lookups.remove(stream)) {
        // SAFETY: nothing refers to the stream any more.
        unsafe {
            lookup.drop_in_place();
            pages::unmap(lookup.cast(), MAPPING_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reachable_addresses_come_first() {
        let mut found = Addresses::new();
        for address in ["127.0.0.1", "127.0.0.2", "127.0.0.1", "::1"] {
            found.push(address.parse().unwrap());
        }
        found.sort();
        let mut order: Vec<String> =
            core::iter::from_fn(|| found.take()).map(|address| address.to_string()).collect();
        // Not every machine has IPv6.
        order.retain(|address| address != "::1");
        assert_eq!(order, ["127.0.0.1", "127.0.0.2"]);
        assert_eq!(found.take(), None);
    }
}
