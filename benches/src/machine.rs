//! When and where a run was.

use crate::compute::find_clang;
use std::fs;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// The reference engine's, as the manifest pins it.
const WASMTIME_VERSION: &str = "48.0.8";

/// The date, the processor, the system, how busy it was at the start, and the tools.
pub fn describe_circumstances() -> String {
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?").to_string();
    let kernel = read("/proc/sys/kernel/osrelease");
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut parts = vec![
        today(),
        format!("{} with {cores} cores", processor()),
        format!("Linux {kernel}"),
        format!("load {load} at the start"),
    ];
    if cfg!(feature = "wasmtime") {
        parts.push(format!("wasmtime {WASMTIME_VERSION}"));
    }
    parts.extend(first_line("wasm2c").map(|version| format!("wasm2c {version}")));
    let tools = [Some("cc"), find_clang(), Some("valgrind")];
    parts.extend(tools.into_iter().flatten().filter_map(first_line));
    parts.join(", ")
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "?".into(), |text| text.trim().to_string())
}

fn processor() -> String {
    let text = read("/proc/cpuinfo");
    let line = text.lines().find_map(|line| line.strip_prefix("model name"));
    line.and_then(|line| line.split_once(": ")).map_or("?", |(_, name)| name).to_string()
}

/// The first line of what a tool says about its version.
fn first_line(tool: &str) -> Option<String> {
    let output = Command::new(tool).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().map(str::to_string)
}

fn today() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (year, month, day) = date_of(seconds / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day since 1970-01-01, counted in years that begin in March.
fn date_of(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    let days = days + 719_468;
    let (era, day_of_era) = (days / ERA_DAYS, days % ERA_DAYS);
    let leaps = day_of_era / 1_460 + day_of_era / 146_096 - day_of_era / 36_524;
    let year_of_era = (day_of_era - leaps) / 365;
    let before = 365 * year_of_era + year_of_era / 4 - year_of_era / 100;
    let day_of_year = day_of_era - before;
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_manifest_s() {
        let manifest = include_str!("../Cargo.toml");
        let line = manifest.lines().find(|line| line.starts_with("wasmtime = {"));
        let line = line.expect("the reference engine is a dependency");
        assert!(line.contains(&format!("\"={WASMTIME_VERSION}\"")), "{line}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date_of(0), (1970, 1, 1));
        assert_eq!(date_of(11_016), (2000, 2, 29));
        assert_eq!(date_of(20_089), (2025, 1, 1));
        assert_eq!(date_of(20_088), (2024, 12, 31));
    }
}
