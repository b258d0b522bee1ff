//! What is known of descriptors and of what they stand for.

use super::descriptors::{self, Entry};
use super::flags::{check_flags, check_rights, fd as fd_flags, rights};
use super::memory::Memory;
use super::status;
use crate::wasi::clocks::nanoseconds_since_1970;
use crate::wasi::files::{self, FileId};
use crate::wasi::filesystem::{Descriptor, contents, descriptor_flags, metadata};
use rustix::fs::{
    FileType, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fcntl_getfl, fcntl_setfl,
    ftruncate,
};
use rustix::io::{Errno, retry_on_intr};
use wasmelt_abi::state::MemoryState;

/// `filetype`.
pub mod file_type {
    use rustix::fs::FileType;

    /// `unknown`
    pub const UNKNOWN: u8 = 0;
    /// `character_device`
    pub const CHARACTER_DEVICE: u8 = 2;
    /// `directory`
    pub const DIRECTORY: u8 = 3;

    /// The number for a type. Pipes have none.
    pub fn number(ty: FileType) -> u8 {
        match ty {
            FileType::BlockDevice => 1,
            FileType::CharacterDevice => CHARACTER_DEVICE,
            FileType::Directory => DIRECTORY,
            FileType::RegularFile => 4,
            FileType::Socket => 6,
            FileType::Symlink => 7,
            _ => UNKNOWN,
        }
    }
}

/// The type of a standard stream: a terminal, or something of which nothing is said.
fn stream_type(file: FileId) -> u8 {
    match files::fd(file).is_ok_and(rustix::termios::isatty) {
        true => file_type::CHARACTER_DEVICE,
        false => file_type::UNKNOWN,
    }
}

/// What a guest may do with a granted folder, as the systems' libraries expect it.
const PREOPEN_RIGHTS: u64 = rights::PATHS
    | rights::FD_READDIR
    | rights::MORE_PATHS
    | rights::PATH_FILESTAT_SET_TIMES
    | rights::FD_FILESTAT_GET
    | rights::FD_FILESTAT_SET_TIMES
    | rights::LAST_PATHS;

/// What it may do with what it opens there.
const PREOPEN_INHERITED_RIGHTS: u64 = PREOPEN_RIGHTS
    | rights::FD_DATASYNC
    | rights::FD_READ
    | rights::FD_SEEK
    | rights::FD_FDSTAT_SET_FLAGS
    | rights::FD_SYNC
    | rights::FD_TELL
    | rights::FD_WRITE
    | rights::FD_ADVISE
    | rights::FD_ALLOCATE
    | rights::FD_FILESTAT_SET_SIZE
    | rights::POLL_FD_READWRITE;

/// `fdstat`.
struct FdStat {
    file_type: u8,
    flags: u32,
    rights: u64,
    inherited_rights: u64,
}

impl FdStat {
    fn of(entry: &Entry) -> Result<FdStat, Errno> {
        let (file_type, flags, rights) = match entry {
            Entry::Free => return Err(Errno::BADF),
            Entry::Input => (stream_type(FileId(0)), 0, rights::FD_READ),
            Entry::Output(file) => (stream_type(*file), 0, rights::FD_WRITE),
            Entry::Folder { preopen: Some(_), .. } => {
                return Ok(FdStat {
                    file_type: file_type::DIRECTORY,
                    flags: 0,
                    rights: PREOPEN_RIGHTS,
                    inherited_rights: PREOPEN_INHERITED_RIGHTS,
                });
            }
            Entry::Folder { descriptor, .. } => {
                let refused =
                    rights::FD_SEEK | rights::FD_FILESTAT_SET_SIZE | rights::PATH_FILESTAT_SET_SIZE;
                (file_type::DIRECTORY, 0, opened_rights(descriptor) & !refused)
            }
            Entry::File { descriptor, flags } => {
                let mode = metadata::stat_of(descriptor)?.st_mode;
                let ty = file_type::number(FileType::from_raw_mode(mode));
                (ty, *flags | sync_flags(descriptor), opened_rights(descriptor))
            }
        };
        Ok(FdStat { file_type, flags, rights, inherited_rights: rights })
    }

