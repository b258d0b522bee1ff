//! Whole small files.

use crate::pages;
use core::ffi::CStr;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, open};
use rustix::io::{Errno, read, retry_on_intr};

/// Larger files are read up to here.
const FILE_BYTES_MAX: usize = 0x100_0000;

/// A file's contents.
pub struct FileText {
    mapping: *mut u8,
    mapped_bytes: usize,
    len: usize,
}

impl FileText {
    /// Reads a file; `None` if that is not possible.
    pub fn read(path: &CStr) -> Option<FileText> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = retry_on_intr(|| open(path, flags, Mode::empty())).ok()?;
        let size = fstat(&file).ok()?.st_size as usize;
        // One byte more shows the end without another call for most files.
        let mapped_bytes = (size.min(FILE_BYTES_MAX) + 1).next_multiple_of(0x1000);
        let mut text = FileText { mapping: pages::try_map(mapped_bytes)?, mapped_bytes, len: 0 };
        text.fill(&file).ok()?;
        Some(text)
    }

    fn fill(&mut self, file: &OwnedFd) -> Result<(), Errno> {
        // SAFETY: the mapping is this long, zeroed, and this value's alone.
        let buffer = unsafe { core::slice::from_raw_parts_mut(self.mapping, self.mapped_bytes) };
        loop {
            let room = buffer.get_mut(self.len..).unwrap_or_default();
            match retry_on_intr(|| read(file, &mut *room))? {
                0 => return Ok(()),
                len => self.len += len,
            }
        }
    }

    /// The contents.
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: as in `fill`; the length is at most the mapping's.
        unsafe { core::slice::from_raw_parts(self.mapping, self.len) }
    }
}

impl Drop for FileText {
    fn drop(&mut self) {
        // SAFETY: nothing borrows from this value any more.
        unsafe { pages::unmap(self.mapping, self.mapped_bytes) };
    }
}
