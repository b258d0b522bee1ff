//! `wasi:io/poll`: one `ppoll` for everything a guest waits for.

use crate::scratch;
use crate::single::Single;
use crate::slab::Slab;
use crate::traps;
use crate::wasi::abi::{List, ListBuilder, Out, elements};
use crate::wasi::clocks;
use crate::wasi::files::{self, FileId};
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;

/// What is waited for.
#[derive(Clone, Copy)]
enum Pollable {
    /// Nothing: it is ready.
    Ready,
    /// A file to be ready for these events.
    File(FileId, PollFlags),
    /// The monotonic clock to reach this.
    Deadline(u64),
}

/// The first entry is ready; all handles of things that never block share it.
static POLLABLES: Single<Slab<Pollable, 1>> = Single::new(Slab::new([Pollable::Ready]));

/// The representation of what is ready.
pub const READY: u32 = 0;

/// A pollable that is ready when the file is. Returns its representation.
pub fn subscribe_file(file: FileId, events: PollFlags) -> u32 {
    let pollable = Pollable::File(files::retain(file), events);
    POLLABLES.with(|pollables| pollables.insert(pollable))
}

/// A pollable that is ready from that moment of the monotonic clock on. Returns its representation.
pub fn subscribe_deadline(deadline_ns: u64) -> u32 {
    POLLABLES.with(|pollables| pollables.insert(Pollable::Deadline(deadline_ns)))
}

/// What a set of pollables comes to.
struct Waiting {
    fds: &'static mut [PollFd<'static>],
    /// The earliest deadline.
    deadline_ns: Option<u64>,
    /// Whether some are ready without asking the kernel.
    some_ready: bool,
}

/// Asks the kernel about `pollables` and, if `block` is set, waits until one is ready. Returns
/// what it said about the files among them, in order.
fn wait(pollables: &[u32], block: bool) -> &'static [PollFd<'static>] {
    let waiting = collect(pollables);
    loop {
        let timeout_ns = match waiting.deadline_ns {
            _ if waiting.some_ready || !block => Some(0),
            Some(deadline_ns) => Some(deadline_ns.saturating_sub(clocks::monotonic_ns())),
            None => None,
        };
        let timeout = timeout_ns.map(|ns| Timespec {
            tv_sec: (ns / 1_000_000_000) as i64,
            tv_nsec: (ns % 1_000_000_000) as i64,
        });
        match rustix::event::poll(waiting.fds, timeout.as_ref()) {
            // A timeout may come early by the clock's granularity: then wait for the rest.
            Ok(0) if timeout_ns.is_none_or(|ns| ns != 0) => {}
            Err(Errno::INTR) => {}
            // What else fails (too many files for the limits) shows when the guest uses them.
            _ => return waiting.fds,
        }
    }
}

/// Sorts out `pollables`.
fn collect(pollables: &[u32]) -> Waiting {
    let fds = scratch::slice::<PollFd<'static>>(pollables.len());
    let mut count = 0;
    let mut deadline_ns: Option<u64> = None;
    let mut some_ready = false;
    for pollable in pollables {
        match POLLABLES.with(|table| *table.get(*pollable)) {
            Pollable::Ready => some_ready = true,
            Pollable::Deadline(at) => {
                deadline_ns = Some(deadline_ns.map_or(at, |earliest| earliest.min(at)));
            }
            Pollable::File(file, events) => match (files::fd(file), fds.get_mut(count)) {
                (Ok(fd), Some(slot)) => {
                    slot.write(PollFd::from_borrowed_fd(fd, events));
                    count += 1;
                }
                _ => some_ready = true,
            },
        }
    }
    let fds: &'static mut [MaybeUninit<PollFd>] = fds.get_mut(..count).unwrap_or_default();
    // SAFETY: the first `count` have been written.
    let fds = unsafe { fds.assume_init_mut() };
    Waiting { fds, deadline_ns, some_ready }
}

/// Whether a pollable is ready; `fds` yields the kernel's answers.
fn is_ready(pollable: u32, fds: &mut core::slice::Iter<'_, PollFd<'_>>) -> bool {
    match POLLABLES.with(|table| *table.get(pollable)) {
        Pollable::Ready => true,
        Pollable::Deadline(at) => at <= clocks::monotonic_ns(),
        Pollable::File(file, _) => {
            files::fd(file).is_err() || fds.next().is_some_and(|fd| !fd.revents().is_empty())
        }
    }
}

/// `poll`.
#[unsafe(export_name = "wasi_io_poll__poll")]
pub unsafe extern "C" fn poll(pollables: *const u32, len: usize, out: Out<List<u32>>) {
    // SAFETY: the parameters are an adapter's.
    let pollables: &[u32] = unsafe { elements(pollables, len) };
    if pollables.is_empty() {
        traps::raise_host("`poll` of an empty list");
    }
    let mut fds = wait(pollables, true).iter();
    let mut ready = ListBuilder::with_capacity(pollables.len());
    for (index, pollable) in pollables.iter().enumerate() {
        if is_ready(*pollable, &mut fds) {
            ready.push(index as u32);
        }
    }
    out.write(ready.finish());
}

/// `pollable.ready`.
#[unsafe(export_name = "wasi_io_poll__pollable__ready")]
pub extern "C" fn ready(pollable: u32) -> u32 {
    scratch::temporary(|| is_ready(pollable, &mut wait(&[pollable], false).iter()).into())
}

/// `pollable.block`.
#[unsafe(export_name = "wasi_io_poll__pollable__block")]
pub extern "C" fn block(pollable: u32) {
    scratch::temporary(|| {
        wait(&[pollable], true);
    });
}

/// Drops a `pollable`.
#[unsafe(export_name = "wasi_io_poll__pollable__drop")]
pub extern "C" fn drop(pollable: u32) {
    let removed = POLLABLES.with(|pollables| pollables.remove(pollable));
    if let Some(Pollable::File(file, _)) = removed {
        files::release(file);
    }
}
