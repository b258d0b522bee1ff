//! Options of TCP sockets.

use super::Reply;
use super::error_code::ErrorCode;
use super::tcp::open_socket;
use super::{options, reply};
use crate::wasi::files;
use core::time::Duration;
use rustix::net::sockopt;

/// The longest time between probes that the system accepts.
const KEEP_ALIVE_SECONDS_MAX: u64 = 32767;
/// The largest number of probes that the system accepts.
const KEEP_ALIVE_COUNT_MAX: u32 = 127;

/// A time as the system takes it, in whole seconds, and at least one.
fn keep_alive_time(ns: u64) -> Result<Duration, ErrorCode> {
    match ns {
        0 => Err(ErrorCode::InvalidArgument),
        ns => Ok(Duration::from_secs(ns.div_ceil(1_000_000_000).min(KEEP_ALIVE_SECONDS_MAX))),
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000)
}

fn enabled(socket: u32) -> Result<u8, ErrorCode> {
    Ok(sockopt::socket_keepalive(files::fd(open_socket(socket)?.file)?)?.into())
}

fn set_enabled(socket: u32, value: bool) -> Result<(), ErrorCode> {
    Ok(sockopt::set_socket_keepalive(files::fd(open_socket(socket)?.file)?, value)?)
}

fn idle_time(socket: u32) -> Result<u64, ErrorCode> {
    Ok(nanoseconds(sockopt::tcp_keepidle(files::fd(open_socket(socket)?.file)?)?))
}

fn set_idle_time(socket: u32, ns: u64) -> Result<(), ErrorCode> {
    let time = keep_alive_time(ns)?;
    Ok(sockopt::set_tcp_keepidle(files::fd(open_socket(socket)?.file)?, time)?)
}

fn interval(socket: u32) -> Result<u64, ErrorCode> {
    Ok(nanoseconds(sockopt::tcp_keepintvl(files::fd(open_socket(socket)?.file)?)?))
}

fn set_interval(socket: u32, ns: u64) -> Result<(), ErrorCode> {
    let time = keep_alive_time(ns)?;
    Ok(sockopt::set_tcp_keepintvl(files::fd(open_socket(socket)?.file)?, time)?)
}

fn count(socket: u32) -> Result<u32, ErrorCode> {
    Ok(sockopt::tcp_keepcnt(files::fd(open_socket(socket)?.file)?)?)
}

fn set_count(socket: u32, value: u32) -> Result<(), ErrorCode> {
    if value == 0 {
        return Err(ErrorCode::InvalidArgument);
    }
    let fd = files::fd(open_socket(socket)?.file)?;
    Ok(sockopt::set_tcp_keepcnt(fd, value.min(KEEP_ALIVE_COUNT_MAX))?)
}

/// `tcp-socket.keep-alive-enabled`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__keep_alive_enabled")]
pub extern "C" fn keep_alive_enabled(socket: u32, out: Reply<u8>) {
    reply(out, enabled(socket));
}

/// `tcp-socket.set-keep-alive-enabled`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_keep_alive_enabled")]
pub extern "C" fn set_keep_alive_enabled(socket: u32, value: u32, out: Reply<()>) {
    reply(out, set_enabled(socket, value != 0));
}

/// `tcp-socket.keep-alive-idle-time`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__keep_alive_idle_time")]
pub extern "C" fn keep_alive_idle_time(socket: u32, out: Reply<u64>) {
    reply(out, idle_time(socket));
}

/// `tcp-socket.set-keep-alive-idle-time`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_keep_alive_idle_time")]
pub extern "C" fn set_keep_alive_idle_time(socket: u32, value: u64, out: Reply<()>) {
    reply(out, set_idle_time(socket, value));
}

/// `tcp-socket.keep-alive-interval`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__keep_alive_interval")]
pub extern "C" fn keep_alive_interval(socket: u32, out: Reply<u64>) {
    reply(out, interval(socket));
}

/// `tcp-socket.set-keep-alive-interval`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_keep_alive_interval")]
pub extern "C" fn set_keep_alive_interval(socket: u32, value: u64, out: Reply<()>) {
    reply(out, set_interval(socket, value));
}

/// `tcp-socket.keep-alive-count`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__keep_alive_count")]
pub extern "C" fn keep_alive_count(socket: u32, out: Reply<u32>) {
    reply(out, count(socket));
}

/// `tcp-socket.set-keep-alive-count`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_keep_alive_count")]
pub extern "C" fn set_keep_alive_count(socket: u32, value: u32, out: Reply<()>) {
    reply(out, set_count(socket, value));
}

/// `tcp-socket.hop-limit`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__hop_limit")]
pub extern "C" fn hop_limit(socket: u32, out: Reply<u8>) {
    reply(out, open_socket(socket).and_then(|it| options::hop_limit(it.file, it.family)));
}

/// `tcp-socket.set-hop-limit`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_hop_limit")]
pub extern "C" fn set_hop_limit(socket: u32, value: u32, out: Reply<()>) {
    reply(
        out,
        open_socket(socket).and_then(|it| options::set_hop_limit(it.file, it.family, value)),
    );
}

/// `tcp-socket.receive-buffer-size`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__receive_buffer_size")]
pub extern "C" fn receive_buffer_size(socket: u32, out: Reply<u64>) {
    reply(out, open_socket(socket).and_then(|it| options::receive_buffer_size(it.file)));
}

/// `tcp-socket.set-receive-buffer-size`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_receive_buffer_size")]
pub extern "C" fn set_receive_buffer_size(socket: u32, value: u64, out: Reply<()>) {
    reply(out, open_socket(socket).and_then(|it| options::set_receive_buffer_size(it.file, value)));
}

/// `tcp-socket.send-buffer-size`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__send_buffer_size")]
pub extern "C" fn send_buffer_size(socket: u32, out: Reply<u64>) {
    reply(out, open_socket(socket).and_then(|it| options::send_buffer_size(it.file)));
}

/// `tcp-socket.set-send-buffer-size`.
#[unsafe(export_name = "wasi_sockets_tcp__tcp_socket__set_send_buffer_size")]
pub extern "C" fn set_send_buffer_size(socket: u32, value: u64, out: Reply<()>) {
    reply(out, open_socket(socket).and_then(|it| options::set_send_buffer_size(it.file, value)));
}
