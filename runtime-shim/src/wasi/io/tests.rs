//! Streams and pollables on pipes.

use super::{input, output, poll};
use crate::single::take_turn;
use crate::wasi::abi::{List, Outcome, StreamError};
use crate::wasi::{clocks, files};
use core::mem::MaybeUninit;
use rustix::fd::{FromRawFd, OwnedFd};
use std::os::fd::IntoRawFd;
use std::time::{Duration, Instant};

/// A pipe as an input and an output stream.
fn pipe() -> (u32, u32) {
    let (reader, writer) = std::io::pipe().unwrap();
    // SAFETY: the numbers are given away.
    let [reader, writer] = [reader.into_raw_fd(), writer.into_raw_fd()]
        .map(|fd| files::add(unsafe { OwnedFd::from_raw_fd(fd) }));
    (
        input::open(reader, input::transfer_onward, 0, false),
        output::open(writer, output::transfer_onward, 0, false),
    )
}

fn call<T: Copy, E: Copy>(function: impl FnOnce(&mut MaybeUninit<Outcome<T, E>>)) -> Result<T, E> {
    let mut out = MaybeUninit::uninit();
    function(&mut out);
    // SAFETY: every function writes its result.
    unsafe { out.assume_init() }.into_result()
}

fn write(stream: u32, bytes: &[u8]) -> Result<(), StreamError> {
    // SAFETY: the bytes are valid during the call.
    call(|out| unsafe { output::write(stream, bytes.as_ptr(), bytes.len(), out) })
}

fn read(stream: u32) -> Result<&'static [u8], StreamError> {
    call(|out| input::read(stream, 100, out)).map(|list| list.as_slice())
}

fn ready_ones(pollables: &[u32]) -> Vec<u32> {
    let mut out = MaybeUninit::<List<u32>>::uninit();
    // SAFETY: the pollables are valid during the call, and it writes its result.
    unsafe {
        poll::poll(pollables.as_ptr(), pollables.len(), &mut out);
        out.assume_init().as_slice().to_vec()
    }
}

#[test]
fn a_full_pipe_permits_nothing() {
    let _turn = take_turn();
    let (reader, writer) = pipe();
    let room = output::subscribe(writer);
    let mut written = 0;
    loop {
        let permit = call(|out| output::check_write(writer, out)).unwrap();
        assert_eq!(permit > 0, poll::ready(room) == 1);
        if permit == 0 {
            break;
        }
        assert_eq!(write(writer, &vec![7; permit as usize]), Ok(()));
        written += permit;
    }
    assert!(written >= 0x1_0000, "a pipe holds 64 KiB");
    assert_eq!(call(|out| input::skip(reader, 10_000, out)), Ok(10_000));
    assert_eq!(poll::ready(room), 1);
    poll::drop(room);
    output::drop(writer);
    input::drop(reader);
}

#[test]
fn a_pipe_ends_with_its_other_side() {
    let _turn = take_turn();
    let (reader, writer) = pipe();
    assert_eq!(read(reader), Ok(&[] as &[u8]), "nothing is there yet");
    call(|out| output::check_write(writer, out)).unwrap();
    assert_eq!(write(writer, b"last"), Ok(()));
    output::drop(writer);
    assert_eq!(read(reader), Ok(b"last" as &[u8]));
    assert_eq!(read(reader), Err(StreamError::CLOSED));
    input::drop(reader);

    let (reader, writer) = pipe();
    input::drop(reader);
    call(|out| output::check_write(writer, out)).unwrap();
    assert_eq!(write(writer, b"nobody"), Err(StreamError::CLOSED));
    assert_eq!(call(|out| output::check_write(writer, out)), Err(StreamError::CLOSED));
    assert_eq!(call(|out| output::flush(writer, out)), Err(StreamError::CLOSED));
    output::drop(writer);
}

#[test]
fn polling_finds_what_is_ready() {
    let _turn = take_turn();
    let (reader, writer) = pipe();
    let bytes = input::subscribe(reader);
    let room = output::subscribe(writer);
    let never = clocks::subscribe_instant(u64::MAX);
    assert_eq!(ready_ones(&[bytes, room, never]), [1]);
    call(|out| output::check_write(writer, out)).unwrap();
    assert_eq!(write(writer, b"x"), Ok(()));
    assert_eq!(ready_ones(&[never, bytes, poll::READY, room]), [1, 2, 3]);
    assert_eq!((poll::ready(never), poll::ready(bytes)), (0, 1));
    poll::block(bytes);
    for pollable in [bytes, room, never, poll::READY] {
        poll::drop(pollable);
    }
    output::drop(writer);
    input::drop(reader);
}

#[test]
fn deadlines_are_kept() {
    let _turn = take_turn();
    let (reader, writer) = pipe();
    let bytes = input::subscribe(reader);
    let before = Instant::now();
    let soon = clocks::subscribe_duration(20_000_000);
    let late = clocks::subscribe_duration(10_000_000_000);
    assert_eq!(poll::ready(soon), 0);
    assert_eq!(ready_ones(&[bytes, late, soon]), [2]);
    assert!(before.elapsed() >= Duration::from_millis(20));
    assert!(before.elapsed() < Duration::from_secs(5));
    for pollable in [bytes, soon, late] {
        poll::drop(pollable);
    }
    output::drop(writer);
    input::drop(reader);
}
