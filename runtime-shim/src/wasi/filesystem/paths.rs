//! What folders hold: creating, opening, linking, renaming and removing objects by their paths.

use super::descriptor_flags as flags;
use super::resolve::{self, Place, locate};
use super::{Descriptor, Reply, SYMLINK_FOLLOW, add, get, reply};
use crate::scratch;
use crate::utf8;
use crate::wasi::abi::{List, elements};
use crate::wasi::files;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, fstat, linkat, mkdirat, readlinkat_raw, renameat, symlinkat,
    unlinkat,
};
use rustix::io::Errno;

/// `open-flags`.
mod open_flags {
    pub const CREATE: u32 = 1 << 0;
    pub const DIRECTORY: u32 = 1 << 1;
    pub const EXCLUSIVE: u32 = 1 << 2;
    pub const TRUNCATE: u32 = 1 << 3;
}

/// What a new file or folder may be used for, before the caller's mask.
const NEW_FILE_MODE: Mode = Mode::from_raw_mode(0o666);
const NEW_FOLDER_MODE: Mode = Mode::from_raw_mode(0o777);

/// `descriptor.create-directory-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__create_directory_at")]
pub unsafe extern "C" fn create_directory_at(
    descriptor: u32,
    path: *const u8,
    len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    reply(out, create_folder(&get(descriptor), path));
}

/// `descriptor.remove-directory-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__remove_directory_at")]
pub unsafe extern "C" fn remove_directory_at(
    descriptor: u32,
    path: *const u8,
    len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    reply(out, remove(&get(descriptor), path, AtFlags::REMOVEDIR));
}

/// `descriptor.unlink-file-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__unlink_file_at")]
pub unsafe extern "C" fn unlink_file_at(
    descriptor: u32,
    path: *const u8,
    len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    reply(out, remove(&get(descriptor), path, AtFlags::empty()));
}

/// `descriptor.symlink-at`. An absolute target is not permitted: it could only lead out.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__symlink_at")]
pub unsafe extern "C" fn symlink_at(
    descriptor: u32,
    old_path: *const u8,
    old_len: usize,
    new_path: *const u8,
    new_len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let (old_path, new_path) =
        unsafe { (elements(old_path, old_len), elements(new_path, new_len)) };
    reply(out, create_link(&get(descriptor), old_path, new_path));
}

