//! Components of others, which come without anything that could be run: they have to compile.
//!
//! Whatever they import and nobody supplies is left to the linker of the object.

#[path = "suites/corpora.rs"]
mod corpora;

use corpora::{entries, find_corpora};
use rayon::prelude::*;
use std::path::Path;
use wasmelt::phases::Phases;
use wasmelt::pipeline::{Emit, Options, compile};
use wasmelt_codegen::options::{OptLevel, Options as CodegenOptions};
use wasmelt_frontend::error::Kind;

/// What is refused, and a part of the message: what is asynchronous.
const REFUSED: &[(&str, &str)] = &[
    ("async-export", "`async`"),
    ("async-export-with-callback", "`async`"),
    ("async-streams-and-futures", "`async`"),
    ("async-task-return-param-string", "`async`"),
    ("link-lib-with-async-export", "`async`"),
    ("return-call-ref-async", "`async`"),
    ("threading", "`async`"),
];

#[test]
fn components_compile_to_objects() {
    let Some(corpora) = find_corpora() else { return };
    let mut files = Vec::new();
    for folder in entries(&corpora.join("wit-component")) {
        files.extend(Some(folder.join("component.wat")).filter(|file| file.is_file()));
    }
    let runtime = corpora.join("jco-components/jco-transpile/components/runtime");
    files.extend(entries(&runtime).into_iter().filter(|file| file.is_file()));
    assert!(files.len() >= 90, "only {} components", files.len());
    let problems = files.par_iter().filter_map(|file| check(file.as_path())).collect::<Vec<_>>();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}

/// What is wrong, if anything.
fn check(file: &Path) -> Option<String> {
    let codegen = CodegenOptions { opt_level: OptLevel::None, ..CodegenOptions::default() };
    let options = Options { emit: Emit::Obj, codegen, ..Options::default() };
    let result = compile(file, &options, &mut Phases::new(false));
    match (result, expected_refusal(file)) {
        (Ok(_), None) => None,
        (Ok(_), Some(_)) => Some(format!("{}: compiles, though listed", file.display())),
        (Err(error), Some(part)) if error.to_string().contains(part) => None,
        (Err(error), _) if error.kind() == Kind::Unsupported => {
            Some(format!("unsupported: {error}"))
        }
        (Err(error), _) => Some(error.to_string()),
    }
}

fn expected_refusal(file: &Path) -> Option<&'static str> {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let (own, folder) = (name(file)?, file.parent().and_then(name)?);
    let found = REFUSED.iter().find(|(name, _)| own == *name || folder == *name);
    found.map(|(_, part)| *part)
}
