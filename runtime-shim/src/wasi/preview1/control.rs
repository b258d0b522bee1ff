//! What is done with descriptors besides reading and writing.

use super::descriptors;
use super::flags::{check_case, check_flags, fd as fd_flags};
use super::memory::Memory;
use super::status;
use crate::wasi::files;
use rustix::fd::BorrowedFd;
use rustix::fs::{SeekFrom, fdatasync, fsync, seek, tell};
use rustix::io::{Errno, retry_on_intr};
use wasmelt_abi::state::MemoryState;

/// `fd_close`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_close")]
pub extern "C" fn fd_close(_memory: &MemoryState, fd: u32) -> u32 {
    status(descriptors::close(fd))
}

/// `fd_renumber`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_renumber")]
pub extern "C" fn fd_renumber(_memory: &MemoryState, fd: u32, to: u32) -> u32 {
    status(descriptors::renumber(fd, to))
}

/// `fd_seek`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_seek")]
pub extern "C" fn fd_seek(
    memory: &MemoryState,
    fd: u32,
    offset: u64,
    whence: u32,
    out: u32,
) -> u32 {
    status(check_case(whence, 3).and_then(|whence| {
        let fd = descriptors::seekable(fd)?;
        let to = match whence {
            0 if offset > i64::MAX as u64 => return Err(Errno::INVAL),
            0 => SeekFrom::Start(offset),
            1 => SeekFrom::Current(offset.cast_signed()),
            _ => SeekFrom::End(offset.cast_signed()),
        };
        Memory::of(memory).write_u64(out.into(), seek(fd, to)?);
        Ok(())
    }))
}

/// `fd_tell`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_tell")]
pub extern "C" fn fd_tell(memory: &MemoryState, fd: u32, out: u32) -> u32 {
    let position = descriptors::seekable(fd).and_then(tell);
    status(position.map(|position| Memory::of(memory).write_u64(out.into(), position)))
}

fn open_file(fd: u32) -> Result<BorrowedFd<'static>, Errno> {
    files::fd(descriptors::file(fd)?.file)
}

/// `fd_sync`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_sync")]
pub extern "C" fn fd_sync(_memory: &MemoryState, fd: u32) -> u32 {
    status(open_file(fd).and_then(|fd| retry_on_intr(|| fsync(fd))))
}

/// `fd_datasync`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_datasync")]
pub extern "C" fn fd_datasync(_memory: &MemoryState, fd: u32) -> u32 {
    status(open_file(fd).and_then(|fd| retry_on_intr(|| fdatasync(fd))))
}

/// `fd_allocate`: preview 1 leaves it to the system, and no runtime offers it any more.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_allocate")]
pub extern "C" fn fd_allocate(_memory: &MemoryState, fd: u32, _offset: u64, _len: u64) -> u32 {
    status(open_file(fd).and(Err(Errno::NOTSUP)))
}

/// What functions of sockets say: no descriptor is a socket, because preview 1 cannot make any.
fn refuse_socket(fd: u32) -> Result<(), Errno> {
    descriptors::get(fd).and(Err(Errno::NOTSOCK))
}

/// `sock_accept`.
#[unsafe(export_name = "wasi_snapshot_preview1__sock_accept")]
pub extern "C" fn sock_accept(_memory: &MemoryState, fd: u32, flags: u32, _out: u32) -> u32 {
    status(check_flags(flags, 16, fd_flags::COUNT).and_then(|_| refuse_socket(fd)))
}

/// `sock_recv`.
#[unsafe(export_name = "wasi_snapshot_preview1__sock_recv")]
pub extern "C" fn sock_recv(
    _memory: &MemoryState,
    fd: u32,
    _list: u32,
    _count: u32,
    flags: u32,
    _len_out: u32,
    _flags_out: u32,
) -> u32 {
    status(check_flags(flags, 16, 2).and_then(|_| refuse_socket(fd)))
}

/// `sock_send`.
#[unsafe(export_name = "wasi_snapshot_preview1__sock_send")]
pub extern "C" fn sock_send(
    _memory: &MemoryState,
    fd: u32,
    _list: u32,
    _count: u32,
    flags: u32,
    _out: u32,
) -> u32 {
    status(check_flags(flags, 16, 16).and_then(|_| refuse_socket(fd)))
}

/// `sock_shutdown`.
#[unsafe(export_name = "wasi_snapshot_preview1__sock_shutdown")]
pub extern "C" fn sock_shutdown(_memory: &MemoryState, fd: u32, how: u32) -> u32 {
    status(check_flags(how, 8, 2).and_then(|_| refuse_socket(fd)))
}
