//! What is known of objects: type, flags, size, times, identity.

use super::resolve::{self, Place};
use super::{Descriptor, Reply, SYMLINK_FOLLOW, get, reply, walk};
use crate::scratch;
use crate::wasi::abi::{Datetime, Maybe, elements};
use crate::wasi::clocks::datetime;
use crate::wasi::files;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, Stat, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, fstat,
    futimens, statat, utimensat,
};
use rustix::io::Errno;

/// `descriptor-type`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(u8)]
#[expect(missing_docs, reason = "each case is named after what it is")]
pub enum DescriptorType {
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    Fifo,
    SymbolicLink,
    RegularFile,
    Socket,
}

impl From<FileType> for DescriptorType {
    fn from(ty: FileType) -> DescriptorType {
        match ty {
            FileType::RegularFile => DescriptorType::RegularFile,
            FileType::Directory => DescriptorType::Directory,
            FileType::Symlink => DescriptorType::SymbolicLink,
            FileType::Fifo => DescriptorType::Fifo,
            FileType::Socket => DescriptorType::Socket,
            FileType::CharacterDevice => DescriptorType::CharacterDevice,
            FileType::BlockDevice => DescriptorType::BlockDevice,
            _ => DescriptorType::Unknown,
        }
    }
}

/// `descriptor-stat`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DescriptorStat {
    /// What it is.
    pub ty: DescriptorType,
    /// Number of names.
    pub link_count: u64,
    /// Number of bytes.
    pub size: u64,
    /// Last access.
    pub accessed: Maybe<Datetime>,
    /// Last modification.
    pub modified: Maybe<Datetime>,
    /// Last change of what is known of it.
    pub changed: Maybe<Datetime>,
}

