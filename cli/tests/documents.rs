//! The documents and the code agree: options, links, paths and the code map.

use clap::{Command, CommandFactory};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use wasmelt::args::Args;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the repository exists")
}

/// A document: its path from the repository's root, and its text.
struct Document {
    path: PathBuf,
    text: String,
}

/// The documents in the root, in `docs` and in the folders of `examples`.
fn documents() -> Vec<Document> {
    let root = repository();
    let mut folders = vec![root.clone(), root.join("docs")];
    folders.extend(list(&root.join("examples")).into_iter().filter(|path| path.is_dir()));
    let paths = folders.iter().flat_map(|folder| list(folder));
    let is_document = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    let read = |path: PathBuf| Document {
        text: fs::read_to_string(&path).expect("documents are text"),
        path: path.strip_prefix(&root).expect("it lies below").to_path_buf(),
    };
    let documents: Vec<Document> = paths.filter(is_document).map(read).collect();
    assert!(documents.len() > 10, "the documents are gone");
    documents
}

fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| {
        panic!("{}: {error}", folder.display());
    });
    let mut paths: Vec<_> =
        entries.map(|entry| entry.expect("a readable directory").path()).collect();
    paths.sort();
    paths
}

/// The document's text between backticks, but not that of blocks.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    // A span may go on in the next line, so lines are no boundaries; blocks have their own marks.
    text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2))
}

fn report(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The command line's options as users write them; those that every program has are left out.
fn options() -> BTreeSet<String> {
    let command = Args::command();
    let of = |command: &Command| -> Vec<String> {
        let own = command
            .get_arguments()
            .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        own.filter_map(|arg| match (arg.get_long(), arg.get_short()) {
            (Some(long), _) => Some(format!("--{long}")),
            (None, short) => short.map(|short| format!("-{short}")),
        })
        .collect()
    };
    command.get_subcommands().flat_map(of).collect()
}

/// What looks like a long option.
fn long_options(text: &str) -> impl Iterator<Item = &str> {
    let is_option = |word: &&str| word.len() > 2 && word.starts_with("--");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(is_option)
}

#[test]
fn readme_names_every_command_and_option() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("it is there");
    let usage = readme.split("\n## ").find(|part| part.starts_with("Using it"));
    let usage = usage.expect("README says how the program is used");
    let mut broken = Vec::new();
    let words: BTreeSet<&str> =
        usage.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect();
    for option in options() {
        // `--output` is shown as `-o`.
        if !words.contains(option.as_str()) && option != "--output" {
            broken.push(format!("README does not name {option}"));
        }
    }
    for command in Args::command().get_subcommands() {
        if !usage.contains(&format!("    wasmelt {}", command.get_name())) {
            broken.push(format!("README does not show `wasmelt {}`", command.get_name()));
        }
    }
    report(&broken);
}

#[test]
fn readme_leads_to_every_document() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("it is there");
    let is_reached = |document: &&Document| {
        document.path == Path::new("README.md")
            || readme.contains(&format!("]({})", document.path.display()))
    };
    let documents = documents();
    let lost = documents.iter().filter(|document| !is_reached(document));
    let broken = lost.map(|document| format!("no link to {}", document.path.display()));
    report(&broken.collect::<Vec<_>>());
}

#[test]
fn documents_name_options_that_exist() {
    let options = options();
    let mut broken = Vec::new();
    for document in documents() {
        // The benches have options of their own.
        if document.path.ends_with("benchmarks.md") {
            continue;
        }
        let commands = document.text.lines().filter(|line| line.starts_with("    wasmelt "));
        // What stands behind ` -- ` or `&&` belongs to other programs.
        let commands = commands.map(|line| line.split([';', '&']).next().unwrap_or_default());
        let spans = code_spans(&document.text)
            .filter(|span| span.starts_with("--") || span.starts_with("wasmelt "));
        for option in commands.chain(spans).flat_map(long_options) {
            if !options.contains(option) {
                broken.push(format!("{}: there is no {option}", document.path.display()));
            }
        }
    }
    report(&broken);
}

#[test]
fn links_lead_somewhere() {
    let root = repository();
    let mut broken = Vec::new();
    for document in documents() {
        let folder = root.join(&document.path);
        let folder = folder.parent().expect("a file lies in a folder");
        let links = document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let text = match file {
                "" => document.text.clone(),
                file if folder.join(file).is_dir() => continue,
                file => match fs::read(folder.join(file)) {
                    Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                    Err(error) => {
                        broken.push(format!("{}: {link}: {error}", document.path.display()));
                        continue;
                    }
                },
            };
            if !heading.is_empty() && !headings(&text).any(|known| known == heading) {
                broken.push(format!("{}: {link}: no such heading", document.path.display()));
            }
        }
    }
    report(&broken);
}

/// A document's headings in the form in which links name them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
    })
}

#[test]
fn paths_in_documents_exist() {
    let root = repository();
    let folders: Vec<String> = list(&root)
        .into_iter()
        .filter(|path| path.is_dir() && !path.ends_with("target"))
        .filter_map(|path| Some(format!("{}/", path.file_name()?.to_str()?)))
        .collect();
    let mut broken = Vec::new();
    for document in documents() {
        for span in code_spans(&document.text) {
            let is_path = folders.iter().any(|folder| span.starts_with(folder));
            if is_path && !span.contains(char::is_whitespace) && !root.join(span).exists() {
                broken.push(format!("{}: there is no {span}", document.path.display()));
            }
        }
    }
    report(&broken);
}

#[test]
fn the_code_map_names_every_module() {
    let root = repository();
    let map = fs::read_to_string(root.join("ARCHITECTURE.md")).expect("it is there");
    let mut broken = Vec::new();
    for name in ["frontend", "flatten", "codegen", "runtime-shim", "cli", "benches"] {
        let heading = format!("### `{name}/`\n");
        let section = map.split_once(&heading).map(|(_, rest)| rest.split("\n##").next());
        let section = section.flatten().unwrap_or_else(|| panic!("the map has no {name}"));
        for path in list(&root.join(name).join("src")) {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let is_module =
                path.is_dir() || path.extension().is_some_and(|extension| extension == "rs");
            let is_root = ["lib", "main"].contains(&stem) || stem.ends_with("tests");
            let is_named = section.contains(&format!("`{stem}.rs`"))
                || section.contains(&format!("`{stem}/`"));
            if is_module && !is_root && !is_named {
                broken.push(format!("ARCHITECTURE.md does not name {name}/src/{stem}"));
            }
        }
    }
    report(&broken);
}