/// Finds the place of a path beneath a folder that may be changed, and changes something there.
fn change(
    folder: &Descriptor,
    path: &[u8],
    work: impl FnOnce(&Place<'_>) -> Result<(), Errno>,
) -> Result<(), Errno> {
    scratch::temporary(|| work(&locate(folder.folder_to_change()?, path)?))
}

/// Creates a folder.
pub fn create_folder(folder: &Descriptor, path: &[u8]) -> Result<(), Errno> {
    change(folder, path, |place| mkdirat(&place.folder, place.name, NEW_FOLDER_MODE))
}

/// Removes a folder, if `flags` say so, or anything else.
pub fn remove(folder: &Descriptor, path: &[u8], flags: AtFlags) -> Result<(), Errno> {
    change(folder, path, |place| unlinkat(&place.folder, place.name, flags))
}

/// Creates a symbolic link at `path`.
pub fn create_link(folder: &Descriptor, target: &[u8], path: &[u8]) -> Result<(), Errno> {
    change(folder, path, |place| {
        if target.first() == Some(&b'/') {
            return Err(Errno::PERM);
        }
        symlinkat(resolve::to_c_string(target)?, &place.folder, place.name)
    })
}

/// `descriptor.link-at`. Following a link at the end of the old path is refused.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__link_at")]
pub unsafe extern "C" fn link_at(
    descriptor: u32,
    old_path_flags: u32,
    old_path: *const u8,
    old_len: usize,
    new_descriptor: u32,
    new_path: *const u8,
    new_len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let (old_path, new_path) =
        unsafe { (elements(old_path, old_len), elements(new_path, new_len)) };
    let old = (&get(descriptor), old_path);
    reply(out, link(old_path_flags, old, (&get(new_descriptor), new_path)));
}

/// Gives what is at one path beneath a folder another name.
pub fn link(
    path_flags: u32,
    (old_folder, old_path): (&Descriptor, &[u8]),
    (new_folder, new_path): (&Descriptor, &[u8]),
) -> Result<(), Errno> {
    scratch::temporary(|| {
        if path_flags & SYMLINK_FOLLOW != 0 {
            return Err(Errno::INVAL);
        }
        let (old_folder, new_folder) =
            (old_folder.folder_to_change()?, new_folder.folder_to_change()?);
        // The kernel would follow a link if a slash came behind it; folders cannot be linked.
        if resolve::split(old_path)?.is_folder {
            return Err(Errno::NOTDIR);
        }
        let (old, new) = (locate(old_folder, old_path)?, locate(new_folder, new_path)?);
        linkat(&old.folder, old.name, &new.folder, new.name, AtFlags::empty())
    })
}

/// `descriptor.rename-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__rename_at")]
pub unsafe extern "C" fn rename_at(
    descriptor: u32,
    old_path: *const u8,
    old_len: usize,
    new_descriptor: u32,
    new_path: *const u8,
    new_len: usize,
    out: Reply<()>,
) {
    // SAFETY: the parameters are an adapter's.
    let (old_path, new_path) =
        unsafe { (elements(old_path, old_len), elements(new_path, new_len)) };
    reply(out, rename((&get(descriptor), old_path), (&get(new_descriptor), new_path)));
}

/// Moves what is at one path beneath a folder to another.
pub fn rename(
    (old_folder, old_path): (&Descriptor, &[u8]),
    (new_folder, new_path): (&Descriptor, &[u8]),
) -> Result<(), Errno> {
    scratch::temporary(|| {
        let (old_folder, new_folder) =
            (old_folder.folder_to_change()?, new_folder.folder_to_change()?);
        let (old, new) = (locate(old_folder, old_path)?, locate(new_folder, new_path)?);
        renameat(&old.folder, old.name, &new.folder, new.name)
    })
}

/// `descriptor.readlink-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__readlink_at")]
pub unsafe extern "C" fn readlink_at(
    descriptor: u32,
    path: *const u8,
    len: usize,
    out: Reply<List<u8>>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    reply(out, read_link(&get(descriptor), path).map(List::new));
}

/// The target of a symbolic link, in scratch memory.
pub fn read_link(folder: &Descriptor, path: &[u8]) -> Result<&'static [u8], Errno> {
    let start = folder.folder()?;
    // The kernel would follow a link if a slash came behind it, and what is a folder is no link.
    if resolve::split(path)?.is_folder {
        return Err(Errno::INVAL);
    }
    let Place { folder, name } = locate(start, path)?;
    let buffer = scratch::slice::<u8>(resolve::PATH_BYTES_MAX);
    let (target, _) = readlinkat_raw(&folder, name, buffer)?;
    if utf8::is_valid(target) { Ok(target) } else { Err(Errno::ILSEQ) }
}

/// `descriptor.open-at`.
#[unsafe(export_name = "wasi_filesystem_types__descriptor__open_at")]
pub unsafe extern "C" fn open_at(
    descriptor: u32,
    path_flags: u32,
    path: *const u8,
    len: usize,
    open_flags: u32,
    descriptor_flags: u32,
    out: Reply<u32>,
) {
    // SAFETY: the parameters are an adapter's.
    let path = unsafe { elements(path, len) };
    let opening =
        Opening { path_flags, open_flags, descriptor_flags, system_flags: OFlags::empty() };
    reply(out, open(&get(descriptor), path, opening).map(add));
}

