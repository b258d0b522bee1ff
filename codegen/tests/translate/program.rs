//! A program of one core module: enough to translate its bodies.
//!
//! What the module imports exists, but does nothing. Globals and tables are frozen
//! by the same reading of the bodies' summaries that flattening does.

use cranelift_entity::EntityRef;
use std::path::Path;
use wasmelt_codegen::module::{ConstExpr, ConstOp, Module, ModuleId, SegmentMode};
use wasmelt_codegen::options::{MemoryMode, OptLevel, Options, Target};
use wasmelt_codegen::program::*;
use wasmelt_frontend::{Root, Session};

/// Reads text or a binary and makes a program of it.
pub fn make_program(source: &[u8]) -> Program {
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("test.wat"), source.to_vec()).expect("valid input");
    let Root::Module(module) = root else { panic!("a core module is expected") };
    let composition = session.finish(None);
    let mut program = Program {
        files: composition.files,
        core_types: composition.core_types,
        modules: composition.modules,
        ..Program::default()
    };
    let instance = add_instance(&mut program, module);
    program.core_instances.push(instance);
    program
}

/// The functions of the program that have bodies.
pub fn bodies(program: &Program) -> Vec<FuncId> {
    let has_body = |func: &Func| matches!(func.kind, FuncKind::Wasm { .. });
    program.funcs.iter().filter(|(_, func)| has_body(func)).map(|(id, _)| id).collect()
}

/// The options for a target, given by its architecture, with or without optimisation and guards.
pub fn options(architecture: &str, opt_level: OptLevel, memory_mode: MemoryMode) -> Options {
    let triple = format!("{architecture}-unknown-linux-gnu");
    let features = match architecture {
        "riscv64gc" => vec!["has_v".to_owned()],
        _ => Vec::new(),
    };
    let target = Target { triple: triple.parse().expect("a known triple"), features };
    Options { target, opt_level, memory_mode, ..Options::default() }
}

fn add_instance(program: &mut Program, id: ModuleId) -> CoreInstance {
    let module = program.modules[id].clone();
    let instance = CoreInstanceId::new(0);
    let imported = module.imported;
    let mut funcs = Vec::new();
    for (index, ty) in module.funcs.iter().enumerate() {
        let kind = match (index as u32).checked_sub(imported.funcs) {
            None => FuncKind::Trampoline,
            Some(body) => FuncKind::Wasm { instance, body },
        };
        let name = format!("f{index}");
        let func = Func { name, ty: *ty, component: None, kind, live: true, referenced: true };
        funcs.push(program.funcs.push(func));
    }
    let globals = add_globals(program, &module, instance, &funcs);
    let constant = Constants { program, globals: &globals, funcs: &funcs };
    let elems: Vec<Elem> = module
        .elems
        .iter()
        .map(|elem| Elem {
            items: elem.items.iter().map(|item| constant.evaluate(item)).collect(),
            passive: matches!(elem.mode, SegmentMode::Passive),
            live: true,
        })
        .collect();
    let tables = make_tables(&constant, &module, instance, &elems);
    let tables = tables.into_iter().map(|table| program.tables.push(table)).collect();
    let elems = elems.into_iter().map(|elem| program.elems.push(elem)).collect();
    let grown =
        |index: u32| module.bodies.iter().any(|b| b.summary.memories_grown.contains(&index));
    let memories = (0u32..).zip(&module.memories).map(|(index, ty)| {
        let (image, grows) = (Vec::new(), grown(index));
        program.memories.push(Memory { ty: *ty, instance, image, grows, live: true })
    });
    let memories = memories.collect();
    let data = module.data.iter().map(|data| {
        let passive = matches!(data.mode, SegmentMode::Passive);
        program.data.push(Data { bytes: data.bytes.clone(), passive, live: true })
    });
    let data = data.collect();
    let tags = module.tags.iter().map(|ty| program.tags.push(Tag { ty: *ty, instance })).collect();
    CoreInstance {
        name: "test".to_owned(),
        module: id,
        component: ComponentInstanceId::new(0),
        funcs,
        tables,
        memories,
        globals,
        tags,
        data,
        elems,
    }
}

fn add_globals(
    program: &mut Program,
    module: &Module,
    instance: CoreInstanceId,
    funcs: &[FuncId],
) -> Vec<GlobalId> {
    let mut globals = Vec::new();
    for (index, global) in (0u32..).zip(&module.globals) {
        let constant = Constants { program, globals: &globals, funcs };
        let init = global.init.as_ref().map_or(ConstValue::Null, |init| constant.evaluate(init));
        let written = module.bodies.iter().any(|b| b.summary.globals_written.contains(&index));
        let frozen = global.init.is_some() && !written;
        globals.push(program.globals.push(Global {
            ty: global.ty,
            instance,
            init,
            frozen,
            live: true,
        }));
    }
    globals
}

fn make_tables(
    constant: &Constants<'_>,
    module: &Module,
    instance: CoreInstanceId,
    elems: &[Elem],
) -> Vec<Table> {
    let mut tables = Vec::new();
    for (index, table) in (0u32..).zip(&module.tables) {
        let written = module.bodies.iter().any(|b| b.summary.tables_written.contains(&index));
        let init = table.init.as_ref().map_or(ConstValue::Null, |init| constant.evaluate(init));
        let mut frozen = !written && index >= module.imported.tables;
        let mut image = Vec::new();
        for (segment, elem) in module.elems.iter().zip(elems) {
            let SegmentMode::Active { target, offset } = &segment.mode else { continue };
            if *target == index {
                let start = constant.evaluate(offset);
                let (ConstValue::I32(start), true) = (start, frozen) else { continue };
                let fits = start as u64 + elem.items.len() as u64 <= table.ty.min;
                if fits {
                    image.push((start as u64, elem.items.clone()));
                }
                frozen &= fits;
            }
        }
        tables.push(Table { ty: table.ty, instance, init, image, frozen, live: true });
    }
    tables
}

/// What constant expressions can name.
struct Constants<'a> {
    program: &'a Program,
    globals: &'a [GlobalId],
    funcs: &'a [FuncId],
}

impl Constants<'_> {
    /// The value of a constant expression; arithmetic is not needed for addresses that are made up.
    fn evaluate(&self, expr: &ConstExpr) -> ConstValue {
        match expr.last() {
            Some(ConstOp::I32(value)) => ConstValue::I32(*value),
            Some(ConstOp::I64(value)) => ConstValue::I64(*value),
            Some(ConstOp::F32(bits)) => ConstValue::F32(*bits),
            Some(ConstOp::F64(bits)) => ConstValue::F64(*bits),
            Some(ConstOp::V128(bytes)) => ConstValue::V128(*bytes),
            Some(ConstOp::GlobalGet(index)) => {
                self.program.globals[self.globals[*index as usize]].init
            }
            Some(ConstOp::RefFunc(index)) => ConstValue::Func(self.funcs[*index as usize]),
            Some(ConstOp::I32Add | ConstOp::I32Sub | ConstOp::I32Mul) => ConstValue::I32(0),
            Some(ConstOp::I64Add | ConstOp::I64Sub | ConstOp::I64Mul) => ConstValue::I64(0),
            _ => ConstValue::Null,
        }
    }
}
