//! Reading and writing. The kernel reads and writes the guest's memory itself: a call is one system
//! call, whatever its size.

use super::descriptors::{self, Entry};
use super::memory::Memory;
use super::status;
use crate::wasi::files::{self, FileId};
use crate::wasi::filesystem::descriptor_flags::{READ, WRITE};
use core::ptr::null_mut;
use rustix::event::PollFlags;
use rustix::fd::BorrowedFd;
use rustix::io::{Errno, IoSlice, IoSliceMut, preadv, pwritev, readv, retry_on_intr, writev};
use wasmelt_abi::state::MemoryState;

/// How many buffers one system call gets. What is beyond is left for the guest's next call.
const BUFFERS_MAX: usize = 16;

/// A guest's list of buffers: where it is, and how many.
#[derive(Clone, Copy)]
struct Buffers {
    memory: Memory,
    list: u32,
    count: u32,
}

/// Some of the guest's memory, as the kernel's `iovec`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Part {
    address: *mut u8,
    len: usize,
}

/// What one system call gets.
struct Parts {
    parts: [Part; BUFFERS_MAX],
    count: usize,
}

impl Buffers {
    fn new(memory: &MemoryState, list: u32, count: u32) -> Buffers {
        Buffers { memory: Memory::of(memory), list, count }
    }

    /// The buffers that are not empty, behind the first `skipped` bytes. Those behind one that is
    /// not in the memory are not there either; if that is the first one, it is a trap.
    #[inline(never)]
    fn collect(self, skipped: usize) -> Parts {
        let none = Part { address: null_mut(), len: 0 };
        let mut found = Parts { parts: [none; BUFFERS_MAX], count: 0 };
        let (mut left, mut is_first) = (skipped, skipped == 0);
        for index in 0..u64::from(self.count) {
            let at = u64::from(self.list) + index * 8;
            if !is_first && !self.memory.contains(at, 8) {
                break;
            }
            let (start, len) = (self.memory.read_u32(at), self.memory.read_u32(at + 4));
            if len == 0 {
                continue;
            }
            if !is_first && !self.memory.contains(start.into(), len.into()) {
                break;
            }
            is_first = false;
            let bytes = self.memory.bytes_mut(start, len);
            let passed = left.min(bytes.len());
            left -= passed;
            let bytes = bytes.get_mut(passed..).unwrap_or_default();
            if bytes.is_empty() {
                continue;
            }
            let Some(slot) = found.parts.get_mut(found.count) else { break };
            *slot = Part { address: bytes.as_mut_ptr().cast(), len: bytes.len() };
            found.count += 1;
        }
        found
    }

