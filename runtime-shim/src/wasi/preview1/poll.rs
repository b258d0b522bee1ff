//! `poll_oneoff`: one wait of the system for all that a guest waits for.

use super::descriptors::{self, Entry};
use super::flags::{check_clock, clock};
use super::memory::Memory;
use super::status;
use crate::scratch;
use crate::wasi::clocks;
use crate::wasi::files::{self, FileId};
use crate::wasi::filesystem::descriptor_flags::{READ, WRITE};
use core::mem::MaybeUninit;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::BorrowedFd;
use rustix::fs::{FileType, fstat, tell};
use rustix::io::Errno;
use wasmelt_abi::state::MemoryState;

/// The size of a `subscription`.
const SUBSCRIPTION_BYTES: u64 = 48;
/// The size of an `event`.
const EVENT_BYTES: u64 = 32;
/// `subclockflags.subscription_clock_abstime`.
const ABSOLUTE: u16 = 1;
/// `eventrwflags.fd_readwrite_hangup`.
const HANGUP: u16 = 1;

/// `eventtype`.
mod event_type {
    pub const CLOCK: u8 = 0;
    pub const FD_READ: u8 = 1;
}

/// What a guest waits for.
enum Wanted {
    /// The monotonic clock to reach this.
    Deadline(u64),
    /// The file to be ready for this.
    File(BorrowedFd<'static>, PollFlags),
}

/// `poll_oneoff`.
#[unsafe(export_name = "wasi_snapshot_preview1__poll_oneoff")]
pub extern "C" fn poll_oneoff(
    memory: &MemoryState,
    subscriptions: u32,
    events: u32,
    count: u32,
    out: u32,
) -> u32 {
    let memory = Memory::of(memory);
    let poll = Poll { memory, subscriptions: subscriptions.into(), count };
    status(scratch::temporary(|| {
        let ready = poll.run(events.into())?;
        memory.write_u32(out.into(), ready);
        Ok(())
    }))
}

struct Poll {
    memory: Memory,
    subscriptions: u64,
    count: u32,
}

impl Poll {
    /// Waits and writes the events. Returns their number.
    fn run(&self, events: u64) -> Result<u32, Errno> {
        if self.count == 0 {
            return Err(Errno::INVAL); // Nothing would ever end it.
        }
        let begin_ns = clocks::monotonic_ns();
        let (fds, deadline_ns) = self.collect(begin_ns)?;
        wait(fds, deadline_ns);
        let now_ns = clocks::monotonic_ns();
        let mut fds = fds.iter();
        let mut ready = 0;
        for at in self.places() {
            let is_ready = match self.wanted(at, begin_ns)? {
                Wanted::Deadline(deadline_ns) => deadline_ns <= now_ns,
                Wanted::File(..) => fds.next().is_some_and(|fd| !fd.revents().is_empty()),
            };
            if is_ready {
                self.write_event(at, events + u64::from(ready) * EVENT_BYTES)?;
                ready += 1;
            }
        }
        Ok(ready)
    }

    /// Where the subscriptions are.
    fn places(&self) -> impl Iterator<Item = u64> {
        let first = self.subscriptions;
        (0..u64::from(self.count)).map(move |index| first + index * SUBSCRIPTION_BYTES)
    }

    /// The files, and the earliest of the deadlines.
    fn collect(&self, now_ns: u64) -> Result<(&'static mut [PollFd<'static>], Option<u64>), Errno> {
        let mut files = 0;
        for at in self.places() {
            files += usize::from(self.event_type(at)? != event_type::CLOCK);
        }
        let fds = scratch::slice::<PollFd<'static>>(files);
        let mut slots = fds.iter_mut();
        let mut earliest: Option<u64> = None;
        for at in self.places() {
            match self.wanted(at, now_ns)? {
                Wanted::Deadline(ns) => {
                    earliest = Some(earliest.map_or(ns, |earliest| earliest.min(ns)));
                }
                Wanted::File(fd, events) => {
                    if let Some(slot) = slots.next() {
                        slot.write(PollFd::from_borrowed_fd(fd, events));
                    }
                }
            }
        }
        let fds: &'static mut [MaybeUninit<PollFd>] = fds;
        // SAFETY: each subscription that is no clock's has written one.
        Ok((unsafe { fds.assume_init_mut() }, earliest))
    }

