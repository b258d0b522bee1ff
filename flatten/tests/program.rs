//! Flattens each `tests/program/*.wat` and compares the program's text form, or the error, with
//! the `.txt` beside it. `BLESS=1` rewrites those.
//!
//! The first lines can be directives: `;; library` makes every export a root, where else
//! `wasi:cli/run` is the root if there is one; `;; with NAME=PATH` binds an import to a file.

use std::fs;
use std::path::{Path, PathBuf};
use wasmelt_flatten::{Options, Roots, instantiate_with, print, verify};
use wasmelt_frontend::ReadOptions;

const FOLDER: &str = "tests/program";

/// The text form of the program that a file becomes, or its error.
fn flatten_to_text(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("the file can be read");
    let mut roots = Roots::Executable;
    let mut with = Vec::new();
    for directive in text.lines().map_while(|line| line.strip_prefix(";; ")) {
        if directive == "library" {
            roots = Roots::Library;
        } else if let Some(binding) = directive.strip_prefix("with ") {
            let (name, file) = binding.split_once('=').expect("a binding is NAME=PATH");
            with.push((name.to_string(), Path::new(FOLDER).join(file)));
        }
    }
    let composition =
        match wasmelt_frontend::read(path, &ReadOptions { with, ..ReadOptions::default() }) {
            Ok(composition) => composition,
            Err(error) => panic!("the test's input is not valid: {error}"),
        };
    let options = Options { roots, ..Options::default() };
    match instantiate_with(composition, &options) {
        Ok(program) => {
            verify(&program).expect("the program is sound");
            print(&program)
        }
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn programs_print_as_expected() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut paths: Vec<PathBuf> = fs::read_dir(FOLDER)
        .expect("the folder exists")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    paths.sort();
    for path in paths {
        let found = flatten_to_text(&path);
        let snapshot = path.with_extension("txt");
        if bless {
            fs::write(&snapshot, &found).expect("the snapshot can be written");
        } else if fs::read_to_string(&snapshot).unwrap_or_default() != found {
            wrong.push(format!("{}:\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "not as expected (BLESS=1 accepts):\n{}", wrong.join("\n"));
}
