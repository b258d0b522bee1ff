//! The tables that the trap handler reads: causes and places of traps, and names.
//!
//! Functions are looked up by the address of an instruction, and inlining leaves one
//! function's machine code with parts of many. So the table of functions has an
//! entry wherever, from one instruction that may trap to the next, the function
//! changes that the code stems from, and a message names the one the user wrote.

use crate::call_graph::main_func;
use crate::emit::CompiledFunc;
use crate::program::{FuncId, Program};
use std::collections::HashMap;

/// The tables, in the target-independent form.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// Offsets in the text of instructions that trap by themselves, ascending.
    pub trap_offsets: Vec<u32>,
    /// The cause of each.
    pub trap_codes: Vec<u8>,
    /// The wasm offset of each in its file; 0 is unknown.
    pub trap_places: Vec<u32>,
    /// Offsets in the text from which on a function's code goes, ascending.
    pub func_offsets: Vec<u32>,
    /// The offsets in `names` of its component's and its own name.
    pub func_names: Vec<(u32, u32)>,
    /// Names, each ended by a zero byte.
    pub names: Vec<u8>,
}

/// Computes the tables of functions that lie at those offsets of the text.
pub fn build_tables(program: &Program, compiled: &[CompiledFunc], offsets: &[u32]) -> Tables {
    let mut tables = Tables::default();
    let mut names = Names::default();
    for (func, start) in compiled.iter().zip(offsets) {
        tables.push_func(*start, names.add_func(program, func.func));
        let mut current = func.func;
        for trap in &func.traps {
            if let Some(place) = trap.place
                && place.func != current
            {
                current = place.func;
                tables.push_func(start + trap.place_start, names.add_func(program, current));
            }
            if let Some(cause) = trap.cause {
                tables.trap_offsets.push(start + trap.offset);
                tables.trap_codes.push(cause as u8);
                tables.trap_places.push(trap.place.map_or(0, |place| place.offset));
            }
        }
    }
    tables.names = names.bytes;
    tables
}

impl Tables {
    fn push_func(&mut self, offset: u32, name: (u32, u32)) {
        if self.func_offsets.last() == Some(&offset) {
            // Nothing of the function before can trap.
            self.func_offsets.pop();
            self.func_names.pop();
        }
        self.func_offsets.push(offset);
        self.func_names.push(name);
    }
}

/// Names, each stored once.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    known: HashMap<String, u32>,
    funcs: HashMap<FuncId, (u32, u32)>,
}

impl Names {
    fn add_func(&mut self, program: &Program, func: FuncId) -> (u32, u32) {
        if let Some(known) = self.funcs.get(&func) {
            return *known;
        }
        let names = match func == main_func(program) {
            true => (self.add(""), self.add("start-up")),
            false => {
                let func = &program.funcs[func];
                let component =
                    func.component.map(|id| program.component_instances[id].name.as_str());
                let component = component.unwrap_or_default();
                // A message says both, so the function's name need not repeat the component's.
                let name =
                    func.name.strip_prefix(component).and_then(|name| name.strip_prefix("::"));
                (self.add(component), self.add(name.unwrap_or(&func.name)))
            }
        };
        self.funcs.insert(func, names);
        names
    }

    fn add(&mut self, name: &str) -> u32 {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        let at = self.bytes.len() as u32;
        self.bytes.extend(name.bytes().filter(|byte| *byte != 0));
        self.bytes.push(0);
        self.known.insert(name.to_owned(), at);
        at
    }
}
