//! The test scripts: the project's own, and where they are at hand the corpora of others.
//!
//! What is expected to fail stands in `tests/suites/expected-failures.txt`, and that
//! list can only shrink.

#[path = "suites/corpora.rs"]
mod corpora;
#[path = "suites/expectations.rs"]
mod expectations;

use corpora::{find_corpora, repository, scripts_below, scripts_in};
use expectations::Expectations;
use wasmelt::wast::run_scripts;
use wasmelt_codegen::options::{MemoryMode, OptLevel, Options, Versions};

/// The corpora's folders that must pass, all but what the list says.
const SUITES: &[&str] = &[
    "core-spec",
    "core-proposals/threads",
    "core-proposals/wide-arithmetic",
    "core-proposals/custom-page-sizes",
    "wasmtime-misc/memory64",
    "wasmtime-misc/multi-memory",
    "wasmtime-misc/simd",
    "wasmtime-misc/tail-call",
    "wasmtime-misc/threads",
    "wasmtime-misc/winch",
    "wasmtime-misc/function-references",
    "wasmtime-misc/custom-page-sizes",
    "component-model/values",
    "component-model/resources",
    "component-model/linking",
    "component-model/binary",
    "component-model/validation",
];

/// Folders of which only the scripts that lie directly in them are run.
const TOP_LEVELS: &[&str] =
    &["wasmtime-misc", "wasmtime-misc/component-model", "wasm-tools-cli/component-model"];

#[test]
fn own_scripts_pass_in_every_configuration() {
    let folder = repository().join("tests/wast");
    let files = scripts_below(&folder);
    assert!(files.len() >= 3, "no scripts in {}", folder.display());
    for options in configurations() {
        for (file, outcome) in files.iter().zip(run_scripts(&files, &options)) {
            let complete = outcome.failed == 0 && outcome.unsupported == 0 && outcome.passed > 0;
            assert!(complete, "{} with {options:?}: {outcome:#?}", file.display());
        }
    }
}

#[test]
fn corpora_pass_optimised_with_guard_pages() {
    run_corpora(&Options { opt_level: OptLevel::Full, ..Options::default() });
}

/// Every function has versions, and the machine runs that for its processor; or none has, and it runs
/// what every processor can.
#[test]
fn corpora_pass_whatever_the_version() {
    for versions in [Versions::None, Versions::Everywhere] {
        run_corpora(&Options { versions, ..Options::default() });
    }
}

#[test]
fn corpora_pass_unoptimised_with_bounds_checks() {
    let memory_mode = MemoryMode::Bounds;
    let inline = Some(true);
    run_corpora(&Options { opt_level: OptLevel::None, memory_mode, inline, ..Options::default() });
}

/// Every combination of what changes the generated code.
fn configurations() -> Vec<Options> {
    let levels = [OptLevel::None, OptLevel::Less, OptLevel::Full, OptLevel::Size];
    let modes = [MemoryMode::Guard, MemoryMode::Bounds];
    let mut all = Vec::new();
    for opt_level in levels {
        for memory_mode in modes {
            for inline in [false, true] {
                let inline = Some(inline);
                all.push(Options { opt_level, memory_mode, inline, ..Options::default() });
            }
        }
    }
    for versions in [Versions::None, Versions::Everywhere] {
        all.push(Options { versions, ..Options::default() });
    }
    all
}

fn run_corpora(options: &Options) {
    let Some(corpora) = find_corpora() else { return };
    let mut files = Vec::new();
    for suite in SUITES {
        files.extend(scripts_below(&corpora.join(suite)));
    }
    for folder in TOP_LEVELS {
        files.extend(scripts_in(&corpora.join(folder)));
    }
    let outcomes = run_scripts(&files, options);
    let names = files.iter().map(|file| {
        let name = file.strip_prefix(&corpora).expect("the files lie in the corpora");
        name.to_str().expect("the corpora's names are Unicode").to_owned()
    });
    let problems = Expectations::read().compare(&names.zip(outcomes).collect());
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
