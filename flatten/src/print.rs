//! The text form of a program: stable, for `--emit program` and for tests.
//!
//! Shows what is live. The host functions at the end are the program's capability
//! list: what it can do to the outside, each with the component instances that
//! lead there.

use crate::module::{Extern, Module};
use crate::program::{
    Adapter, CanonOptions, ConstValue, CoreInstance, FuncKind, InitStep, Lift, Lower, MemoryId,
    Program, StringEncoding, TableId,
};
use crate::show::{show_func_type, show_val};
use std::fmt::{Result, Write};

/// How many members of a type are shown.
const MEMBERS_MAX: usize = 4;

/// The text form of a program.
pub fn print(program: &Program) -> String {
    let mut out = String::new();
    print_program(program, &mut out).expect("a string takes everything");
    out
}

fn print_program(program: &Program, out: &mut String) -> Result {
    for component in program.component_instances.values() {
        write!(out, "component instance `{}`", component.name)?;
        if let Some(parent) = component.parent {
            write!(out, " in `{}`", program.component_instances[parent].name)?;
        }
        let flags = [
            ("handles", component.has_handles),
            ("may-leave flag", component.needs_may_leave),
            ("may-enter flag", component.needs_may_enter),
        ];
        let flags = flags.iter().filter(|(_, set)| *set).map(|(name, _)| *name);
        write_list(out, ": ", flags)?;
        writeln!(out)?;
    }
    for instance in program.core_instances.values() {
        print_core_instance(program, instance, out)?;
    }
    for func in program.funcs.values().filter(|func| func.live) {
        if let FuncKind::Adapter(adapter) = &func.kind {
            print_adapter(program, &func.name, adapter, out)?;
        }
    }
    for func in program.funcs.values().filter(|func| func.live) {
        match &func.kind {
            FuncKind::Resource { .. } | FuncKind::Cell { .. } => {
                writeln!(out, "built-in `{}`", func.name)?
            }
            FuncKind::Init(steps) => print_steps(program, &func.name, steps, out)?,
            _ => {}
        }
    }
    print_outside(program, out)
}

/// Writes a list with something before it, or nothing if it is empty.
fn write_list<'a>(out: &mut String, before: &str, items: impl Iterator<Item = &'a str>) -> Result {
    for (at, item) in items.enumerate() {
        write!(out, "{}{item}", if at == 0 { before } else { ", " })?;
    }
    Ok(())
}

fn print_core_instance(program: &Program, instance: &CoreInstance, out: &mut String) -> Result {
    let component = &program.component_instances[instance.component].name;
    let module = &program.modules[instance.module];
    let funcs = instance.funcs.iter().skip(module.imported.funcs as usize);
    let live = funcs.clone().filter(|func| program.funcs[**func].live).count();
    let total = funcs.count();
    writeln!(out, "core instance `{component}`/`{}`: {live} of {total} functions", instance.name)?;
    print_imports(program, instance, module, out)?;
    for id in instance.memories.iter().skip(module.imported.memories as usize) {
        if program.memories[*id].live {
            print_memory(program, *id, out)?;
        }
    }
    for id in instance.tables.iter().skip(module.imported.tables as usize) {
        if program.tables[*id].live {
            print_table(program, *id, out)?;
        }
    }
    for id in instance.globals.iter().skip(module.imported.globals as usize) {
        let global = &program.globals[*id];
        if global.live {
            let ty = show_val(global.ty.value);
            let init = show_value(program, global.init);
            let frozen = if global.frozen { ", frozen" } else { "" };
            writeln!(out, "  {id}: {ty} {init}{frozen}")?;
        }
    }
    Ok(())
}

/// Writes what each import that is used turned out to be.
fn print_imports(
    program: &Program,
    instance: &CoreInstance,
    module: &Module,
    out: &mut String,
) -> Result {
    for import in &module.imports {
        let (live, what) = match import.item {
            Extern::Func(at) => {
                let func = &program.funcs[instance.funcs[at as usize]];
                (func.live, format!("`{}`", func.name))
            }
            Extern::Table(at) => {
                let id = instance.tables[at as usize];
                (program.tables[id].live, id.to_string())
            }
            Extern::Memory(at) => {
                let id = instance.memories[at as usize];
                (program.memories[id].live, id.to_string())
            }
            Extern::Global(at) => {
                let id = instance.globals[at as usize];
                (program.globals[id].live, id.to_string())
            }
            Extern::Tag(at) => (true, instance.tags[at as usize].to_string()),
        };
        if live {
            writeln!(out, "  import `{}` `{}` = {what}", import.module, import.name)?;
        }
    }
    Ok(())
}

