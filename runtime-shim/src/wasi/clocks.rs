//! `wasi:clocks`. Reading a clock is a function call into the kernel's shared page.

use crate::single::Single;
use crate::wasi::abi::{Datetime, Out};
use crate::wasi::io::poll;
use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};

/// Reads a clock.
fn read(clock: ClockId) -> Timespec {
    find_shared_page();
    clock_gettime(clock)
}

/// Tells `rustix` once where the kernel's shared page is: it must not look for itself, which costs
/// every program a system call.
#[cfg(not(test))]
fn find_shared_page() {
    static FOUND: Single<bool> = Single::new(false);
    FOUND.with(|found| {
        if !*found {
            *found = true;
            // SAFETY: the environment is the one that the kernel set up, and nothing of `rustix`
            // that has been called before reads what this sets.
            unsafe { rustix::param::init(crate::start::environment_pointer()) };
        }
    });
}

/// The tests were not started by this crate, and do without.
#[cfg(test)]
fn find_shared_page() {
    static _UNUSED: Single<()> = Single::new(());
}

fn nanoseconds(time: Timespec) -> u64 {
    (time.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(time.tv_nsec as u64)
}

/// The monotonic clock.
pub fn monotonic_ns() -> u64 {
    nanoseconds(read(ClockId::Monotonic))
}

/// The clock of the calendar, since the beginning of 1970.
pub fn realtime_ns() -> u64 {
    nanoseconds_since_1970(read(ClockId::Realtime))
}

/// How fine a clock is.
pub fn resolution_ns(clock: ClockId) -> u64 {
    nanoseconds(clock_getres(clock))
}

/// A time of the calendar in nanoseconds. Guests know nothing before 1970.
pub fn nanoseconds_since_1970(time: Timespec) -> u64 {
    if time.tv_sec < 0 { 0 } else { nanoseconds(time) }
}

/// `monotonic-clock.now`.
#[unsafe(export_name = "wasi_clocks_monotonic_clock__now")]
pub extern "C" fn monotonic_now() -> u64 {
    monotonic_ns()
}

/// `monotonic-clock.resolution`.
#[unsafe(export_name = "wasi_clocks_monotonic_clock__resolution")]
pub extern "C" fn monotonic_resolution() -> u64 {
    resolution_ns(ClockId::Monotonic)
}

/// `monotonic-clock.subscribe-instant`.
#[unsafe(export_name = "wasi_clocks_monotonic_clock__subscribe_instant")]
pub extern "C" fn subscribe_instant(when: u64) -> u32 {
    poll::subscribe_deadline(when)
}

/// `monotonic-clock.subscribe-duration`.
#[unsafe(export_name = "wasi_clocks_monotonic_clock__subscribe_duration")]
pub extern "C" fn subscribe_duration(duration: u64) -> u32 {
    if duration == 0 {
        return poll::READY;
    }
    poll::subscribe_deadline(monotonic_ns().saturating_add(duration))
}

/// A time as guests see it. They know nothing before 1970.
pub fn datetime(seconds: i64, nanoseconds: i64) -> Datetime {
    match u64::try_from(seconds) {
        Ok(seconds) => Datetime { seconds, nanoseconds: nanoseconds as u32 },
        Err(_) => Datetime { seconds: 0, nanoseconds: 0 },
    }
}

/// `wall-clock.now`.
#[unsafe(export_name = "wasi_clocks_wall_clock__now")]
pub extern "C" fn wall_now(out: Out<Datetime>) {
    let now = read(ClockId::Realtime);
    out.write(datetime(now.tv_sec, now.tv_nsec));
}

/// `wall-clock.resolution`.
#[unsafe(export_name = "wasi_clocks_wall_clock__resolution")]
pub extern "C" fn wall_resolution(out: Out<Datetime>) {
    let resolution = clock_getres(ClockId::Realtime);
    out.write(datetime(resolution.tv_sec, resolution.tv_nsec));
}
