//! Bodies of wasm functions to CLIF: what comes out is legal, compiles for every
//! target, and leaves out the checks that the rules allow to leave out.

mod program;

use cranelift_codegen::Context;
use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::ir;
use program::{bodies, make_program, options};
use wasmelt_codegen::env::Env;
use wasmelt_codegen::error::{Error, Kind};
use wasmelt_codegen::layout::plan_layout;
use wasmelt_codegen::options::MemoryMode::{self, Bounds, Guard};
use wasmelt_codegen::options::{OptLevel, Options, build_isa};
use wasmelt_codegen::program::FuncId;
use wasmelt_codegen::translate::{TranslateScratch, translate_body};

const ARCHITECTURES: [&str; 4] = ["x86_64", "aarch64", "riscv64gc", "s390x"];

/// Translates every body of a module and hands each result to `use_body`.
fn for_each_body(
    source: &str,
    options: &Options,
    mut use_body: impl FnMut(Env<'_>, FuncId, Result<ir::Function, Error>),
) {
    let program = make_program(source.as_bytes());
    let layout = plan_layout(&program, options).expect("room for everything");
    let isa = build_isa(options).expect("a known target");
    let env = Env { program: &program, layout: &layout, isa: &*isa };
    let mut scratch = TranslateScratch::default();
    for func in bodies(&program) {
        use_body(env, func, translate_body(env, func, &mut scratch));
    }
}

/// Translates and verifies every body of a module.
fn translate(source: &str, memory_mode: MemoryMode) -> Vec<ir::Function> {
    let mut functions = Vec::new();
    for_each_body(source, &options("x86_64", OptLevel::Full, memory_mode), |env, _, clif| {
        let clif = clif.expect("a translation");
        cranelift_codegen::verify_function(&clif, env.isa).expect("legal CLIF");
        functions.push(clif);
    });
    functions
}

/// The text of the last body of a module.
fn clif(source: &str, memory_mode: MemoryMode) -> String {
    translate(source, memory_mode).last().expect("a body").display().to_string()
}

/// Compiles every body of a module for a target and returns the disassembly of the last.
fn compile(source: &str, options: &Options) -> String {
    let mut text = String::new();
    for_each_body(source, options, |env, func, clif| {
        let mut context = Context::for_function(clif.expect("a translation"));
        context.set_disasm(true);
        let target = env.isa.triple();
        match context.compile(env.isa, &mut ControlPlane::default()) {
            Ok(code) => text = code.vcode.clone().expect("a disassembly was asked for"),
            Err(error) => {
                panic!("{func} for {target}: {:?}\n{}", error.inner, error.func.display())
            }
        }
    });
    text
}

/// Compiles every body of a module for every target at both ends of optimisation.
fn compile_everywhere(source: &str) {
    for memory_mode in [Guard, Bounds] {
        for architecture in ARCHITECTURES {
            compile(source, &options(architecture, OptLevel::None, memory_mode));
            compile(source, &options(architecture, OptLevel::Full, memory_mode));
        }
    }
}

#[test]
fn low_memory_joins_the_displacement() {
    let text = compile(
        "(module (memory 1) (func (param i32) (result i32) local.get 0 i32.load offset=16))",
        &options("x86_64", OptLevel::Full, Guard),
    );
    // One instruction zero-extends the index, one loads: no base is in a register.
    assert!(text.contains("movl 0x410010("), "{text}");
}

#[test]
fn guarded_accesses_are_not_checked() {
    let load = "(module (memory 1) (func (param i32) (result i32) local.get 0 i32.load))";
    assert!(!clif(load, Guard).contains("trapnz"));
    assert!(clif(load, Bounds).contains("trapnz"));
    let far = "(module (memory 1) (func (param i32) (result i32)
        local.get 0 i32.load offset=0x7fff0000))";
    assert!(clif(far, Guard).contains("trapnz"));
    let wide = "(module (memory i64 1) (func (param i64) (result i32) local.get 0 i32.load))";
    assert!(clif(wide, Guard).contains("trapnz"));
}

#[test]
fn constant_addresses_in_the_first_size_are_not_checked() {
    let inside = "(module (memory 1) (func (result i32) i32.const 65532 i32.load))";
    let text = clif(inside, Bounds);
    assert!(!text.contains("trapnz"), "{text}");
    assert!(text.contains("notrap"), "{text}");
    let beyond = "(module (memory 1) (func (result i32) i32.const 65533 i32.load))";
    assert!(clif(beyond, Bounds).contains("trapnz"));
    assert!(clif(beyond, Guard).contains("load.i32 little"));
}

