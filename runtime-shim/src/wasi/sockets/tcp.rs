//! `tcp-create-socket` and `tcp.tcp-socket`.

use super::address::{Family, SocketAddress, is_remote, is_unicast};
use super::error_code::ErrorCode;
use super::network::require;
use super::{Reply, create, for_guest, from_system, local_address, options, reply};
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::files::{self, FileId};
use crate::wasi::grants::Network;
use crate::wasi::io::{input, output, poll};
use core::mem::MaybeUninit;
use core::net::SocketAddr;
use rustix::event::PollFlags;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType};
use rustix::net::{accept_with, bind, connect, getpeername, listen, sockopt};

/// A socket.
#[derive(Clone, Copy)]
pub struct TcpSocket {
    /// Its file.
    pub file: FileId,
    /// Its addresses' family.
    pub family: Family,
    state: State,
    /// How many connections wait to be accepted.
    backlog: i32,
}

/// What a socket is doing. An outcome is there until the guest has asked for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Unbound,
    Binding(Result<(), ErrorCode>),
    Bound,
    StartedListening(Result<(), ErrorCode>),
    Listening,
    /// Connecting; the error if it has failed already.
    Connecting(Result<(), ErrorCode>),
    Connected,
    /// Connecting has failed: nothing is left to do but to drop it.
    Closed,
}

/// As many as the system's own libraries ask for.
const BACKLOG_DEFAULT: i32 = 128;

static SOCKETS: Single<Slab<TcpSocket, 0>> = Single::new(Slab::new([]));

fn add(file: FileId, family: Family, state: State) -> u32 {
    let socket = TcpSocket { file, family, state, backlog: BACKLOG_DEFAULT };
    SOCKETS.with(|sockets| sockets.insert(socket))
}

fn get(socket: u32) -> TcpSocket {
    SOCKETS.with(|sockets| *sockets.get(socket))
}

fn set_state(socket: u32, state: State) {
    SOCKETS.with(|sockets| sockets.get(socket).state = state);
}

impl TcpSocket {
    /// The error if something has been started and not finished.
    fn require_idle(&self) -> Result<(), ErrorCode> {
        match self.state {
            State::Binding(_) | State::StartedListening(_) | State::Connecting(_) => {
                Err(ErrorCode::ConcurrencyConflict)
            }
            _ => Ok(()),
        }
    }
}

/// A socket whose options can be read and set.
pub fn open_socket(socket: u32) -> Result<TcpSocket, ErrorCode> {
    let socket = get(socket);
    if socket.state == State::Closed { Err(ErrorCode::InvalidState) } else { Ok(socket) }
}

/// The streams of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Streams {
    /// What arrives.
    pub input: u32,
    /// What is sent.
    pub output: u32,
}

/// What `accept` returns.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Accepted {
    /// The connection's socket.
    pub socket: u32,
    /// Its streams.
    pub streams: Streams,
}

fn transfer_in(
    fd: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    _position: u64,
) -> Result<usize, Errno> {
    Ok(rustix::net::recv(fd, buffer, RecvFlags::empty())?.1)
}

fn transfer_out(fd: BorrowedFd<'_>, bytes: &[u8], _position: u64) -> Result<usize, Errno> {
    rustix::net::send(fd, bytes, SendFlags::NOSIGNAL)
}

/// What a connection takes at least when it reports itself as ready.
const PERMIT_BYTES_MIN: u64 = 512;
/// More than this gains nothing.
const PERMIT_BYTES_MAX: u64 = 0x1_0000;

fn open_streams(file: FileId) -> Streams {
    // Ready is a connection with a third of its buffer free, and what is sent takes up to twice
    // its size there. The size that is reported is half of the buffer.
    let buffer_bytes = options::send_buffer_size(file).unwrap_or(0);
    let permit = (buffer_bytes / 4).clamp(PERMIT_BYTES_MIN, PERMIT_BYTES_MAX);
    Streams {
        input: input::open_nonblocking(files::retain(file), transfer_in),
        output: output::open_nonblocking(files::retain(file), transfer_out, permit),
    }
}

/// `create-tcp-socket`.
#[unsafe(export_name = "wasi_sockets_tcp_create_socket__create_tcp_socket")]
pub extern "C" fn create_tcp_socket(address_family: u32, out: Reply<u32>) {
    let family = Family::from_case(address_family);
    let file = require(Network::Outbound).and_then(|()| create(family, SocketType::STREAM));
    reply(out, file.map(|file| add(file, family, State::Unbound)));
}

