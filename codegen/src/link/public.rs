//! What the outside sees of a library.

use super::resolve::Symbols;
use crate::object::ObjectFile;
use wasmelt_abi::symbols;

/// The symbol of a command's entry, as a library exports it.
const RUN: &str = "wasi_cli_run__run";
/// By what name the shim calls it.
const RUN_IN_SHIM: &str = "wasmelt_run";
/// What the shim has for whoever links a command: its own name, and the one it gets. They give way
/// to another definition, so that a program with a `main` of its own can hold a command too.
const ENTRIES: &[(&str, &str)] =
    &[("wasmelt_library_main", "main"), ("wasmelt_library_start", "_start")];

/// The global symbols.
#[derive(Debug)]
pub struct Public {
    items: Vec<PublicSymbol>,
}

/// A global symbol.
#[derive(Debug)]
pub struct PublicSymbol {
    /// What the inputs call it.
    pub inner: String,
    /// Its name.
    pub name: String,
    /// Whether another definition of the name replaces it.
    pub is_weak: bool,
}

impl Public {
    /// The exports of a program and the functions that every library has.
    pub fn of(object: &ObjectFile, has_entries: bool) -> Public {
        let plain = |name: &str| PublicSymbol {
            inner: name.to_owned(),
            name: name.to_owned(),
            is_weak: false,
        };
        let mut items: Vec<PublicSymbol> = object.exports.iter().map(|name| plain(name)).collect();
        items.extend(symbols::LIBRARY_FUNCS.iter().map(|name| plain(name)));
        if has_entries && is_command(object) {
            items.extend(ENTRIES.iter().map(|(inner, name)| PublicSymbol {
                inner: (*inner).to_owned(),
                name: (*name).to_owned(),
                is_weak: true,
            }));
        }
        Public { items }
    }

    /// The names by which the inputs define them.
    pub fn roots(&self) -> Vec<&str> {
        self.items.iter().map(|item| item.inner.as_str()).collect()
    }

    /// The names that the outside sees, but for those that give way.
    pub fn names(&self) -> Vec<String> {
        let strong = self.items.iter().filter(|item| !item.is_weak);
        strong.map(|item| item.name.clone()).collect()
    }

    /// The global symbol that the inputs call so.
    pub fn find(&self, inner: &str) -> Option<&PublicSymbol> {
        self.items.iter().find(|item| item.inner == inner)
    }
}

/// Whether the program is a command that was made a library.
fn is_command(object: &ObjectFile) -> bool {
    object.exports.iter().any(|name| name == RUN)
}

/// Lets the shim call the program's entry.
pub fn connect_entry(symbols: &mut Symbols<'_>) {
    if let Some(run) = symbols.get(RUN).copied() {
        symbols.insert(RUN_IN_SHIM, run);
    }
}
