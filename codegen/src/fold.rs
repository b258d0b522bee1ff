//! Functions that do the same, found before anything is compiled.
//!
//! Two functions are equal if they have the same type and body bytes of the same module, and if
//! what the bytes name is the same for both: the same memories, globals, tables and segments, and
//! callees that are equal. So of a module that is instantiated many times those functions are
//! folded that use nothing of their core instance, and within one core instance those whose
//! bodies are the same. Only the one with the smallest id is compiled, and all calls and function
//! references reach its code: nothing in WebAssembly compares functions.
//!
//! All functions of equal bytes are taken to be equal at first and parted as differences are
//! found, until nothing changes. What is then left is equal in every execution, recursion
//! included, because a difference in behaviour would have to begin somewhere.
//!
//! A function that calls something outside of its component instance is folded only with others of
//! the same component instance, so that calls between component instances remain what they are.
//! Messages and symbol tables know the others too: see `tables` and `object`.

use crate::program::{FuncId, FuncKind, Program};
use cranelift_entity::SecondaryMap;
use cranelift_entity::packed_option::PackedOption;
use std::collections::{BTreeMap, HashMap};

/// A chain of differences that is longer than this is not followed: then nothing is folded.
const ROUNDS_MAX: u32 = 50;

/// Which functions have the code of another.
#[derive(Clone, Debug, Default)]
pub struct Folding {
    folded: SecondaryMap<FuncId, PackedOption<FuncId>>,
}

impl Folding {
    /// The function whose code runs when `func` is called.
    pub fn code_of(&self, func: FuncId) -> FuncId {
        self.folded[func].expand().unwrap_or(func)
    }

    /// Takes the functions of a group to be equal.
    fn join(&mut self, group: &[FuncId]) {
        group[1..].iter().for_each(|func| self.folded[*func] = group[0].into());
    }

    /// Those that have no code of their own, ascending, by the function whose code they have.
    pub fn by_code(&self) -> BTreeMap<FuncId, Vec<FuncId>> {
        let mut by_code: BTreeMap<FuncId, Vec<FuncId>> = BTreeMap::new();
        for (func, code) in self.folded.iter() {
            if let Some(code) = code.expand() {
                by_code.entry(code).or_default().push(func);
            }
        }
        by_code
    }
}

/// Functions that may be equal, ascending.
type Group = Vec<FuncId>;

/// Finds the functions of the program that are equal.
pub fn fold_functions(program: &Program) -> Folding {
    let mut groups = group_by_bytes(program);
    groups = split_groups(groups, |func| resolve_operands(program, func));
    let mut folding = Folding::default();
    for group in &groups {
        folding.join(group);
    }
    let mut rounds = 0;
    loop {
        let (parted, changed) = part_callers(program, &mut folding, groups);
        if !changed {
            return folding;
        }
        rounds += 1;
        if rounds == ROUNDS_MAX {
            return Folding::default();
        }
        // What was found about one group tells about its callers, and they may lie before it as
        // well as behind: so the next round goes the other way.
        groups = parted.into_iter().rev().collect();
    }
}

/// Parts functions of one group that call functions which are not equal, and says whether there
/// were any.
fn part_callers(
    program: &Program,
    folding: &mut Folding,
    groups: Vec<Group>,
) -> (Vec<Group>, bool) {
    let mut parted = Vec::with_capacity(groups.len());
    let mut changed = false;
    for group in groups {
        let size = group.len();
        let parts = split_groups(vec![group.clone()], |func| {
            let callees = resolve_callees(program, func).into_iter();
            callees.map(|callee| folding.code_of(callee).as_u32()).collect()
        });
        if parts.first().is_none_or(|part| part.len() < size) {
            changed = true;
            group.iter().for_each(|func| folding.folded[*func] = None.into());
            parts.iter().for_each(|part| folding.join(part));
        }
        parted.extend(parts);
    }
    (parted, changed)
}

/// The live functions of equal type and bytes.
fn group_by_bytes(program: &Program) -> Vec<Group> {
    let mut groups: HashMap<_, Group> = HashMap::new();
    for (id, func) in program.funcs.iter().filter(|(_, func)| func.live) {
        if let FuncKind::Wasm { instance, body } = func.kind {
            let module = program.core_instances[instance].module;
            let bytes = &program.modules[module].bodies[body as usize].bytes;
            let contents = &program.files[bytes.file].bytes[bytes.range.clone()];
            groups.entry((module, func.ty, contents)).or_default().push(id);
        }
    }
    keep_groups(groups.into_values().collect())
}

/// Parts the members of each group that have different keys.
fn split_groups(groups: Vec<Group>, key: impl Fn(FuncId) -> Vec<u32>) -> Vec<Group> {
    let mut parts = Vec::with_capacity(groups.len());
    for group in groups {
        let mut by_key: HashMap<Vec<u32>, Group> = HashMap::new();
        for func in group {
            by_key.entry(key(func)).or_default().push(func);
        }
        parts.extend(by_key.into_values());
    }
    keep_groups(parts)
}

/// Leaves out groups of one, and puts the others in an order that does not depend on hashes.
fn keep_groups(mut groups: Vec<Group>) -> Vec<Group> {
    groups.retain(|group| group.len() > 1);
    groups.sort_unstable_by_key(|group| group[0]);
    groups
}

/// What a function's bytes name besides functions, and the component instance that it must share
/// with its equals. Equal bytes name the same indices in the same order.
fn resolve_operands(program: &Program, func: FuncId) -> Vec<u32> {
    let FuncKind::Wasm { instance, body } = program.funcs[func].kind else { return Vec::new() };
    let instance = &program.core_instances[instance];
    let summary = &program.modules[instance.module].bodies[body as usize].summary;
    let leaves = resolve_callees(program, func)
        .into_iter()
        .any(|callee| program.funcs[callee].component != program.funcs[func].component);
    let mut ids = vec![if leaves { instance.component.as_u32() + 1 } else { 0 }];
    let globals = summary.globals_read.iter().chain(&summary.globals_written);
    ids.extend(globals.map(|index| instance.globals[*index as usize].as_u32()));
    let tables = summary.tables_read.iter().chain(&summary.tables_written).copied();
    let tables = tables.chain(summary.indirect_calls.iter().map(|call| call.table));
    ids.extend(tables.map(|index| instance.tables[index as usize].as_u32()));
    ids.extend(summary.memories.iter().map(|index| instance.memories[*index as usize].as_u32()));
    ids.extend(summary.data.iter().map(|index| instance.data[*index as usize].as_u32()));
    ids.extend(summary.elems.iter().map(|index| instance.elems[*index as usize].as_u32()));
    ids
}

/// The functions that a function's bytes name.
fn resolve_callees(program: &Program, func: FuncId) -> Vec<FuncId> {
    let FuncKind::Wasm { instance, body } = program.funcs[func].kind else { return Vec::new() };
    let instance = &program.core_instances[instance];
    let summary = &program.modules[instance.module].bodies[body as usize].summary;
    let indices = summary.calls.iter().chain(&summary.ref_funcs);
    indices.map(|index| instance.funcs[*index as usize]).collect()
}