    fn event_type(&self, at: u64) -> Result<u8, Errno> {
        match self.memory.read_u8(at + 8) {
            3.. => Err(Errno::INVAL),
            ty => Ok(ty),
        }
    }

    /// What a subscription is for.
    fn wanted(&self, at: u64, now_ns: u64) -> Result<Wanted, Errno> {
        let ty = self.event_type(at)?;
        let number = self.memory.read_u32(at + 16);
        if ty == event_type::CLOCK {
            return self.deadline(at, check_clock(number)?, now_ns).map(Wanted::Deadline);
        }
        let is_read = ty == event_type::FD_READ;
        let (opened, events) =
            if is_read { (READ, PollFlags::IN) } else { (WRITE, PollFlags::OUT) };
        let fd = match descriptors::get_no_folder(number)? {
            Entry::Input if is_read => files::fd(FileId(0))?,
            Entry::Output(file) if !is_read => files::fd(file)?,
            Entry::File { descriptor, .. } => {
                descriptor.file_opened_to(opened).map_err(|_| Errno::BADF)?
            }
            _ => return Err(Errno::BADF),
        };
        Ok(Wanted::File(fd, events))
    }

    /// When the monotonic clock shows what a subscription waits for.
    fn deadline(&self, at: u64, id: u32, now_ns: u64) -> Result<u64, Errno> {
        let timeout_ns = self.memory.read_u64(at + 24);
        let flags = self.memory.read_u16(at + 40);
        if flags & !ABSOLUTE != 0 {
            return Err(Errno::INVAL);
        }
        let is_absolute = flags & ABSOLUTE != 0;
        Ok(match (id, is_absolute) {
            (clock::REALTIME | clock::MONOTONIC, false) => now_ns.saturating_add(timeout_ns),
            (clock::MONOTONIC, true) => timeout_ns,
            (clock::REALTIME, true) => {
                now_ns.saturating_add(timeout_ns.saturating_sub(clocks::realtime_ns()))
            }
            _ => return Err(Errno::INVAL),
        })
    }

    /// Writes the event of a subscription that is ready.
    fn write_event(&self, at: u64, event: u64) -> Result<(), Errno> {
        let memory = self.memory;
        let ty = self.event_type(at)?;
        let (bytes, flags) = match ty {
            event_type::CLOCK => (0, 0),
            event_type::FD_READ => (1, hangup(memory.read_u32(at + 16))),
            // Nobody knows how much fits.
            _ => (1, 0),
        };
        let userdata = memory.read_u64(at);
        memory.write_u64(event, userdata);
        memory.write_u16(event + 8, 0);
        memory.write_u8(event + 10, ty);
        memory.write_u64(event + 16, bytes);
        memory.write_u16(event + 24, flags);
        Ok(())
    }
}

/// Whether a file has been read to its end.
fn hangup(fd: u32) -> u16 {
    let Ok(descriptor) = descriptors::file(fd) else { return 0 };
    let at_end = files::fd(descriptor.file).is_ok_and(|fd| {
        let (Ok(stat), Ok(position)) = (fstat(fd), tell(fd)) else { return false };
        let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        is_regular && stat.st_size.cast_unsigned() <= position
    });
    if at_end { HANGUP } else { 0 }
}

/// Waits until a file is ready or the deadline has come.
fn wait(fds: &mut [PollFd<'_>], deadline_ns: Option<u64>) {
    loop {
        let left = deadline_ns.map(|deadline_ns| {
            let left_ns = deadline_ns.saturating_sub(clocks::monotonic_ns());
            Timespec {
                tv_sec: (left_ns / 1_000_000_000) as i64,
                tv_nsec: (left_ns % 1_000_000_000) as _,
            }
        });
        match rustix::event::poll(fds, left.as_ref()) {
            // A timeout may come early by the clock's granularity: then wait for the rest.
            Ok(0) if deadline_ns.is_none_or(|deadline_ns| deadline_ns > clocks::monotonic_ns()) => {
            }
            Err(Errno::INTR) => {}
            _ => return,
        }
    }
}
