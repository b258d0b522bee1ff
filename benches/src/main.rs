//! Measures what users feel, always side by side with a peer in one run.
//!
//! `cargo run --release -p benches` runs everything, `-- --only NAME` one group.
//! A figure is a ratio of two programs that ran alternately on the same machine; no
//! figure is compared with another run's.

mod startup;

use std::process::ExitCode;

/// A group of measurements.
struct Group {
    name: &'static str,
    run: fn() -> Result<(), String>,
}

const GROUPS: &[Group] = &[Group { name: "startup", run: startup::run }];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let only = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => None,
        ["--only", name] if GROUPS.iter().any(|group| group.name == name) => Some(name),
        _ => {
            let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
            eprintln!("usage: benches [--only {}]", names.join("|"));
            return ExitCode::from(2);
        }
    };
    for group in GROUPS.iter().filter(|group| only.is_none_or(|name| name == group.name)) {
        if let Err(error) = (group.run)() {
            eprintln!("error: {}: {error}", group.name);
            return ExitCode::from(1);
        }
    }
    ExitCode::SUCCESS
}
