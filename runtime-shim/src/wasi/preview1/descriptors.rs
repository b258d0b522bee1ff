//! The numbers that a guest knows its files by: 0, 1 and 2 are the standard streams, the granted
//! folders follow in the order of their grants.
//!
//! The folders are opened once something asks that can tell whether they are there: reading and
//! writing cannot, because that fails for a folder as it does for nothing, so that a program that
//! does nothing else has no code for folders.

use crate::single::Single;
use crate::wasi::files::{self, FileId};
use crate::wasi::filesystem::Descriptor;
use crate::wasi::filesystem::preopens::open_granted;
use crate::wasi::grants;
use crate::{abort, pages};
use core::ptr::null_mut;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// What a number stands for.
#[derive(Clone, Copy)]
pub enum Entry {
    /// Nothing.
    Free,
    /// Standard input.
    Input,
    /// Standard output or standard error.
    Output(FileId),
    /// A file.
    File {
        /// The file.
        descriptor: Descriptor,
        /// `fdflags`: how writes and waits behave.
        flags: u32,
    },
    /// A folder.
    Folder {
        /// The folder.
        descriptor: Descriptor,
        /// What the guest calls it, if it was granted.
        preopen: Option<&'static [u8]>,
    },
}

impl Entry {
    /// The file or folder; the standard streams are neither.
    pub fn descriptor(&self) -> Result<&Descriptor, Errno> {
        match self {
            Entry::File { descriptor, .. } | Entry::Folder { descriptor, .. } => Ok(descriptor),
            _ => Err(Errno::BADF),
        }
    }
}

/// How many entries need no mapping.
const INLINE: usize = 16;

struct Table {
    inline: [Entry; INLINE],
    /// Where the entries are once there are more.
    mapped: *mut Entry,
    capacity: usize,
    /// One more than the highest number that was ever used.
    end: usize,
    /// How many numbers below that are free.
    free: usize,
    has_preopens: bool,
}

static TABLE: Single<Table> = Single::new(Table {
    inline: {
        let mut entries = [Entry::Free; INLINE];
        entries[0] = Entry::Input;
        entries[1] = Entry::Output(FileId(1));
        entries[2] = Entry::Output(FileId(2));
        entries
    },
    mapped: null_mut(),
    capacity: INLINE,
    end: 3,
    free: 0,
    has_preopens: false,
});

impl Table {
    fn entries(&mut self) -> &mut [Entry] {
        if self.mapped.is_null() {
            return &mut self.inline;
        }
        // SAFETY: `grow` has mapped and initialised that many.
        unsafe { core::slice::from_raw_parts_mut(self.mapped, self.capacity) }
    }

    fn get(&mut self, fd: u32) -> Entry {
        self.entries().get(fd as usize).copied().unwrap_or(Entry::Free)
    }

    fn set(&mut self, fd: usize, entry: Entry) {
        if let Some(slot) = self.entries().get_mut(fd) {
            *slot = entry;
        }
    }

    /// Gives an entry a number: the highest that was given back, or else a new one.
    fn insert(&mut self, entry: Entry) -> u32 {
        let end = self.end;
        let fd = if self.free > 0 {
            self.free -= 1;
            let entries = self.entries().get(..end).unwrap_or_default();
            entries.iter().rposition(|entry| matches!(entry, Entry::Free)).unwrap_or(end)
        } else {
            if end == self.capacity {
                self.grow();
            }
            self.end += 1;
            end
        };
        self.set(fd, entry);
        fd as u32
    }

    #[cold]
    fn grow(&mut self) {
        let capacity = self.capacity * 4;
        let Some(size_bytes) = capacity.checked_mul(size_of::<Entry>()) else {
            abort::out_of_memory()
        };
        let mapped = pages::map(size_bytes).cast::<Entry>();
        for at in 0..capacity {
            let entry = self.entries().get(at).copied().unwrap_or(Entry::Free);
            // SAFETY: the mapping has room for `capacity` entries.
            unsafe { mapped.add(at).write(entry) };
        }
        if !self.mapped.is_null() {
            // SAFETY: the entries have been copied, and nothing refers to them.
            unsafe { pages::unmap(self.mapped.cast(), self.capacity * size_of::<Entry>()) };
        }
        self.mapped = mapped;
        self.capacity = capacity;
    }
}

/// What a number stands for, for functions that fail for a folder as they do for nothing.
pub fn get_no_folder(fd: u32) -> Result<Entry, Errno> {
    match TABLE.with(|table| table.get(fd)) {
        Entry::Free => Err(Errno::BADF),
        entry => Ok(entry),
    }
}

/// What a number stands for.
pub fn get(fd: u32) -> Result<Entry, Errno> {
    open_preopens();
    get_no_folder(fd)
}

/// The file of a number, which is no folder and no standard stream.
pub fn file(fd: u32) -> Result<Descriptor, Errno> {
    match get_no_folder(fd)? {
        Entry::File { descriptor, .. } => Ok(descriptor),
        _ => Err(Errno::BADF),
    }
}

/// The folder of a number.
pub fn folder(fd: u32) -> Result<Descriptor, Errno> {
    match get(fd)? {
        Entry::Folder { descriptor, .. } => Ok(descriptor),
        _ => Err(Errno::BADF),
    }
}

/// The file of a number, if it can be sought in.
pub fn seekable(fd: u32) -> Result<BorrowedFd<'static>, Errno> {
    match get_no_folder(fd)? {
        Entry::File { descriptor, .. } => files::fd(descriptor.file),
        Entry::Input | Entry::Output(_) => Err(Errno::SPIPE),
        _ => Err(Errno::BADF),
    }
}

/// Gives an entry a number.
pub fn insert(entry: Entry) -> u32 {
    open_preopens();
    TABLE.with(|table| table.insert(entry))
}

/// Changes the flags of a file.
pub fn set_flags(fd: u32, flags: u32) {
    TABLE.with(|table| {
        if let Entry::File { descriptor, .. } = table.get(fd) {
            table.set(fd as usize, Entry::File { descriptor, flags });
        }
    });
}

/// Closes what a number stands for.
pub fn close(fd: u32) -> Result<(), Errno> {
    let entry = get(fd)?;
    TABLE.with(|table| {
        table.set(fd as usize, Entry::Free);
        table.free += 1;
    });
    // The standard streams stay open: a trap has its message to write.
    if let Ok(descriptor) = entry.descriptor() {
        files::release(descriptor.file);
    }
    Ok(())
}

/// Gives one number's meaning to another, which is closed before and must be in use.
pub fn renumber(from: u32, to: u32) -> Result<(), Errno> {
    let entry = get(from)?;
    get(to)?;
    if from == to {
        return Ok(());
    }
    close(to)?;
    TABLE.with(|table| {
        table.set(to as usize, entry);
        table.set(from as usize, Entry::Free);
    });
    Ok(())
}

/// Opens the granted folders, once.
fn open_preopens() {
    let has_preopens = TABLE.with(|table| core::mem::replace(&mut table.has_preopens, true));
    if has_preopens {
        return;
    }
    for folder in grants::folders() {
        let descriptor = crate::scratch::temporary(|| open_granted(&folder));
        let entry = Entry::Folder { descriptor, preopen: Some(folder.guest) };
        TABLE.with(|table| table.insert(entry));
    }
}