/// `tcp-socket.start-bind`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__start_bind")]
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
    socket.require_idle()?;
    if socket.state != State::Unbound {
        return Err(ErrorCode::InvalidState);
    }
    if !is_unicast(&address) || !socket.family.fits(&address) {
        return Err(ErrorCode::InvalidArgument);
    }
    require(Network::Outbound)?;
    let bound = bind_reusing(files::fd(socket.file)?, &address).map_err(ErrorCode::from);
    set_state(id, State::Binding(bound));
    Ok(())
}

/// Binds, also where a connection has just been closed.
fn bind_reusing(fd: BorrowedFd<'_>, address: &SocketAddr) -> Result<(), Errno> {
    if address.port() != 0 {
        sockopt::set_socket_reuseaddr(fd, true)?;
    }
    bind(fd, address)
}

/// `tcp-socket.finish-bind`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__finish_bind")]
pub extern "C" fn finish_bind(socket: u32, out: Reply<()>) {
    let State::Binding(bound) = get(socket).state else {
        return reply(out, Err(ErrorCode::NotInProgress));
    };
    set_state(socket, if bound.is_ok() { State::Bound } else { State::Unbound });
    reply(out, bound);
}

/// `tcp-socket.start-connect`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__start_connect")]
pub extern "C" fn start_connect(
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
    reply(out, begin_connecting(socket, SocketAddress::from_words(case, words).into()));
}

fn begin_connecting(id: u32, address: SocketAddr) -> Result<(), ErrorCode> {
    let socket = get(id);
    socket.require_idle()?;
    if !matches!(socket.state, State::Unbound | State::Bound) {
        return Err(ErrorCode::InvalidState);
    }
    if !is_unicast(&address) || !is_remote(&address) || !socket.family.fits(&address) {
        return Err(ErrorCode::InvalidArgument);
    }
    require(Network::Outbound)?;
    let fd = files::fd(socket.file)?;
    let begun = match retry_on_intr(|| connect(fd, &address)) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::ALREADY | Errno::ISCONN) => Ok(()),
        // The system has run out of ports.
        Err(Errno::AGAIN) => Err(ErrorCode::AddressInUse),
        Err(errno) => Err(errno.into()),
    };
    set_state(id, State::Connecting(begun));
    Ok(())
}

/// `tcp-socket.finish-connect`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__finish_connect")]
pub extern "C" fn finish_connect(socket: u32, out: Reply<Streams>) {
    let TcpSocket { file, state: State::Connecting(begun), .. } = get(socket) else {
        return reply(out, Err(ErrorCode::NotInProgress));
    };
    let connected = begun.and_then(|()| check_connected(file));
    match connected {
        Ok(()) => set_state(socket, State::Connected),
        Err(ErrorCode::WouldBlock) => {}
        Err(_) => set_state(socket, State::Closed),
    }
    reply(out, connected.map(|()| open_streams(file)));
}

/// What has become of connecting.
fn check_connected(file: FileId) -> Result<(), ErrorCode> {
    let fd = files::fd(file)?;
    if !files::is_ready(fd, PollFlags::OUT) {
        return Err(ErrorCode::WouldBlock);
    }
    Ok(sockopt::socket_error(fd)??)
}

/// `tcp-socket.start-listen`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__start_listen")]
pub extern "C" fn start_listen(socket: u32, out: Reply<()>) {
    reply(out, begin_listening(socket));
}

fn begin_listening(id: u32) -> Result<(), ErrorCode> {
    let socket = get(id);
    socket.require_idle()?;
    if socket.state != State::Bound {
        return Err(ErrorCode::InvalidState);
    }
    require(Network::All)?;
    let listening = listen(files::fd(socket.file)?, socket.backlog).map_err(ErrorCode::from);
    set_state(id, State::StartedListening(listening));
    Ok(())
}

/// `tcp-socket.finish-listen`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__finish_listen")]
pub extern "C" fn finish_listen(socket: u32, out: Reply<()>) {
    let State::StartedListening(listening) = get(socket).state else {
        return reply(out, Err(ErrorCode::NotInProgress));
    };
    set_state(socket, if listening.is_ok() { State::Listening } else { State::Bound });
    reply(out, listening);
}

/// `tcp-socket.accept`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__accept")]
pub extern "C" fn accept(socket: u32, out: Reply<Accepted>) {
    reply(out, accept_connection(socket));
}

