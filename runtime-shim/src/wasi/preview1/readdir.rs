//! `fd_readdir`. The place of an entry is the file system's own, so that a guest can go on from there
//! even if it has removed what it has seen.

use super::attributes::file_type;
use super::descriptors;
use super::memory::Memory;
use super::status;
use crate::{scratch, utf8};
use core::ffi::CStr;
use rustix::fd::BorrowedFd;
use rustix::fs::{AtFlags, FileType, RawDir, SeekFrom, fstat, seek, statat};
use rustix::io::Errno;
use wasmelt_abi::state::MemoryState;

/// The size of a `dirent`, which a name follows.
const DIRENT_BYTES: usize = 24;

/// What is read at once: at least the longest entry, and no more than the guest takes, give or take.
const READ_BYTES_MIN: usize = 0x400;
const READ_BYTES_MAX: usize = 0x8000;

/// `fd_readdir`. A full buffer means that there is more, so the last entry is cut where it ends.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_readdir")]
pub extern "C" fn fd_readdir(
    memory: &MemoryState,
    fd: u32,
    buffer: u32,
    len: u32,
    cookie: u64,
    out: u32,
) -> u32 {
    let memory = Memory::of(memory);
    status(descriptors::folder(fd).and_then(|folder| {
        let mut room = Room { memory, at: buffer, left: len };
        scratch::temporary(|| fill(&mut room, folder.folder()?, cookie))?;
        memory.write_u32(out.into(), len - room.left);
        Ok(())
    }))
}

/// What is left of the guest's buffer.
struct Room {
    memory: Memory,
    at: u32,
    left: u32,
}

impl Room {
    /// Writes bytes as far as there is room. Whether there is any left.
    fn push(&mut self, bytes: &[u8]) -> bool {
        let bytes = bytes.get(..self.left as usize).unwrap_or(bytes);
        self.memory.write_bytes(self.at, bytes);
        self.at = self.at.wrapping_add(bytes.len() as u32);
        self.left -= bytes.len() as u32;
        self.left > 0
    }
}

/// Writes the entries from a place on.
fn fill(room: &mut Room, folder: BorrowedFd<'_>, cookie: u64) -> Result<(), Errno> {
    if cookie > i64::MAX as u64 {
        return Err(Errno::OVERFLOW);
    }
    seek(folder, SeekFrom::Start(cookie))?;
    let read_bytes = (room.left as usize).clamp(READ_BYTES_MIN, READ_BYTES_MAX);
    let mut entries = RawDir::new(folder, scratch::slice(read_bytes));
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(Errno::INTR) => continue,
            // The folder may be entered and not read, so it was not opened for that.
            Err(Errno::BADF) => return Err(Errno::ACCESS),
            Err(errno) => return Err(errno),
        };
        let name = entry.file_name();
        if !utf8::is_valid(name.to_bytes()) {
            return Err(Errno::ILSEQ);
        }
        // What is above a folder may be none of the guest's business.
        let inode = if name == c".." { inode_of(folder)? } else { entry.ino() };
        let ty = match entry.file_type() {
            FileType::Unknown => look_at(folder, name),
            ty => ty,
        };
        let name = name.to_bytes();
        let dirent = dirent(entry.next_entry_cookie(), inode, name.len(), ty);
        if !(room.push(&dirent) && room.push(name)) {
            break;
        }
    }
    Ok(())
}

fn dirent(cookie: u64, inode: u64, name_len: usize, ty: FileType) -> [u8; DIRENT_BYTES] {
    let mut bytes = [0; DIRENT_BYTES];
    let fields: [&[u8]; 4] = [
        &cookie.to_le_bytes(),
        &inode.to_le_bytes(),
        &(name_len as u32).to_le_bytes(),
        &[file_type::number(ty)],
    ];
    let all = fields.iter().flat_map(|field| field.iter());
    for (byte, value) in bytes.iter_mut().zip(all) {
        *byte = *value;
    }
    bytes
}

#[allow(clippy::unnecessary_cast, reason = "the type differs between architectures")]
fn inode_of(folder: BorrowedFd<'_>) -> Result<u64, Errno> {
    Ok(fstat(folder)?.st_ino as u64)
}

/// Some file systems do not say in their folders what an entry is.
fn look_at(folder: BorrowedFd<'_>, name: &CStr) -> FileType {
    let mode = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_or(0, |stat| stat.st_mode);
    FileType::from_raw_mode(mode)
}
