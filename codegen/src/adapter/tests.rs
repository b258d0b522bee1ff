//! Every shape of type through every pair of sides: the CLIF must verify and compile for every
//! target. What the code does is tested on executables, in `tests/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::abi_layout::{Layouts, PointerSize};
use super::{build_adapter, build_resource_op};
use crate::env::{Env, clif_type};
use crate::interface::{FuncType, Type, TypeId};
use crate::layout::{BoundsCheck, Layout, MemoryPlace};
use crate::module::MemoryType;
use crate::program::*;
use crate::types::{self, CoreType, CoreTypeId, CoreTypeKind, ValType};
use cranelift_codegen::ir;
use cranelift_codegen::isa::{self, OwnedTargetIsa};
use cranelift_codegen::settings::{self, Configurable};
use cranelift_entity::EntityRef;
use cranelift_frontend::FunctionBuilderContext;

const TARGETS: [&str; 4] = [
    "x86_64-unknown-linux-gnu",
    "aarch64-unknown-linux-gnu",
    "riscv64gc-unknown-linux-gnu",
    "s390x-unknown-linux-gnu",
];

/// The sides that a test's function is called from and implemented on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Guest(StringEncoding, PointerSize),
    Native,
}

const GUEST: Side = Side::Guest(StringEncoding::Utf8, PointerSize::P32);

/// Two sibling component instances inside a root, and what they need.
struct World {
    program: Program,
    layout: Layout,
}

impl World {
    fn new() -> World {
        let mut world = World { program: Program::default(), layout: Layout::default() };
        let root = world.add_component("root", None);
        world.add_component("caller", Some(root));
        world.add_component("callee", Some(root));
        world
    }

    fn add_component(
        &mut self,
        name: &str,
        parent: Option<ComponentInstanceId>,
    ) -> ComponentInstanceId {
        let id = self.program.component_instances.push(ComponentInstance {
            name: name.to_owned(),
            parent,
            has_handles: true,
            needs_may_leave: true,
            needs_may_enter: true,
        });
        self.layout.components[id] = 0x40_0000 + 32 * id.as_u32() as u64;
        id
    }

    fn add_type(&mut self, ty: Type) -> TypeId {
        self.program.types.push(ty)
    }

    fn core_type(&mut self, params: &[ValType], results: &[ValType]) -> CoreTypeId {
        let kind =
            CoreTypeKind::Func(types::FuncType { params: params.into(), results: results.into() });
        self.program.core_types.push(CoreType { supertype: None, is_final: true, kind })
    }

    fn add_func(&mut self, params: &[ValType], results: &[ValType], kind: FuncKind) -> FuncId {
        let ty = self.core_type(params, results);
        let name = format!("func {}", self.program.funcs.len());
        let (component, live, referenced) = (None, true, false);
        self.program.funcs.push(Func { name, ty, component, kind, live, referenced })
    }

    fn add_wasm(&mut self, params: &[ValType], results: &[ValType]) -> FuncId {
        let kind = FuncKind::Wasm { instance: CoreInstanceId::new(0), body: 0 };
        self.add_func(params, results, kind)
    }

    fn add_memory(&mut self, pointer: PointerSize, base: u64) -> MemoryId {
        let ty = MemoryType {
            min_pages: 1,
            max_pages: None,
            memory64: pointer == PointerSize::P64,
            shared: false,
            page_size_log2: 16,
        };
        let instance = CoreInstanceId::new(0);
        let memory = Memory { ty, instance, image: Vec::new(), grows: true, live: true };
        let id = self.program.memories.push(memory);
        let check = BoundsCheck::Guard;
        self.layout.memories[id] =
            MemoryPlace { base, state: 0x40_1000, check, ..Default::default() };
        id
    }

    fn options(
        &mut self,
        encoding: StringEncoding,
        pointer: PointerSize,
        base: u64,
    ) -> CanonOptions {
        let word = if pointer == PointerSize::P64 { ValType::I64 } else { ValType::I32 };
        CanonOptions {
            encoding,
            memory: Some(self.add_memory(pointer, base)),
            realloc: Some(self.add_wasm(&[word; 4], &[word])),
            post_return: None,
        }
    }

