//! State of a program that has one thread.

use core::cell::UnsafeCell;

/// A static variable.
pub struct Single<T>(UnsafeCell<T>);

// SAFETY: the process has one thread; signal handlers of the shim do not return to what they
// interrupted, so they cannot see a value half written and go on.
unsafe impl<T> Sync for Single<T> {}

impl<T> Single<T> {
    /// A variable with that value.
    pub const fn new(value: T) -> Single<T> {
        Single(UnsafeCell::new(value))
    }

    /// Works with the value. `work` must not come back to the same variable.
    #[inline(always)]
    pub fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(test)]
        let _guard = tests::lock();
        // SAFETY: one thread, and each `work` in this crate is short and touches other variables
        // at most.
        work(unsafe { &mut *self.0.get() })
    }
}

/// The test harness has many threads: a lock that the same thread may take again stands in for
/// there being only one.
#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    static LOCKED: AtomicBool = AtomicBool::new(false);
    std::thread_local! { static DEPTH: core::cell::Cell<u32> = const { core::cell::Cell::new(0) } }

    pub struct Guard;

    pub fn lock() -> Guard {
        if DEPTH.get() == 0 {
            while LOCKED.swap(true, Ordering::Acquire) {
                std::thread::yield_now();
            }
        }
        DEPTH.set(DEPTH.get() + 1);
        Guard
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            if DEPTH.get() == 0 {
                LOCKED.store(false, Ordering::Release);
            }
        }
    }
}
