//! `udp-create-socket` and `udp.udp-socket`.

use super::address::{Family, SocketAddress, is_remote};
use super::datagrams::{self, DatagramStreams};
use super::error_code::ErrorCode;
use super::network::require;
use super::{Reply, create, for_guest, local_address, options, reply};
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::files::{self, FileId};
use crate::wasi::grants::Network;
use crate::wasi::io::poll;
use core::net::SocketAddr;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::net::{SocketType, bind, connect, connect_unspec};

/// A socket.
#[derive(Clone, Copy)]
struct UdpSocket {
    file: FileId,
    family: Family,
    state: State,
    /// With whom alone it exchanges datagrams.
    remote: Option<SocketAddr>,
}

/// What a socket is doing. An outcome is there until the guest has asked for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unbound,
    Binding(Result<SocketAddr, ErrorCode>),
    Bound(SocketAddr),
}

static SOCKETS: Single<Slab<UdpSocket, 0>> = Single::new(Slab::new([]));

fn get(socket: u32) -> UdpSocket {
    SOCKETS.with(|sockets| *sockets.get(socket))
}

fn set_state(socket: u32, state: State) {
    SOCKETS.with(|sockets| sockets.get(socket).state = state);
}

/// `create-udp-socket`.
#[unsafe(export_name = "wasi_sockets_udp_create_socket__create_udp_socket")]
pub extern "C" fn create_udp_socket(address_family: u32, out: Reply<u32>) {
    let family = Family::from_case(address_family);
    let file = require(Network::Outbound).and_then(|()| create(family, SocketType::DGRAM));
    let add = |file| {
        let socket = UdpSocket { file, family, state: State::Unbound, remote: None };
        SOCKETS.with(|sockets| sockets.insert(socket))
    };
    reply(out, file.map(add));
}

/// `udp-socket.start-bind`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__start_bind")]
pub extern "C" fn start_bind(
    socket: u32,
    _network: u32,
    case: u32,
    word0: u32,
    word1: u32,
    word2: u32,
    word3: u32,
    word4: u32,
    word5: u32,
    word6: u32,
    word7: u32,
    word8: u32,
    word9: u32,
    word10: u32,
    out: Reply<()>,
) {
    let words = [word0, word1, word2, word3, word4, word5, word6, word7, word8, word9, word10];
    reply(out, begin_binding(socket, SocketAddress::from_words(case, words).into()));
}

fn begin_binding(id: u32, address: SocketAddr) -> Result<(), ErrorCode> {
    let socket = get(id);
    match socket.state {
        State::Unbound => {}
        State::Binding(_) => return Err(ErrorCode::ConcurrencyConflict),
        State::Bound(_) => return Err(ErrorCode::InvalidState),
    }
    if !socket.family.fits(&address) {
        return Err(ErrorCode::InvalidArgument);
    }
    // Who sends needs a port to have answers at. A port that others can know beforehand is for
    // those who wait.
    require(if address.port() == 0 { Network::Outbound } else { Network::All })?;
    let bound = bind(files::fd(socket.file)?, &address).map_err(ErrorCode::from);
    let bound = bound.and_then(|()| local_address(socket.file));
    set_state(id, State::Binding(bound));
    Ok(())
}

/// `udp-socket.finish-bind`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__finish_bind")]
pub extern "C" fn finish_bind(socket: u32, out: Reply<()>) {
    let State::Binding(bound) = get(socket).state else {
        return reply(out, Err(ErrorCode::NotInProgress));
    };
    set_state(socket, bound.map_or(State::Unbound, State::Bound));
    reply(out, bound.map(|_| ()));
}

/// `udp-socket.stream`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__stream")]
pub extern "C" fn stream(
    socket: u32,
    has_remote: u32,
    case: u32,
    word0: u32,
    word1: u32,
    word2: u32,
    word3: u32,
    word4: u32,
    word5: u32,
    word6: u32,
    word7: u32,
    word8: u32,
    word9: u32,
    word10: u32,
    out: Reply<DatagramStreams>,
) {
    let words = [word0, word1, word2, word3, word4, word5, word6, word7, word8, word9, word10];
    let remote = (has_remote != 0).then(|| SocketAddress::from_words(case, words).into());
    reply(out, open_streams(socket, remote));
}

