//! Open files: what descriptors, streams and pollables share.
//!
//! A stream outlives the descriptor it was made of, so files are counted. A file that could not be
//! opened has an entry too if the guest was promised one: each use of it yields the error.

use crate::single::Single;
use crate::slab::Slab;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};

/// A file's index. 0, 1 and 2 are standard input, output and error, and always open.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct FileId(pub u32);

#[derive(Clone, Copy)]
struct File {
    /// Negative: the error that opening it gave.
    fd: RawFd,
    uses: u32,
}

static FILES: Single<Slab<File, 3>> = Single::new(Slab::new([
    File { fd: 0, uses: 1 },
    File { fd: 1, uses: 1 },
    File { fd: 2, uses: 1 },
]));

/// Adds a file with one use.
pub fn add(fd: OwnedFd) -> FileId {
    let fd = move_above_stdio(fd).into_raw_fd();
    FileId(FILES.with(|files| files.insert(File { fd, uses: 1 })))
}

/// Adds a file whose every use yields an error.
pub fn add_failed(errno: Errno) -> FileId {
    FileId(FILES.with(|files| files.insert(File { fd: -errno.raw_os_error(), uses: 1 })))
}

/// Whoever starts a program may have closed standard streams. The next file must not take their
/// place and get what is printed.
fn move_above_stdio(fd: OwnedFd) -> OwnedFd {
    use rustix::fd::AsRawFd;
    if fd.as_raw_fd() > 2 {
        return fd;
    }
    // If there is no other number, the file keeps this one: printing into it is the smaller evil
    // only compared with losing it, and it takes a caller that closed the streams on purpose.
    fcntl_dupfd_cloexec(&fd, 3).unwrap_or(fd)
}

/// Adds a use.
pub fn retain(id: FileId) -> FileId {
    FILES.with(|files| files.get(id.0).uses += 1);
    id
}

/// Removes a use, and closes the file if it was the last.
pub fn release(id: FileId) {
    FILES.with(|files| {
        let file = files.get(id.0);
        file.uses -= 1;
        if file.uses == 0 {
            let fd = file.fd;
            files.remove(id.0);
            if fd >= 0 {
                // SAFETY: the entry owned it and is gone.
                unsafe { rustix::io::close(fd) };
            }
        }
    });
}

/// The file's descriptor, for use within one host call.
pub fn fd(id: FileId) -> Result<BorrowedFd<'static>, Errno> {
    let fd = FILES.with(|files| files.get(id.0).fd);
    if fd < 0 {
        return Err(Errno::from_raw_os_error(-fd));
    }
    // SAFETY: it is open as long as its entry exists, and the caller's resource holds a use.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// Waits until the file is ready for `events`, or has failed.
pub fn wait(fd: BorrowedFd<'_>, events: PollFlags) {
    // An interrupted or refused wait lets the caller try its operation again, which then tells.
    let _ = poll(&mut [PollFd::from_borrowed_fd(fd, events)], None);
}

/// Whether the file is ready for `events`, or has failed.
pub fn is_ready(fd: BorrowedFd<'_>, events: PollFlags) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, events)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::io::retry_on_intr(|| poll(&mut fds, Some(&at_once))) != Ok(0)
}