    /// The core type of a function of that component function type on one side.
    fn shape(&self, params: &[TypeId], result: Option<TypeId>, side: Side, is_lift: bool) -> Shape {
        let pointer = match side {
            Side::Guest(_, pointer) => pointer,
            Side::Native => PointerSize::P64,
        };
        let mut layouts = Layouts::new(&self.program.types);
        for ty in params.iter().chain(&result) {
            layouts.prepare(*ty).unwrap();
        }
        let word = vec![pointer.clif_type()];
        let mut core_params = layouts.record(params, pointer).unwrap().flat.unwrap_or(word.clone());
        let flat = result.map(|ty| layouts.get(ty, pointer).flat.clone());
        let core_results = match flat {
            None => Vec::new(),
            Some(Some(flat)) if flat.len() <= 1 => flat,
            Some(_) if is_lift => word,
            Some(_) => {
                core_params.extend(word);
                Vec::new()
            }
        };
        (core_params.iter().map(val_type).collect(), core_results.iter().map(val_type).collect())
    }

    /// An adapter for a function of that type between two sides.
    fn add_adapter(
        &mut self,
        params: &[TypeId],
        result: Option<TypeId>,
        from: Side,
        to: Side,
    ) -> FuncId {
        let named = params.iter().map(|ty| ("p".to_owned(), *ty)).collect();
        let ty = self.program.func_types.push(FuncType { params: named, result });
        let lower = match from {
            Side::Native => Lower::Native,
            Side::Guest(encoding, pointer) => {
                let options = self.options(encoding, pointer, 0x100_0000);
                Lower::Guest { instance: ComponentInstanceId::new(1), options }
            }
        };
        let lift = match to {
            Side::Native => Lift::Host(self.program.hosts.push(HostFunc {
                is_native: false,
                interface: "test:test/test".to_owned(),
                name: "f".to_owned(),
                symbol: "test_f".to_owned(),
                ty: HostType::Component(ty),
                live: true,
                reached_by: Vec::new(),
            })),
            Side::Guest(encoding, pointer) => {
                let mut options = self.options(encoding, pointer, 0x10_0000_0000);
                let (params, results) = self.shape(params, result, to, true);
                options.post_return = Some(self.add_wasm(&results, &[]));
                let func = self.add_wasm(&params, &results);
                Lift::Guest { instance: ComponentInstanceId::new(2), options, func }
            }
        };
        let (core_params, core_results) = self.shape(params, result, from, false);
        let kind = FuncKind::Adapter(Adapter { ty, lower, lift });
        self.add_func(&core_params, &core_results, kind)
    }

    fn add_resource(&mut self, kind: ResourceKind) -> ResourceId {
        self.program.resources.push(Resource { name: "r".to_owned(), kind })
    }
}

type Shape = (Vec<ValType>, Vec<ValType>);

fn val_type(ty: &ir::Type) -> ValType {
    let all = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];
    all.into_iter().find(|core| clif_type(*core) == *ty).unwrap()
}

fn target(triple: &str) -> OwnedTargetIsa {
    let mut flags = settings::builder();
    flags.set("enable_verifier", "true").unwrap();
    flags.set("opt_level", "speed").unwrap();
    let builder = isa::lookup(triple.parse().unwrap()).unwrap();
    builder.finish(settings::Flags::new(flags)).unwrap()
}

/// Generates a function for every target, verifies and compiles it; its CLIF for the first.
fn compile(world: &World, func: FuncId) -> String {
    let mut texts = Vec::new();
    for triple in TARGETS {
        let isa = target(triple);
        let env = Env { program: &world.program, layout: &world.layout, isa: &*isa };
        let mut scratch = FunctionBuilderContext::new();
        let body = match world.program.funcs[func].kind {
            FuncKind::Adapter(_) => build_adapter(env, func, &mut scratch),
            _ => build_resource_op(env, func, &mut scratch),
        };
        let body = body.unwrap();
        texts.push(body.display().to_string());
        let mut context = cranelift_codegen::Context::for_function(body);
        if let Err(error) = context.compile(&*isa, &mut Default::default()) {
            panic!("{triple}: {error:?}\n{}", texts[0]);
        }
    }
    texts.swap_remove(0)
}

/// Passes a type as parameter, parameter beyond the flat limit, result and list element, between
/// all sides.
fn check(make: impl Fn(&mut World) -> TypeId) {
    let sides = [GUEST, Side::Guest(StringEncoding::Utf8, PointerSize::P64), Side::Native];
    for from in sides {
        for to in sides {
            if (from, to) == (Side::Native, Side::Native) {
                continue;
            }
            let mut world = World::new();
            let ty = make(&mut world);
            let list = world.add_type(Type::List(ty));
            for params in [vec![ty], vec![ty; 17], vec![list]] {
                for result in [None, Some(ty), Some(list)] {
                    let func = world.add_adapter(&params, result, from, to);
                    compile(&world, func);
                }
            }
        }
    }
}

