//! Sockets on the loopback device, against those of the standard library.

use super::address::{Family, unspecified};
use super::datagrams::{self, DatagramStreams, IncomingDatagram, OutgoingDatagram};
use super::tcp::{self, Streams};
use super::{Reply, SocketAddress, lookup, tcp_options, udp};
use super::{error_code::ErrorCode, network::network_error_code};
use crate::single::take_turn;
use crate::start::set_variable;
use crate::wasi::abi::{List, Outcome, StreamError};
use crate::wasi::io::{input, output, poll};
use core::mem::MaybeUninit;
use core::net::SocketAddr;
use rustix::io::Errno;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};

type Answer<T> = Result<T, ErrorCode>;

fn call<T: Copy, E: Copy>(function: impl FnOnce(&mut MaybeUninit<Outcome<T, E>>)) -> Result<T, E> {
    let mut out = MaybeUninit::uninit();
    function(&mut out);
    // SAFETY: every function writes its result.
    unsafe { out.assume_init() }.into_result()
}

/// An address as the parameters that it becomes.
fn words(address: SocketAddr) -> (u32, [u32; 11]) {
    let mut words = [0; 11];
    words[0] = address.port().into();
    match address {
        SocketAddr::V4(address) => {
            for (word, byte) in words[1..].iter_mut().zip(address.ip().octets()) {
                *word = byte.into();
            }
            (0, words)
        }
        SocketAddr::V6(address) => {
            for (word, part) in words[2..].iter_mut().zip(address.ip().segments()) {
                *word = part.into();
            }
            (1, words)
        }
    }
}

type WithAddress =
    extern "C" fn(u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, Reply<()>);

fn at(function: WithAddress, socket: u32, address: SocketAddr) -> Answer<()> {
    let (case, [a, b, c, d, e, f, g, h, i, j, k]) = words(address);
    call(|out| function(socket, 0, case, a, b, c, d, e, f, g, h, i, j, k, out))
}

fn tcp_socket(family: u32) -> u32 {
    call(|out| tcp::create_tcp_socket(family, out)).unwrap()
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Finishes connecting, waiting as a guest does.
fn finish_connect(socket: u32) -> Answer<Streams> {
    let pollable = tcp::subscribe(socket);
    loop {
        poll::block(pollable);
        match call(|out| tcp::finish_connect(socket, out)) {
            Err(ErrorCode::WouldBlock) => {}
            result => {
                poll::drop(pollable);
                return result;
            }
        }
    }
}

fn connect(address: SocketAddr) -> (u32, Answer<Streams>) {
    let socket = tcp_socket(0);
    assert_eq!(at(tcp::start_connect, socket, address), Ok(()));
    (socket, finish_connect(socket))
}

fn read(stream: u32) -> Result<&'static [u8], StreamError> {
    call(|out| input::blocking_read(stream, 100, out)).map(|list| list.as_slice())
}

fn write(stream: u32, bytes: &[u8]) -> Result<(), StreamError> {
    // SAFETY: the bytes are valid during the call.
    call(|out| unsafe {
        output::blocking_write_and_flush(stream, bytes.as_ptr(), bytes.len(), out)
    })
}

fn drop_streams(streams: Streams) {
    input::drop(streams.input);
    output::drop(streams.output);
}

#[test]
fn nothing_is_granted_by_default() {
    let _turn = take_turn();
    assert_eq!(call(|out| tcp::create_tcp_socket(0, out)), Err(ErrorCode::AccessDenied));
    assert_eq!(call(|out| udp::create_udp_socket(0, out)), Err(ErrorCode::AccessDenied));
    let name = b"localhost";
    // SAFETY: the name is valid during the call.
    let looked_up =
        call(|out| unsafe { lookup::resolve_addresses(0, name.as_ptr(), name.len(), out) });
    assert_eq!(looked_up, Err(ErrorCode::AccessDenied));
    set_variable(c"WASMELT_NETWORK=outbound");
    let socket = tcp_socket(0);
    assert_eq!(at(tcp::start_bind, socket, address("127.0.0.1:0")), Ok(()));
    assert_eq!(call(|out| tcp::finish_bind(socket, out)), Ok(()));
    assert_eq!(call(|out| tcp::start_listen(socket, out)), Err(ErrorCode::AccessDenied));
    tcp::drop(socket);
    let socket = call(|out| udp::create_udp_socket(0, out)).unwrap();
    let known_port = at(udp::start_bind, socket, address("127.0.0.1:40123"));
    assert_eq!(known_port, Err(ErrorCode::AccessDenied));
    assert_eq!(at(udp::start_bind, socket, address("127.0.0.1:0")), Ok(()));
    udp::drop(socket);
}

