//! `wasi:filesystem`.
//!
//! A descriptor is a file or a folder. A guest reaches only what lies beneath a folder that was
//! granted: `resolve` sees to that, and nothing else here opens a path of a guest's.
//!
//! | module | functions |
//! |---|---|
//! | `preopens` | granted folders |
//! | `contents` | reading and writing files |
//! | `metadata` | what is known of an object: type, flags, size, times, hash |
//! | `paths` | what changes folders: creating, opening, linking, renaming, removing |
//! | `entries` | listing folders |

pub mod contents;
pub mod entries;
pub mod metadata;
pub mod paths;
pub mod preopens;
mod resolve;
mod walk;

use crate::single::Single;
use crate::slab::Slab;
use crate::wasi::abi::{Maybe, Out, Outcome};
use crate::wasi::error_code::ErrorCode;
use crate::wasi::files::{self, FileId};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// `descriptor-flags`.
pub mod descriptor_flags {
    /// `read`
    pub const READ: u32 = 1 << 0;
    /// `write`
    pub const WRITE: u32 = 1 << 1;
    /// `file-integrity-sync`
    pub const FILE_INTEGRITY_SYNC: u32 = 1 << 2;
    /// `data-integrity-sync`
    pub const DATA_INTEGRITY_SYNC: u32 = 1 << 3;
    /// `requested-write-sync`
    pub const REQUESTED_WRITE_SYNC: u32 = 1 << 4;
    /// `mutate-directory`
    pub const MUTATE_DIRECTORY: u32 = 1 << 5;
}

/// `path-flags.symlink-follow`.
pub const SYMLINK_FOLLOW: u32 = 1;

/// A descriptor.
#[derive(Clone, Copy)]
pub struct Descriptor {
    /// Its file, of which it has one use.
    pub file: FileId,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// `descriptor_flags`: how it was opened.
    pub flags: u32,
    /// Whether it lies in a folder that was granted for reading alone.
    pub read_only: bool,
}

static DESCRIPTORS: Single<Slab<Descriptor, 0>> = Single::new(Slab::new([]));

/// Adds a descriptor, which takes over one use of its file. Returns its representation.
fn add(descriptor: Descriptor) -> u32 {
    DESCRIPTORS.with(|descriptors| descriptors.insert(descriptor))
}

fn get(descriptor: u32) -> Descriptor {
    DESCRIPTORS.with(|descriptors| *descriptors.get(descriptor))
}

impl Descriptor {
    /// The file, if it is one.
    pub fn file(&self) -> Result<BorrowedFd<'static>, Errno> {
        if self.is_folder { Err(Errno::BADF) } else { files::fd(self.file) }
    }

    /// The file, if it was opened with that flag.
    pub fn file_opened_to(&self, flag: u32) -> Result<BorrowedFd<'static>, Errno> {
        let fd = self.file()?;
        if self.flags & flag == 0 { Err(Errno::PERM) } else { Ok(fd) }
    }

    /// The folder, if it is one.
    pub fn folder(&self) -> Result<BorrowedFd<'static>, Errno> {
        if self.is_folder { files::fd(self.file) } else { Err(Errno::NOTDIR) }
    }

    /// The folder, if what lies in it may be changed.
    pub fn folder_to_change(&self) -> Result<BorrowedFd<'static>, Errno> {
        let fd = self.folder()?;
        if self.read_only { Err(Errno::ROFS) } else { Ok(fd) }
    }
}

/// What most functions here return.
type Reply<'a, T> = Out<'a, Outcome<T, ErrorCode>>;

/// Writes a result.
fn reply<T: Copy>(out: Reply<T>, result: Result<T, Errno>) {
    out.write(result.map_err(ErrorCode::from).into());
}

/// `filesystem-error-code`.
#[unsafe(export_name = "wasi_filesystem_types__filesystem_error_code")]
pub extern "C" fn filesystem_error_code(error: u32, out: Out<Maybe<ErrorCode>>) {
    out.write(Some(ErrorCode::from(Errno::from_raw_os_error(error as i32))).into());
}

/// Drops a `descriptor`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__drop")]
pub extern "C" fn drop(descriptor: u32) {
    if let Some(descriptor) = DESCRIPTORS.with(|descriptors| descriptors.remove(descriptor)) {
        files::release(descriptor.file);
    }
}

#[cfg(test)]
mod tests;
