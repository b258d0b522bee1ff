//! Core instances: a module and the items that its imports are, to ids of the program.
//!
//! Core specification, section "Instantiation". Constant expressions have their
//! values afterwards; active segments and the start function are steps, in order:
//! element segments, data segments, start. `settle` decides later which of the
//! segments are simply the memory's or the table's first contents.

use crate::error::{Error, Result};
use crate::limits;
use crate::module::{ConstExpr, ConstOp, Extern, ModuleId, SegmentMode};
use crate::program::{
    ComponentInstanceId, ConstValue, CoreInstance, CoreInstanceId, Data, Elem, Func, FuncKind,
    Global, InitStep, Memory, Program, Table, Tag,
};
use crate::scope::CoreItem;
use crate::state::{Flattener, exceeded};

/// Instantiates a module. `imports` are its imports in order; they have the right sorts.
pub fn instantiate_module(
    state: &mut Flattener<'_>,
    module: ModuleId,
    component: ComponentInstanceId,
    name: String,
    imports: &[CoreItem],
) -> Result<CoreInstanceId> {
    check_limits(state, module)?;
    let mut instance = CoreInstance {
        name,
        module,
        component,
        funcs: Vec::with_capacity(state.program.modules[module].funcs.len()),
        tables: Vec::new(),
        memories: Vec::new(),
        globals: Vec::new(),
        tags: Vec::new(),
        data: Vec::new(),
        elems: Vec::new(),
    };
    take_imports(state, &mut instance, imports);
    let id = state.program.core_instances.next_key();
    define_items(&mut state.program, &mut instance, id);
    let mut steps = define_segments(&mut state.program, &mut instance);
    if let Some(start) = state.program.modules[module].start {
        steps.push(InitStep::Call(instance.funcs[start as usize]));
    }
    for step in steps {
        state.add_step(step);
    }
    state.program.core_instances.push(instance);
    Ok(id)
}

fn check_limits(state: &mut Flattener<'_>, module: ModuleId) -> Result<()> {
    let module = &state.program.modules[module];
    if state.program.core_instances.len() >= limits::CORE_INSTANCES_MAX {
        return Err(exceeded("core instances", limits::CORE_INSTANCES_MAX));
    }
    if state.program.funcs.len() + module.bodies.len() > limits::FUNCS_MAX {
        return Err(exceeded("functions", limits::FUNCS_MAX));
    }
    state.elements += module.elems.iter().map(|elem| elem.items.len()).sum::<usize>();
    if state.elements > limits::ELEMENTS_MAX {
        return Err(exceeded("elements of element segments", limits::ELEMENTS_MAX));
    }
    Ok(())
}

/// Puts the imported items in front of the index spaces.
fn take_imports(state: &mut Flattener<'_>, instance: &mut CoreInstance, imports: &[CoreItem]) {
    let module = &state.program.modules[instance.module];
    assert_eq!(imports.len(), module.imports.len(), "{} lacks imports", instance.module);
    for (import, item) in module.imports.iter().zip(imports) {
        match (*item, import.item) {
            (CoreItem::Func(id), Extern::Func(index)) => {
                // Nothing else knows the type of a function that cannot be called.
                let func = &mut state.program.funcs[id];
                if matches!(func.kind, FuncKind::Missing(_)) {
                    func.ty = module.funcs[index as usize];
                }
                instance.funcs.push(id);
            }
            (CoreItem::Table(id), Extern::Table(_)) => instance.tables.push(id),
            (CoreItem::Memory(id), Extern::Memory(_)) => instance.memories.push(id),
            (CoreItem::Global(id), Extern::Global(_)) => instance.globals.push(id),
            (CoreItem::Tag(id), Extern::Tag(_)) => instance.tags.push(id),
            (item, wanted) => panic!("validation lets no {item:?} be imported as {wanted:?}"),
        }
    }
}

/// Makes what the module defines itself, but for its segments.
fn define_items(program: &mut Program, instance: &mut CoreInstance, id: CoreInstanceId) {
    let module = &program.modules[instance.module];
    let component = Some(instance.component);
    for (body, ty) in module.funcs.iter().skip(module.imported.funcs as usize).enumerate() {
        let kind = FuncKind::Wasm { instance: id, body: body as u32 };
        let name = String::new();
        let func = Func { name, ty: *ty, component, kind, live: false, referenced: false };
        instance.funcs.push(program.funcs.push(func));
    }
    for ty in module.memories.iter().skip(module.imported.memories as usize) {
        let (image, grows) = (Vec::new(), false);
        let memory = Memory { ty: *ty, instance: id, image, grows, live: false };
        instance.memories.push(program.memories.push(memory));
    }
    for ty in module.tags.iter().skip(module.imported.tags as usize) {
        instance.tags.push(program.tags.push(Tag { ty: *ty, instance: id }));
    }
    // A global may be initialised with the one before it, a table with any of them.
    for global in module.globals.iter().skip(module.imported.globals as usize) {
        let init = global.init.as_ref().expect("a global that is not imported has a value");
        let init = eval_const(program, instance, init);
        let global = Global { ty: global.ty, instance: id, init, frozen: false, live: false };
        instance.globals.push(program.globals.push(global));
    }
    for table in module.tables.iter().skip(module.imported.tables as usize) {
        let init = table.init.as_ref().map(|init| eval_const(program, instance, init));
        instance.tables.push(program.tables.push(Table {
            ty: table.ty,
            instance: id,
            init: init.unwrap_or(ConstValue::Null),
            image: Vec::new(),
            frozen: false,
            live: false,
        }));
    }
}