#[test]
fn connections_carry_bytes_both_ways() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (socket, streams) = connect(listener.local_addr().unwrap());
    let streams = streams.unwrap();
    let (mut peer, peer_address) = listener.accept().unwrap();
    let local = call(|out| tcp::local_address_of(socket, out)).map(SocketAddr::from);
    assert_eq!(local, Ok(peer_address));
    let remote = call(|out| tcp::remote_address(socket, out)).map(SocketAddr::from);
    assert_eq!(remote, Ok(listener.local_addr().unwrap()));

    assert_eq!(call(|out| input::read(streams.input, 10, out)).unwrap().as_slice(), b"");
    assert!(call(|out| output::check_write(streams.output, out)).unwrap() >= 4096);
    assert_eq!(write(streams.output, b"there"), Ok(()));
    let mut buffer = [0; 5];
    peer.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"there");
    peer.write_all(b"and back").unwrap();
    assert_eq!(read(streams.input), Ok(&b"and back"[..]));

    assert_eq!(call(|out| tcp::shutdown(socket, 1, out)), Ok(()));
    assert_eq!(write(streams.output, b"x"), Err(StreamError::CLOSED));
    assert_eq!(peer.read(&mut buffer).unwrap(), 0);
    peer.write_all(b"unread").unwrap();
    assert_eq!(call(|out| tcp::shutdown(socket, 0, out)), Ok(()));
    assert_eq!(read(streams.input), Err(StreamError::CLOSED));
    // The streams go on without the socket, and the file with its last user.
    tcp::drop(socket);
    drop_streams(streams);
    assert!(peer.write_all(&[0; 1 << 20]).is_err(), "nobody is there any more");
}

#[test]
fn a_reset_is_an_error_once() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (socket, streams) = connect(listener.local_addr().unwrap());
    let streams = streams.unwrap();
    assert_eq!(write(streams.output, b"unread by the peer"), Ok(()));
    // Closing a connection with unread data resets it.
    let (peer, _) = listener.accept().unwrap();
    while peer.peek(&mut [0; 4]).unwrap() == 0 {}
    drop(peer);
    assert_eq!(read(streams.input), Err(StreamError::failed(Errno::CONNRESET)));
    assert_eq!(read(streams.input), Err(StreamError::CLOSED));
    let mut out = MaybeUninit::uninit();
    network_error_code(Errno::CONNRESET.raw_os_error() as u32, &mut out);
    // SAFETY: the function writes its result.
    let code = unsafe { out.assume_init() }.into_option();
    assert_eq!(code, Some(ErrorCode::ConnectionReset));
    drop_streams(streams);
    tcp::drop(socket);
}

#[test]
fn connecting_fails_for_good() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (socket, streams) = connect(nobody);
    assert_eq!(streams, Err(ErrorCode::ConnectionRefused));
    assert_eq!(at(tcp::start_connect, socket, nobody), Err(ErrorCode::InvalidState));
    assert_eq!(call(|out| tcp_options::hop_limit(socket, out)), Err(ErrorCode::InvalidState));
    tcp::drop(socket);
}

