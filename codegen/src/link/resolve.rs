//! Which symbol is which, and what of the inputs is needed.

use super::input::{Binding, Input, Kind, Place, Symbol};
use crate::error::{Error, Result};
use std::collections::{BTreeMap, HashMap};

/// A section of one of the inputs.
pub type SectionRef = (usize, usize);

/// The definitions that every object sees, by name: input and symbol.
pub type Symbols<'a> = HashMap<&'a str, (usize, usize)>;

/// Finds the definition of each global symbol: the first strong one, else the first weak one.
pub fn resolve_symbols<'a>(inputs: &[Input<'a>]) -> Symbols<'a> {
    let global = |symbol: &&Symbol<'_>| symbol.binding != Binding::Local;
    let count = inputs.iter().map(|input| input.symbols.iter().filter(global).count()).sum();
    let mut symbols = Symbols::with_capacity(count);
    for wanted in [Binding::Strong, Binding::Weak] {
        for (file, input) in inputs.iter().enumerate() {
            for (index, symbol) in input.symbols.iter().enumerate() {
                let is_defined = symbol.place != Place::Undefined;
                if symbol.binding == wanted && is_defined && !symbol.name.is_empty() {
                    symbols.entry(symbol.name).or_insert((file, index));
                }
            }
        }
    }
    symbols
}

/// Where the symbol that a relocation of `file` names is defined: the input and its place.
pub fn find_definition(
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    file: usize,
    index: usize,
) -> Option<(usize, Place)> {
    let symbol = &inputs[file].symbols[index];
    if symbol.binding == Binding::Local {
        return Some((file, symbol.place));
    }
    match symbols.get(symbol.name) {
        Some((file, index)) => Some((*file, inputs[*file].symbols[*index].place)),
        // A weak reference may stay without a definition; its address is then 0.
        None if symbol.binding == Binding::Weak => Some((file, Place::Absolute(0))),
        None => None,
    }
}

/// Finds the sections that the roots reach, in the order of input and index. Where `is_open`,
/// someone else defines what the inputs do not.
///
/// # Errors
///
/// `Environment` that lists the symbols which are used and defined nowhere.
pub fn mark_live(
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    roots: &[&str],
    is_open: bool,
) -> Result<Vec<SectionRef>> {
    let mut is_live: Vec<Vec<bool>> =
        inputs.iter().map(|input| vec![false; input.sections.len()]).collect();
    let mut undefined: BTreeMap<&str, &str> = BTreeMap::new();
    let mut work: Vec<SectionRef> = Vec::new();
    for root in roots {
        match symbols.get(root) {
            Some((file, index)) => {
                if let Place::Section(section, _) = inputs[*file].symbols[*index].place {
                    work.push((*file, section));
                }
            }
            None => {
                let is_start = *root == wasmelt_abi::symbols::START;
                undefined.insert(root, if is_start { "the kernel" } else { "the outside" });
            }
        }
    }
    // Contents at fixed addresses are reached by their addresses.
    let is_fixed = |name: &str| name.starts_with(".wasmelt.");
    let fixed = inputs[0].sections.iter().enumerate().filter(|(_, it)| is_fixed(it.name));
    work.extend(fixed.map(|(index, _)| (0, index)));
    while let Some((file, index)) = work.pop() {
        let section = &inputs[file].sections[index];
        if section.kind == Kind::Absent || std::mem::replace(&mut is_live[file][index], true) {
            continue;
        }
        assert!(section.kind != Kind::Refused, "the inputs are ours: {}", section.name);
        for relocation in section.relocations.iter() {
            match find_definition(inputs, symbols, file, relocation.symbol) {
                Some((file, Place::Section(section, _))) => work.push((file, section)),
                Some((_, Place::Absolute(_))) => {}
                Some((_, Place::Undefined)) | None if is_open => {}
                Some((_, Place::Undefined)) | None => {
                    let name = inputs[file].symbols[relocation.symbol].name;
                    undefined.entry(name).or_insert(section.name);
                }
            }
        }
    }
    if !undefined.is_empty() {
        return Err(report_undefined(&undefined));
    }
    let all = is_live.iter().enumerate();
    let live = all.flat_map(|(file, sections)| {
        let sections = sections.iter().enumerate().filter(|(_, live)| **live);
        sections.map(move |(index, _)| (file, index))
    });
    Ok(live.collect())
}

fn report_undefined(undefined: &BTreeMap<&str, &str>) -> Error {
    let names: Vec<String> =
        undefined.iter().map(|(name, user)| format!("`{name}` (used by {user})")).collect();
    let what = if names.len() == 1 { "an undefined symbol" } else { "undefined symbols" };
    Error::environment(format!("{what}: {}", names.join(", ")))
}