#[allow(clippy::unnecessary_cast, reason = "the types differ between architectures")]
impl From<Stat> for DescriptorStat {
    fn from(stat: Stat) -> DescriptorStat {
        let time = |seconds, nanoseconds| Some(datetime(seconds, nanoseconds)).into();
        DescriptorStat {
            ty: FileType::from_raw_mode(stat.st_mode).into(),
            link_count: stat.st_nlink as u64,
            size: stat.st_size as u64,
            accessed: time(stat.st_atime as i64, stat.st_atime_nsec as i64),
            modified: time(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed: time(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }
}

/// `metadata-hash-value`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct MetadataHash {
    lower: u64,
    upper: u64,
}

#[allow(clippy::unnecessary_cast, reason = "the types differ between architectures")]
impl From<Stat> for MetadataHash {
    /// Two objects have different hashes, because nothing is lost of what identifies them.
    fn from(stat: Stat) -> MetadataHash {
        let (device, inode) = (stat.st_dev as u64, stat.st_ino as u64);
        let lower = inode ^ device.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        MetadataHash { lower, upper: device }
    }
}

/// Looks at what a descriptor is of.
pub fn stat_of(descriptor: &Descriptor) -> Result<Stat, Errno> {
    fstat(files::fd(descriptor.file)?)
}

/// Looks at what a path leads to.
pub fn stat_path(folder: &Descriptor, path_flags: u32, path: &[u8]) -> Result<Stat, Errno> {
    let start = folder.folder()?;
    let is_folder = resolve::split(path)?.is_folder;
    // A slash at the end follows a link in any case; only a path that is opened is kept beneath
    // the start then.
    if !is_folder {
        let Place { folder, name } = resolve::locate(start, path)?;
        let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_link = FileType::from_raw_mode(stat.st_mode) == FileType::Symlink;
        if !is_link || path_flags & SYMLINK_FOLLOW == 0 {
            return Ok(stat);
        }
    }
    fstat(resolve::open(start, path, OFlags::PATH, Mode::empty())?)
}

/// `descriptor.get-flags`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__get_flags")]
pub extern "C" fn get_flags(descriptor: u32, out: Reply<u8>) {
    let Descriptor { file, flags, .. } = get(descriptor);
    reply(out, files::fd(file).map(|_| flags as u8));
}

/// `descriptor.get-type`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__get_type")]
pub extern "C" fn get_type(descriptor: u32, out: Reply<DescriptorType>) {
    let stat = stat_of(&get(descriptor));
    reply(out, stat.map(|stat| FileType::from_raw_mode(stat.st_mode).into()));
}

/// `descriptor.stat`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__stat")]
pub extern "C" fn stat(descriptor: u32, out: Reply<DescriptorStat>) {
    reply(out, stat_of(&get(descriptor)).map(DescriptorStat::from));
}

/// `descriptor.stat-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__stat_at")]
pub unsafe extern "C" fn stat_at(
    descriptor: u32,
    path_flags: u32,
    path: *const u8,
    len: usize,
    out: Reply<DescriptorStat>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    let stat = scratch::temporary(|| stat_path(&get(descriptor), path_flags, path));
    reply(out, stat.map(DescriptorStat::from));
}

/// `descriptor.is-same-object`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__is_same_object")]
pub extern "C" fn is_same_object(descriptor: u32, other: u32) -> u32 {
    match (stat_of(&get(descriptor)), stat_of(&get(other))) {
        (Ok(a), Ok(b)) => u32::from(a.st_dev == b.st_dev && a.st_ino == b.st_ino),
        _ => 0,
    }
}

/// `descriptor.metadata-hash`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__metadata_hash")]
pub extern "C" fn metadata_hash(descriptor: u32, out: Reply<MetadataHash>) {
    reply(out, stat_of(&get(descriptor)).map(MetadataHash::from));
}

/// `descriptor.metadata-hash-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__metadata_hash_at")]
pub unsafe extern "C" fn metadata_hash_at(
    descriptor: u32,
    path_flags: u32,
    path: *const u8,
    len: usize,
    out: Reply<MetadataHash>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    let stat = scratch::temporary(|| stat_path(&get(descriptor), path_flags, path));
    reply(out, stat.map(MetadataHash::from));
}

/// A `new-timestamp`, flat.
struct NewTimestamp(u32, u64, u32);

impl NewTimestamp {
    fn to_timespec(&self) -> Result<Timespec, Errno> {
        Ok(match *self {
            NewTimestamp(0, ..) => Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
            NewTimestamp(1, ..) => Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
            NewTimestamp(_, _, 1_000_000_000..) => return Err(Errno::INVAL),
            NewTimestamp(_, seconds, nanoseconds) => Timespec {
                tv_sec: i64::try_from(seconds).map_err(|_| Errno::OVERFLOW)?,
                tv_nsec: nanoseconds.into(),
            },
        })
    }
}

fn timestamps(access: NewTimestamp, modification: NewTimestamp) -> Result<Timestamps, Errno> {
    Ok(Timestamps {
        last_access: access.to_timespec()?,
        last_modification: modification.to_timespec()?,
    })
}

/// `descriptor.set-times`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__set_times")]
pub extern "C" fn set_times(
    descriptor: u32,
    access: u32,
    access_seconds: u64,
    access_nanoseconds: u32,
    modification: u32,
    modification_seconds: u64,
    modification_nanoseconds: u32,
    out: Reply<()>,
) {
    let times = timestamps(
        NewTimestamp(access, access_seconds, access_nanoseconds),
        NewTimestamp(modification, modification_seconds, modification_nanoseconds),
    );
    reply(out, times.and_then(|times| set_times_of(&get(descriptor), &times)));
}

/// Sets the times of what a descriptor is of.
pub fn set_times_of(descriptor: &Descriptor, times: &Timestamps) -> Result<(), Errno> {
    match descriptor.read_only {
        true => Err(Errno::ROFS),
        false => futimens(files::fd(descriptor.file)?, times),
    }
}

/// `descriptor.set-times-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__set_times_at")]
pub unsafe extern "C" fn set_times_at(
    descriptor: u32,
    path_flags: u32,
    path: *const u8,
    len: usize,
    access: u32,
    access_seconds: u64,
    access_nanoseconds: u32,
    modification: u32,
    modification_seconds: u64,
    modification_nanoseconds: u32,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    let times = timestamps(
        NewTimestamp(access, access_seconds, access_nanoseconds),
        NewTimestamp(modification, modification_seconds, modification_nanoseconds),
    );
    let set =
        |times| scratch::temporary(|| set_path_times(&get(descriptor), path_flags, path, &times));
    reply(out, times.and_then(set));
}

/// Sets the times of what a path leads to. The kernel cannot set those of an object that is opened
/// only as a place (before Linux 5.8), so links are followed by our own walk.
pub fn set_path_times(
    folder: &Descriptor,
    path_flags: u32,
    path: &[u8],
    times: &Timestamps,
) -> Result<(), Errno> {
    let start = folder.folder_to_change()?;
    let Place { folder, name } = walk::locate(start, path, path_flags & SYMLINK_FOLLOW != 0)?;
    utimensat(&folder, name, times, AtFlags::SYMLINK_NOFOLLOW)
}
