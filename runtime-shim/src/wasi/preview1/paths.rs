//! What takes a path. Descriptors and paths are resolved as for WASI 0.2, by the same code.

use super::attributes::{timestamps, write_stat};
use super::descriptors::{self, Entry};
use super::flags::{check_flags, check_lookup, check_rights, fd as fd_flags, rights};
use super::memory::Memory;
use super::status;
use crate::scratch;
use crate::wasi::filesystem::{Descriptor, descriptor_flags, metadata, paths};
use rustix::fs::{AtFlags, OFlags};
use rustix::io::Errno;
use wasmelt_abi::state::MemoryState;

/// A folder and a path from there.
fn place(
    memory: &MemoryState,
    fd: u32,
    path: u32,
    len: u32,
) -> Result<(Descriptor, &'static [u8]), Errno> {
    let folder = descriptors::folder(fd)?;
    Ok((folder, Memory::of(memory).text(path, len)?))
}

/// `path_create_directory`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_create_directory")]
pub extern "C" fn path_create_directory(memory: &MemoryState, fd: u32, path: u32, len: u32) -> u32 {
    let place = place(memory, fd, path, len);
    status(place.and_then(|(folder, path)| paths::create_folder(&folder, path)))
}

/// `path_remove_directory`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_remove_directory")]
pub extern "C" fn path_remove_directory(memory: &MemoryState, fd: u32, path: u32, len: u32) -> u32 {
    let place = place(memory, fd, path, len);
    status(place.and_then(|(folder, path)| paths::remove(&folder, path, AtFlags::REMOVEDIR)))
}

/// `path_unlink_file`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_unlink_file")]
pub extern "C" fn path_unlink_file(memory: &MemoryState, fd: u32, path: u32, len: u32) -> u32 {
    let place = place(memory, fd, path, len);
    status(place.and_then(|(folder, path)| paths::remove(&folder, path, AtFlags::empty())))
}

/// `path_filestat_get`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_filestat_get")]
pub extern "C" fn path_filestat_get(
    memory: &MemoryState,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    out: u32,
) -> u32 {
    status(check_lookup(flags).and_then(|flags| {
        let (folder, path) = place(memory, fd, path, len)?;
        let stat = scratch::temporary(|| metadata::stat_path(&folder, flags, path))?;
        write_stat(Memory::of(memory), out, &stat);
        Ok(())
    }))
}

/// `path_filestat_set_times`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_filestat_set_times")]
pub extern "C" fn path_filestat_set_times(
    memory: &MemoryState,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    access: u64,
    modification: u64,
    time_flags: u32,
) -> u32 {
    status(check_lookup(flags).and_then(|flags| {
        let times = timestamps(access, modification, time_flags)?;
        let (folder, path) = place(memory, fd, path, len)?;
        scratch::temporary(|| metadata::set_path_times(&folder, flags, path, &times))
    }))
}

/// `path_link`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_link")]
pub extern "C" fn path_link(
    memory: &MemoryState,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    new_fd: u32,
    new_path: u32,
    new_len: u32,
) -> u32 {
    status(check_lookup(flags).and_then(|flags| {
        let (old, new) = places(memory, (fd, path, len), (new_fd, new_path, new_len))?;
        paths::link(flags, (&old.0, old.1), (&new.0, new.1))
    }))
}

