//! `udp.incoming-datagram-stream` and `udp.outgoing-datagram-stream`.

use super::address::{Family, SocketAddress, is_remote};
use super::error_code::ErrorCode;
use super::{Reply, for_guest, from_system, reply};
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::abi::{List, ListBuilder, Maybe, elements};
use crate::wasi::files::{self, FileId};
use crate::wasi::io::poll;
use crate::{scratch, traps};
use core::mem::MaybeUninit;
use core::net::SocketAddr;
use rustix::event::PollFlags;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};

/// What one call receives or sends at most.
const DATAGRAMS_MAX: u64 = 16;
/// No datagram is larger.
const DATAGRAM_BYTES_MAX: usize = 0x1_0000;
/// Where a call receives: datagrams lie side by side, and the last one that is asked for has room
/// for the largest.
const BUFFER_BYTES: usize = 2 * DATAGRAM_BYTES_MAX;

/// A stream in either direction.
#[derive(Clone, Copy)]
struct DatagramStream {
    file: FileId,
    family: Family,
    /// With whom alone datagrams are exchanged.
    remote: Option<SocketAddr>,
    /// How many `send` may still take.
    permit: u64,
}

static INCOMING: Single<Slab<DatagramStream, 0>> = Single::new(Slab::new([]));
static OUTGOING: Single<Slab<DatagramStream, 0>> = Single::new(Slab::new([]));

/// What `udp-socket.stream` returns.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct DatagramStreams {
    /// What arrives.
    pub incoming: u32,
    /// What is sent.
    pub outgoing: u32,
}

/// The streams of a socket.
pub fn open(file: FileId, family: Family, remote: Option<SocketAddr>) -> DatagramStreams {
    let new = || DatagramStream { file: files::retain(file), family, remote, permit: 0 };
    DatagramStreams {
        incoming: INCOMING.with(|streams| streams.insert(new())),
        outgoing: OUTGOING.with(|streams| streams.insert(new())),
    }
}

/// `incoming-datagram`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct IncomingDatagram {
    /// What was sent.
    pub data: List<u8>,
    /// By whom.
    pub remote_address: SocketAddress,
}

/// `outgoing-datagram`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct OutgoingDatagram {
    data: *const u8,
    len: usize,
    remote_address: Maybe<SocketAddress>,
}

/// `incoming-datagram-stream.receive`.
#[unsafe(export_name = "wasi_sockets_udp__incoming_datagram_stream__receive")]
pub extern "C" fn receive(stream: u32, max_results: u64, out: Reply<List<IncomingDatagram>>) {
    reply(out, receive_datagrams(stream, max_results));
}

fn receive_datagrams(stream: u32, max_results: u64) -> Result<List<IncomingDatagram>, ErrorCode> {
    let stream = INCOMING.with(|streams| *streams.get(stream));
    let count_max = max_results.min(DATAGRAMS_MAX) as usize;
    if count_max == 0 {
        return Ok(List::new(&[]));
    }
    let fd = files::fd(stream.file)?;
    let mut datagrams = ListBuilder::with_capacity(count_max);
    let mut buffer = scratch::slice::<u8>(BUFFER_BYTES);
    let mut count = 0;
    while count < count_max && buffer.len() >= DATAGRAM_BYTES_MAX {
        let (data, rest, sender) = match receive_one(fd, buffer) {
            Ok(received) => received,
            Err(ErrorCode::WouldBlock) => break,
            Err(_) if count > 0 => break,
            Err(error) => return Err(error),
        };
        buffer = rest;
        // Datagrams of others may have arrived before the socket had this peer alone.
        if stream.remote.is_none_or(|remote| remote == sender) {
            datagrams.push(IncomingDatagram { data, remote_address: for_guest(sender) });
            count += 1;
        }
    }
    Ok(datagrams.finish())
}

type Buffer = &'static mut [MaybeUninit<u8>];

/// Receives a datagram into the beginning of `buffer`. Returns the rest of it too.
fn receive_one(
    fd: BorrowedFd<'_>,
    buffer: Buffer,
) -> Result<(List<u8>, Buffer, SocketAddr), ErrorCode> {
    let receive = || {
        let ((data, _), _, sender) = recvfrom(fd, &mut *buffer, RecvFlags::empty())?;
        Ok((data.len(), sender))
    };
    let (len, sender) = rustix::io::retry_on_intr(receive)?;
    let sender = from_system(sender.ok_or(Errno::DESTADDRREQ)?)?;
    let (data, rest) = buffer.split_at_mut(len);
    // SAFETY: the kernel has initialised that many.
    let data = unsafe { List::of_scratch(data, len) };
    Ok((data, rest, sender))
}