fn open_streams(id: u32, remote: Option<SocketAddr>) -> Result<DatagramStreams, ErrorCode> {
    let socket = get(id);
    let State::Bound(local) = socket.state else {
        return Err(ErrorCode::InvalidState);
    };
    if remote.is_some_and(|remote| !is_remote(&remote) || !socket.family.fits(&remote)) {
        return Err(ErrorCode::InvalidArgument);
    }
    let fd = files::fd(socket.file)?;
    if socket.remote.is_some() {
        disconnect(fd, &local)?;
        SOCKETS.with(|sockets| sockets.get(id).remote = None);
    }
    if let Some(remote) = remote {
        rustix::io::retry_on_intr(|| connect(fd, &remote))?;
        SOCKETS.with(|sockets| sockets.get(id).remote = Some(remote));
    }
    Ok(datagrams::open(socket.file, socket.family, remote))
}

/// Forgets the remote address. The system then forgets the local one too, as far as it had chosen
/// it itself.
fn disconnect(fd: BorrowedFd<'_>, local: &SocketAddr) -> Result<(), Errno> {
    connect_unspec(fd)?;
    match bind(fd, local) {
        // It has not forgotten the port.
        Err(Errno::INVAL) => Ok(()),
        result => result,
    }
}

/// `udp-socket.local-address`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__local_address")]
pub extern "C" fn local_address_of(socket: u32, out: Reply<SocketAddress>) {
    let UdpSocket { file, state, .. } = get(socket);
    let address = match state {
        State::Bound(_) => local_address(file),
        _ => Err(ErrorCode::InvalidState),
    };
    reply(out, address.map(for_guest));
}

/// `udp-socket.remote-address`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__remote_address")]
pub extern "C" fn remote_address(socket: u32, out: Reply<SocketAddress>) {
    reply(out, get(socket).remote.map(for_guest).ok_or(ErrorCode::InvalidState));
}

/// `udp-socket.address-family`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__address_family")]
pub extern "C" fn address_family(socket: u32) -> u32 {
    (get(socket).family == Family::V6).into()
}

/// `udp-socket.unicast-hop-limit`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__unicast_hop_limit")]
pub extern "C" fn unicast_hop_limit(socket: u32, out: Reply<u8>) {
    let UdpSocket { file, family, .. } = get(socket);
    reply(out, options::hop_limit(file, family));
}

/// `udp-socket.set-unicast-hop-limit`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__set_unicast_hop_limit")]
pub extern "C" fn set_unicast_hop_limit(socket: u32, value: u32, out: Reply<()>) {
    let UdpSocket { file, family, .. } = get(socket);
    reply(out, options::set_hop_limit(file, family, value));
}

/// `udp-socket.receive-buffer-size`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__receive_buffer_size")]
pub extern "C" fn receive_buffer_size(socket: u32, out: Reply<u64>) {
    reply(out, options::receive_buffer_size(get(socket).file));
}

/// `udp-socket.set-receive-buffer-size`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__set_receive_buffer_size")]
pub extern "C" fn set_receive_buffer_size(socket: u32, value: u64, out: Reply<()>) {
    reply(out, options::set_receive_buffer_size(get(socket).file, value));
}

/// `udp-socket.send-buffer-size`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__send_buffer_size")]
pub extern "C" fn send_buffer_size(socket: u32, out: Reply<u64>) {
    reply(out, options::send_buffer_size(get(socket).file));
}

/// `udp-socket.set-send-buffer-size`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__set_send_buffer_size")]
pub extern "C" fn set_send_buffer_size(socket: u32, value: u64, out: Reply<()>) {
    reply(out, options::set_send_buffer_size(get(socket).file, value));
}

/// `udp-socket.subscribe`: nothing that is started takes time.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__subscribe")]
pub extern "C" fn subscribe(_socket: u32) -> u32 {
    poll::READY
}

/// Drops a `udp-socket`.
#[unsafe(export_name = "wasi_sockets_udp__udp_socket__drop")]
pub extern "C" fn drop(socket: u32) {
    if let Some(socket) = SOCKETS.with(|sockets| sockets.remove(socket)) {
        files::release(socket.file);
    }
}