    fn write(&self, memory: Memory, out: u32) {
        let out = u64::from(out);
        memory.write_u8(out, self.file_type);
        memory.write_u16(out + 2, self.flags as u16);
        memory.write_u64(out + 8, self.rights);
        memory.write_u64(out + 16, self.inherited_rights);
    }
}

/// Rights are how something was opened, no more: nothing else depends on them.
fn opened_rights(descriptor: &Descriptor) -> u64 {
    let mut rights = rights::ALL;
    if descriptor.flags & descriptor_flags::READ == 0 {
        rights &= !(rights::FD_READ | rights::FD_READDIR);
    }
    if descriptor.flags & descriptor_flags::WRITE == 0 {
        rights &= !rights::FD_WRITE;
    }
    rights
}

fn sync_flags(descriptor: &Descriptor) -> u32 {
    let pairs = [
        (descriptor_flags::DATA_INTEGRITY_SYNC, fd_flags::DSYNC),
        (descriptor_flags::REQUESTED_WRITE_SYNC, fd_flags::RSYNC),
        (descriptor_flags::FILE_INTEGRITY_SYNC, fd_flags::SYNC),
    ];
    let set = pairs.iter().filter(|(from, _)| descriptor.flags & from != 0);
    set.fold(0, |flags, (_, to)| flags | to)
}

/// `fd_fdstat_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_fdstat_get")]
pub extern "C" fn fd_fdstat_get(memory: &MemoryState, fd: u32, out: u32) -> u32 {
    let stat = descriptors::get(fd).and_then(|entry| FdStat::of(&entry));
    status(stat.map(|stat| stat.write(Memory::of(memory), out)))
}

/// `fd_fdstat_set_flags`: appending and not blocking can be changed. Files never make anyone wait, so
/// the latter is only remembered.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_fdstat_set_flags")]
pub extern "C" fn fd_fdstat_set_flags(_memory: &MemoryState, fd: u32, flags: u32) -> u32 {
    status(set_flags(fd, flags))
}

fn set_flags(fd: u32, flags: u32) -> Result<(), Errno> {
    let flags = check_flags(flags, 16, fd_flags::COUNT)?;
    let descriptor = descriptors::file(fd)?;
    if flags & !(fd_flags::APPEND | fd_flags::NONBLOCK) != 0 {
        return Err(Errno::INVAL);
    }
    let file = files::fd(descriptor.file)?;
    let mut system_flags = fcntl_getfl(file)?;
    system_flags.set(OFlags::APPEND, flags & fd_flags::APPEND != 0);
    fcntl_setfl(file, system_flags)?;
    descriptors::set_flags(fd, flags);
    Ok(())
}

/// `fd_fdstat_set_rights`: rights cannot be given away.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_fdstat_set_rights")]
pub extern "C" fn fd_fdstat_set_rights(
    _memory: &MemoryState,
    fd: u32,
    base: u64,
    inherited: u64,
) -> u32 {
    let rights = check_rights(base).and_then(|_| check_rights(inherited));
    let entry = rights.and_then(|_| descriptors::get(fd));
    status(entry.and_then(|entry| entry.descriptor().and(Err(Errno::NOTSUP))))
}

/// Writes a `filestat`.
#[allow(clippy::unnecessary_cast, reason = "the types differ between architectures")]
pub fn write_stat(memory: Memory, out: u32, stat: &Stat) {
    let out = u64::from(out);
    memory.write_u64(out, stat.st_dev as u64);
    memory.write_u64(out + 8, stat.st_ino as u64);
    memory.write_u8(out + 16, file_type::number(FileType::from_raw_mode(stat.st_mode)));
    memory.write_u64(out + 24, stat.st_nlink as u64);
    memory.write_u64(out + 32, stat.st_size as u64);
    let times = [
        (40, stat.st_atime as i64, stat.st_atime_nsec as i64),
        (48, stat.st_mtime as i64, stat.st_mtime_nsec as i64),
        (56, stat.st_ctime as i64, stat.st_ctime_nsec as i64),
    ];
    for (offset, tv_sec, tv_nsec) in times {
        let time = nanoseconds_since_1970(Timespec { tv_sec, tv_nsec: tv_nsec as _ });
        memory.write_u64(out + offset, time);
    }
}