fn accept_connection(id: u32) -> Result<Accepted, ErrorCode> {
    let TcpSocket { file, family, state: State::Listening, .. } = get(id) else {
        return Err(ErrorCode::InvalidState);
    };
    let file = files::add(accept_next(files::fd(file)?)?);
    let socket = add(file, family, State::Connected);
    Ok(Accepted { socket, streams: open_streams(file) })
}

/// The next connection that was not lost while it waited.
fn accept_next(fd: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    loop {
        match accept_with(fd, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            // The system reports here what has happened to the connection, and that it is gone.
            Err(
                Errno::INTR
                | Errno::NETDOWN
                | Errno::PROTO
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::NONET
                | Errno::HOSTUNREACH
                | Errno::NETUNREACH,
            ) => {}
            result => return result,
        }
    }
}

/// `tcp-socket.local-address`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__local_address")]
pub extern "C" fn local_address_of(socket: u32, out: Reply<SocketAddress>) {
    let TcpSocket { file, state, .. } = get(socket);
    let address = match state {
        State::Bound | State::Listening | State::StartedListening(_) | State::Connected => {
            local_address(file)
        }
        _ => Err(ErrorCode::InvalidState),
    };
    reply(out, address.map(for_guest));
}

/// `tcp-socket.remote-address`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__remote_address")]
pub extern "C" fn remote_address(socket: u32, out: Reply<SocketAddress>) {
    reply(out, peer_address(get(socket)).map(for_guest));
}

fn peer_address(socket: TcpSocket) -> Result<SocketAddr, ErrorCode> {
    if socket.state != State::Connected {
        return Err(ErrorCode::InvalidState);
    }
    from_system(getpeername(files::fd(socket.file)?)?.ok_or(Errno::NOTCONN)?)
}

/// `tcp-socket.is-listening`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__is_listening")]
pub extern "C" fn is_listening(socket: u32) -> u32 {
    (get(socket).state == State::Listening).into()
}

/// `tcp-socket.address-family`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__address_family")]
pub extern "C" fn address_family(socket: u32) -> u32 {
    (get(socket).family == Family::V6).into()
}

/// `tcp-socket.set-listen-backlog-size`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_listen_backlog_size")]
pub extern "C" fn set_listen_backlog_size(socket: u32, value: u64, out: Reply<()>) {
    reply(out, set_backlog(socket, value));
}

fn set_backlog(id: u32, value: u64) -> Result<(), ErrorCode> {
    let backlog = i32::try_from(value).unwrap_or(i32::MAX);
    let socket = get(id);
    match socket.state {
        _ if backlog == 0 => return Err(ErrorCode::InvalidArgument),
        State::Unbound | State::Binding(_) | State::Bound => {}
        State::Listening | State::StartedListening(_) => listen(files::fd(socket.file)?, backlog)?,
        _ => return Err(ErrorCode::InvalidState),
    }
    SOCKETS.with(|sockets| sockets.get(id).backlog = backlog);
    Ok(())
}

/// `tcp-socket.subscribe`. A socket that connects is ready to be written to when that is over, and
/// one that listens is ready to be read when there is a connection; whatever else is started is
/// over at once, and then the system reports a socket as ready.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__subscribe")]
pub extern "C" fn subscribe(socket: u32) -> u32 {
    poll::subscribe_file(get(socket).file, PollFlags::IN | PollFlags::OUT)
}

/// `tcp-socket.shutdown`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__shutdown")]
pub extern "C" fn shutdown(socket: u32, shutdown_type: u32, out: Reply<()>) {
    reply(out, end_connection(socket, shutdown_type));
}

fn end_connection(id: u32, shutdown_type: u32) -> Result<(), ErrorCode> {
    let TcpSocket { file, state: State::Connected, .. } = get(id) else {
        return Err(ErrorCode::InvalidState);
    };
    let how = match shutdown_type {
        0 => Shutdown::Read,
        1 => Shutdown::Write,
        _ => Shutdown::Both,
    };
    rustix::net::shutdown(files::fd(file)?, how)?;
    // What has arrived already is not read any more, which the system would allow.
    if how != Shutdown::Write {
        input::close_streams_of(file);
    }
    if how != Shutdown::Read {
        output::close_streams_of(file);
    }
    Ok(())
}

/// Drops a `tcp-socket`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__drop")]
pub extern "C" fn drop(socket: u32) {
    if let Some(socket) = SOCKETS.with(|sockets| sockets.remove(socket)) {
        files::release(socket.file);
    }
}