/// How something is opened.
#[derive(Clone, Copy)]
pub struct Opening {
    /// `path-flags`.
    pub path_flags: u32,
    /// `open-flags`.
    pub open_flags: u32,
    /// `descriptor-flags`.
    pub descriptor_flags: u32,
    /// What the system is asked for besides.
    pub system_flags: OFlags,
}

/// Opens what is at a path beneath a folder.
pub fn open(parent: &Descriptor, path: &[u8], opening: Opening) -> Result<Descriptor, Errno> {
    scratch::temporary(|| open_path(parent, path, opening))
}

fn open_path(parent: &Descriptor, path: &[u8], opening: Opening) -> Result<Descriptor, Errno> {
    use open_flags::{CREATE, DIRECTORY, EXCLUSIVE, TRUNCATE};
    let Opening { path_flags, open_flags: how, descriptor_flags: wanted, .. } = opening;
    let follow = path_flags & SYMLINK_FOLLOW != 0;
    let start = parent.folder()?;
    if how & DIRECTORY != 0 && how & (CREATE | EXCLUSIVE | TRUNCATE) != 0 {
        return Err(Errno::INVAL);
    }
    let changes = how & (CREATE | TRUNCATE) != 0 || wanted & flags::WRITE != 0;
    if parent.read_only && changes {
        return Err(Errno::ROFS);
    }
    let mode = if how & CREATE != 0 { NEW_FILE_MODE } else { Mode::empty() };
    let asked = system_flags(follow, how, wanted) | opening.system_flags;
    let fd = resolve::open(start, path, asked, mode)?;
    let is_folder =
        how & DIRECTORY != 0 || FileType::from_raw_mode(fstat(&fd)?.st_mode) == FileType::Directory;
    Ok(Descriptor {
        file: files::add(fd),
        is_folder,
        flags: granted_flags(parent, is_folder, how, wanted),
        read_only: parent.read_only,
    })
}

/// What the system is asked for. What is not opened for writing is opened for reading; creating
/// and truncating need writing.
fn system_flags(follow: bool, how: u32, wanted: u32) -> OFlags {
    let write =
        wanted & flags::WRITE != 0 || how & (open_flags::CREATE | open_flags::TRUNCATE) != 0;
    let read = wanted & flags::READ != 0 || wanted & flags::WRITE == 0;
    let access = match (read, write) {
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
        _ => OFlags::RDONLY,
    };
    let choices = [
        (!follow, OFlags::NOFOLLOW),
        (how & open_flags::CREATE != 0, OFlags::CREATE),
        (how & open_flags::DIRECTORY != 0, OFlags::DIRECTORY),
        (how & open_flags::EXCLUSIVE != 0, OFlags::EXCL),
        (how & open_flags::TRUNCATE != 0, OFlags::TRUNC),
        (wanted & flags::FILE_INTEGRITY_SYNC != 0, OFlags::SYNC),
        (wanted & flags::DATA_INTEGRITY_SYNC != 0, OFlags::DSYNC),
        (wanted & flags::REQUESTED_WRITE_SYNC != 0, OFlags::RSYNC),
    ];
    choices.iter().fold(
        access | OFlags::NOCTTY,
        |all, (chosen, flag)| {
            if *chosen { all | *flag } else { all }
        },
    )
}

/// What the new descriptor says of itself.
fn granted_flags(parent: &Descriptor, is_folder: bool, how: u32, wanted: u32) -> u32 {
    let syncs =
        flags::FILE_INTEGRITY_SYNC | flags::DATA_INTEGRITY_SYNC | flags::REQUESTED_WRITE_SYNC;
    let mut granted = wanted & (flags::READ | syncs);
    if wanted & flags::WRITE == 0 {
        granted |= flags::READ;
    }
    if is_folder {
        let change = if parent.read_only { 0 } else { flags::MUTATE_DIRECTORY };
        granted | wanted & change
    } else if how & open_flags::CREATE != 0 {
        granted | flags::WRITE
    } else {
        granted | wanted & flags::WRITE
    }
}