/// Makes the segments, and the steps of the active ones in order.
fn define_segments(program: &mut Program, instance: &mut CoreInstance) -> Vec<InitStep> {
    let module = &program.modules[instance.module];
    let mut steps = Vec::new();
    for segment in &module.elems {
        let items = segment.items.iter().map(|item| eval_const(program, instance, item));
        let items = items.collect();
        let passive = matches!(segment.mode, SegmentMode::Passive);
        let elem = program.elems.push(Elem { items, passive, live: false });
        instance.elems.push(elem);
        if let SegmentMode::Active { target, offset } = &segment.mode {
            let table = instance.tables[*target as usize];
            let offset = eval_offset(program, instance, offset);
            steps.push(InitStep::InitTable { table, offset, elem });
        }
    }
    for segment in &module.data {
        let passive = matches!(segment.mode, SegmentMode::Passive);
        let data = Data { bytes: segment.bytes.clone(), passive, live: false };
        let data = program.data.push(data);
        instance.data.push(data);
        if let SegmentMode::Active { target, offset } = &segment.mode {
            let memory = instance.memories[*target as usize];
            let offset = eval_offset(program, instance, offset);
            steps.push(InitStep::InitMemory { memory, offset, data });
        }
    }
    steps
}

/// An offset: 32-bit ones are unsigned.
fn eval_offset(program: &Program, instance: &CoreInstance, expr: &ConstExpr) -> u64 {
    match eval_const(program, instance, expr) {
        ConstValue::I32(offset) => u64::from(offset as u32),
        ConstValue::I64(offset) => offset as u64,
        other => panic!("validation lets no offset be {other:?}"),
    }
}

/// The value of a constant expression. It reads immutable globals alone, whose values are known.
fn eval_const(program: &Program, instance: &CoreInstance, expr: &ConstExpr) -> ConstValue {
    use ConstValue::{I32, I64};
    let mut stack: Vec<ConstValue> = Vec::new();
    for op in expr {
        let value = match *op {
            ConstOp::I32(value) => I32(value),
            ConstOp::I64(value) => I64(value),
            ConstOp::F32(bits) => ConstValue::F32(bits),
            ConstOp::F64(bits) => ConstValue::F64(bits),
            ConstOp::V128(bytes) => ConstValue::V128(bytes),
            ConstOp::RefNull => ConstValue::Null,
            ConstOp::RefFunc(index) => ConstValue::Func(instance.funcs[index as usize]),
            ConstOp::GlobalGet(index) => program.globals[instance.globals[index as usize]].init,
            binary => match (binary, stack.pop(), stack.pop()) {
                (ConstOp::I32Add, Some(I32(b)), Some(I32(a))) => I32(a.wrapping_add(b)),
                (ConstOp::I32Sub, Some(I32(b)), Some(I32(a))) => I32(a.wrapping_sub(b)),
                (ConstOp::I32Mul, Some(I32(b)), Some(I32(a))) => I32(a.wrapping_mul(b)),
                (ConstOp::I64Add, Some(I64(b)), Some(I64(a))) => I64(a.wrapping_add(b)),
                (ConstOp::I64Sub, Some(I64(b)), Some(I64(a))) => I64(a.wrapping_sub(b)),
                (ConstOp::I64Mul, Some(I64(b)), Some(I64(a))) => I64(a.wrapping_mul(b)),
                (op, b, a) => panic!("validation lets no {op:?} be applied to {a:?} and {b:?}"),
            },
        };
        stack.push(value);
    }
    stack.pop().expect("validation lets no constant expression be empty")
}

/// What an index of a module's index spaces is in a core instance.
pub(crate) fn item_of(instance: &CoreInstance, item: Extern) -> CoreItem {
    match item {
        Extern::Func(index) => CoreItem::Func(instance.funcs[index as usize]),
        Extern::Table(index) => CoreItem::Table(instance.tables[index as usize]),
        Extern::Memory(index) => CoreItem::Memory(instance.memories[index as usize]),
        Extern::Global(index) => CoreItem::Global(instance.globals[index as usize]),
        Extern::Tag(index) => CoreItem::Tag(instance.tags[index as usize]),
    }
}

/// Looks up a module's imports among core instances by name.
pub(crate) fn resolve_imports(
    state: &Flattener<'_>,
    module: ModuleId,
    find: impl Fn(&str, &str) -> Option<CoreItem>,
) -> Result<Vec<CoreItem>> {
    let imports = state.program.modules[module].imports.iter();
    let found = imports.map(|import| {
        find(&import.module, &import.name).ok_or_else(|| {
            Error::invalid(format!("unknown import `{}` `{}`", import.module, import.name))
        })
    });
    found.collect()
}