/// `incoming-datagram-stream.subscribe`.
#[unsafe(export_name = "wasi_sockets_udp__incoming_datagram_stream__subscribe")]
pub extern "C" fn subscribe_incoming(stream: u32) -> u32 {
    poll::subscribe_file(INCOMING.with(|streams| streams.get(stream).file), PollFlags::IN)
}

/// Drops an `incoming-datagram-stream`.
#[unsafe(export_name = "wasi_sockets_udp__incoming_datagram_stream__drop")]
pub extern "C" fn drop_incoming(stream: u32) {
    if let Some(stream) = INCOMING.with(|streams| streams.remove(stream)) {
        files::release(stream.file);
    }
}

/// `outgoing-datagram-stream.check-send`.
#[unsafe(export_name = "wasi_sockets_udp__outgoing_datagram_stream__check_send")]
pub extern "C" fn check_send(stream: u32, out: Reply<u64>) {
    reply(out, renew_permit(stream));
}

fn renew_permit(stream: u32) -> Result<u64, ErrorCode> {
    let fd = files::fd(OUTGOING.with(|streams| streams.get(stream).file))?;
    let permit = if files::is_ready(fd, PollFlags::OUT) { DATAGRAMS_MAX } else { 0 };
    OUTGOING.with(|streams| streams.get(stream).permit = permit);
    Ok(permit)
}

/// `outgoing-datagram-stream.send`.
#[unsafe(export_name = "wasi_sockets_udp__outgoing_datagram_stream__send")]
pub unsafe extern "C" fn send(
    stream: u32,
    datagrams: *const OutgoingDatagram,
    len: usize,
    out: Reply<u64>,
) {
    // SAFETY: the parameters are an adapter's.
    let datagrams = unsafe { elements(datagrams, len) };
    reply(out, send_datagrams(stream, datagrams));
}

fn send_datagrams(id: u32, datagrams: &[OutgoingDatagram]) -> Result<u64, ErrorCode> {
    let stream = OUTGOING.with(|streams| *streams.get(id));
    if datagrams.len() as u64 > stream.permit {
        traps::raise_host("more datagrams are sent than `check-send` permitted");
    }
    if !datagrams.is_empty() {
        OUTGOING.with(|streams| streams.get(id).permit = 0);
    }
    let mut count = 0;
    for datagram in datagrams {
        match send_one(&stream, datagram) {
            Ok(()) => count += 1,
            Err(ErrorCode::WouldBlock) => break,
            // The guest hears of it when it sends the rest.
            Err(_) if count > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

fn send_one(stream: &DatagramStream, datagram: &OutgoingDatagram) -> Result<(), ErrorCode> {
    let given = datagram.remote_address.into_option().map(SocketAddr::from);
    let address = match (given, stream.remote) {
        (None, None) => return Err(ErrorCode::InvalidArgument),
        (Some(given), Some(remote)) if given != remote => return Err(ErrorCode::InvalidArgument),
        (Some(address), _) | (None, Some(address)) => address,
    };
    if !is_remote(&address) || !stream.family.fits(&address) {
        return Err(ErrorCode::InvalidArgument);
    }
    // SAFETY: the adapter has checked the list, which lasts for the call.
    let data = unsafe { elements(datagram.data, datagram.len) };
    let fd = files::fd(stream.file)?;
    let sent = rustix::io::retry_on_intr(|| sendto(fd, data, SendFlags::NOSIGNAL, &address))?;
    if sent == data.len() { Ok(()) } else { Err(ErrorCode::Unknown) }
}

/// `outgoing-datagram-stream.subscribe`.
#[unsafe(export_name = "wasi_sockets_udp__outgoing_datagram_stream__subscribe")]
pub extern "C" fn subscribe_outgoing(stream: u32) -> u32 {
    poll::subscribe_file(OUTGOING.with(|streams| streams.get(stream).file), PollFlags::OUT)
}

/// Drops an `outgoing-datagram-stream`.
#[unsafe(export_name = "wasi_sockets_udp__outgoing_datagram_stream__drop")]
pub extern "C" fn drop_outgoing(stream: u32) {
    if let Some(stream) = OUTGOING.with(|streams| streams.remove(stream)) {
        files::release(stream.file);
    }
}

#[cfg(test)]
impl OutgoingDatagram {
    /// A datagram, for tests.
    pub fn new(data: &'static [u8], remote_address: Option<SocketAddr>) -> OutgoingDatagram {
        let remote_address = remote_address.map(SocketAddress::from).into();
        OutgoingDatagram { data: data.as_ptr(), len: data.len(), remote_address }
    }
}