#[test]
fn connections_are_accepted() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=all");
    let socket = tcp_socket(0);
    assert_eq!(call(|out| tcp::start_listen(socket, out)), Err(ErrorCode::InvalidState));
    assert_eq!(at(tcp::start_bind, socket, address("127.0.0.1:0")), Ok(()));
    let again = at(tcp::start_bind, socket, address("127.0.0.1:0"));
    assert_eq!(again, Err(ErrorCode::ConcurrencyConflict));
    assert_eq!(call(|out| tcp::finish_listen(socket, out)), Err(ErrorCode::NotInProgress));
    assert_eq!(call(|out| tcp::finish_bind(socket, out)), Ok(()));
    assert_eq!(call(|out| tcp::finish_bind(socket, out)), Err(ErrorCode::NotInProgress));
    assert_eq!(call(|out| tcp::accept(socket, out)), Err(ErrorCode::InvalidState));
    assert_eq!(
        call(|out| tcp::set_listen_backlog_size(socket, 0, out)),
        Err(ErrorCode::InvalidArgument)
    );
    assert_eq!(call(|out| tcp::set_listen_backlog_size(socket, 7, out)), Ok(()));
    assert_eq!(call(|out| tcp::start_listen(socket, out)), Ok(()));
    assert_eq!(tcp::is_listening(socket), 0);
    assert_eq!(call(|out| tcp::finish_listen(socket, out)), Ok(()));
    assert_eq!(tcp::is_listening(socket), 1);
    assert_eq!(call(|out| tcp::accept(socket, out)), Err(ErrorCode::WouldBlock));

    let pollable = tcp::subscribe(socket);
    assert_eq!(poll::ready(pollable), 0);
    let local = SocketAddr::from(call(|out| tcp::local_address_of(socket, out)).unwrap());
    let mut peer = TcpStream::connect(local).unwrap();
    poll::block(pollable);
    let accepted = call(|out| tcp::accept(socket, out)).unwrap();
    let remote = call(|out| tcp::remote_address(accepted.socket, out)).map(SocketAddr::from);
    assert_eq!(remote, Ok(peer.local_addr().unwrap()));
    peer.write_all(b"hello").unwrap();
    assert_eq!(read(accepted.streams.input), Ok(&b"hello"[..]));
    assert_eq!(call(|out| tcp::start_listen(accepted.socket, out)), Err(ErrorCode::InvalidState));
    drop_streams(accepted.streams);
    tcp::drop(accepted.socket);
    poll::drop(pollable);
    tcp::drop(socket);
}

#[test]
fn addresses_are_checked() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=all");
    let socket = tcp_socket(0);
    for wrong in ["[::1]:80", "224.0.0.1:80", "0.0.0.0:80", "127.0.0.1:0"] {
        let connected = at(tcp::start_connect, socket, address(wrong));
        assert_eq!(connected, Err(ErrorCode::InvalidArgument), "{wrong}");
    }
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(at(tcp::start_bind, socket, taken.local_addr().unwrap()), Ok(()));
    assert_eq!(call(|out| tcp::finish_bind(socket, out)), Err(ErrorCode::AddressInUse));
    assert_eq!(at(tcp::start_bind, socket, address("192.0.2.1:0")), Ok(()));
    assert_eq!(call(|out| tcp::finish_bind(socket, out)), Err(ErrorCode::AddressNotBindable));
    let unbound = call(|out| tcp::local_address_of(socket, out));
    assert_eq!(unbound, Err(ErrorCode::InvalidState));
    assert_eq!(tcp::address_family(socket), 0);
    tcp::drop(socket);
    assert!(Family::V6.fits(&unspecified(Family::V6)));
}

