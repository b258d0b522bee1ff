//! Addresses into the places that refer to them.

use super::input::{Input, Relocation, Section};
use super::machine::{Failure, Machine, Values};
use super::place::Plan;
use super::resolve::{Symbols, find_definition};
use crate::error::{Error, Result};
use std::collections::HashMap;

/// Applies the relocations of all sections that are kept to the bytes of the file.
///
/// # Errors
///
/// `Unsupported` if two things that refer to each other lie too far apart.
pub fn apply_relocations(
    machine: Machine,
    inputs: &[Input<'_>],
    symbols: &Symbols<'_>,
    plan: &Plan,
    bytes: &mut [u8],
) -> Result<()> {
    let address_of = |file: usize, symbol: usize| {
        find_definition(inputs, symbols, file, symbol)
            .and_then(|(file, place)| plan.address_of(file, place))
            // A loader fills in what a shared library does not define.
            .or(plan.is_shared.then_some(0))
            .expect("what a live section refers to is live")
    };
    for placed in &plan.sections {
        let (file, index) = placed.section;
        let section = &inputs[file].sections[index];
        let values_of = |relocation: Relocation| Values {
            symbol: address_of(file, relocation.symbol),
            addend: relocation.addend,
            place: placed.address + relocation.offset,
            got: machine
                .needs_got(relocation.kind, section.bytes, relocation.offset as usize)
                .then(|| plan.got[&(file, relocation.symbol)].0),
        };
        let firsts = index_firsts(machine, section);
        for relocation in section.relocations.iter() {
            let mut values = values_of(relocation);
            if machine.is_second_of_pair(relocation.kind) {
                let first = firsts[&(values.symbol - placed.address)];
                values = values_of(section.relocations.get(first));
            }
            let offset = (placed.file_offset + relocation.offset) as usize;
            machine.apply(relocation.kind, bytes, offset, values).map_err(|failure| {
                let name = inputs[file].symbols[relocation.symbol].name;
                describe(failure, section.name, name, relocation.kind)
            })?;
        }
    }
    for symbol in &plan.got_symbols {
        let (address, file_offset) = plan.got[symbol];
        let target = address_of(symbol.0, symbol.1);
        let values = Values { symbol: target, addend: 0, place: address, got: None };
        let kind = machine.absolute_relocation();
        let applied = machine.apply(kind, bytes, file_offset as usize, values);
        applied.expect("an address fits a word");
    }
    Ok(())
}

/// The first relocations of pairs, by their offsets.
fn index_firsts(machine: Machine, section: &Section<'_>) -> HashMap<u64, usize> {
    let all = section.relocations.iter().enumerate();
    let firsts = all.filter(|(_, relocation)| machine.is_first_of_pair(relocation.kind));
    firsts.map(|(index, relocation)| (relocation.offset, index)).collect()
}

fn describe(failure: Failure, section: &str, symbol: &str, kind: u32) -> Error {
    match failure {
        Failure::OutOfRange => Error::unsupported(format!(
            "a reference in `{section}` to `{symbol}` that is farther than an instruction reaches"
        )),
        Failure::UnknownKind => {
            panic!("the inputs are ours: relocation {kind} in {section} to {symbol}")
        }
    }
}
