//! Paths of guests, which must not lead out of the folder that they start from.
//!
//! The kernel sees to that where it can (`openat2` with `RESOLVE_BENEATH`, since Linux 5.6); where
//! it cannot, `walk` does it component by component. Calls that name an object in a folder
//! (`mkdirat`, `unlinkat`, ...) get the folder opened that way and one component, which those
//! calls do not follow if it is a symbolic link.
//!
//! A path that leads out, or an absolute one, is `not-permitted`.

use super::walk;
use crate::scratch;
use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

/// The kernel's limit on a path, its ending zero included.
pub const PATH_BYTES_MAX: usize = 4096;

/// A folder that lies at or beneath the one a path started from.
pub enum Folder<'a> {
    /// That one itself.
    Start(BorrowedFd<'a>),
    /// One beneath it.
    Beneath(OwnedFd),
}

impl AsFd for Folder<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Folder::Start(fd) => *fd,
            Folder::Beneath(fd) => fd.as_fd(),
        }
    }
}

/// A name in a folder. The name is one component, not `..`; a slash behind it says that it must be
/// a folder.
pub struct Place<'a> {
    /// The folder.
    pub folder: Folder<'a>,
    /// The name.
    pub name: &'static CStr,
}

/// Copies a path to scratch memory, with a zero byte behind it.
#[inline(never)]
pub fn to_c_string(path: &[u8]) -> Result<&'static CStr, Errno> {
    if path.len() >= PATH_BYTES_MAX {
        return Err(Errno::NAMETOOLONG);
    }
    if path.contains(&0) {
        return Err(Errno::INVAL);
    }
    let buffer = scratch::slice::<u8>(path.len() + 1);
    let (bytes, end) = buffer.split_at_mut(path.len());
    bytes.write_copy_of_slice(path);
    end.write_copy_of_slice(&[0]);
    // SAFETY: all bytes have been written, and the last one alone is zero.
    Ok(unsafe { CStr::from_bytes_with_nul_unchecked(buffer.assume_init_ref()) })
}

/// Opens what a path leads to. A symbolic link at its end is followed unless `flags` say
/// otherwise.
pub fn open(
    start: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let c_path = to_c_string(path)?;
    match rustix::io::retry_on_intr(|| openat2(start, c_path, flags, mode, beneath)) {
        Err(Errno::XDEV) => Err(Errno::PERM),
        // The kernel does not have the call, or a filter of system calls hides it, or somebody
        // moves folders about meanwhile.
        Err(Errno::NOSYS | Errno::PERM | Errno::AGAIN) => walk::open(start, path, flags, mode),
        result => result,
    }
}

/// Opens the folder that a path leads to, to name objects in it.
fn open_folder(start: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    open(start, path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())
}

/// Finds the folder of a path's last component, which is not followed and need not exist.
pub fn locate<'a>(start: BorrowedFd<'a>, path: &[u8]) -> Result<Place<'a>, Errno> {
    let Split { parent, name, is_folder } = split(path)?;
    if name == b".." {
        // Where that leads is a folder like any other, named by itself.
        let folder = Folder::Beneath(open_folder(start, path)?);
        return Ok(Place { folder, name: c"." });
    }
    let folder = match parent {
        [] => Folder::Start(start),
        parent => Folder::Beneath(open_folder(start, parent)?),
    };
    // A single slash behind the name keeps its meaning for the kernel.
    let end = name.len() + usize::from(is_folder);
    let name = path.get(path_offset(path, name)..).and_then(|rest| rest.get(..end));
    Ok(Place { folder, name: to_c_string(name.unwrap_or_default())? })
}

/// Where `part` begins in `path`.
fn path_offset(path: &[u8], part: &[u8]) -> usize {
    part.as_ptr() as usize - path.as_ptr() as usize
}

/// A path's parts.
#[derive(Debug, PartialEq)]
pub struct Split<'a> {
    /// What is before the last component, without slashes behind it; empty is the start.
    pub parent: &'a [u8],
    /// The last component.
    pub name: &'a [u8],
    /// Whether slashes follow, so that it must be a folder.
    pub is_folder: bool,
}

/// Splits a path before its last component.
pub fn split(path: &[u8]) -> Result<Split<'_>, Errno> {
    match path.first() {
        None => return Err(Errno::NOENT),
        Some(b'/') => return Err(Errno::PERM),
        Some(_) => {}
    }
    let trimmed = trim_slashes(path);
    let name_at = trimmed.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let (parent, name) = trimmed.split_at(name_at);
    Ok(Split { parent: trim_slashes(parent), name, is_folder: trimmed.len() < path.len() })
}

/// Removes slashes at the end.
fn trim_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(0, |at| at + 1);
    path.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_text(path: &str) -> Result<(&str, &str, bool), Errno> {
        let text = |bytes| core::str::from_utf8(bytes).unwrap();
        split(path.as_bytes()).map(|s| (text(s.parent), text(s.name), s.is_folder))
    }

    #[test]
    fn paths_are_split_before_the_last_component() {
        assert_eq!(split_text("a"), Ok(("", "a", false)));
        assert_eq!(split_text("a//"), Ok(("", "a", true)));
        assert_eq!(split_text("a/b/c"), Ok(("a/b", "c", false)));
        assert_eq!(split_text("a//b/"), Ok(("a", "b", true)));
        assert_eq!(split_text("a/.."), Ok(("a", "..", false)));
        assert_eq!(split_text(""), Err(Errno::NOENT));
        assert_eq!(split_text("/a"), Err(Errno::PERM));
        assert_eq!(split_text("/"), Err(Errno::PERM));
    }

    #[test]
    fn odd_paths_are_refused() {
        let _turn = crate::single::take_turn();
        assert_eq!(to_c_string(b"a\0b"), Err(Errno::INVAL));
        assert_eq!(to_c_string(&[b'a'; PATH_BYTES_MAX]), Err(Errno::NAMETOOLONG));
        assert_eq!(to_c_string(b"a"), Ok(c"a"));
    }
}