#[test]
fn options_are_read_back() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let socket = tcp_socket(0);
    assert_eq!(call(|out| tcp_options::keep_alive_enabled(socket, out)), Ok(0));
    assert_eq!(call(|out| tcp_options::set_keep_alive_enabled(socket, 1, out)), Ok(()));
    assert_eq!(call(|out| tcp_options::keep_alive_enabled(socket, out)), Ok(1));
    let half_seconds = |count: u64| count * 500_000_000;
    assert_eq!(
        call(|out| tcp_options::set_keep_alive_idle_time(socket, half_seconds(3), out)),
        Ok(())
    );
    assert_eq!(call(|out| tcp_options::keep_alive_idle_time(socket, out)), Ok(half_seconds(4)));
    assert_eq!(call(|out| tcp_options::set_keep_alive_interval(socket, u64::MAX, out)), Ok(()));
    assert_eq!(
        call(|out| tcp_options::keep_alive_interval(socket, out)),
        Ok(32767 * half_seconds(2))
    );
    assert_eq!(call(|out| tcp_options::set_keep_alive_count(socket, 500, out)), Ok(()));
    assert_eq!(call(|out| tcp_options::keep_alive_count(socket, out)), Ok(127));
    assert_eq!(call(|out| tcp_options::set_hop_limit(socket, 42, out)), Ok(()));
    assert_eq!(call(|out| tcp_options::hop_limit(socket, out)), Ok(42));
    assert_eq!(call(|out| tcp_options::set_send_buffer_size(socket, 0x8000, out)), Ok(()));
    assert_eq!(call(|out| tcp_options::send_buffer_size(socket, out)), Ok(0x8000));
    assert_eq!(call(|out| tcp_options::set_receive_buffer_size(socket, 0x8000, out)), Ok(()));
    assert_eq!(call(|out| tcp_options::receive_buffer_size(socket, out)), Ok(0x8000));
    let zero = Err(ErrorCode::InvalidArgument);
    assert_eq!(call(|out| tcp_options::set_hop_limit(socket, 0, out)), zero);
    assert_eq!(call(|out| tcp_options::set_keep_alive_count(socket, 0, out)), zero);
    assert_eq!(call(|out| tcp_options::set_keep_alive_interval(socket, 0, out)), zero);
    assert_eq!(call(|out| tcp_options::set_send_buffer_size(socket, 0, out)), zero);
    tcp::drop(socket);
}

fn udp_streams(socket: u32, remote: Option<SocketAddr>) -> Answer<DatagramStreams> {
    let (case, [a, b, c, d, e, f, g, h, i, j, k]) = remote.map_or((0, [0; 11]), words);
    let is_some = remote.is_some().into();
    call(|out| udp::stream(socket, is_some, case, a, b, c, d, e, f, g, h, i, j, k, out))
}

fn send(stream: u32, datagrams: &[OutgoingDatagram]) -> Answer<u64> {
    // SAFETY: the datagrams are valid during the call.
    call(|out| unsafe { datagrams::send(stream, datagrams.as_ptr(), datagrams.len(), out) })
}

fn receive(stream: u32) -> Vec<(Vec<u8>, SocketAddr)> {
    let received: List<IncomingDatagram> =
        call(|out| datagrams::receive(stream, 100, out)).unwrap();
    let pair = |it: &IncomingDatagram| (it.data.as_slice().to_vec(), it.remote_address.into());
    received.as_slice().iter().map(pair).collect()
}

fn drop_datagram_streams(streams: DatagramStreams) {
    datagrams::drop_incoming(streams.incoming);
    datagrams::drop_outgoing(streams.outgoing);
}

#[test]
fn datagrams_go_both_ways() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = peer.local_addr().unwrap();
    let socket = call(|out| udp::create_udp_socket(0, out)).unwrap();
    assert_eq!(udp_streams(socket, None), Err(ErrorCode::InvalidState));
    assert_eq!(at(udp::start_bind, socket, address("127.0.0.1:0")), Ok(()));
    assert_eq!(call(|out| udp::finish_bind(socket, out)), Ok(()));
    let local = SocketAddr::from(call(|out| udp::local_address_of(socket, out)).unwrap());
    let streams = udp_streams(socket, None).unwrap();
    let arrived = datagrams::subscribe_incoming(streams.incoming);
    assert_eq!((poll::ready(arrived), receive(streams.incoming)), (0, vec![]));

    assert!(call(|out| datagrams::check_send(streams.outgoing, out)).unwrap() >= 2);
    let two = [OutgoingDatagram::new(b"one", Some(to)), OutgoingDatagram::new(b"", Some(to))];
    assert_eq!(send(streams.outgoing, &two), Ok(2));
    let mut buffer = [0; 10];
    assert_eq!(peer.recv_from(&mut buffer).unwrap(), (3, local));
    assert_eq!(peer.recv_from(&mut buffer).unwrap(), (0, local));
    call(|out| datagrams::check_send(streams.outgoing, out)).unwrap();
    let nowhere = send(streams.outgoing, &[OutgoingDatagram::new(b"x", None)]);
    assert_eq!(nowhere, Err(ErrorCode::InvalidArgument));
    call(|out| datagrams::check_send(streams.outgoing, out)).unwrap();
    let large = OutgoingDatagram::new(Box::leak(vec![0; 70_000].into()), Some(to));
    assert_eq!(send(streams.outgoing, &[large]), Err(ErrorCode::DatagramTooLarge));

    for text in ["a", "bc"] {
        peer.send_to(text.as_bytes(), local).unwrap();
    }
    poll::block(arrived);
    let both = [(b"a".to_vec(), to), (b"bc".to_vec(), to)];
    assert_eq!(receive(streams.incoming), both);
    poll::drop(arrived);
    drop_datagram_streams(streams);
    udp::drop(socket);
}