/// `fd_filestat_get`. Of a standard stream nothing but its type is told.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_filestat_get")]
pub extern "C" fn fd_filestat_get(memory: &MemoryState, fd: u32, out: u32) -> u32 {
    let memory = Memory::of(memory);
    status(descriptors::get(fd).and_then(|entry| {
        let ty = match entry {
            Entry::Input => stream_type(FileId(0)),
            Entry::Output(file) => stream_type(file),
            _ => {
                write_stat(memory, out, &metadata::stat_of(entry.descriptor()?)?);
                return Ok(());
            }
        };
        for word in 0..8 {
            memory.write_u64(u64::from(out) + word * 8, 0);
        }
        memory.write_u8(u64::from(out) + 16, ty);
        Ok(())
    }))
}

/// `fd_filestat_set_size`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_filestat_set_size")]
pub extern "C" fn fd_filestat_set_size(_memory: &MemoryState, fd: u32, size: u64) -> u32 {
    let file = descriptors::file(fd).and_then(|descriptor| {
        match descriptor.file_opened_to(descriptor_flags::WRITE) {
            Err(Errno::PERM) => Err(Errno::INVAL),
            file => file,
        }
    });
    status(file.and_then(|fd| retry_on_intr(|| ftruncate(fd, size))))
}

/// What `fstflags` and two times say is to be set.
pub fn timestamps(access_ns: u64, modification_ns: u64, flags: u32) -> Result<Timestamps, Errno> {
    let flags = check_flags(flags, 16, 4)?;
    let time = |ns: u64, flags: u32| match flags & 3 {
        0 => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT }),
        1 => {
            Ok(Timespec { tv_sec: (ns / 1_000_000_000) as i64, tv_nsec: (ns % 1_000_000_000) as _ })
        }
        2 => Ok(Timespec { tv_sec: 0, tv_nsec: UTIME_NOW }),
        _ => Err(Errno::INVAL),
    };
    Ok(Timestamps {
        last_access: time(access_ns, flags)?,
        last_modification: time(modification_ns, flags >> 2)?,
    })
}

/// `fd_filestat_set_times`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_filestat_set_times")]
pub extern "C" fn fd_filestat_set_times(
    _memory: &MemoryState,
    fd: u32,
    access: u64,
    modification: u64,
    flags: u32,
) -> u32 {
    status(timestamps(access, modification, flags).and_then(|times| {
        let entry = descriptors::get(fd)?;
        metadata::set_times_of(entry.descriptor()?, &times)
    }))
}

/// `fd_advise`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_advise")]
pub extern "C" fn fd_advise(
    _memory: &MemoryState,
    fd: u32,
    offset: u64,
    len: u64,
    advice: u32,
) -> u32 {
    const ADVICES: u32 = 6;
    let advice = super::flags::check_case(advice, ADVICES);
    status(advice.and_then(|advice| {
        contents::advise_file(files::fd(descriptors::file(fd)?.file)?, offset, len, advice)
    }))
}

/// `fd_prestat_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_prestat_get")]
pub extern "C" fn fd_prestat_get(memory: &MemoryState, fd: u32, out: u32) -> u32 {
    let memory = Memory::of(memory);
    status(descriptors::get(fd).and_then(|entry| match entry {
        Entry::Folder { preopen: Some(name), .. } => {
            memory.write_u8(out.into(), 0);
            memory.write_u32(u64::from(out) + 4, name.len() as u32);
            Ok(())
        }
        _ => Err(Errno::BADF),
    }))
}

/// `fd_prestat_dir_name`.
#[unsafe(export_name = "wasi_snapshot_preview1__fd_prestat_dir_name")]
pub extern "C" fn fd_prestat_dir_name(memory: &MemoryState, fd: u32, path: u32, len: u32) -> u32 {
    status(descriptors::get(fd).and_then(|entry| match entry {
        Entry::Folder { preopen: Some(name), .. } if name.len() <= len as usize => {
            Memory::of(memory).write_bytes(path, name);
            Ok(())
        }
        Entry::Folder { preopen: Some(_), .. } => Err(Errno::NAMETOOLONG),
        _ => Err(Errno::NOTDIR),
    }))
}
