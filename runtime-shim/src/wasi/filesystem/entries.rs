//! Listing folders: `directory-entry-stream`.
//!
//! A stream has one mapping: its state, and behind that the kernel's entries, which are read as
//! many at a time as fit. A name that is returned lies there until the next call.

use super::metadata::DescriptorType;
use super::{Reply, get, reply};
use crate::pages;
use crate::single::Single;
use crate::slab::Slab;
use crate::utf8;
use crate::wasi::abi::{List, Maybe};
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, openat, statat};
use rustix::io::Errno;

/// `directory-entry`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Entry {
    /// What it is.
    pub ty: DescriptorType,
    /// Its name.
    pub name: List<u8>,
}

const MAPPING_BYTES: usize = 0x4000;

/// The beginning of a stream's mapping.
struct EntryStream {
    /// Reads through `folder`.
    entries: RawDir<'static, BorrowedFd<'static>>,
    /// The stream's own opening of the folder, so that it has a position of its own.
    folder: OwnedFd,
}

static STREAMS: Single<Slab<*mut EntryStream, 0>> = Single::new(Slab::new([]));

/// `descriptor.read-directory`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__read_directory")]
pub extern "C" fn read_directory(descriptor: u32, out: Reply<u32>) {
    reply(out, open_stream(descriptor));
}

fn open_stream(descriptor: u32) -> Result<u32, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let start = get(descriptor).folder()?;
    let folder = rustix::io::retry_on_intr(|| openat(start, c".", flags, Mode::empty()))?;
    let mapping = pages::map(MAPPING_BYTES);
    let head_bytes = size_of::<EntryStream>().next_multiple_of(16);
    let stream = mapping.cast::<EntryStream>();
    // SAFETY: the mapping is new; the state and the buffer are disjoint parts of it, and both live
    // until `drop` unmaps it, as does the folder that `entries` borrows.
    unsafe {
        let buffer = mapping.add(head_bytes).cast::<MaybeUninit<u8>>();
        let buffer = core::slice::from_raw_parts_mut(buffer, MAPPING_BYTES - head_bytes);
        let borrowed = core::mem::transmute::<BorrowedFd<'_>, BorrowedFd<'static>>(folder.as_fd());
        stream.write(EntryStream { entries: RawDir::new(borrowed, buffer), folder });
    }
    Ok(STREAMS.with(|streams| streams.insert(stream)))
}

/// `directory-entry-stream.read-directory-entry`.
#[unsafe(export_name = "wasi_filesystem_types__directory_entry_stream__read_directory_entry")]
pub extern "C" fn read_directory_entry(stream: u32, out: Reply<Maybe<Entry>>) {
    let stream = STREAMS.with(|streams| *streams.get(stream));
    // SAFETY: the mapping lives as long as the stream's entry, and only one call uses it.
    reply(out, next_entry(unsafe { &mut *stream }).map(Maybe::from));
}

/// The next entry other than `.` and `..`; `None` at the end.
fn next_entry(stream: &mut EntryStream) -> Result<Option<Entry>, Errno> {
    loop {
        let (name, ty) = match stream.entries.next() {
            None => return Ok(None),
            Some(Err(Errno::INTR)) => continue,
            Some(Err(errno)) => return Err(errno),
            // SAFETY: the name lies in the mapping; nothing overwrites it before the next call.
            Some(Ok(entry)) => unsafe {
                (CStr::from_ptr(entry.file_name().as_ptr()), entry.file_type())
            },
        };
        if name == c"." || name == c".." {
            continue;
        }
        if !utf8::is_valid(name.to_bytes()) {
            return Err(Errno::ILSEQ);
        }
        // Some file systems do not say it here.
        let ty = if ty == FileType::Unknown { look_at(&stream.folder, name) } else { ty };
        return Ok(Some(Entry { ty: ty.into(), name: List::new(name.to_bytes()) }));
    }
}

fn look_at(folder: &OwnedFd, name: &CStr) -> FileType {
    let mode = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).map_or(0, |stat| stat.st_mode);
    FileType::from_raw_mode(mode)
}

/// Drops a `directory-entry-stream`.
#[unsafe(export_name = "wasi_filesystem_types__directory_entry_stream__drop")]
pub extern "C" fn drop(stream: u32) {
    if let Some(stream) = STREAMS.with(|streams| streams.remove(stream)) {
        // SAFETY: nothing refers to the stream any more.
        unsafe {
            stream.drop_in_place();
            pages::unmap(stream.cast(), MAPPING_BYTES);
        }
    }
}
