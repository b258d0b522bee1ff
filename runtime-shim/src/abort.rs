//! Ways for the runtime itself to stop the program: nothing here is the guest's fault.

use crate::arch;
use rustix::fd::BorrowedFd;

/// The exit code of a program whose runtime failed, told apart from a trap's.
pub const EXIT_RUNTIME_FAILED: i32 = 70;

/// Stops because something that cannot happen did.
#[cold]
#[inline(never)]
pub fn broken_invariant() -> ! {
    stop("wasmelt: internal error in the runtime\n")
}

/// Stops because the system gives no more memory.
#[cold]
#[inline(never)]
pub fn out_of_memory() -> ! {
    stop("wasmelt: out of memory\n")
}

/// Stops with a message, which is a whole line.
pub fn stop(line: &str) -> ! {
    write_stderr(line.as_bytes());
    arch::exit(EXIT_RUNTIME_FAILED)
}

/// Writes to standard error as far as that is possible.
pub fn write_stderr(mut bytes: &[u8]) {
    // SAFETY: standard error is not closed by anything here; a caller that closed it before the
    // program began only makes the write fail.
    let fd = unsafe { BorrowedFd::borrow_raw(2) };
    while !bytes.is_empty() {
        match rustix::io::retry_on_intr(|| rustix::io::write(fd, bytes)) {
            Ok(written @ 1..) => bytes = bytes.get(written..).unwrap_or_default(),
            _ => return,
        }
    }
}
