//! Addresses into the places that refer to them.

use super::input::Input;
use super::machine::{Failure, Machine, Values};
use super::place::Plan;
use super::resolve::{Symbols, find_definition};
use crate::error::{Error, Result};

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
            .expect("what a live section refers to is live")
    };
    for placed in &plan.sections {
        let (file, index) = placed.section;
        let section = &inputs[file].sections[index];
        for relocation in &section.relocations {
            let values = Values {
                symbol: address_of(file, relocation.symbol),
                addend: relocation.addend,
                place: placed.address + relocation.offset,
                got: plan.got.get(&(file, relocation.symbol)).map(|(address, _)| *address),
            };
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

fn describe(failure: Failure, section: &str, symbol: &str, kind: u32) -> Error {
    match failure {
        Failure::OutOfRange => Error::unsupported(format!(
            "a reference in `{section}` to `{symbol}` across more than 2 GiB"
        )),
        Failure::UnknownKind => {
            panic!("the inputs are ours: relocation {kind} in {section} to {symbol}")
        }
    }
}
