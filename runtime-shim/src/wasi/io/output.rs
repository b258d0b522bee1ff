//! `wasi:io/streams.output-stream`.
//!
//! Nothing is buffered: what a guest has written is with the kernel when the call returns, so
//! flushing has nothing to do, and what was written before a trap is not lost.
//!
//! `write` must not block beyond its permit, so `check-write` permits what certainly fits: a whole
//! page into a pipe, a terminal or a socket that is ready, much into a file.

use super::input;
use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::abi::{Out, Outcome, StreamError, elements};
use crate::wasi::files::{self, FileId};
use crate::wasi::io::poll;
use crate::{scratch, traps};
use rustix::event::PollFlags;
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, fstat};
use rustix::io::{Errno, IoSlice, ReadWriteFlags};

/// How a stream moves bytes to its file: some of `bytes`, to `position` if that has a meaning, and
/// says how many. A stream carries the function, so that a program without files links none of
/// those for files.
pub type Transfer = fn(fd: BorrowedFd<'_>, bytes: &[u8], position: u64) -> Result<usize, Errno>;

/// When a stream takes bytes without blocking.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// Always: a regular file.
    Always,
    /// When the kernel says so: then this many.
    Asked(u64),
    /// Not known yet: a standard stream can be anything.
    Unknown,
}

/// An output stream.
#[derive(Clone, Copy)]
pub struct OutputStream {
    file: FileId,
    transfer: Transfer,
    position: u64,
    readiness: Readiness,
    closed: bool,
    /// How much `write` may still take.
    permit: u64,
}

/// Standard output and standard error come first; their handles share one stream each.
static OUTPUTS: Single<Slab<OutputStream, 2>> =
    Single::new(Slab::new([OutputStream::standard(FileId(1)), OutputStream::standard(FileId(2))]));

/// The representation of standard output.
pub const STDOUT: u32 = 0;
/// The representation of standard error.
pub const STDERR: u32 = 1;

/// What a file takes in one `write`.
const PERMIT_FILE_BYTES: u64 = 0x10_0000;
/// What everything takes that reports itself as ready: a pipe does so with a page free.
const PERMIT_STREAM_BYTES: u64 = 4096;
/// The readiness of what is no regular file.
const ASKED: Readiness = Readiness::Asked(PERMIT_STREAM_BYTES);

impl OutputStream {
    const fn standard(file: FileId) -> OutputStream {
        OutputStream {
            file,
            transfer: transfer_onward,
            position: 0,
            readiness: Readiness::Unknown,
            closed: false,
            permit: 0,
        }
    }

    /// The stream's own error handling: what fails closes it.
    fn settle<T>(&mut self, result: Result<T, Errno>) -> Result<T, StreamError> {
        result.map_err(|errno| {
            self.closed = true;
            // Nobody reads any more: not an error, the stream has just ended.
            if errno == Errno::PIPE { StreamError::CLOSED } else { StreamError::failed(errno) }
        })
    }

    fn check_open(&self) -> Result<(), StreamError> {
        if self.closed { Err(StreamError::CLOSED) } else { Ok(()) }
    }

