//! What `-v` prints: one line for each phase, with its time and what it found.

use std::io::Write;
use std::time::{Duration, Instant};

/// Collects the phases' times; prints a line for each if it is enabled.
#[derive(Debug)]
pub struct Phases {
    enabled: bool,
    last: Option<(&'static str, Duration)>,
}

impl Phases {
    /// Prints only if `enabled`.
    pub fn new(enabled: bool) -> Phases {
        Phases { enabled, last: None }
    }

    /// Runs a phase and keeps its time for [`Phases::describe`].
    pub fn time<T>(&mut self, name: &'static str, phase: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = phase();
        self.last = Some((name, start.elapsed()));
        result
    }

    /// Prints the last phase's line, which ends with what `detail` says.
    pub fn describe(&mut self, detail: impl FnOnce() -> String) {
        if let (true, Some((name, elapsed))) = (self.enabled, self.last.take()) {
            let ms = elapsed.as_secs_f64() * 1e3;
            let _ = writeln!(std::io::stderr(), "{name:<9}{ms:>9.2} ms   {}", detail());
        }
    }
}
