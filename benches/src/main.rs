//! Measures what users feel, always side by side with a peer in one run.
//!
//! `cargo run --release -p benches` runs everything, `-- --only NAME` one group. The results go to
//! `target/benches/` as JSON and Markdown, and to standard output; with `--docs` also into `docs/`:
//! JSON, tables and charts are then written again in place. `--render` does that without measuring.
//! A figure is a ratio of programs that ran alternately on the same machine; no figure is compared
//! with another run's.

mod calls;
mod chains;
mod charts;
mod compile;
mod componentize;
mod compute;
mod contest;
mod docs;
mod growth;
mod guest;
mod host;
mod machine;
mod markdown;
#[cfg(feature = "wasmtime")]
mod peer;
mod report;
mod size;
mod startup;
mod workshop;

use report::{Results, Table};
use std::path::Path;
use std::process::ExitCode;

/// A group of measurements.
struct Group {
    name: &'static str,
    /// Measures; the arguments are inputs beyond its own.
    run: fn(&[String]) -> Result<Vec<Table>, String>,
    takes_files: bool,
}

const GROUPS: &[Group] = &[
    Group { name: "calls", run: calls::run, takes_files: true },
    Group { name: "host", run: |_| host::run(), takes_files: false },
    Group { name: "startup", run: startup::run, takes_files: true },
    Group { name: "size", run: size::run, takes_files: true },
    Group { name: "compute", run: |_| compute::run(), takes_files: false },
    Group { name: "compile", run: compile::run, takes_files: true },
    Group { name: "growth", run: |_| growth::run(), takes_files: false },
];

/// What the command line asks for.
#[derive(Default)]
struct Request {
    only: Option<String>,
    files: Vec<String>,
    docs: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // What the groups start to measure something in a process of its own.
        ["peer", configuration, input] => run_peer(configuration, Path::new(input), false),
        ["load", configuration, compiled] => run_peer(configuration, Path::new(compiled), true),
        ["compile", compiler, input, output] => {
            compile::compile_repeatedly(compiler, Path::new(input), Path::new(output))
        }
        ["--render"] => docs::render(),
        _ => match parse(&args) {
            Some(request) => run_groups(&request),
            None => {
                let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
                let names = names.join("|");
                eprintln!("usage: benches [--docs] [--only {names} [FILES]] | benches --render");
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(args: &[String]) -> Option<Request> {
    let mut request = Request::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match (arg.as_str(), &request.only) {
            ("--docs", _) => request.docs = true,
            ("--only", None) => request.only = Some(args.next()?.clone()),
            (file, Some(_)) if !file.starts_with('-') => request.files.push(file.to_string()),
            _ => return None,
        }
    }
    let takes = |group: &Group, name: &str| {
        group.name == name && (group.takes_files || request.files.is_empty())
    };
    let is_known = |name: &String| GROUPS.iter().any(|group| takes(group, name));
    request.only.as_ref().is_none_or(is_known).then_some(request)
}

fn run_groups(request: &Request) -> Result<(), String> {
    for group in GROUPS {
        if request.only.as_ref().is_some_and(|name| group.name != name) {
            continue;
        }
        eprintln!("{}", group.name);
        let circumstances = machine::describe_circumstances();
        let tables =
            (group.run)(&request.files).map_err(|error| format!("{}: {error}", group.name))?;
        let results = Results { group: group.name.to_string(), circumstances, tables };
        publish(&results)?;
        if request.docs {
            docs::publish(&results)?;
        }
    }
    if request.docs { docs::render() } else { Ok(()) }
}

/// Writes `GROUP.md` and `GROUP.json` into `target/benches`, and the Markdown to standard output.
fn publish(results: &Results) -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/benches");
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut text = format!("{}: {}.\n", results.group, results.circumstances);
    for table in &results.tables {
        text += &format!("\n## {}\n\n{}", table.name, markdown::to_markdown(table));
    }
    std::fs::create_dir_all(&folder).map_err(fail)?;
    std::fs::write(folder.join(format!("{}.md", results.group)), &text).map_err(fail)?;
    let json = results.to_json()?;
    std::fs::write(folder.join(format!("{}.json", results.group)), json).map_err(fail)?;
    println!("{text}");
    Ok(())
}

#[cfg(feature = "wasmtime")]
fn run_peer(configuration: &str, input: &Path, is_compiled: bool) -> Result<(), String> {
    let configuration = peer::Configuration::from_name(configuration)
        .ok_or_else(|| format!("no configuration is called {configuration}"))?;
    let run = if is_compiled { peer::load } else { peer::run };
    match run(configuration, input) {
        Ok(true) => Ok(()),
        Ok(false) => Err("the command failed".to_string()),
        Err(error) => Err(format!("{error:?}")),
    }
}

#[cfg(not(feature = "wasmtime"))]
fn run_peer(_: &str, _: &Path, _: bool) -> Result<(), String> {
    Err("this build has no peers".to_string())
}