type Place = (Descriptor, &'static [u8]);

/// Two folders and a path from each. Both folders must be there before either path is looked at.
fn places(
    memory: &MemoryState,
    old: (u32, u32, u32),
    new: (u32, u32, u32),
) -> Result<(Place, Place), Errno> {
    descriptors::folder(old.0).and_then(|_| descriptors::folder(new.0))?;
    Ok((place(memory, old.0, old.1, old.2)?, place(memory, new.0, new.1, new.2)?))
}

/// `path_rename`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_rename")]
pub extern "C" fn path_rename(
    memory: &MemoryState,
    fd: u32,
    path: u32,
    len: u32,
    new_fd: u32,
    new_path: u32,
    new_len: u32,
) -> u32 {
    let places = places(memory, (fd, path, len), (new_fd, new_path, new_len));
    status(places.and_then(|(old, new)| paths::rename((&old.0, old.1), (&new.0, new.1))))
}

/// `path_symlink`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_symlink")]
pub extern "C" fn path_symlink(
    memory: &MemoryState,
    target: u32,
    target_len: u32,
    fd: u32,
    path: u32,
    len: u32,
) -> u32 {
    status(descriptors::folder(fd).and_then(|folder| {
        let target = Memory::of(memory).text(target, target_len)?;
        paths::create_link(&folder, target, Memory::of(memory).text(path, len)?)
    }))
}

/// `path_readlink`. What there is no room for is cut off.
#[unsafe(export_name = "wasi_snapshot_preview1__path_readlink")]
pub extern "C" fn path_readlink(
    memory: &MemoryState,
    fd: u32,
    path: u32,
    len: u32,
    buffer: u32,
    buffer_len: u32,
    out: u32,
) -> u32 {
    status(place(memory, fd, path, len).and_then(|(folder, path)| {
        scratch::temporary(|| {
            let target = paths::read_link(&folder, path)?;
            let target = target.get(..buffer_len as usize).unwrap_or(target);
            Memory::of(memory).write_bytes(buffer, target);
            Memory::of(memory).write_u32(out.into(), target.len() as u32);
            Ok(())
        })
    }))
}

/// `path_open`.
#[unsafe(export_name = "wasi_snapshot_preview1__path_open")]
pub extern "C" fn path_open(
    memory: &MemoryState,
    fd: u32,
    flags: u32,
    path: u32,
    len: u32,
    open_flags: u32,
    rights: u64,
    inherited_rights: u64,
    fd_flags: u32,
    out: u32,
) -> u32 {
    let how = opening(flags, open_flags, (rights, inherited_rights), fd_flags);
    status(how.and_then(|opening| {
        let path = Memory::of(memory).text(path, len)?;
        let folder = match descriptors::get(fd)? {
            Entry::Folder { descriptor, .. } => descriptor,
            Entry::File { .. } => return Err(Errno::NOTDIR),
            _ => return Err(Errno::BADF),
        };
        let descriptor = paths::open(&folder, path, opening)?;
        let entry = match descriptor.is_folder {
            true => Entry::Folder { descriptor, preopen: None },
            false => {
                let flags = fd_flags & (fd_flags::APPEND | fd_flags::NONBLOCK);
                Entry::File { descriptor, flags }
            }
        };
        Memory::of(memory).write_u32(out.into(), descriptors::insert(entry));
        Ok(())
    }))
}

/// How WASI 0.2 would open it. Of the rights two matter.
fn opening(
    lookup_flags: u32,
    open_flags: u32,
    (wanted, inherited): (u64, u64),
    flags: u32,
) -> Result<paths::Opening, Errno> {
    let path_flags = check_lookup(lookup_flags)?;
    let open_flags = check_flags(open_flags, 16, 4)?;
    let wanted = check_rights(wanted)?;
    check_rights(inherited)?;
    let flags = check_flags(flags, 16, fd_flags::COUNT)?;
    let pairs = [
        (wanted & rights::FD_READ != 0, descriptor_flags::READ),
        (wanted & rights::FD_WRITE != 0, descriptor_flags::WRITE),
        (flags & fd_flags::SYNC != 0, descriptor_flags::FILE_INTEGRITY_SYNC),
        (flags & fd_flags::DSYNC != 0, descriptor_flags::DATA_INTEGRITY_SYNC),
        (flags & fd_flags::RSYNC != 0, descriptor_flags::REQUESTED_WRITE_SYNC),
    ];
    let chosen = pairs.iter().filter(|(chosen, _)| *chosen);
    let descriptor_flags = chosen.fold(0, |flags, (_, flag)| flags | flag);
    let mut system_flags = OFlags::empty();
    system_flags.set(OFlags::APPEND, flags & fd_flags::APPEND != 0);
    Ok(paths::Opening { path_flags, open_flags, descriptor_flags, system_flags })
}
