//! The reference for handles: one table per guest (`CanonicalABI.md`, "Table State", `lift_own`,
//! `lift_borrow`, `lower_own`, `lower_borrow`), and one resource type.

use crate::guest::Result;
use crate::types::{Shape, Ty, Value};
use std::collections::BTreeMap;
use wasmelt_abi::trap::Trap;

/// Who defines the resource type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Owner {
    /// A third component.
    Third,
    /// The callee, which gets what is lent to it as the bare representation.
    Callee,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    rep: u32,
    is_own: bool,
    lends: u32,
}

/// A handle table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Entry `i` is index `i + 1`.
    entries: Vec<Option<Entry>>,
    /// Indices to be used again, the next one last.
    free: Vec<u32>,
    /// What is lent for the time of the call.
    lent: Vec<u32>,
    /// The index of each handle that was added.
    pub log: Vec<u32>,
    /// What each index meant last: for looking at a call that is over.
    meanings: BTreeMap<u32, u32>,
    /// Whether lifting only looks.
    pub is_over: bool,
}

impl Table {
    pub fn add(&mut self, rep: u32, is_own: bool) -> u32 {
        let entry = Some(Entry { rep, is_own, lends: 0 });
        let index = match self.free.pop() {
            Some(index) => {
                self.entries[index as usize - 1] = entry;
                index
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32
            }
        };
        self.log.push(index);
        self.meanings.insert(index, rep);
        index
    }

    pub fn remove(&mut self, index: u32) {
        self.entries[index as usize - 1] = None;
        self.free.push(index);
    }

    /// The indices that are in use.
    pub fn live(&self) -> Vec<u32> {
        let used = self.entries.iter().zip(1..).filter(|(entry, _)| entry.is_some());
        used.map(|(_, index)| index).collect()
    }

    /// Takes an own handle away, or lends any handle; what it means.
    pub fn lift(&mut self, index: u32, is_own: bool) -> Result<u32> {
        if self.is_over {
            return self.meanings.get(&index).copied().ok_or(Trap::UnknownHandle);
        }
        let entry = (index as usize).checked_sub(1).and_then(|at| self.entries.get_mut(at));
        let entry = entry.and_then(Option::as_mut).ok_or(Trap::UnknownHandle)?;
        let rep = entry.rep;
        if !is_own {
            entry.lends += 1;
            self.lent.push(index);
            return Ok(rep);
        }
        if !entry.is_own {
            return Err(Trap::NotOwned);
        }
        if entry.lends > 0 {
            return Err(Trap::HandleLent);
        }
        self.remove(index);
        Ok(rep)
    }

    /// The call is over: what was lent is back.
    pub fn take_back(&mut self) {
        for index in std::mem::take(&mut self.lent) {
            let entry = self.entries[index as usize - 1].as_mut();
            entry.expect("what is lent cannot be given away").lends -= 1;
        }
    }
}

/// The handles of a value in the order in which they are lowered: representation, and whether
/// it is an own handle.
pub fn handles_of(ty: &Ty, value: &Value) -> Vec<(u32, bool)> {
    let all = |parts: &mut dyn Iterator<Item = (&Ty, &Value)>| {
        parts.flat_map(|(ty, value)| handles_of(ty, value)).collect()
    };
    match (ty.shape(), value) {
        (Shape::Handle { is_own }, Value::Number(rep)) => vec![(*rep as u32, is_own)],
        (Shape::List(element), Value::List(values)) => {
            all(&mut values.iter().map(|value| (element, value)))
        }
        (Shape::Fields(fields), Value::Fields(values)) => all(&mut fields.into_iter().zip(values)),
        (Shape::Cases(cases), Value::Case(case, Some(payload))) => {
            cases[*case as usize].map(|ty| handles_of(ty, payload)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Whether values of a type can hold handles.
pub fn has_handles(ty: &Ty) -> bool {
    match ty.shape() {
        Shape::Handle { .. } => true,
        Shape::List(element) => has_handles(element),
        Shape::Fields(fields) => fields.into_iter().any(has_handles),
        Shape::Cases(cases) => cases.into_iter().flatten().any(has_handles),
        Shape::Scalar(_) | Shape::Text | Shape::Flags(_) => false,
    }
}