#[test]
fn a_connected_socket_has_one_peer() {
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    let peers = [0, 1].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    let [first, second] = [0, 1].map(|index: usize| peers[index].local_addr().unwrap());
    let socket = call(|out| udp::create_udp_socket(0, out)).unwrap();
    assert_eq!(at(udp::start_bind, socket, address("0.0.0.0:0")), Ok(()));
    assert_eq!(call(|out| udp::finish_bind(socket, out)), Ok(()));
    let port = SocketAddr::from(call(|out| udp::local_address_of(socket, out)).unwrap()).port();
    let local = SocketAddr::new("127.0.0.1".parse().unwrap(), port);
    // This one has come before the socket is connected to the other.
    peers[1].send_to(b"early", local).unwrap();
    let streams = udp_streams(socket, Some(first)).unwrap();
    let remote = call(|out| udp::remote_address(socket, out));
    assert_eq!(remote, Ok(SocketAddress::from(first)));
    peers[0].send_to(b"mine", local).unwrap();
    assert_eq!(receive(streams.incoming), [(b"mine".to_vec(), first)]);
    call(|out| datagrams::check_send(streams.outgoing, out)).unwrap();
    let other = send(streams.outgoing, &[OutgoingDatagram::new(b"x", Some(second))]);
    assert_eq!(other, Err(ErrorCode::InvalidArgument));
    call(|out| datagrams::check_send(streams.outgoing, out)).unwrap();
    assert_eq!(send(streams.outgoing, &[OutgoingDatagram::new(b"x", None)]), Ok(1));
    assert_eq!(peers[0].recv_from(&mut [0; 4]).unwrap(), (1, local));
    drop_datagram_streams(streams);

    // Without a peer the socket is still where it was.
    let streams = udp_streams(socket, None).unwrap();
    assert_eq!(call(|out| udp::remote_address(socket, out)), Err(ErrorCode::InvalidState));
    peers[1].send_to(b"now", local).unwrap();
    assert_eq!(receive(streams.incoming), [(b"now".to_vec(), second)]);
    drop_datagram_streams(streams);
    udp::drop(socket);
}

fn look_up(name: &str) -> Answer<Vec<super::address::Address>> {
    // SAFETY: the name is valid during the call.
    let stream =
        call(|out| unsafe { lookup::resolve_addresses(0, name.as_ptr(), name.len(), out) })?;
    let next = || call(|out| lookup::resolve_next_address(stream, out)).unwrap().into_option();
    let found = core::iter::from_fn(next).collect();
    assert_eq!(lookup::subscribe(stream), poll::READY);
    lookup::drop(stream);
    Ok(found)
}

#[test]
fn names_and_numbers_are_looked_up() {
    use super::address::Address;
    let _turn = take_turn();
    set_variable(c"WASMELT_NETWORK=outbound");
    assert_eq!(look_up("10.1.2.3"), Ok(vec![Address::V4([10, 1, 2, 3])]));
    assert_eq!(look_up("::1"), Ok(vec![Address::V6([0, 0, 0, 0, 0, 0, 0, 1])]));
    assert!(look_up("localhost").unwrap().contains(&Address::V4([127, 0, 0, 1])));
    assert!(look_up("some.localhost").unwrap().contains(&Address::V4([127, 0, 0, 1])));
    for wrong in ["", "a b", "::ffff:1.2.3.4", "x..y", "http://x"] {
        assert_eq!(look_up(wrong), Err(ErrorCode::InvalidArgument), "{wrong}");
    }
    assert_eq!(look_up("bücher.example"), Err(ErrorCode::NotSupported));
}