#[test]
fn constant_elements_of_frozen_tables_are_called_directly() {
    let functions = translate(
        "(module (type $t (func)) (table 1 1 funcref) (elem (i32.const 0) $f) (func $f)
            (func (call_indirect (type $t) (i32.const 0))))",
        Guard,
    );
    let text = functions[1].display().to_string();
    assert!(!text.contains("call_indirect"), "{text}");
    assert!(text.contains("call fn0()"), "{text}");
}

#[test]
fn frozen_tables_of_one_type_are_checked_for_bounds_alone() {
    let uniform = "(module (type $t (func)) (table 2 2 funcref) (elem (i32.const 0) $f $f)
        (func $f) (func (param i32) (call_indirect (type $t) (local.get 0))))";
    let text = translate(uniform, Guard)[1].display().to_string();
    assert_eq!(text.matches(" trap").count(), 1, "{text}");
    let mixed = "(module (type $t (func)) (table 3 3 funcref) (elem (i32.const 0) $f $g)
        (func $f) (func $g (param i32))
        (func (param i32) (call_indirect (type $t) (local.get 0))))";
    let text = translate(mixed, Guard)[2].display().to_string();
    // Beside the bounds, null and type are told apart only where a cold block traps.
    assert_eq!(text.matches(" trap").count(), 3, "{text}");
    assert_eq!(text.matches("cold").count(), 1, "{text}");
}

/// The last body of a module with a table of two elements and one function of each type, whose call
/// takes its index from `index`.
fn call_with_index(elements: &str, size: u32, index: &str) -> String {
    let module = format!(
        "(module (type $t (func)) (memory 1) (table {size} {size} funcref)
            (elem (i32.const 0) {elements})
            (func $f) (func $f2 (drop (i32.const 1))) (func $g (param i32))
            (func (param i32) (call_indirect (type $t) {index})))"
    );
    clif(&module, Guard)
}

#[test]
fn the_only_function_of_a_type_is_called_directly() {
    let counts = |elements: &str| {
        let text = call_with_index(elements, 3, "(local.get 0)");
        let indirect = text.matches("call_indirect").count();
        (indirect, text.matches(" trap").count(), text.matches("load").count())
    };
    // T5: bounds alone; the only load left is that of the type, or of the code to compare to null.
    assert_eq!(counts("$f $f $f"), (0, 1, 0));
    assert_eq!(counts("$f $f"), (0, 2, 1));
    assert_eq!(counts("$f $g"), (0, 3, 1));
    // With two functions of the type nothing is known.
    assert_eq!(counts("$f $f2 $g"), (1, 3, 2));
}

#[test]
fn indices_that_stay_inside_the_table_are_not_checked() {
    let traps = |elements: &str, size: u32, index: &str| {
        call_with_index(elements, size, index).matches(" trap").count()
    };
    let mask = |mask: u32| format!("(i32.and (local.get 0) (i32.const {mask}))");
    // T4: nothing but the bounds needed a check.
    assert_eq!(traps("$f $f2 $f $f2", 4, &mask(3)), 0);
    assert_eq!(traps("$f $f2 $f $f2", 4, &mask(4)), 1);
    // T4 with T1: null and other types lie where the index cannot reach.
    assert_eq!(traps("$f $f2 $g", 4, &mask(1)), 0);
    assert_eq!(traps("$f $g $f2", 4, &mask(1)), 2);
    let narrow = "(i32.load8_u (local.get 0))";
    assert_eq!(traps("$f $f2", 256, narrow), 1);
    assert_eq!(traps("$f $f2", 255, narrow), 2);
}

#[test]
fn null_is_found_by_the_first_load() {
    let text = clif(
        "(module (type $t (func)) (func (param (ref null $t)) (call_ref $t (local.get 0))))",
        Guard,
    );
    assert!(text.contains("load.i64 user7 ") && !text.contains(" trap"), "{text}");
}

#[test]
fn small_constant_copies_are_inline() {
    let copy = "(module (memory 1) (func (param i32 i32)
        (memory.copy (local.get 0) (local.get 1) (i32.const 39))
        (memory.fill (local.get 0) (i32.const 7) (i32.const 21))))";
    assert!(!clif(copy, Guard).contains("call"));
    compile_everywhere(copy);
}

#[test]
fn branch_hints_make_cold_blocks() {
    let text = clif(
        "(module (func (param i32) (result i32)
            local.get 0 (@metadata.code.branch_hint \"\\00\") if unreachable end
            (block (@metadata.code.branch_hint \"\\00\") (br_if 0 (local.get 0)))
            i32.const 1))",
        Guard,
    );
    assert_eq!(text.matches("cold").count(), 2, "{text}");
}

#[test]
fn frozen_globals_are_constants() {
    let text =
        clif("(module (global $a i32 (i32.const 42)) (func (result i32) global.get $a))", Guard);
    assert!(text.contains("iconst.i32 42") && !text.contains("load"), "{text}");
}

#[test]
fn every_instruction_has_a_place() {
    let functions = translate(
        "(module (memory 1) (func (param i32) (result i32)
            (if (result i32) (local.get 0) (then (i32.load (local.get 0)))
                (else (i32.const 3)))))",
        Guard,
    );
    let func = &functions[0];
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            assert!(!func.srcloc(inst).is_default(), "{}", func.dfg.display_inst(inst));
        }
    }
}

