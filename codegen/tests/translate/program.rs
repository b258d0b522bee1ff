//! A program of one core module, with addresses made up: enough to translate its bodies.
//!
//! What the module imports exists, but does nothing. Globals and tables are frozen
//! by the same reading of the bodies' summaries that flattening does.

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_entity::{EntityRef, PrimaryMap, SecondaryMap};
use std::path::Path;
use std::sync::Arc;
use wasmelt_codegen::layout::{BoundsCheck, Layout, MemoryPlace, TablePlace};
use wasmelt_codegen::module::{ConstExpr, ConstOp, Module, ModuleId, SegmentMode};
use wasmelt_codegen::program::*;
use wasmelt_frontend::{Root, Session};

/// Reads text or a binary, makes a program of it and lays it out.
pub fn make_program(source: &[u8], check: BoundsCheck) -> (Program, Layout) {
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
    let layout = make_layout(&program, check);
    (program, layout)
}

/// The functions of the program that have bodies.
pub fn bodies(program: &Program) -> Vec<FuncId> {
    let has_body = |func: &Func| matches!(func.kind, FuncKind::Wasm { .. });
    program.funcs.iter().filter(|(_, func)| has_body(func)).map(|(id, _)| id).collect()
}

/// A target by its triple, with or without optimisation.
pub fn target(triple: &str, level: &str) -> Arc<dyn TargetIsa> {
    let mut flags = settings::builder();
    flags.set("opt_level", level).expect("a level");
    flags.set("is_pic", "false").expect("a flag");
    // Tail calls on x86-64 rely on frame pointers.
    flags.enable("preserve_frame_pointers").expect("a flag");
    flags.enable("enable_probestack").expect("a flag");
    flags.set("probestack_strategy", "inline").expect("a flag");
    let mut builder = cranelift_codegen::isa::lookup_by_name(triple).expect("a known target");
    if triple.starts_with("riscv64") {
        for extension in ["has_m", "has_a", "has_f", "has_d", "has_v", "has_zicsr", "has_zifencei"]
        {
            builder.enable(extension).expect("a flag");
        }
    }
    builder.finish(settings::Flags::new(flags)).expect("consistent flags")
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

fn make_layout(program: &Program, check: BoundsCheck) -> Layout {
    let mut layout = Layout::default();
    let mut next = 0x40_0000u64;
    let mut take = |bytes: u64| {
        next += bytes;
        next - bytes
    };
    fn each<K: EntityRef, V>(
        map: &PrimaryMap<K, V>,
        to: &mut SecondaryMap<K, u64>,
        mut make: impl FnMut() -> u64,
    ) {
        for id in map.keys() {
            to[id] = make();
        }
    }
    each(&program.globals, &mut layout.globals, || take(16));
    each(&program.funcs, &mut layout.func_refs, || take(16));
    each(&program.data, &mut layout.data_lengths, || take(8));
    each(&program.elems, &mut layout.elem_lengths, || take(8));
    for (id, table) in program.tables.iter() {
        let (state, size) = (take(32), table.ty.min);
        layout.tables[id] = match table.frozen {
            true => TablePlace::Frozen { elements: take(0x1_0000), size },
            false => TablePlace::Mutable { state, fixed: None },
        };
    }
    for (id, memory) in program.memories.iter() {
        let base = match id.index() {
            0 => 0x80_0000,
            index => 0x10_0000_0000 + index as u64 * 0x2_0000_0000,
        };
        let is_odd = memory.ty.memory64 || memory.ty.page_size_log2 != 16;
        let check = if is_odd { BoundsCheck::Explicit } else { check };
        let state = take(64);
        layout.memories[id] = MemoryPlace { base, state, check, ..MemoryPlace::default() };
    }
    layout
}
