//! Path resolution without the kernel's help: component by component, each opened without
//! following links, links read and spliced into what is left of the path.
//!
//! `..` goes back by walking the folders that led here once more from the start, so it cannot
//! leave them even while somebody moves folders about.

use super::resolve::{Folder, PATH_BYTES_MAX, Place, to_c_string};
use crate::scratch;
use core::ffi::CStr;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags, openat, readlinkat_raw};
use rustix::io::Errno;

/// How many links one path may go through: the kernel's own limit.
const LINKS_MAX: u32 = 40;

/// A path in scratch memory.
struct Path {
    bytes: &'static mut [MaybeUninit<u8>],
    len: usize,
}

impl Path {
    fn new() -> Path {
        Path { bytes: scratch::slice(PATH_BYTES_MAX), len: 0 }
    }

    fn as_bytes(&self) -> &[u8] {
        let bytes = self.bytes.get(..self.len).unwrap_or_default();
        // SAFETY: `push` has written them.
        unsafe { bytes.assume_init_ref() }
    }

    #[inline(never)]
    fn push(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        let end = self.len + bytes.len();
        let room = self.bytes.get_mut(self.len..end).ok_or(Errno::NAMETOOLONG)?;
        room.write_copy_of_slice(bytes);
        self.len = end;
        Ok(())
    }
}

/// A walk in progress.
struct Walk<'a> {
    start: BorrowedFd<'a>,
    /// Where it is; the start at first.
    here: Folder<'a>,
    /// The folders that led here, a slash behind each. None of them is a link or `..`.
    trail: Path,
    links_left: u32,
}

/// Opens what a path leads to, as `resolve::open`.
pub fn open(
    start: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let follow = !flags.contains(OFlags::NOFOLLOW);
    let Place { folder, name } = locate(start, path, follow)?;
    // What the walk has found is no link any more, or must not be followed.
    rustix::io::retry_on_intr(|| {
        openat(&folder, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, mode)
    })
}

/// Finds the folder and the name that a path leads to; if `follow` is set, or a slash follows, the
/// name is none of a link. It need not exist.
pub fn locate<'a>(start: BorrowedFd<'a>, path: &[u8], follow: bool) -> Result<Place<'a>, Errno> {
    match path.first() {
        None => return Err(Errno::NOENT),
        Some(b'/') => return Err(Errno::PERM),
        Some(_) => {}
    }
    let mut walk =
        Walk { start, here: Folder::Start(start), trail: Path::new(), links_left: LINKS_MAX };
    let mut rest = Path::new();
    rest.push(path)?;
    loop {
        let Step { component, rest: next, slash } = first_component(rest.as_bytes());
        let is_last = next.is_empty();
        match component {
            b"." => {}
            b".." => walk.go_back()?,
            name => {
                let name = to_c_string(name)?;
                if is_last && !(follow || slash) {
                    return Ok(Place { folder: walk.here, name });
                }
                if let Some(link) = walk.step(name, is_last)? {
                    rest = walk.splice(link, next, slash && is_last)?;
                    continue;
                }
                if is_last {
                    let name = if slash { with_slash(name)? } else { name };
                    return Ok(Place { folder: walk.here, name });
                }
            }
        }
        if is_last {
            return Ok(Place { folder: walk.here, name: c"." });
        }
        let mut shorter = Path::new();
        shorter.push(next)?;
        rest = shorter;
    }
}

fn with_slash(name: &CStr) -> Result<&'static CStr, Errno> {
    let mut path = Path::new();
    path.push(name.to_bytes())?;
    path.push(b"/")?;
    to_c_string(path.as_bytes())
}

impl Walk<'_> {
    /// Looks at a name here: the link's target if it is a link. Goes into it if it is a folder and
    /// not the path's last component.
    fn step(&mut self, name: &CStr, is_last: bool) -> Result<Option<&'static [u8]>, Errno> {
        if is_last {
            return match self.read_link(name) {
                Ok(target) => Ok(Some(target)),
                // It is no link, or there is nothing: the caller's operation says what that means.
                Err(Errno::INVAL | Errno::NOENT) => Ok(None),
                Err(errno) => Err(errno),
            };
        }
        match open_folder(self.here.as_fd(), name) {
            Ok(folder) => {
                self.here = Folder::Beneath(folder);
                self.trail.push(name.to_bytes())?;
                self.trail.push(b"/")?;
                Ok(None)
            }
            Err(Errno::NOTDIR | Errno::LOOP) => match self.read_link(name) {
                Ok(target) => Ok(Some(target)),
                Err(Errno::INVAL) => Err(Errno::NOTDIR),
                Err(errno) => Err(errno),
            },
            Err(errno) => Err(errno),
        }
    }

    fn read_link(&self, name: &CStr) -> Result<&'static [u8], Errno> {
        let buffer = scratch::slice::<u8>(PATH_BYTES_MAX);
        let (target, _) = readlinkat_raw(&self.here, name, buffer)?;
        Ok(target)
    }

    /// What is left of the path once a link has been replaced by its target.
    fn splice(&mut self, target: &[u8], next: &[u8], slash: bool) -> Result<Path, Errno> {
        self.links_left = self.links_left.checked_sub(1).ok_or(Errno::LOOP)?;
        match target.first() {
            None => return Err(Errno::NOENT),
            Some(b'/') => return Err(Errno::PERM),
            Some(_) => {}
        }
        let mut path = Path::new();
        path.push(target)?;
        if slash || !next.is_empty() {
            path.push(b"/")?;
        }
        path.push(next)?;
        Ok(path)
    }

    /// Goes to the folder above, which is one of those that led here.
    fn go_back(&mut self) -> Result<(), Errno> {
        let trail = self.trail.as_bytes();
        let without_slash = trail.len().checked_sub(1).ok_or(Errno::PERM)?;
        let folders = trail.get(..without_slash).unwrap_or_default();
        self.trail.len = folders.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        self.here = Folder::Start(self.start);
        for name in self.trail.as_bytes().split(|byte| *byte == b'/') {
            if !name.is_empty() {
                self.here = Folder::Beneath(open_folder(self.here.as_fd(), to_c_string(name)?)?);
            }
        }
        Ok(())
    }
}

fn open_folder(folder: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(folder, name, flags, Mode::empty())
}

struct Step<'a> {
    component: &'a [u8],
    /// What follows, without slashes before it.
    rest: &'a [u8],
    /// Whether slashes follow the component.
    slash: bool,
}

fn first_component(path: &[u8]) -> Step<'_> {
    let end = path.iter().position(|byte| *byte == b'/').unwrap_or(path.len());
    let (component, rest) = path.split_at(end);
    let start = rest.iter().position(|byte| *byte != b'/').unwrap_or(rest.len());
    Step { component, rest: rest.get(start..).unwrap_or_default(), slash: start > 0 }
}