#[test]
fn what_is_not_implemented_is_named() {
    let source = "(module (tag $e) (func throw $e))";
    for_each_body(source, &options("x86_64", OptLevel::None, Guard), |_, _, clif| {
        let error = clif.expect_err("exceptions are not implemented");
        assert_eq!(error.kind(), Kind::Unsupported);
        assert_eq!(error.message(), "the instruction Throw");
    });
}

#[test]
fn large_branch_tables_translate() {
    let targets = "0 1 ".repeat(50_000);
    let source = format!(
        "(module (func (param i32) (result i32)
            (block (result i32) (block (result i32) i32.const 1 local.get 0 br_table {targets} 0)
            i32.const 5 i32.add)))"
    );
    translate(&source, Guard);
}

#[test]
fn deep_nesting_translates() {
    let depth = 20_000;
    let source = format!(
        "(module (func (param i32) {} {}))",
        "block local.get 0 br_if 0 ".repeat(depth),
        "end ".repeat(depth)
    );
    translate(&source, Guard);
}

#[test]
fn dead_code_is_skipped() {
    compile_everywhere(
        "(module (func (result i32)
            (block (result i32)
                (br 0 (i32.const 1))
                (block (loop (if (i32.eqz (unreachable)) (then (br 1)) (else unreachable))))
                drop i32.add)
            return
            (if (result i32) (then (i32.const 1)) (else (i32.const 2)))))",
    );
}

#[test]
fn control_flow_compiles() {
    compile_everywhere(
        "(module
            (type $two (func (param i32 i64) (result i32 i64)))
            (func $swap (param i32 i64) (result i64 i32) local.get 1 local.get 0)
            (func (param i32 i64) (result i64 i32)
                local.get 0 local.get 1
                (block (type $two) (loop (type $two)
                    (br_if 0 (local.get 0))
                    (br_table 0 1 0 (local.get 0))))
                (if (type $two) (local.get 0)
                    (then drop drop (i32.const 1) (i64.const 2)))
                call $swap)
            (func (param i32) (result i32)
                (if (result i32) (local.get 0)
                    (then (return_call 2 (i32.sub (local.get 0) (i32.const 1))))
                    (else (i32.const 7)))))",
    );
}

#[test]
fn references_and_tables_compile() {
    compile_everywhere(
        "(module
            (type $t (func (param i32) (result i32)))
            (table $m 4 funcref) (table $x 2 externref) (table $l i64 2 funcref)
            (table $frozen 3 3 funcref)
            (elem (table $frozen) (i32.const 0) func $id)
            (elem $e func $id $id)
            (func $id (type $t) local.get 0)
            (func (param i32 (ref null $t)) (result i32)
                (local $r (ref null $t))
                (table.set $m (local.get 0) (ref.func $id))
                (table.set $x (i32.const 1) (table.get $x (i32.const 0)))
                (table.set $m (i32.const 0) (table.get $frozen (local.get 0)))
                (table.fill $m (i32.const 0) (ref.null func) (i32.const 2))
                (table.copy $m $m (i32.const 0) (i32.const 1) (i32.const 2))
                (table.copy $m $frozen (i32.const 0) (i32.const 1) (i32.const 2))
                (table.copy $l $m (i64.const 0) (i32.const 1) (i32.const 2))
                (table.init $m $e (i32.const 0) (i32.const 0) (i32.const 1))
                (elem.drop $e)
                (drop (table.grow $m (ref.null func) (i32.const 1)))
                (drop (table.grow $l (ref.null func) (i64.const 1)))
                (drop (table.size $l))
                (drop (call_indirect $m (type $t) (i32.const 1) (local.get 0)))
                (drop (call_indirect $l (type $t) (i32.const 1) (i64.const 1)))
                (drop (call_indirect $frozen (type $t) (i32.const 1) (local.get 0)))
                (drop (ref.is_null (local.get 1)))
                (block $null
                    (local.set $r (br_on_null $null (local.get 1)))
                    (drop (call_ref $t (i32.const 1) (local.get $r))))
                (block (result (ref $t))
                    (br_on_non_null 0 (local.get 1))
                    unreachable)
                drop
                (drop (ref.as_non_null (local.get 1)))
                (return_call_ref $t (i32.const 1) (local.get 1)))
            (func (param i32) (result i32)
                (return_call_indirect $m (type $t) (local.get 0) (i32.const 2))))",
    );
}

