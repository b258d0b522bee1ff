//! What is in files: reading and writing them, as streams or at a position.

use super::descriptor_flags::{READ, WRITE};
use super::{Reply, get, reply};
use crate::scratch;
use crate::wasi::abi::{List, elements};
use crate::wasi::files;
use crate::wasi::io::{input, output};
use core::num::NonZeroU64;
use rustix::fd::BorrowedFd;
use rustix::fs::{Advice, fadvise, fdatasync, fsync, ftruncate};
use rustix::io::{Errno, retry_on_intr};

/// What `descriptor.read` returns.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Chunk {
    /// The bytes.
    pub bytes: List<u8>,
    /// Whether the end of the file is reached: a `bool`.
    pub at_end: u8,
}

/// A stream of a file that was not opened for it is one of a bad descriptor.
fn stream_error(errno: Errno) -> Errno {
    if errno == Errno::PERM { Errno::BADF } else { errno }
}

/// `descriptor.read-via-stream`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__read_via_stream")]
pub extern "C" fn read_via_stream(descriptor: u32, offset: u64, out: Reply<u32>) {
    let descriptor = get(descriptor);
    let opened = descriptor.file_opened_to(READ).map_err(stream_error);
    let open = |_| input::open(files::retain(descriptor.file), input::transfer_at, offset, true);
    reply(out, opened.map(open));
}

/// `descriptor.write-via-stream`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__write_via_stream")]
pub extern "C" fn write_via_stream(descriptor: u32, offset: u64, out: Reply<u32>) {
    reply(out, open_output(descriptor, output::transfer_at, offset));
}

/// `descriptor.append-via-stream`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__append_via_stream")]
pub extern "C" fn append_via_stream(descriptor: u32, out: Reply<u32>) {
    reply(out, open_output(descriptor, output::transfer_to_end, 0));
}

fn open_output(descriptor: u32, transfer: output::Transfer, offset: u64) -> Result<u32, Errno> {
    let descriptor = get(descriptor);
    descriptor.file_opened_to(WRITE).map_err(stream_error)?;
    Ok(output::open(files::retain(descriptor.file), transfer, offset, true))
}

/// `descriptor.advise`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__advise")]
pub extern "C" fn advise(descriptor: u32, offset: u64, length: u64, advice: u32, out: Reply<()>) {
    let file = get(descriptor).file();
    reply(out, file.and_then(|fd| advise_file(fd, offset, length, advice)));
}

/// Tells the kernel how a part of a file is going to be used; `advice` is the number of a case.
pub fn advise_file(fd: BorrowedFd<'_>, offset: u64, length: u64, advice: u32) -> Result<(), Errno> {
    let advice = match advice {
        0 => Advice::Normal,
        1 => Advice::Sequential,
        2 => Advice::Random,
        3 => Advice::WillNeed,
        4 => Advice::DontNeed,
        _ => Advice::NoReuse,
    };
    fadvise(fd, offset, NonZeroU64::new(length), advice)
}

/// `descriptor.sync-data`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__sync_data")]
pub extern "C" fn sync_data(descriptor: u32, out: Reply<()>) {
    reply(out, files::fd(get(descriptor).file).and_then(|fd| retry_on_intr(|| fdatasync(fd))));
}

/// `descriptor.sync`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__sync")]
pub extern "C" fn sync(descriptor: u32, out: Reply<()>) {
    reply(out, files::fd(get(descriptor).file).and_then(|fd| retry_on_intr(|| fsync(fd))));
}

/// `descriptor.set-size`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__set_size")]
pub extern "C" fn set_size(descriptor: u32, size: u64, out: Reply<()>) {
    let file = get(descriptor).file_opened_to(WRITE);
    reply(out, file.and_then(|fd| retry_on_intr(|| ftruncate(fd, size))));
}

/// `descriptor.read`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__read")]
pub extern "C" fn read(descriptor: u32, length: u64, offset: u64, out: Reply<Chunk>) {
    reply(out, read_at(descriptor, length, offset));
}

fn read_at(descriptor: u32, length: u64, offset: u64) -> Result<Chunk, Errno> {
    let fd = get(descriptor).file_opened_to(READ)?;
    let buffer = scratch::slice::<u8>(length.min(input::READ_BYTES_MAX) as usize);
    let read = retry_on_intr(|| Ok(rustix::io::pread(fd, &mut *buffer, offset)?.0.len()))?;
    // SAFETY: the kernel has initialised that many.
    let bytes = unsafe { List::of_scratch(buffer, read) };
    Ok(Chunk { bytes, at_end: u8::from(read == 0 && length != 0) })
}

/// `descriptor.write`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__write")]
pub unsafe extern "C" fn write(
    descriptor: u32,
    buffer: *const u8,
    len: usize,
    offset: u64,
    out: Reply<u64>,
) {
    // SAFETY: the parameters are an adapter's.
    let bytes = unsafe { elements(buffer, len) };
    let file = get(descriptor).file_opened_to(WRITE);
    let write = |fd| retry_on_intr(|| rustix::io::pwrite(fd, bytes, offset));
    reply(out, file.and_then(write).map(|written| written as u64));
}
