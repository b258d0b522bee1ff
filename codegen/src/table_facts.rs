//! What the elements of frozen tables have in common.

use crate::fold::Folding;
use crate::program::{ConstValue, FuncId, Program, Table};
use crate::types::CoreTypeId;
use std::collections::BTreeMap;
use wasmelt_flatten::callgraph::frozen_element;

/// What is known about the elements of a frozen table, or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFacts {
    /// Whether some element is null.
    pub has_null: bool,
    /// The types of the functions.
    types: BTreeMap<CoreTypeId, Callees>,
}

/// The functions of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Callees {
    One(FuncId),
    Several,
}

impl TableFacts {
    /// The facts about the first `size` elements of a table.
    pub fn new(program: &Program, folding: &Folding, table: &Table, size: u64) -> TableFacts {
        let mut facts = TableFacts::default();
        for index in 0..size {
            match frozen_element(table, index) {
                Some(ConstValue::Func(func)) => facts.add(program, folding.code_of(func)),
                _ => facts.has_null = true,
            }
        }
        facts
    }

    fn add(&mut self, program: &Program, func: FuncId) {
        let callees = self.types.entry(program.funcs[func].ty).or_insert(Callees::One(func));
        if *callees != Callees::One(func) {
            *callees = Callees::Several;
        }
    }

    /// Whether all functions have one of these types.
    pub fn all_have(&self, accepted: &[CoreTypeId]) -> bool {
        self.types.keys().all(|ty| accepted.contains(ty))
    }

    /// The only function that has one of these types, if there is one and it is compiled.
    pub fn only_callee(&self, program: &Program, accepted: &[CoreTypeId]) -> Option<FuncId> {
        let mut callees = accepted.iter().filter_map(|ty| self.types.get(ty));
        match (callees.next(), callees.next()) {
            (Some(Callees::One(func)), None) if program.funcs[*func].live => Some(*func),
            _ => None,
        }
    }
}

/// The types that a call of type `expected` accepts: itself and its subtypes.
pub fn accepted_types(program: &Program, expected: CoreTypeId) -> Vec<CoreTypeId> {
    let types = &program.core_types;
    let mut accepted = vec![expected];
    if types[expected].is_final {
        return accepted;
    }
    // A supertype comes before its subtypes, so one pass finds all of them.
    for (id, ty) in types.iter() {
        if ty.supertype.is_some_and(|parent| accepted.contains(&parent)) && id != expected {
            accepted.push(id);
        }
    }
    accepted
}