    /// Writes everything.
    fn write_all(&mut self, mut bytes: &[u8]) -> Result<(), Errno> {
        let fd = files::fd(self.file)?;
        while !bytes.is_empty() {
            match (self.transfer)(fd, bytes, self.position) {
                Ok(0) => return Err(Errno::IO),
                Ok(written) => {
                    self.position += written as u64;
                    bytes = bytes.get(written..).unwrap_or_default();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => files::wait(fd, PollFlags::OUT),
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    /// Looks at the file behind a standard stream, once.
    fn examine(&mut self, fd: BorrowedFd<'_>) {
        if self.readiness == Readiness::Unknown {
            let mode = fstat(fd).map_or(0, |stat| stat.st_mode);
            let is_file = FileType::from_raw_mode(mode) == FileType::RegularFile;
            self.readiness = if is_file { Readiness::Always } else { ASKED };
        }
    }

    fn check_write(&mut self) -> Result<u64, StreamError> {
        self.check_open()?;
        let fd = files::fd(self.file);
        let fd = self.settle(fd)?;
        self.examine(fd);
        self.permit = match self.readiness {
            Readiness::Always => PERMIT_FILE_BYTES,
            Readiness::Asked(permit) if files::is_ready(fd, PollFlags::OUT) => permit,
            _ => 0,
        };
        Ok(self.permit)
    }

    /// Waits until `check_write` permits something.
    fn wait_for_permit(&mut self) -> Result<u64, StreamError> {
        loop {
            match self.check_write()? {
                0 => {
                    let fd = files::fd(self.file);
                    let fd = self.settle(fd)?;
                    files::wait(fd, PollFlags::OUT);
                }
                permit => return Ok(permit),
            }
        }
    }

    /// Takes `len` bytes from the permit.
    fn use_permit(&mut self, len: u64) {
        match self.permit.checked_sub(len) {
            Some(rest) => self.permit = rest,
            None => traps::raise_host("a stream is written beyond what `check-write` permitted"),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.check_open()?;
        let result = self.write_all(bytes);
        self.settle(result)
    }

    fn write_zeroes(&mut self, mut len: u64) -> Result<(), StreamError> {
        static ZEROES: [u8; 512] = [0; 512];
        while len > 0 {
            let part = len.min(ZEROES.len() as u64);
            self.write(ZEROES.get(..part as usize).unwrap_or_default())?;
            len -= part;
        }
        Ok(())
    }
}

/// To the file's own position, or it has none: standard streams, pipes, terminals.
pub fn transfer_onward(fd: BorrowedFd<'_>, bytes: &[u8], _position: u64) -> Result<usize, Errno> {
    rustix::io::write(fd, bytes)
}

/// To the stream's position.
pub fn transfer_at(fd: BorrowedFd<'_>, bytes: &[u8], position: u64) -> Result<usize, Errno> {
    match rustix::io::pwrite(fd, bytes, position) {
        // A position means nothing to a pipe or a terminal.
        Err(Errno::SPIPE) => rustix::io::write(fd, bytes),
        result => result,
    }
}

/// To the end of the file, whatever else writes to it.
pub fn transfer_to_end(fd: BorrowedFd<'_>, bytes: &[u8], _position: u64) -> Result<usize, Errno> {
    let vector = [IoSlice::new(bytes)];
    match rustix::io::pwritev2(fd, &vector, u64::MAX, ReadWriteFlags::APPEND) {
        Err(Errno::SPIPE) => rustix::io::write(fd, bytes),
        // Kernels before 4.16 and some file systems do not have it.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
            let end = fstat(fd)?.st_size as u64;
            rustix::io::pwrite(fd, bytes, end)
        }
        result => result,
    }
}

/// Adds a stream that writes to a file and takes over one use of it. It never blocks if
/// `always_ready` is set. Returns its representation.
pub fn open(file: FileId, transfer: Transfer, position: u64, always_ready: bool) -> u32 {
    let readiness = if always_ready { Readiness::Always } else { ASKED };
    let stream = OutputStream { file, transfer, position, readiness, closed: false, permit: 0 };
    OUTPUTS.with(|outputs| outputs.insert(stream))
}

/// Adds a stream that writes to a non-blocking file and takes over one use of it; the file takes
/// `permit` bytes whenever it reports itself as ready. Returns its representation.
pub fn open_nonblocking(file: FileId, transfer: Transfer, permit: u64) -> u32 {
    let readiness = Readiness::Asked(permit);
    let stream = OutputStream { file, transfer, position: 0, readiness, closed: false, permit: 0 };
    OUTPUTS.with(|outputs| outputs.insert(stream))
}

/// Closes every stream of a file.
pub fn close_streams_of(file: FileId) {
    OUTPUTS.with(|outputs| outputs.for_each(|stream| stream.closed |= stream.file == file));
}

fn with<R>(stream: u32, work: impl FnOnce(&mut OutputStream) -> R) -> R {
    OUTPUTS.with(|outputs| work(outputs.get(stream)))
}

/// `output-stream.check-write`.
#[unsafe(export_name = "wasi_io_streams__output_stream__check_write")]
pub extern "C" fn check_write(stream: u32, out: Out<Outcome<u64, StreamError>>) {
    out.write(with(stream, OutputStream::check_write).into());
}

/// `output-stream.write`.
#[unsafe(export_name = "wasi_io_streams__output_stream__write")]
pub unsafe extern "C" fn write(
    stream: u32,
    contents: *const u8,
    len: usize,
    out: Out<Outcome<(), StreamError>>,
) {
    // SAFETY: the parameters are an adapter's.
    let bytes = unsafe { elements(contents, len) };
    out.write(
        with(stream, |stream| {
            stream.check_open()?;
            stream.use_permit(bytes.len() as u64);
            stream.write(bytes)
        })
        .into(),
    );
}

/// `output-stream.blocking-write-and-flush`.
#[unsafe(export_name = "wasi_io_streams__output_stream__blocking_write_and_flush")]
pub unsafe extern "C" fn blocking_write_and_flush(
    stream: u32,
    contents: *const u8,
    len: usize,
    out: Out<Outcome<(), StreamError>>,
) {
    // SAFETY: the parameters are an adapter's.
    let bytes = unsafe { elements(contents, len) };
    out.write(with(stream, |stream| stream.write(bytes)).into());
}

/// `output-stream.flush`.
#[unsafe(export_name = "wasi_io_streams__output_stream__flush")]
pub extern "C" fn flush(stream: u32, out: Out<Outcome<(), StreamError>>) {
    out.write(with(stream, |stream| stream.check_open()).into());
}

/// `output-stream.blocking-flush`.
#[unsafe(export_name = "wasi_io_streams__output_stream__blocking_flush")]
pub extern "C" fn blocking_flush(stream: u32, out: Out<Outcome<(), StreamError>>) {
    out.write(with(stream, |stream| stream.check_open()).into());
}

/// `output-stream.subscribe`.
#[unsafe(export_name = "wasi_io_streams__output_stream__subscribe")]
pub extern "C" fn subscribe(stream: u32) -> u32 {
    let OutputStream { file, readiness, closed, .. } = with(stream, |stream| *stream);
    if closed || readiness == Readiness::Always {
        return poll::READY;
    }
    poll::subscribe_file(file, PollFlags::OUT)
}

/// `output-stream.write-zeroes`.
#[unsafe(export_name = "wasi_io_streams__output_stream__write_zeroes")]
pub extern "C" fn write_zeroes(stream: u32, len: u64, out: Out<Outcome<(), StreamError>>) {
    out.write(
        with(stream, |stream| {
            stream.check_open()?;
            stream.use_permit(len);
            stream.write_zeroes(len)
        })
        .into(),
    );
}

/// `output-stream.blocking-write-zeroes-and-flush`.
#[unsafe(export_name = "wasi_io_streams__output_stream__blocking_write_zeroes_and_flush")]
pub extern "C" fn blocking_write_zeroes_and_flush(
    stream: u32,
    len: u64,
    out: Out<Outcome<(), StreamError>>,
) {
    out.write(
        with(stream, |stream| {
            stream.check_open()?;
            stream.write_zeroes(len)
        })
        .into(),
    );
}

/// `output-stream.splice`.
#[unsafe(export_name = "wasi_io_streams__output_stream__splice")]
pub extern "C" fn splice(stream: u32, source: u32, len: u64, out: Out<Outcome<u64, StreamError>>) {
    out.write(scratch::temporary(|| move_bytes(stream, source, len, false)).into());
}

/// `output-stream.blocking-splice`.
#[unsafe(export_name = "wasi_io_streams__output_stream__blocking_splice")]
pub extern "C" fn blocking_splice(
    stream: u32,
    source: u32,
    len: u64,
    out: Out<Outcome<u64, StreamError>>,
) {
    out.write(scratch::temporary(|| move_bytes(stream, source, len, true)).into());
}

/// Moves what there is, at most `len` bytes, from an input stream to an output stream.
fn move_bytes(stream: u32, source: u32, len: u64, block: bool) -> Result<u64, StreamError> {
    let permit = if block {
        with(stream, OutputStream::wait_for_permit)
    } else {
        with(stream, OutputStream::check_write)
    }?;
    let len = len.min(permit).min(input::READ_BYTES_MAX);
    if len == 0 {
        return Ok(0);
    }
    let buffer = scratch::slice(len as usize);
    let bytes = input::read_into(source, buffer, block)?;
    with(stream, |stream| {
        stream.permit = 0;
        stream.write(bytes)
    })?;
    Ok(bytes.len() as u64)
}

/// Drops an `output-stream`.
#[unsafe(export_name = "wasi_io_streams__output_stream__drop")]
pub extern "C" fn drop(stream: u32) {
    if let Some(stream) = OUTPUTS.with(|outputs| outputs.remove(stream)) {
        files::release(stream.file);
    }
}