fn print_memory(program: &Program, id: MemoryId, out: &mut String) -> Result {
    let memory = &program.memories[id];
    let grows = if memory.grows { ", grows" } else { "" };
    write!(out, "  {id}: {} pages{grows}", memory.ty.min_pages)?;
    let end = |start: u64, len: usize| start + len as u64;
    let ranges = memory.image.iter();
    let ranges: Vec<String> = ranges
        .map(|(start, bytes)| format!("{start:#x}..{:#x}", end(*start, bytes.range.len())))
        .collect();
    write_list(out, ", image ", ranges.iter().map(String::as_str))?;
    writeln!(out)
}

fn print_table(program: &Program, id: TableId, out: &mut String) -> Result {
    let table = &program.tables[id];
    let frozen = if table.frozen { ", frozen" } else { "" };
    writeln!(out, "  {id}: {} elements{frozen}", table.ty.min)?;
    for (start, items) in &table.image {
        for (at, item) in (*start..).zip(items) {
            if let ConstValue::Func(func) = item
                && program.funcs[*func].live
            {
                writeln!(out, "    {at} = `{}`", program.funcs[*func].name)?;
            }
        }
    }
    Ok(())
}

fn show_value(program: &Program, value: ConstValue) -> String {
    match value {
        ConstValue::I32(value) => value.to_string(),
        ConstValue::I64(value) => value.to_string(),
        ConstValue::F32(bits) => format!("{bits:#x}"),
        ConstValue::F64(bits) => format!("{bits:#x}"),
        ConstValue::V128(bytes) => format!("{:#x}", u128::from_le_bytes(bytes)),
        ConstValue::Null => "null".into(),
        ConstValue::Func(func) => format!("`{}`", program.funcs[func].name),
    }
}

fn print_adapter(program: &Program, name: &str, adapter: &Adapter, out: &mut String) -> Result {
    let ty = show_func_type(program, &program.func_types[adapter.ty], MEMBERS_MAX);
    writeln!(out, "adapter `{name}`: {ty}")?;
    match &adapter.lower {
        Lower::Guest { instance, options } => {
            let caller = &program.component_instances[*instance].name;
            writeln!(out, "  lower in `{caller}`{}", show_options(program, options))?;
        }
        Lower::Native => writeln!(out, "  lower natively")?,
        Lower::C => writeln!(out, "  lower to C")?,
    }
    match &adapter.lift {
        Lift::Guest { instance, options, func } => {
            let callee = &program.component_instances[*instance].name;
            let func = &program.funcs[*func].name;
            writeln!(out, "  lift `{func}` in `{callee}`{}", show_options(program, options))
        }
        Lift::Host(host) => writeln!(out, "  host function `{}`", program.hosts[*host].symbol),
    }
}

fn show_options(program: &Program, options: &CanonOptions) -> String {
    let mut shown = String::new();
    match options.encoding {
        StringEncoding::Utf8 => {}
        StringEncoding::Utf16 => shown.push_str(", utf16"),
        StringEncoding::Latin1Utf16 => shown.push_str(", latin1+utf16"),
    }
    if let Some(memory) = options.memory {
        shown.push_str(&format!(", {memory}"));
    }
    for (what, func) in [("realloc", options.realloc), ("post-return", options.post_return)] {
        if let Some(func) = func {
            shown.push_str(&format!(", {what} `{}`", program.funcs[func].name));
        }
    }
    shown
}

fn print_steps(program: &Program, name: &str, steps: &[InitStep], out: &mut String) -> Result {
    writeln!(out, "instantiation `{name}`")?;
    for step in steps {
        match step {
            InitStep::Call(func) => writeln!(out, "  call `{}`", program.funcs[*func].name)?,
            InitStep::InitMemory { memory, offset, data } => {
                let len = program.data[*data].bytes.range.len();
                writeln!(out, "  fill {memory} at {offset:#x} with {len} bytes of {data}")?;
            }
            InitStep::InitTable { table, offset, elem } => {
                let len = program.elems[*elem].items.len();
                writeln!(out, "  fill {table} at {offset} with {len} elements of {elem}")?;
            }
            InitStep::RequireMemory { memory, min_pages } => {
                writeln!(out, "  require {min_pages} pages of {memory}")?;
            }
            InitStep::RequireTable { table, min } => {
                writeln!(out, "  require {min} elements of {table}")?;
            }
        }
    }
    Ok(())
}

fn print_outside(program: &Program, out: &mut String) -> Result {
    for host in program.hosts.values().filter(|host| host.live) {
        write!(out, "host function `{}` of `{}`", host.name, host.interface)?;
        let chain = host.reached_by.iter();
        let chain: Vec<String> =
            chain.map(|id| format!("`{}`", program.component_instances[*id].name)).collect();
        writeln!(out, ", reached by {}", chain.join(", "))?;
    }
    for export in &program.exports {
        writeln!(out, "export `{}` = `{}`", export.name, program.funcs[export.func].name)?;
    }
    if let Some(entry) = program.entry {
        writeln!(out, "entry `{}`", program.funcs[entry].name)?;
    }
    Ok(())
}
