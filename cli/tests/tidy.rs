//! The rules of `ARCHITECTURE.md` that a program can check.
//!
//! The source is read line by line, which is enough for code in the form that `cargo fmt`
//! gives it: a function ends at the first closing brace with its own indentation.

use std::fs;
use std::path::{Path, PathBuf};

const CRATES: &[&str] =
    &["frontend", "flatten", "codegen", "runtime-shim", "runtime-shim/abi", "cli", "benches"];
const FILE_LINES_MAX: usize = 1000;
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that are one flat match over opcodes, with an arm a line, or one text with holes: the
/// file and the name.
const FLAT_FUNCTIONS: &[(&str, &str)] = &[("benches/src/guest.rs", "text")];

/// What a crate may depend on: a stage on the stage before it and on the libraries whose subject
/// it alone knows.
const DEPENDENCIES: &[(&str, &[&str])] = &[
    (
        "frontend",
        &[
            "cranelift-entity",
            "indexmap",
            "rayon",
            "strsim",
            "wasi-preview1-component-adapter-provider",
            "wasmparser",
            "wast",
            "wat",
            "wit-component",
            "wit-parser",
        ],
    ),
    (
        "flatten",
        &[
            "cranelift-entity",
            "indexmap",
            "strsim",
            "wasmelt-abi",
            "wasmelt-frontend",
            "wit-parser",
        ],
    ),
    (
        "codegen",
        &[
            "cranelift-codegen",
            "cranelift-entity",
            "cranelift-frontend",
            "cranelift-native",
            "iced-x86",
            "object",
            "rayon",
            "regalloc2",
            "target-lexicon",
            "wasmelt-abi",
            "wasmelt-flatten",
            "wasmparser",
        ],
    ),
    ("runtime-shim", &["libm", "rand_chacha", "rustix", "wasmelt-abi"]),
    ("runtime-shim/abi", &[]),
    (
        "cli",
        &[
            "clap",
            "tempfile",
            "toml",
            "wasm-wave",
            "wasmelt-abi",
            "wasmelt-codegen",
            "wasmelt-flatten",
            "wasmelt-frontend",
        ],
    ),
];

/// Words that may stand in the source below these folders only.
const PLACES: &[(&str, &[&str])] = &[
    ("wasmparser::", &["frontend/src", "codegen/src/translate"]),
    ("use wast::", &["frontend/src"]),
    ("cranelift_codegen::", &["codegen/src"]),
    ("cranelift_frontend::", &["codegen/src"]),
    // In `lib.rs` this is the module of that name.
    ("use object::", &["codegen/src/object", "codegen/src/link", "codegen/src/lib.rs"]),
    ("rustix::", &["runtime-shim/src"]),
    ("asm!", &["runtime-shim/src"]),
    // The reference engine's loader of precompiled files is an `unsafe` function.
    ("unsafe ", &["runtime-shim/src", "benches/src/peer.rs"]),
    ("std::process", &["cli/src", "benches/src"]),
];

/// Words that stand nowhere outside tests.
const NOWHERE: &[&str] =
    &[".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX", "Rc<", "RefCell<"];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository exists")
}

/// A source file: its path from the repository's root, and its text.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// The lines that are code and not tests, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut in_tests = false;
        let mut after_cfg = false;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            if after_cfg && line.starts_with("mod ") {
                in_tests = line.ends_with('{');
            }
            after_cfg = line == "#[cfg(test)]";
            let is_code = !in_tests && !after_cfg && !line.trim_start().starts_with("//");
            in_tests &= line != "}";
            is_code.then_some((index + 1, line))
        })
    }
}

fn sources() -> Vec<Source> {
    let root = repository();
    let mut sources = Vec::new();
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|name| root.join(name).join("src")).collect();
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| {
            panic!("{}: {error}", folder.display());
        });
        for entry in entries {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() && !path.ends_with("tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !is_for_tests(&path)
            {
                let text = fs::read_to_string(&path).expect("source is text");
                let path = path.strip_prefix(&root).expect("it lies below").to_string_lossy();
                sources.push(Source { path: path.replace('\\', "/"), text });
            }
        }
    }
    assert!(sources.len() > CRATES.len(), "the source is gone");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    sources
}

/// Modules that only tests are compiled with.
fn is_for_tests(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    stem == "tests" || stem.ends_with("_tests") || stem.ends_with("_for_tests")
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "{} broken rules:\n{}", broken.len(), broken.join("\n"));
}

