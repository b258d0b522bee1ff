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
        // SAFETY: one thread, and each `work` in this crate is short and touches other variables
        // at most.
        work(unsafe { &mut *self.0.get() })
    }
}

/// The test harness has many threads. A test that calls host functions takes its turn.
#[cfg(test)]
pub fn take_turn() -> std::sync::MutexGuard<'static, ()> {
    static TURN: std::sync::Mutex<()> = std::sync::Mutex::new(());
    // A test that failed has said so already.
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
