//! Programs with sockets, on the loopback device, against those of the standard library.

use crate::guests::{build, own_address};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// More than the buffers of a connection hold, so that writing has to wait.
const MANY_BYTES: usize = 8 << 20;
const ACCESS_DENIED: i32 = 1;

fn scratch() -> TempDir {
    tempfile::tempdir().expect("tests can write temporary files")
}

fn start(program: &std::path::Path) -> Child {
    Command::new(program)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be executed")
}

fn finish(child: Child) -> Output {
    child.wait_with_output().expect("a child can be waited for")
}

/// What a program prints that was built with those options, with this at `{PORT}`.
fn run(name: &str, port: u16, options: &[&str]) -> Output {
    let directory = scratch();
    let mut replacements = vec![("BYTES", 4)];
    replacements.extend(own_address().1);
    replacements[1].1 = port.into();
    finish(start(&build(directory.path(), name, &replacements, options)))
}

/// What the client sends: bytes that count up.
fn counting(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at % 65536) as u8).collect()
}

#[test]
fn a_client_sends_and_receives() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a loopback device");
    let port = listener.local_addr().expect("it is bound").port();
    let directory = scratch();
    let replacements = [("PORT", port.into()), ("BYTES", MANY_BYTES as u64)];
    let options = ["--network", "outbound"];
    let program = build(directory.path(), "tcp-client.wat", &replacements, &options);
    let child = start(&program);
    let (mut peer, _) = listener.accept().expect("the program connects");
    // The program must wait for a peer that takes its time.
    std::thread::sleep(Duration::from_millis(50));
    let mut received = Vec::new();
    peer.read_to_end(&mut received).expect("the program ends its side");
    assert!(received == counting(MANY_BYTES), "{} bytes", received.len());
    for part in ["in ", "several", " parts\n"] {
        peer.write_all(part.as_bytes()).expect("the program listens");
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(peer);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"in several parts\n");
}

#[test]
fn a_client_hears_of_refusals_and_resets() {
    const CONNECT: i32 = 3 << 5;
    const READ: i32 = 6 << 5;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a loopback device");
    let port = listener.local_addr().expect("it is bound").port();
    let directory = scratch();
    let replacements = [("PORT", port.into()), ("BYTES", 4)];
    let options = ["--network", "outbound"];
    let program = build(directory.path(), "tcp-client.wat", &replacements, &options);
    let child = start(&program);
    let (peer, _) = listener.accept().expect("the program connects");
    // Closing a connection with unread data resets it.
    peer.peek(&mut [0; 4]).expect("the program sends");
    std::thread::sleep(Duration::from_millis(50));
    drop(peer);
    assert_eq!(finish(child).status.code(), Some(READ | 15));
    // Nobody listens at a port that is set aside for discarding.
    assert_eq!(run("tcp-client.wat", 9, &options).status.code(), Some(CONNECT | 14));
}

#[test]
fn a_server_echoes() {
    let directory = scratch();
    let (address, replacements) = own_address();
    let program = build(directory.path(), "tcp-server.wat", &replacements, &["--network", "all"]);
    let child = start(&program);
    let since = Instant::now();
    let mut peer = loop {
        match TcpStream::connect(address) {
            Ok(peer) => break peer,
            Err(error) => assert!(since.elapsed() < Duration::from_secs(20), "{error}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let sent = counting(MANY_BYTES);
    let mut writer = peer.try_clone().expect("there are descriptors left");
    let sending = std::thread::spawn({
        let sent = sent.clone();
        move || {
            writer.write_all(&sent).expect("the program reads");
            writer.shutdown(Shutdown::Write).expect("it is connected");
        }
    });
    let mut received = Vec::new();
    peer.read_to_end(&mut received).expect("the program ends");
    sending.join().expect("everything was sent");
    assert!(received == sent, "{} bytes", received.len());
    assert_eq!(finish(child).status.code(), Some(0));
}

#[test]
fn datagrams_are_exchanged() {
    let peer = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a loopback device");
    let port = peer.local_addr().expect("it is bound").port();
    let directory = scratch();
    let replacements = [("PORT", port.into())];
    let options = ["--network", "outbound"];
    let child = start(&build(directory.path(), "udp-client.wat", &replacements, &options));
    peer.set_read_timeout(Some(Duration::from_secs(20))).expect("it is a valid time");
    let mut buffer = [0; 100];
    let mut texts = Vec::new();
    for _ in 0..2 {
        let (len, from) = peer.recv_from(&mut buffer).expect("the program sends");
        texts.push(String::from_utf8_lossy(&buffer[..len]).into_owned());
        peer.send_to(&buffer[..len], from).expect("the program receives");
    }
    assert_eq!(texts, ["to it", "to the peer"]);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stdout, b"to it\nto the peer\n");
}

#[test]
fn a_name_of_this_machine_is_found() {
    assert_eq!(run("lookup.wat", 0, &["--network", "outbound"]).status.code(), Some(0));
}

#[test]
fn the_network_is_not_granted_by_default() {
    for name in ["tcp-client.wat", "tcp-server.wat", "udp-client.wat", "lookup.wat"] {
        let code = run(name, 9, &[]).status.code();
        assert_eq!(code, Some(1 << 5 | ACCESS_DENIED), "{name}");
    }
    let listening = run("tcp-server.wat", 0, &["--network", "outbound"]).status.code();
    assert_eq!(listening, Some(4 << 5 | ACCESS_DENIED));
}
