//! The tables that the trap handler reads: causes and places of traps, and names.
//!
//! Functions are looked up by the address of an instruction, and inlining leaves one
//! function's machine code with parts of many. So the trap table has an entry wherever,
//! from one instruction that may trap to the next, the function changes that the code
//! stems from, and a message names the one the user wrote.
//!
//! In a program of a few hundred functions plain arrays and full names would be a fifth
//! of the file. So entries are as short as differences make them, and a stripped
//! program has its modules' functions by number: 2 bytes, not the 50 of a mangled name.
//!
//! A function that others share their code with is named as one of so many, and its component
//! instance only if it is that of all.

use crate::call_graph::main_func;
use crate::emit::CompiledFunc;
use crate::env::Env;
use crate::program::{FuncId, FuncKind, Program};
use std::collections::{BTreeMap, HashMap};
use wasmelt_abi::image::traps;

/// The tables, in the target-independent form.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    /// The trap table, as `wasmelt_abi::image::traps` says.
    pub traps: Vec<u8>,
    /// Names, each ended by a zero byte.
    pub names: Vec<u8>,
}

/// Computes the tables of functions that lie at those offsets of the text; without the names of
/// modules' functions if they are to be stripped.
pub fn build_tables(
    env: Env<'_>,
    compiled: &[CompiledFunc],
    offsets: &[u32],
    strip: bool,
) -> Tables {
    let mut writer = Writer::new(env, strip);
    for (func, start) in compiled.iter().zip(offsets) {
        writer.change_func(*start, func.func);
        for trap in &func.traps {
            if let Some(place) = trap.place {
                writer.change_func(start + trap.place_start, place.func);
            }
            if let Some(cause) = trap.cause {
                let place = trap.place.map_or(0, |place| place.offset);
                writer.add_trap(start + trap.offset, cause as u8, place);
            }
        }
    }
    writer.write_func();
    Tables { traps: writer.bytes, names: writer.names.bytes }
}

struct Writer<'a> {
    program: &'a Program,
    strip: bool,
    names: Names,
    /// The functions that have the code of each.
    folded: BTreeMap<FuncId, Vec<FuncId>>,
    bytes: Vec<u8>,
    /// Where in the text the last entry applies.
    offset: u32,
    /// The wasm offset of the last trap.
    place: u32,
    /// What the last entries say of component and function.
    written: (u32, (u32, u32)),
    /// From where on the code belongs to which function. It is written with the next trap or
    /// function, because nothing of a function may trap before another one begins.
    current: Option<(u32, FuncId)>,
}

impl<'a> Writer<'a> {
    fn new(env: Env<'a>, strip: bool) -> Writer<'a> {
        let mut names = Names::default();
        let no_component = names.add("");
        Writer {
            program: env.program,
            strip,
            names,
            folded: env.layout.folding.by_code(),
            bytes: Vec::new(),
            offset: 0,
            place: 0,
            written: (no_component, (traps::NUMBERED, 0)),
            current: None,
        }
    }

    fn change_func(&mut self, offset: u32, func: FuncId) {
        match self.current {
            Some((_, current)) if current == func => return,
            Some((at, _)) if at != offset => self.write_func(),
            _ => {}
        }
        self.current = Some((offset, func));
    }

    /// Writes what is different about the current function.
    fn write_func(&mut self) {
        let Some((offset, func)) = self.current else { return };
        let (component, name) = self.name_func(func);
        if component != self.written.0 {
            self.put_head(offset, traps::COMPONENT);
            put_number(&mut self.bytes, component.into());
        }
        if name != self.written.1 {
            self.put_head(offset, name.0);
            put_number(&mut self.bytes, name.1.into());
        }
        self.written = (component, name);
    }

    fn add_trap(&mut self, offset: u32, cause: u8, place: u32) {
        self.write_func();
        self.put_head(offset, traps::TRAP);
        self.bytes.push(cause);
        let difference = place.wrapping_sub(self.place).cast_signed();
        let zigzag = (difference << 1) ^ (difference >> 31);
        put_number(&mut self.bytes, zigzag.cast_unsigned().into());
        self.place = place;
    }

    fn put_head(&mut self, offset: u32, kind: u32) {
        let advance = offset.checked_sub(self.offset).expect("entries ascend");
        put_number(&mut self.bytes, u64::from(advance) << 2 | u64::from(kind));
        self.offset = offset;
    }

    /// Where the name of a function's component lies, and the kind and value of the entry that
    /// tells the function's own.
    fn name_func(&mut self, func: FuncId) -> (u32, (u32, u32)) {
        let program = self.program;
        if func == main_func(program) {
            return (self.names.add(""), (traps::NAMED, self.names.add("start-up")));
        }
        let it = &program.funcs[func];
        let folded = self.folded.get(&func).map_or(&[][..], Vec::as_slice);
        // Which component instance it was that trapped is not known if several share the code.
        let is_shared = folded.iter().any(|other| program.funcs[*other].component != it.component);
        let component = it.component.filter(|_| !is_shared);
        let component = component.map_or("", |id| program.component_instances[id].name.as_str());
        let name = match it.kind {
            FuncKind::Wasm { instance, body } if self.strip => {
                let module = program.core_instances[instance].module;
                (traps::NUMBERED, program.modules[module].imported.funcs + body + 1)
            }
            _ if self.strip => (traps::NUMBERED, 0),
            _ => {
                // A message says both, so the function's name need not repeat the component's.
                let name = it.name.strip_prefix(component).and_then(|it| it.strip_prefix("::"));
                let name = name.unwrap_or(&it.name);
                let name = match folded.len() {
                    0 => self.names.add(name),
                    others => self.names.add(&format!("{name} (one of {} alike)", others + 1)),
                };
                (traps::NAMED, name)
            }
        };
        (self.names.add(component), name)
    }
}

fn put_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Names, each stored once.
#[derive(Default)]
struct Names {
    bytes: Vec<u8>,
    known: HashMap<String, u32>,
}

impl Names {
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
