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

/// Where a stream's bytes come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From the file's own position, or it has none: standard input, pipes, terminals.
    Stream,
    /// From the stream's position.
    At(u64),
}

/// An input stream.
#[derive(Clone, Copy)]
pub struct InputStream {
    file: FileId,
    source: Source,
    closed: bool,
}

/// Standard input comes first; its handles share one stream.
static INPUTS: Single<Slab<InputStream, 1>> = Single::new(Slab::new([InputStream {
    file: FileId(0),
    source: Source::Stream,
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
            if self.source == Source::Stream && !block && !files::is_ready(fd, PollFlags::IN) {
                return Ok(None);
            }
            match self.read_once(fd, buffer) {
                Ok(len) => return Ok(Some(len)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if !block => return Ok(None),
                Err(Errno::AGAIN) => files::wait(fd, PollFlags::IN),
                // A position means nothing to a pipe.
                Err(Errno::SPIPE) if self.source != Source::Stream => self.source = Source::Stream,
                Err(errno) => return Err(errno),
            }
        }
    }

    fn read_once(
        &mut self,
        fd: BorrowedFd<'_>,
        buffer: &mut [MaybeUninit<u8>],
    ) -> Result<usize, Errno> {
        match &mut self.source {
            Source::Stream => Ok(rustix::io::read(fd, buffer)?.0.len()),
            Source::At(position) => {
                let len = rustix::io::pread(fd, buffer, *position)?.0.len();
                *position += len as u64;
                Ok(len)
            }
        }
    }
}

/// Adds a stream that reads from a file and takes over one use of it. Returns its representation.
pub fn open(file: FileId, source: Source) -> u32 {
    INPUTS.with(|inputs| inputs.insert(InputStream { file, source, closed: false }))
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
    let InputStream { file, source, .. } = INPUTS.with(|inputs| *inputs.get(stream));
    match source {
        Source::Stream => poll::subscribe_file(file, PollFlags::IN),
        Source::At(_) => poll::READY,
    }
}

/// Drops an `input-stream`.
#[unsafe(export_name = "wasi_io_streams__input_stream__drop")]
pub extern "C" fn drop(stream: u32) {
    if let Some(stream) = INPUTS.with(|inputs| inputs.remove(stream)) {
        files::release(stream.file);
    }
}
