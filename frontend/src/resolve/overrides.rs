//! What the command line says about imports: `--with NAME=PATH`.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};

/// The pairs of the command line and which of them found an import.
pub struct Overrides<'a> {
    entries: &'a [(String, PathBuf)],
    is_used: Vec<bool>,
    /// The names of all imports that were asked for, for messages.
    seen: Vec<String>,
}

impl<'a> Overrides<'a> {
    /// Starts with no entry used.
    pub fn new(entries: &'a [(String, PathBuf)]) -> Overrides<'a> {
        Overrides { entries, is_used: vec![false; entries.len()], seen: Vec::new() }
    }

    /// The file for an import, if the command line names one. The last entry of a name wins.
    pub fn find(&mut self, name: &str, external_id: Option<&str>) -> Option<&'a Path> {
        if !self.seen.iter().any(|seen| seen == name) {
            self.seen.push(name.to_owned());
        }
        let fits = |key: &str| {
            // `ns:pkg/iface` without a version stands for whatever version is imported.
            let unversioned = !key.contains('@') && name.split('@').next() == Some(key);
            key == name || external_id == Some(key) || unversioned
        };
        let mut found = None;
        for (index, (key, path)) in self.entries.iter().enumerate() {
            if fits(key) {
                self.is_used[index] = true;
                found = Some(path.as_path());
            }
        }
        found
    }

    /// Refuses an entry that no import asked for: most likely it is misspelt.
    pub fn check_all_used(&self) -> Result<()> {
        let unused = self.entries.iter().zip(&self.is_used).find(|(_, is_used)| !**is_used);
        let Some(((key, path), _)) = unused else { return Ok(()) };
        let error = Error::environment(format!(
            "`--with {key}={}` is for no import: none is named `{key}`",
            path.display()
        ));
        let near = self.near_misses(key);
        Err(match (near.as_slice(), self.seen.as_slice()) {
            ([], []) => error.help("nothing is imported"),
            ([], seen) => error.help(format!("the imports are {}", list_names(seen))),
            (near, _) => error.help(format!("there is {}", list_names(near))),
        })
    }

    /// Imports whose names look like the one that was asked for.
    fn near_misses(&self, key: &str) -> Vec<String> {
        let base = |name: &str| name.split('@').next().unwrap_or(name).to_ascii_lowercase();
        let key = base(key);
        let is_near = |name: &&String| {
            let name = base(name);
            name == key
                || name.ends_with(&format!(":{key}"))
                || name.ends_with(&format!("/{key}"))
                || strsim::levenshtein(&name, &key) <= 1 + key.len() / 6
        };
        self.seen.iter().filter(is_near).cloned().collect()
    }
}

/// Names in backquotes, the first few of them.
pub fn list_names(names: &[String]) -> String {
    const SHOWN_MAX: usize = 12;
    let mut shown: Vec<_> = names.iter().take(SHOWN_MAX).map(|name| format!("`{name}`")).collect();
    if names.len() > SHOWN_MAX {
        shown.push(format!("{} more", names.len() - SHOWN_MAX));
    }
    match shown.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => shown.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_without_version_fits_any_version() {
        let entries = [("wasi:io/streams".to_owned(), PathBuf::from("s.wasm"))];
        let mut overrides = Overrides::new(&entries);
        assert!(overrides.find("wasi:io/error@0.2.3", None).is_none());
        assert!(overrides.find("wasi:io/streams@0.2.3", None).is_some());
        assert!(overrides.check_all_used().is_ok());
    }
}
