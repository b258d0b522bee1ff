//! Flattens each `tests/program/*.wat` and compares the program's text form, or the error, with
//! the `.txt` beside it. `BLESS=1` rewrites those.
//!
//! A first line `;; library` makes every export a root; else `wasi:cli/run` is the root if there
//! is one.

use std::fs;
use std::path::Path;
use wasmelt_flatten::{Options, Roots, instantiate_with, print, verify};
use wasmelt_frontend::Session;

/// The text form of the program that a file becomes, or its error.
fn flatten_to_text(path: &Path) -> String {
    let text = fs::read(path).expect("the file can be read");
    let is_library = text.starts_with(b";; library");
    let mut session = Session::new();
    let name = path.file_name().expect("it has a name");
    let root = session.add_bytes(Path::new(name), text).expect("the test's input is valid");
    let wasmelt_frontend::Root::Component(root) = root else {
        panic!("{} is no component", path.display())
    };
    let roots = if is_library { Roots::Library } else { Roots::Executable };
    let options = Options { roots, ..Options::default() };
    match instantiate_with(session.finish(Some(root)), &options) {
        Ok(program) => {
            verify(&program).expect("the program is sound");
            print(&program)
        }
        Err(error) => format!("{error}\n"),
    }
}

#[test]
fn programs_print_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/program");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut paths: Vec<_> = fs::read_dir(folder)
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