#[test]
fn scalars() {
    let scalars = [
        Type::Bool,
        Type::S8,
        Type::U8,
        Type::S16,
        Type::U16,
        Type::S32,
        Type::U32,
        Type::S64,
        Type::U64,
        Type::F32,
        Type::F64,
        Type::Char,
    ];
    let mut world = World::new();
    let types = scalars.map(|ty| world.add_type(ty));
    let tuple = world.add_type(Type::Tuple(types.to_vec()));
    for to in [GUEST, Side::Native] {
        for ty in types {
            let func = world.add_adapter(&[ty], Some(ty), GUEST, to);
            compile(&world, func);
        }
        let func = world.add_adapter(&types, Some(tuple), GUEST, to);
        compile(&world, func);
    }
    check(|world| world.add_type(Type::Char));
}

#[test]
fn strings_in_all_encodings() {
    use StringEncoding::{Latin1Utf16, Utf8, Utf16};
    for from in [Utf8, Utf16, Latin1Utf16] {
        for to in [Utf8, Utf16, Latin1Utf16] {
            for (from_pointer, to_pointer) in [
                (PointerSize::P32, PointerSize::P32),
                (PointerSize::P64, PointerSize::P32),
                (PointerSize::P32, PointerSize::P64),
            ] {
                let mut world = World::new();
                let string = world.add_type(Type::String);
                let from = Side::Guest(from, from_pointer);
                let to = Side::Guest(to, to_pointer);
                let func = world.add_adapter(&[string, string], Some(string), from, to);
                compile(&world, func);
            }
        }
        let mut world = World::new();
        let string = world.add_type(Type::String);
        let from = Side::Guest(from, PointerSize::P32);
        for (from, to) in [(from, Side::Native), (Side::Native, from)] {
            let func = world.add_adapter(&[string], Some(string), from, to);
            compile(&world, func);
        }
    }
}

#[test]
fn records_and_fixed_lists() {
    check(|world| {
        let byte = world.add_type(Type::U8);
        let long = world.add_type(Type::U64);
        let text = world.add_type(Type::String);
        let bytes = world.add_type(Type::FixedList(byte, 100));
        let texts = world.add_type(Type::FixedList(text, 9));
        let few = world.add_type(Type::FixedList(text, 2));
        let fields = [byte, byte, long, long, text, bytes, texts, few];
        world.add_type(Type::Record(fields.map(|ty| ("f".to_owned(), ty)).to_vec()))
    });
    check(|world| {
        let float = world.add_type(Type::F32);
        let fixed = world.add_type(Type::FixedList(float, 3));
        world.add_type(Type::Tuple(vec![float, fixed]))
    });
}

#[test]
fn variants_enums_flags() {
    check(|world| {
        let float = world.add_type(Type::F32);
        let double = world.add_type(Type::F64);
        let int = world.add_type(Type::U32);
        let long = world.add_type(Type::U64);
        let text = world.add_type(Type::String);
        let few = world.add_type(Type::Flags(vec!["f".to_owned(); 3]));
        let all = world.add_type(Type::Flags(vec!["f".to_owned(); 32]));
        let names = world.add_type(Type::Enum(vec!["e".to_owned(); 300]));
        let pair = world.add_type(Type::Tuple(vec![float, double]));
        let option = world.add_type(Type::Option(text));
        let result = world.add_type(Type::Result { ok: Some(option), err: None });
        let payloads = [float, int, long, pair, few, all, names, result, double];
        let mut cases = payloads.map(|ty| ("c".to_owned(), Some(ty))).to_vec();
        cases.extend(vec![("none".to_owned(), None); 260]);
        world.add_type(Type::Variant(cases))
    });
    check(|world| world.add_type(Type::Result { ok: None, err: None }));
}

#[test]
fn maps() {
    check(|world| {
        let byte = world.add_type(Type::U8);
        let text = world.add_type(Type::String);
        world.add_type(Type::Map(byte, text))
    });
}

