//! Measures what users feel, always side by side with a peer in one run.
//!
//! `cargo run --release -p benches` runs everything, `-- --only NAME` one group; the
//! tables go to standard output and, with their JSON form, to `target/benches/`. A
//! figure is a ratio of programs that ran alternately on the same machine; no figure
//! is compared with another run's.

mod calls;
mod chains;
mod compile;
#[cfg(feature = "wasmtime")]
mod peer;
mod report;
mod startup;
mod workshop;

use std::path::Path;
use std::process::ExitCode;

/// A group of measurements.
struct Group {
    name: &'static str,
    /// Measures; the arguments are inputs beyond its own.
    run: fn(&[String]) -> Result<(), String>,
    takes_files: bool,
}

const GROUPS: &[Group] = &[
    Group { name: "startup", run: |_| startup::run(), takes_files: false },
    Group { name: "calls", run: |_| publish(calls::run()?), takes_files: false },
    Group {
        name: "compile",
        run: |files| compile::run(files)?.into_iter().try_for_each(publish),
        takes_files: true,
    },
];

fn publish(table: report::Table) -> Result<(), String> {
    table.publish(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benches"))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let only = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => None,
        ["--only", name, ref files @ ..]
            if GROUPS
                .iter()
                .any(|group| group.name == name && (group.takes_files || files.is_empty())) =>
        {
            Some(name)
        }
        // What the groups start to measure something in a process of its own.
        ["peer", configuration, compiled] => return run_peer(configuration, Path::new(compiled)),
        ["compile", compiler, input, output] => {
            let done = compile::compile_repeatedly(compiler, Path::new(input), Path::new(output));
            return done.map_or_else(|error| fail("compile", &error), |()| ExitCode::SUCCESS);
        }
        _ => {
            let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
            eprintln!("usage: benches [--only {} [FILES]]", names.join("|"));
            return ExitCode::from(2);
        }
    };
    for group in GROUPS.iter().filter(|group| only.is_none_or(|name| name == group.name)) {
        if let Err(error) = (group.run)(args.get(2..).unwrap_or_default()) {
            return fail(group.name, &error);
        }
    }
    ExitCode::SUCCESS
}

fn fail(group: &str, error: &str) -> ExitCode {
    eprintln!("error: {group}: {error}");
    ExitCode::FAILURE
}

#[cfg(feature = "wasmtime")]
fn run_peer(configuration: &str, compiled: &Path) -> ExitCode {
    let Some(configuration) = peer::Configuration::from_name(configuration) else {
        eprintln!("error: no configuration is called {configuration}");
        return ExitCode::from(2);
    };
    match peer::run(configuration, compiled) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(feature = "wasmtime"))]
fn run_peer(_: &str, _: &Path) -> ExitCode {
    eprintln!("error: this build has no peers");
    ExitCode::FAILURE
}
