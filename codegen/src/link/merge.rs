//! The program and what it uses of the shim as one relocatable object.
//!
//! Everyone else's linker may take it from here. All symbols are local but the functions that the
//! outside calls and those that the outside supplies: an object that brought its own `memcpy` and
//! `_start` could be linked with nothing.

use super::frames::{Frames, collect_frames};
use super::input::{Binding, Input, Kind, Place, Relocation as InputRelocation, Section};
use super::machine::Machine;
use super::public::Public;
use super::resolve::{SectionRef, Symbols};
use crate::error::{Error, Result};
use crate::object::format::new_object;
use crate::options::Options;
use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{BinaryFormat, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope};
use std::collections::HashMap;

/// Writes the live sections of all inputs into one object.
///
/// # Errors
///
/// `Unsupported` if the format cannot hold them.
pub fn merge_objects(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    live: &[SectionRef],
    public: &Public,
    options: &Options,
) -> Result<Vec<u8>> {
    let frames = collect_frames(machine, inputs, symbols, live);
    let object = new_object(machine, BinaryFormat::Elf);
    let mut merger = Merger {
        machine,
        inputs,
        symbols,
        object,
        sections: HashMap::new(),
        defined: HashMap::new(),
        undefined: HashMap::new(),
    };
    for section in live {
        merger.add_section(*section);
    }
    // Without it linkers make the whole program's stack executable.
    let note = b".note.GNU-stack".to_vec();
    merger.object.add_section(Vec::new(), note, SectionKind::Other);
    merger.define_symbols(public, options.strip);
    for section in live {
        merger.add_relocations(*section);
    }
    if let Some(frames) = &frames {
        merger.add_frames(frames);
    }
    let bytes = merger.object.write();
    bytes.map_err(|error| Error::unsupported(format!("an object file: {error}")))
}

struct Merger<'a> {
    machine: Machine,
    inputs: &'a [Input<'a>],
    symbols: &'a Symbols<'a>,
    object: Object<'static>,
    sections: HashMap<SectionRef, SectionId>,
    /// The symbol in the new object for one of an input.
    defined: HashMap<(usize, usize), SymbolId>,
    undefined: HashMap<String, SymbolId>,
}

impl Merger<'_> {
    fn add_section(&mut self, (file, index): SectionRef) {
        let section = &self.inputs[file].sections[index];
        let (name, kind) = self.describe_section(section);
        let id = self.object.add_section(Vec::new(), name.into_bytes(), kind);
        if section.kind == Kind::Zero {
            self.object.append_section_bss(id, section.size_bytes, section.align);
        } else {
            self.object.append_section_data(id, section.bytes, section.align);
        }
        self.sections.insert((file, index), id);
    }

    fn describe_section(&self, section: &Section<'_>) -> (String, SectionKind) {
        let absolute = self.machine.absolute_relocation();
        let holds_addresses = section.relocations.iter().any(|it| it.kind == absolute);
        let name = section.name.to_owned();
        match section.kind {
            Kind::Code => (name, SectionKind::Text),
            // Where the code may lie anywhere, whoever loads it must write the addresses.
            Kind::ReadOnly if holds_addresses => {
                (format!(".data.rel.ro{name}"), SectionKind::ReadOnlyDataWithRel)
            }
            Kind::ReadOnly => (name, SectionKind::ReadOnlyData),
            Kind::Writable if name.starts_with(".data.rel.ro") => {
                (name, SectionKind::ReadOnlyDataWithRel)
            }
            Kind::Writable => (name, SectionKind::Data),
            Kind::Zero => (name, SectionKind::UninitializedData),
            Kind::Absent | Kind::Refused => unreachable!("{name} is not live"),
        }
    }

    fn define_symbols(&mut self, public: &Public, strip: bool) {
        for (file, input) in self.inputs.iter().enumerate() {
            for (index, symbol) in input.symbols.iter().enumerate() {
                let Place::Section(section, offset) = symbol.place else { continue };
                let Some(id) = self.sections.get(&(file, section)).copied() else { continue };
                if !symbol.is_item && symbol.name.is_empty() && offset == 0 {
                    let id = self.object.section_symbol(id);
                    self.defined.insert((file, index), id);
                    continue;
                }
                let is_chosen = self.symbols.get(symbol.name) == Some(&(file, index));
                let exported = public.find(symbol.name).filter(|_| is_chosen);
                // The shim's own names say nothing to those who use the object.
                let is_nameless = exported.is_none() && (strip || file > 0);
                let name = exported.map_or(symbol.name, |it| &it.name);
                let kind = if symbol.is_func { SymbolKind::Text } else { SymbolKind::Data };
                let added = self.object.add_symbol(Symbol {
                    name: if is_nameless { Vec::new() } else { name.as_bytes().to_vec() },
                    value: offset,
                    size: symbol.size_bytes,
                    kind: if symbol.is_item { kind } else { SymbolKind::Label },
                    scope: match exported {
                        Some(_) => SymbolScope::Dynamic,
                        None => SymbolScope::Compilation,
                    },
                    weak: exported.is_some_and(|it| it.is_weak),
                    section: SymbolSection::Section(id),
                    flags: SymbolFlags::None,
                });
                self.defined.insert((file, index), added);
            }
        }
    }

    fn add_relocations(&mut self, (file, index): SectionRef) {
        let section = self.sections[&(file, index)];
        let inputs = self.inputs;
        for relocation in inputs[file].sections[index].relocations.iter() {
            self.add_relocation(section, file, &relocation);
        }
    }

    fn add_relocation(&mut self, section: SectionId, file: usize, from: &InputRelocation) {
        let symbol = self.find_symbol(file, from.symbol);
        let flags = RelocationFlags::Elf { r_type: object::elf::RelocationType(from.kind) };
        let relocation = Relocation { offset: from.offset, symbol, addend: from.addend, flags };
        self.object
            .add_relocation(section, relocation)
            .expect("an ELF relocation needs no translation");
    }

    /// Writes the frame table of all functions that are kept.
    fn add_frames(&mut self, frames: &Frames) {
        let kind = SectionKind::ReadOnlyData;
        let section = self.object.add_section(Vec::new(), b".eh_frame".to_vec(), kind);
        self.object.append_section_data(section, &frames.bytes, 8);
        for (file, relocation) in &frames.relocations {
            self.add_relocation(section, *file, relocation);
        }
    }

    fn find_symbol(&mut self, file: usize, index: usize) -> SymbolId {
        let symbol = &self.inputs[file].symbols[index];
        let definition = match symbol.binding {
            Binding::Local => Some((file, index)),
            _ => self.symbols.get(symbol.name).copied(),
        };
        if let Some(known) = definition.and_then(|place| self.defined.get(&place)) {
            return *known;
        }
        let object = &mut self.object;
        *self.undefined.entry(symbol.name.to_owned()).or_insert_with(|| {
            object.add_symbol(Symbol {
                name: symbol.name.as_bytes().to_vec(),
                value: 0,
                size: 0,
                kind: SymbolKind::Text,
                scope: SymbolScope::Unknown,
                weak: symbol.binding == Binding::Weak,
                section: SymbolSection::Undefined,
                flags: SymbolFlags::None,
            })
        })
    }
}