    /// Lets `work` write from the buffers behind the first `skipped` bytes; 0 if there are none.
    fn write(
        self,
        skipped: usize,
        work: impl Fn(&[IoSlice<'_>]) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let Parts { parts, count } = self.collect(skipped);
        let Some(parts @ [_, ..]) = parts.get(..count) else { return Ok(0) };
        // SAFETY: an `IoSlice` is an `iovec`. `collect` has checked that the parts belong to the
        // memory, which nothing changes during the call.
        let slices = unsafe { &*(core::ptr::from_ref(parts) as *const [IoSlice<'_>]) };
        retry_on_intr(|| work(slices))
    }

    /// Lets `work` read into the buffers; 0 if there are none.
    fn read(
        self,
        work: impl Fn(&mut [IoSliceMut<'_>]) -> Result<usize, Errno>,
    ) -> Result<usize, Errno> {
        let Parts { mut parts, count } = self.collect(0);
        let Some(parts @ [_, ..]) = parts.get_mut(..count) else { return Ok(0) };
        // SAFETY: as in `write`. Where a guest lets buffers overlap, the kernel alone writes.
        let slices = unsafe { &mut *(core::ptr::from_mut(parts) as *mut [IoSliceMut<'_>]) };
        retry_on_intr(|| work(slices))
    }
}

/// Writes how many bytes were moved to `out`.
fn reply(memory: &MemoryState, out: u32, moved: Result<usize, Errno>) -> u32 {
    // No system call moves 2 GiB.
    status(moved.map(|moved| Memory::of(memory).write_u32(out.into(), moved as u32)))
}

/// A file that was opened for that.
fn opened_to(fd: u32, flag: u32) -> Result<BorrowedFd<'static>, Errno> {
    match descriptors::file(fd)?.file_opened_to(flag) {
        Err(Errno::PERM) => Err(Errno::BADF),
        opened => opened,
    }
}

/// `fd_read`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_read")]
pub extern "C" fn fd_read(memory: &MemoryState, fd: u32, list: u32, count: u32, out: u32) -> u32 {
    let buffers = Buffers::new(memory, list, count);
    let read = descriptors::get_no_folder(fd).and_then(|entry| match entry {
        Entry::Input => read_input(buffers),
        _ => {
            let fd = opened_to(fd, READ)?;
            buffers.read(|slices| readv(fd, slices))
        }
    });
    reply(memory, out, read)
}

/// Reads from standard input, which somebody may have made non-blocking.
fn read_input(buffers: Buffers) -> Result<usize, Errno> {
    let fd = files::fd(FileId(0))?;
    loop {
        match buffers.read(|slices| readv(fd, slices)) {
            Err(Errno::AGAIN) => files::wait(fd, PollFlags::IN),
            result => return result,
        }
    }
}

/// `fd_pread`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_pread")]
pub extern "C" fn fd_pread(
    memory: &MemoryState,
    fd: u32,
    list: u32,
    count: u32,
    offset: u64,
    out: u32,
) -> u32 {
    let buffers = Buffers::new(memory, list, count);
    let read = descriptors::get_no_folder(fd).and_then(|entry| match entry {
        Entry::Input => Err(Errno::SPIPE),
        _ => {
            let fd = opened_to(fd, READ)?;
            buffers.read(|slices| preadv(fd, slices, offset))
        }
    });
    reply(memory, out, read)
}

/// `fd_write`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_write")]
pub extern "C" fn fd_write(memory: &MemoryState, fd: u32, list: u32, count: u32, out: u32) -> u32 {
    let buffers = Buffers::new(memory, list, count);
    let written = descriptors::get_no_folder(fd).and_then(|entry| match entry {
        Entry::Output(file) => write_output(file, buffers),
        _ => {
            let fd = opened_to(fd, WRITE)?;
            buffers.write(0, |slices| writev(fd, slices))
        }
    });
    reply(memory, out, written)
}

/// Writes everything to a standard stream: many a guest does not expect to write less. What has been
/// written when that fails is reported, and the next call tells why.
fn write_output(file: FileId, buffers: Buffers) -> Result<usize, Errno> {
    let fd = files::fd(file)?;
    let mut written = 0;
    loop {
        match buffers.write(written, |slices| writev(fd, slices)) {
            Ok(0) => return Ok(written),
            Ok(more) => written += more,
            Err(Errno::AGAIN) => files::wait(fd, PollFlags::OUT),
            Err(_) if written > 0 => return Ok(written),
            Err(errno) => return Err(errno),
        }
    }
}

/// `fd_pwrite`. As on Linux, a file that is appended to is appended to in any case.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_pwrite")]
pub extern "C" fn fd_pwrite(
    memory: &MemoryState,
    fd: u32,
    list: u32,
    count: u32,
    offset: u64,
    out: u32,
) -> u32 {
    let buffers = Buffers::new(memory, list, count);
    let written = descriptors::get_no_folder(fd).and_then(|entry| match entry {
        Entry::Output(_) => Err(Errno::SPIPE),
        _ => {
            let fd = opened_to(fd, WRITE)?;
            buffers.write(0, |slices| pwritev(fd, slices, offset))
        }
    });
    reply(memory, out, written)
}