#[test]
fn handles() {
    for instance in 0..3 {
        let mut world = World::new();
        let instance = ComponentInstanceId::new(instance);
        let dtor = Some(world.add_wasm(&[ValType::I32], &[]));
        let kind = ResourceKind::Guest { instance, dtor };
        let resource = world.add_resource(kind);
        let own = world.add_type(Type::Own(resource));
        let borrow = world.add_type(Type::Borrow(resource));
        let borrows = world.add_type(Type::List(borrow));
        let maybe = world.add_type(Type::Option(borrow));
        for (from, to) in [(GUEST, GUEST), (GUEST, Side::Native), (Side::Native, GUEST)] {
            for params in [vec![own], vec![borrow], vec![borrow, own, borrows, maybe]] {
                let func = world.add_adapter(&params, Some(own), from, to);
                compile(&world, func);
            }
        }
    }
}

#[test]
fn resource_operations() {
    let mut world = World::new();
    let dtor = Some(world.add_wasm(&[ValType::I32], &[]));
    let user = ComponentInstanceId::new(1);
    let kinds = [
        ResourceKind::Guest { instance: user, dtor },
        ResourceKind::Guest { instance: ComponentInstanceId::new(2), dtor },
        ResourceKind::Host { drop_symbol: "test_drop".to_owned(), is_native: false },
    ];
    for kind in kinds {
        let resource = world.add_resource(kind);
        for op in [ResourceOp::New, ResourceOp::Rep, ResourceOp::Drop] {
            let results: &[ValType] = if op == ResourceOp::Drop { &[] } else { &[ValType::I32] };
            let kind = FuncKind::Resource { op, resource, instance: user };
            let func = world.add_func(&[ValType::I32], results, kind);
            compile(&world, func);
        }
    }
}

#[test]
fn a_list_of_numbers_is_one_copy() {
    let mut world = World::new();
    let long = world.add_type(Type::U64);
    let pair = world.add_type(Type::Tuple(vec![long, long]));
    let list = world.add_type(Type::List(pair));
    let func = world.add_adapter(&[list], None, GUEST, GUEST);
    let text = compile(&world, func);
    assert_eq!(text.matches("jump").count(), 0, "there is a loop in\n{text}");
}

#[test]
fn bytes_for_the_host_stay_where_they_are() {
    let mut world = World::new();
    let byte = world.add_type(Type::U8);
    let list = world.add_type(Type::List(byte));
    let func = world.add_adapter(&[list], None, GUEST, Side::Native);
    let text = compile(&world, func);
    assert_eq!(text.matches("call ").count(), 1, "more than one call in\n{text}");
}

#[test]
fn relatives_cannot_call_each_other() {
    let mut world = World::new();
    let func = world.add_adapter(&[], None, GUEST, GUEST);
    let callee = ComponentInstanceId::new(2);
    world.program.component_instances[callee].parent = Some(ComponentInstanceId::new(1));
    let text = compile(&world, func);
    assert!(text.contains("trap") && !text.contains("call "), "{text}");
}

#[test]
fn types_beyond_the_limits_are_refused() {
    let mut world = World::new();
    let mut deep = world.add_type(Type::U8);
    for _ in 0..101 {
        deep = world.add_type(Type::Option(deep));
    }
    let mut wide = world.add_type(Type::Bool);
    for _ in 0..20 {
        wide = world.add_type(Type::Tuple(vec![wide, wide]));
    }
    let byte = world.add_type(Type::U8);
    let long = world.add_type(Type::FixedList(byte, 1 << 28));
    for ty in [deep, wide, long] {
        let list = world.add_type(Type::List(ty));
        let named = vec![("p".to_owned(), list)];
        let ty = world.program.func_types.push(FuncType { params: named, result: None });
        let mut options = || world.options(StringEncoding::Utf8, PointerSize::P32, 0x100_0000);
        let (lower_options, lift_options) = (options(), options());
        let callee = world.add_wasm(&[ValType::I32; 2], &[]);
        let instance = ComponentInstanceId::new(1);
        let lower = Lower::Guest { instance, options: lower_options };
        let instance = ComponentInstanceId::new(2);
        let lift = Lift::Guest { instance, options: lift_options, func: callee };
        let kind = FuncKind::Adapter(Adapter { ty, lower, lift });
        let func = world.add_func(&[ValType::I32; 2], &[], kind);
        let isa = target(TARGETS[0]);
        let env = Env { program: &world.program, layout: &world.layout, isa: &*isa };
        let result = build_adapter(env, func, &mut FunctionBuilderContext::new());
        let error = result.expect_err("the type is beyond a limit");
        assert_eq!(error.kind(), crate::error::Kind::Unsupported);
    }
}