#[test]
fn crates_depend_on_what_they_may() {
    let mut broken = Vec::new();
    for (name, allowed) in DEPENDENCIES {
        let manifest = repository().join(name).join("Cargo.toml");
        let text = fs::read_to_string(manifest).expect("each crate has a manifest");
        let dependencies = text
            .lines()
            .skip_while(|line| *line != "[dependencies]")
            .skip(1)
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split(['.', ' ', '=']).next())
            .filter(|dependency| !dependency.is_empty() && !dependency.starts_with('#'));
        for dependency in dependencies {
            if !allowed.contains(&dependency) {
                broken.push(format!("{name} must not depend on {dependency}"));
            }
        }
    }
    report(&broken);
}

#[test]
fn words_stay_in_their_places() {
    let mut broken = Vec::new();
    for source in sources() {
        for (line, code) in source.code() {
            for (word, places) in PLACES {
                let is_here = places.iter().any(|place| source.path.starts_with(place));
                if !is_here && has_word(code, word) {
                    broken.push(format!("{}:{line}: `{word}` belongs to {places:?}", source.path));
                }
            }
            for word in NOWHERE.iter().filter(|word| has_word(code, word)) {
                broken.push(format!("{}:{line}: `{word}`", source.path));
            }
        }
    }
    report(&broken);
}

/// Whether the word stands in the line, and not as the end of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        word.starts_with('.') || !before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c))
    })
}

#[test]
fn interface_types_stay_in_the_adapter_module() {
    let mut broken = Vec::new();
    let elsewhere = |source: &Source| {
        source.path.starts_with("codegen/src/")
            && !source.path.starts_with("codegen/src/adapter")
            && source.path != "codegen/src/lib.rs"
    };
    for source in sources().into_iter().filter(elsewhere) {
        for (line, code) in source.code() {
            if has_word(code, "interface::") {
                broken.push(format!("{}:{line}: interface types", source.path));
            }
        }
    }
    report(&broken);
}

#[test]
fn files_and_functions_are_short() {
    let mut broken = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            broken.push(format!("{}: {lines} lines", source.path));
        }
        let mut function: Option<(String, &str, usize)> = None;
        for (line, code) in source.text.lines().enumerate() {
            if let Some((name, indent, start)) = &function {
                if code.strip_prefix(indent) == Some("}") {
                    let lines = line - start + 1;
                    let path = &source.path;
                    if lines > FUNCTION_LINES_MAX && !FLAT_FUNCTIONS.contains(&(path, name)) {
                        broken.push(format!("{path}:{}: {name} has {lines} lines", start + 1));
                    }
                    function = None;
                }
            } else if let Some(name) = function_name(code) {
                let indent = &code[..code.len() - code.trim_start().len()];
                if !code.trim_end().ends_with([';', '}']) {
                    function = Some((name.to_string(), indent, line));
                }
            }
        }
    }
    report(&broken);
}

/// The name of the function that begins in this line.
fn function_name(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    while let Some((word, rest)) = words.split_once(' ') {
        if word == "fn" {
            return rest.split(['(', '<']).next();
        }
        let is_modifier = word.starts_with("pub")
            || ["const", "unsafe", "extern", "\"C\"", "async"].contains(&word);
        if !is_modifier {
            return None;
        }
        words = rest;
    }
    None
}

#[test]
fn documents_are_there_and_short() {
    let root = repository();
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"] {
        assert!(root.join(name).is_file(), "{name} is missing");
    }
    let text = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("checked above");
    assert!(text.lines().count() <= 250, "ARCHITECTURE.md is a map, not a book");
    // The example that README quotes is the one that the tests run.
    let readme = fs::read_to_string(root.join("README.md")).expect("checked above");
    assert!(readme.contains("run examples/link-time-virtualization/parent.wat"));
}

#[test]
fn every_dependency_has_its_reason() {
    let read = |name: &str| fs::read_to_string(repository().join(name)).expect("it is there");
    let (manifest, text) = (read("Cargo.toml"), read("ARCHITECTURE.md"));
    let dependencies = manifest
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| !name.starts_with("wasmelt"));
    let unexplained: Vec<&str> =
        dependencies.filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(unexplained.is_empty(), "ARCHITECTURE.md does not say what {unexplained:?} are for");
}

#[test]
fn the_inline_example_is_made_of_the_others() {
    let folder = repository().join("examples/link-time-virtualization");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("an example");
    let inline = read("parent-inline.wat");
    for (file, name) in [("child.wat", "$Child"), ("virtualize.wat", "$Virtualize")] {
        let text = read(file);
        let body = text.split_once("(component\n").expect("it is a component").1;
        let indented: String = std::iter::once(format!("  (component {name}"))
            .chain(body.trim_end().lines().map(|line| match line {
                "" => String::new(),
                line => format!("  {line}"),
            }))
            .collect::<Vec<_>>()
            .join("\n");
        assert!(inline.contains(&indented), "parent-inline.wat differs from {file}");
    }
}
