//! `wasi:io/streams.input-stream`.
//!
//! Bytes go from the kernel into scratch memory, and from there the adapter copies them to where
//! the guest wants them.

use crate::scratch;
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::abi::{List, Out, Outcome, StreamError};
use crate::wasi::files::{self, FileId};
use crate::wasi::io::poll;
use core::mem::MaybeUninit;
use rustix::event::PollFlags;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// How a stream gets bytes from its file: some, from `position` if that has a meaning. A stream
/// carries the function, so that a program without files links none of those for files.
pub type Transfer =
    fn(fd: BorrowedFd<'_>, buffer: &mut [MaybeUninit<u8>], position: u64) -> Result<usize, Errno>;

/// How a stream avoids blocking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// Reading never blocks: a regular file.
    Always,
    /// The kernel is asked first: the file may be one that others set up to block.
    Asked,
    /// Reading just fails: the file is a non-blocking one of ours.
    Tried,
}

/// An input stream.
#[derive(Clone, Copy)]
pub struct InputStream {
    file: FileId,
    transfer: Transfer,
    position: u64,
    readiness: Readiness,
    closed: bool,
}

/// Standard input comes first; its handles share one stream.
static INPUTS: Single<Slab<InputStream, 1>> = Single::new(Slab::new([InputStream {
    file: FileId(0),
    transfer: transfer_onward,
    position: 0,
    readiness: Readiness::Asked,
    closed: false,
}]));

/// The representation of standard input.
pub const STDIN: u32 = 0;

/// What one call reads at most: a call may return less than was asked for.
pub const READ_BYTES_MAX: u64 = 0x2_0000;

impl InputStream {
    /// Reads some bytes; none only if there are none yet and `block` is not set.
    fn read<'b>(
        &mut self,
        buffer: &'b mut [MaybeUninit<u8>],
        block: bool,
    ) -> Result<&'b [u8], StreamError> {
        if self.closed {
            return Err(StreamError::CLOSED);
        }
        if buffer.is_empty() {
            return Ok(&[]);
        }
        match self.read_some(buffer, block) {
            Ok(Some(0)) => {
                self.closed = true;
                Err(StreamError::CLOSED)
            }
            Ok(Some(len)) => {
                let bytes = buffer.get(..len).unwrap_or_default();
                // SAFETY: the kernel has initialised that many.
                Ok(unsafe { bytes.assume_init_ref() })
            }
            Ok(None) => Ok(&[]),
            Err(errno) => {
                self.closed = true;
                Err(StreamError::failed(errno))
            }
        }
    }

    /// The number of bytes read, 0 at the end; `None` if there are none yet.
    fn read_some(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        block: bool,
    ) -> Result<Option<usize>, Errno> {
        let fd = files::fd(self.file)?;
        loop {
            let ask = self.readiness == Readiness::Asked && !block;
            if ask && !files::is_ready(fd, PollFlags::IN) {
                return Ok(None);
            }
            match (self.transfer)(fd, buffer, self.position) {
                Ok(len) => {
                    self.position += len as u64;
                    return Ok(Some(len));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !block => return Ok(None),
                Err(Errno::AGAIN) => files::wait(fd, PollFlags::IN),
                Err(errno) => return Err(errno),
            }
        }
    }
}

/// From the file's own position, or it has none: standard input, pipes, terminals.
pub fn transfer_onward(
    fd: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    _position: u64,
) -> Result<usize, Errno> {
    Ok(rustix::io::read(fd, buffer)?.0.len())
}

/// From the stream's position.
pub fn transfer_at(
    fd: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    position: u64,
) -> Result<usize, Errno> {
    match rustix::io::pread(fd, &mut *buffer, position) {
        Ok((read, _)) => Ok(read.len()),
        // A position means nothing to a pipe or a terminal.
        Err(Errno::SPIPE) => transfer_onward(fd, buffer, position),
        Err(errno) => Err(errno),
    }
}

/// Adds a stream that reads from a file and takes over one use of it. It never blocks if
/// `always_ready` is set. Returns its representation.
pub fn open(file: FileId, transfer: Transfer, position: u64, always_ready: bool) -> u32 {
    let readiness = if always_ready { Readiness::Always } else { Readiness::Asked };
    let stream = InputStream { file, transfer, position, readiness, closed: false };
    INPUTS.with(|inputs| inputs.insert(stream))
}

/// Adds a stream that reads from a non-blocking file and takes over one use of it. Returns its
/// representation.
pub fn open_nonblocking(file: FileId, transfer: Transfer) -> u32 {
    let readiness = Readiness::Tried;
    let stream = InputStream { file, transfer, position: 0, readiness, closed: false };
    INPUTS.with(|inputs| inputs.insert(stream))
}

/// Closes every stream of a file.
pub fn close_streams_of(file: FileId) {
    INPUTS.with(|inputs| inputs.for_each(|stream| stream.closed |= stream.file == file));
}

/// Reads some bytes into `buffer`.
pub fn read_into(
    stream: u32,
    buffer: &'static mut [MaybeUninit<u8>],
    block: bool,
) -> Result<&'static [u8], StreamError> {
    INPUTS.with(|inputs| inputs.get(stream).read(buffer, block))
}

fn read_list(stream: u32, len: u64, block: bool) -> Result<List<u8>, StreamError> {
    let buffer = scratch::slice(len.min(READ_BYTES_MAX) as usize);
    Ok(List::new(read_into(stream, buffer, block)?))
}

fn skip_bytes(stream: u32, len: u64, block: bool) -> Result<u64, StreamError> {
    let buffer = scratch::slice(len.min(READ_BYTES_MAX) as usize);
    Ok(read_into(stream, buffer, block)?.len() as u64)
}

/// `input-stream.read`.
#[unsafe(export_name = "wasi_io_streams__input_stream__read")]
pub extern "C" fn read(stream: u32, len: u64, out: Out<Outcome<List<u8>, StreamError>>) {
    out.write(read_list(stream, len, false).into());
}

/// `input-stream.blocking-read`.
#[unsafe(export_name = "wasi_io_streams__input_stream__blocking_read")]
pub extern "C" fn blocking_read(stream: u32, len: u64, out: Out<Outcome<List<u8>, StreamError>>) {
    out.write(read_list(stream, len, true).into());
}

/// `input-stream.skip`.
#[unsafe(export_name = "wasi_io_streams__input_stream__skip")]
pub extern "C" fn skip(stream: u32, len: u64, out: Out<Outcome<u64, StreamError>>) {
    out.write(scratch::temporary(|| skip_bytes(stream, len, false)).into());
}

/// `input-stream.blocking-skip`.
#[unsafe(export_name = "wasi_io_streams__input_stream__blocking_skip")]
pub extern "C" fn blocking_skip(stream: u32, len: u64, out: Out<Outcome<u64, StreamError>>) {
    out.write(scratch::temporary(|| skip_bytes(stream, len, true)).into());
}

/// `input-stream.subscribe`.
#[unsafe(export_name = "wasi_io_streams__input_stream__subscribe")]
pub extern "C" fn subscribe(stream: u32) -> u32 {
    let InputStream { file, readiness, closed, .. } = INPUTS.with(|inputs| *inputs.get(stream));
    if closed || readiness == Readiness::Always {
        return poll::READY;
    }
    poll::subscribe_file(file, PollFlags::IN)
}

/// Drops an `input-stream`.
#[unsafe(export_name = "wasi_io_streams__input_stream__drop")]
pub extern "C" fn drop(stream: u32) {
    if let Some(stream) = INPUTS.with(|inputs| inputs.remove(stream)) {
        files::release(stream.file);
    }
}
