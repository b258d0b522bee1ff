//! Paths that stand where an import's name belongs.
//!
//! `(import "./child.wasm" (component $Child ...))` is how the Component Model's
//! own documents write the import of a file, but the path is not a name that any
//! validator accepts. Such an import of the outermost component gets a name made
//! of the file's stem, and keeps the path as its `external-id`, which is the
//! conformant way to say the same.

use crate::features::FEATURES;
use std::collections::HashSet;
use wasmparser::names::ComponentName;
use wast::component::{ComponentExternName, ComponentField, ItemSigKind};

/// Chooses a legal name for each import of a component or module whose name is not legal.
///
/// The result has one entry per import field, `None` where the name stays.
pub fn choose_legal_names(fields: &[ComponentField<'_>]) -> Vec<Option<String>> {
    let imports = || {
        fields.iter().filter_map(|field| match field {
            ComponentField::Import(import) => Some(import),
            _ => None,
        })
    };
    let mut taken: HashSet<String> =
        imports().map(|import| import.name.name.to_ascii_lowercase()).collect();
    let choose = |import: &wast::component::ComponentImport<'_>| {
        let is_definition =
            matches!(import.item.kind, ItemSigKind::Component(_) | ItemSigKind::CoreModule(_));
        if !is_definition || is_legal(import.name.name) {
            return None;
        }
        let stem = make_kebab_name(import.name.name);
        let mut name = stem.clone();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{stem}{number}");
            number += 1;
        }
        Some(name)
    };
    imports().map(choose).collect()
}

/// Gives each import field the name chosen for it and keeps the old one as its `external-id`.
pub fn replace_names<'a>(fields: &mut [ComponentField<'a>], names: &'a [Option<String>]) {
    let imports = fields.iter_mut().filter_map(|field| match field {
        ComponentField::Import(import) => Some(import),
        _ => None,
    });
    for (import, legal) in imports.zip(names) {
        if let Some(legal) = legal {
            let ComponentExternName { name, external_id, .. } = &mut import.name;
            external_id.get_or_insert(name);
            *name = legal;
        }
    }
}

fn is_legal(name: &str) -> bool {
    ComponentName::new_with_features(name, 0, FEATURES).is_ok()
}

/// Makes a name of lower-case words and hyphens from the last part of a path or a URL.
fn make_kebab_name(path: &str) -> String {
    let inner = path.split_once("=<").map_or(path, |(_, inner)| inner.trim_end_matches('>'));
    let mut segments = inner.rsplit(['/', '\\', ':']).filter(|segment| !segment.is_empty());
    let file = segments.next().unwrap_or(inner);
    let stem = file.split_once('@').map_or(file, |(stem, _)| stem);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);

    let mut name = String::new();
    let words = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    for word in words {
        // A word of a name starts with a letter.
        let starts_with_letter = word.starts_with(|c: char| c.is_ascii_alphabetic());
        match (name.is_empty(), starts_with_letter) {
            (true, true) => {}
            (true, false) => name.push_str("file"),
            (false, true) => name.push('-'),
            (false, false) => {}
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    if name.is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::{is_legal, make_kebab_name};

    #[test]
    fn names_made_of_paths_are_legal() {
        for (path, name) in [
            ("./virtualize.wasm", "virtualize"),
            ("../lib/My File_v2.1.wasm", "my-file-v21"),
            ("ns:pkg@1.0.0", "pkg"),
            ("relative-url=<./a/b.wat>", "b"),
            ("./42.wasm", "file42"),
            ("./.wasm", "file"),
            ("", "file"),
            ("ü", "file"),
        ] {
            assert_eq!(make_kebab_name(path), name, "{path}");
            assert!(is_legal(name), "{name}");
        }
    }
}