#[test]
fn memories_compile() {
    compile_everywhere(
        "(module
            (memory $a 1) (memory $b i64 1) (memory $c 1 (pagesize 1)) (memory $d 2)
            (data $p \"abc\")
            (func (param i32 i64)
                (i32.store $a offset=4 (local.get 0) (i32.load8_s $b (local.get 1)))
                (i64.store16 $c (local.get 0) (i64.load32_u $d offset=0xfffffff0 (local.get 0)))
                (f32.store $d (local.get 0) (f32.load $b offset=0xffffffffffff (local.get 1)))
                (memory.copy $a $b (local.get 0) (local.get 1) (local.get 0))
                (memory.copy $d $d (local.get 0) (local.get 0) (local.get 0))
                (memory.fill $b (local.get 1) (i32.const 1) (local.get 1))
                (memory.init $a $p (local.get 0) (i32.const 0) (i32.const 3))
                (data.drop $p)
                (drop (memory.grow $b (local.get 1)))
                (drop (memory.grow $c (local.get 0)))
                (drop (memory.size $a)) (drop (memory.size $b)) (drop (memory.size $c))))",
    );
}

#[test]
fn vectors_compile() {
    compile_everywhere(
        "(module
            (memory 1) (global $g (mut v128) (v128.const i64x2 1 2))
            (func $f (param v128 i32) (result v128 v128)
                (local $v v128)
                (local.set $v (i32x4.add (local.get 0) (f32x4.mul (local.get 0) (local.get 0))))
                (global.set $g (i16x8.splat (local.get 1)))
                (v128.store (local.get 1) (f64x2.pmin (local.get $v) (global.get $g)))
                (select (i8x16.swizzle (local.get 0) (local.get $v))
                    (v128.load32_zero (local.get 1)) (local.get 1))
                (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31
                    (local.get 0) (local.get $v)))
            (func (param v128 i32) (result v128)
                (block (result v128)
                    (br_if 0 (f32x4.nearest (local.get 0)) (local.get 1))
                    (drop (i32x4.trunc_sat_f64x2_u_zero (local.get 0)))
                    (drop (call $f (i64x2.extmul_high_i32x4_u (local.get 0) (local.get 0))
                        (i16x8.bitmask (local.get 0))))
                    (f64x2.relaxed_madd (local.get 0) (local.get 0))
                    v128.xor)
                (v128.store8_lane 3 (local.get 1) (local.get 0))
                (v128.load16_lane 2 (local.get 1) (local.get 0))
                (i8x16.narrow_i16x8_s (local.get 0) (local.get 0))
                i32x4.relaxed_dot_i8x16_i7x16_add_s
                (i16x8.q15mulr_sat_s (local.get 0))))",
    );
}

#[test]
fn atomics_compile() {
    compile_everywhere(
        "(module
            (memory $u 1) (memory $s 1 1 shared)
            (func (param i32 i32 i64) (result i32)
                (drop (i32.atomic.load offset=2 (local.get 0)))
                (i64.atomic.store32 $s offset=4 (local.get 0) (local.get 2))
                (drop (i32.atomic.rmw8.add_u (local.get 0) (local.get 1)))
                (drop (i64.atomic.rmw.xchg $s (local.get 0) (local.get 2)))
                (drop (i64.atomic.rmw16.cmpxchg_u (local.get 0) (local.get 2) (local.get 2)))
                (atomic.fence)
                (drop (memory.atomic.notify (local.get 0) (local.get 1)))
                (drop (memory.atomic.wait32 $s (local.get 0) (local.get 1) (local.get 2)))
                (memory.atomic.wait64 $u (local.get 0) (local.get 2) (local.get 2))))",
    );
}

#[test]
fn numbers_compile() {
    compile_everywhere(
        "(module
            (func (param i64 i64) (result i64 i64)
                (i64.add128 (local.get 0) (local.get 1) (local.get 1) (local.get 0))
                (i64.sub128 (local.get 0) (local.get 1))
                (i64.mul_wide_s)
                (i64.mul_wide_u))
            (func (param i32 f32 f64) (result i32)
                (i32.div_s (local.get 0) (i32.rem_s (local.get 0) (local.get 0)))
                (i32.trunc_f32_u (f32.nearest (local.get 1)))
                i32.add
                (i32.trunc_sat_f64_s (f64.copysign (local.get 2) (f64.floor (local.get 2))))
                i32.rotl
                (i32.wrap_i64 (i64.extend8_s (i64.reinterpret_f64 (local.get 2))))
                i32.xor
                (f64.lt (local.get 2) (f64.promote_f32 (local.get 1)))
                i32.shl))",
    );
}
