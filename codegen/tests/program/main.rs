//! Whole programs: addresses, inlining and the same bytes every time.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod fold;

use std::fmt::Write;
use std::path::Path;
use wasmelt_codegen::layout::{BoundsCheck, Layout, MemoryPlace, TablePlace, plan_layout};
use wasmelt_codegen::options::{MemoryMode, OptLevel};
use wasmelt_codegen::program::Program;
use wasmelt_codegen::{Options, compile_object, link_executable, print_assembly, print_clif};
use wasmelt_frontend::Session;

/// A program of a component that exports `wasi:cli/run`. `module` is what its core module holds
/// besides the `run` function, whose body is `body`.
fn program(module: &str, body: &str) -> Program {
    let text = format!(
        r#"(component
          (core module $M
            {module}
            (func (export "run") (result i32) {body}))
          (core instance $m (instantiate $M))
          (func $run (result (result)) (canon lift (core func $m "run")))
          (instance $i (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $i)))"#
    );
    let mut session = Session::new();
    let root = session.add_bytes(Path::new("test.wat"), text.into_bytes()).unwrap();
    wasmelt_flatten::instantiate(session.finish(Some(root))).unwrap()
}

/// Many functions that call each other, some of them in cycles.
fn many_functions() -> Program {
    let mut module = String::from("(memory 1) (global $g (mut i32) (i32.const 7))");
    let count = 300;
    for index in 0..count {
        let (one, two) = ((index * 7 + 3) % count, (index * 13 + 5) % count);
        write!(
            module,
            "(func $f{index} (param i32) (result i32)
               (if (i32.eqz (local.get 0)) (then (return (i32.load (global.get $g)))))
               (i32.add
                 (call $f{one} (i32.sub (local.get 0) (i32.const 1)))
                 (call $f{two} (i32.shr_u (local.get 0) (i32.const 1)))))"
        )
        .unwrap();
    }
    program(&module, "(call $f0 (i32.const 9))")
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let program = many_functions();
    let build = |threads| {
        let options = Options { threads, ..Options::default() };
        let object = compile_object(&program, &options).unwrap();
        let linked = link_executable(&object, &options).unwrap();
        (object.bytes, linked)
    };
    let one = build(1);
    assert!(one == build(2), "two threads make other bytes than one");
    assert!(one == build(5), "five threads make other bytes than one");
}

#[test]
fn symbols_are_left_out_on_request() {
    let program = program("(memory 1)", "(i32.load (i32.const 0))");
    let build = |strip| {
        let options = Options { strip, ..Options::default() };
        link_executable(&compile_object(&program, &options).unwrap(), &options).unwrap()
    };
    let (with, without) = (build(false), build(true));
    assert!(without.len() < with.len());
    let contains = |bytes: &[u8]| bytes.windows(12).any(|window| window == b"wasmelt_main");
    assert!(contains(&with) && !contains(&without));
}

#[test]
fn single_uses_and_small_functions_are_inlined() {
    let module = "
        (func $once (param i32) (result i32) (local i32)
          (loop (br_if 0 (local.tee 1 (i32.add (local.get 1) (local.get 0)))))
          (local.get 1))
        (func $small (param i32) (result i32) (i32.mul (local.get 0) (i32.const 3)))";
    let body = "(call $once (call $small (call $small (i32.const 5))))";
    let program = program(module, body);
    let text = print_clif(&program, &Options::default(), "").unwrap();
    let calls = text.matches(" call ").count();
    assert_eq!(calls, 0, "{text}");
    assert_eq!(text.matches("function ").count(), 1, "{text}");
    let options = Options { opt_level: OptLevel::None, ..Options::default() };
    let text = print_clif(&program, &options, "").unwrap();
    assert!(text.matches(" call ").count() >= 3, "{text}");
}

#[test]
fn recursive_functions_stay_functions() {
    let module = "(func $f (param i32) (result i32)
        (if (result i32) (local.get 0)
          (then (i32.mul (local.get 0) (call $f (i32.sub (local.get 0) (i32.const 1)))))
          (else (i32.const 1))))";
    let program = program(module, "(call $f (i32.const 5))");
    let text = print_assembly(&program, &Options::default(), "").unwrap();
    assert!(text.contains("::f\n"), "{text}");
}

#[test]
fn listings_are_filtered_by_name() {
    let program = many_functions();
    let text = print_clif(&program, &Options::default(), "wasmelt_main").unwrap();
    assert!(text.starts_with("; wasmelt_main\n"), "{text}");
    assert_eq!(text.matches("function ").count(), 1, "{text}");
}

/// The layout, and the ranges that no two of may overlap.
fn ranges(program: &Program, options: &Options) -> (Layout, Vec<(u64, u64)>) {
    let layout = plan_layout(program, options).unwrap();
    let mut ranges = vec![
        (layout.constants_start, layout.constants_end),
        (layout.state_start, layout.state_end),
    ];
    for place in program.memories.keys().map(|memory| layout.memories[memory]) {
        if place != MemoryPlace::default() {
            let window = wasmelt_abi::addresses::MEMORY_WINDOW_BYTES;
            ranges.push((place.base, place.base + place.max_bytes.max(window)));
        }
    }
    ranges.sort_unstable();
    (layout, ranges)
}

const STATEFUL: &str = r#"
    (memory $cold 1)
    (memory $hot 2 9)
    (memory $wide i64 1)
    (global $g (mut v128) (v128.const i64x2 1 2))
    (global $h (mut i32) (i32.const 3))
    (table $frozen 4 funcref)
    (elem (table $frozen) (i32.const 1) func $a $b)
    (table $grows 3 funcref)
    (table $fixed 5 5 funcref)
    (type $t (func))
    (func $a (global.set $h (i32.const 1)))
    (func $b (global.set $g (i8x16.splat (global.get $h))))
    (func $touch (param i32)
      (i32.store8 $cold (local.get 0) (i32.const 1))
      (i32.store8 $wide (i64.const 0) (i32.const 1))
      (call_indirect $frozen (type $t) (local.get 0))
      (table.set $grows (local.get 0) (ref.func $a))
      (table.set $fixed (local.get 0) (ref.func $b))
      (call_indirect $grows (type $t) (local.get 0))
      (call_indirect $fixed (type $t) (local.get 0)))
    (elem declare func $a $b)"#;

const TOUCH_ALL: &str = "
    (call $touch (i32.load8_u $hot (i32.const 3)))
    (i32.store8 $hot (i32.load8_u $hot (i32.const 4)) (i32.load8_u $hot (i32.const 5)))
    (i32.store8 $hot (i32.load8_u $hot (i32.const 6)) (i32.load8_u $hot (i32.const 7)))
    (i32.store8 $hot (i32.load8_u $hot (i32.const 8)) (i32.load8_u $hot (i32.const 9)))
    (i32.load8_u $hot (i32.const 1))";

#[test]
fn nothing_overlaps() {
    let program = program(STATEFUL, TOUCH_ALL);
    let (layout, ranges) = ranges(&program, &Options::default());
    for pair in ranges.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "{pair:x?}");
    }
    // What cannot change lies on pages of its own.
    assert!(layout.constants_end > layout.constants_start);
    assert!(layout.state_start % 0x1000 == 0 && layout.state_start >= layout.constants_end);
    let stack = wasmelt_abi::addresses::STACK_BASE;
    let below_stack = ranges.iter().filter(|range| range.0 < stack).map(|range| range.1).max();
    assert!(stack - below_stack.unwrap() >= 1 << 30, "the gap below the stack is too small");
}

#[test]
fn the_most_used_memory_lies_low() {
    let program = program(STATEFUL, TOUCH_ALL);
    let (layout, _) = ranges(&program, &Options::default());
    let bases: Vec<u64> =
        program.memories.keys().map(|memory| layout.memories[memory].base).collect();
    let [cold, hot, wide] = bases[..] else { panic!("{bases:x?}") };
    assert!(hot < 1 << 31, "{hot:x}");
    assert!(hot % wasmelt_abi::addresses::PAGE_BYTES_MAX == 0);
    assert!(cold > 1 << 32 && wide > 1 << 32);
}

#[test]
fn only_what_32_bits_index_needs_no_check() {
    let program = program(STATEFUL, TOUCH_ALL);
    let checks = |memory_mode| {
        let (layout, _) = ranges(&program, &Options { memory_mode, ..Options::default() });
        let checks = program.memories.keys().map(|memory| layout.memories[memory].check);
        checks.collect::<Vec<_>>()
    };
    use BoundsCheck::{Explicit, Guard};
    assert_eq!(checks(MemoryMode::Guard), [Guard, Guard, Explicit]);
    assert_eq!(checks(MemoryMode::Bounds), [Explicit, Explicit, Explicit]);
}

#[test]
fn tables_are_placed_by_what_can_happen_to_them() {
    let program = program(STATEFUL, TOUCH_ALL);
    let (layout, _) = ranges(&program, &Options::default());
    let places: Vec<TablePlace> = program.tables.keys().map(|table| layout.tables[table]).collect();
    let [frozen, grows, fixed] = places[..] else { panic!("{places:?}") };
    let TablePlace::Frozen { elements, size: 4 } = frozen else { panic!("{frozen:?}") };
    assert!((layout.constants_start..layout.constants_end).contains(&elements));
    assert!(matches!(grows, TablePlace::Mutable { fixed: None, .. }));
    let TablePlace::Mutable { fixed: Some((start, 5)), elements, .. } = fixed else {
        panic!("{fixed:?}")
    };
    assert_eq!(start, elements);
}

#[test]
fn tables_beyond_the_state_are_refused() {
    let module = "(type $t (func)) (table 100000000 funcref)
        (func $f (param i32) (table.set (local.get 0) (ref.null func))
          (call_indirect (type $t) (local.get 0)))";
    let program = program(module, "(call $f (i32.const 1)) (i32.const 0)");
    let error = compile_object(&program, &Options::default()).unwrap_err();
    assert_eq!(error.message(), "tables and globals of more than 256 MiB");
}

/// How many sections with initial contents a program has whose core module is this, and how large
/// its executable is.
fn measure(module: &str) -> (usize, usize) {
    let program = program(module, "(i32.load (i32.const 1000000))");
    let object = compile_object(&program, &Options::default()).unwrap();
    let sections = object.fixed.iter().map(|range| range.sections.len()).sum::<usize>();
    (sections, link_executable(&object, &Options::default()).unwrap().len())
}

#[test]
fn initial_contents_are_mapped_or_copied() {
    let size_of = |bytes: usize| {
        let data = "x".repeat(bytes);
        measure(&format!("(memory 40) (data (i32.const 1000000) {data:?})"))
    };
    let (sections, small) = size_of(100);
    assert_eq!(sections, 0);
    let (sections, large) = size_of(200_000);
    // The state is small, so it is copied all the same.
    assert_eq!(sections, 1);
    // The zeros before and behind the segment are not in the file.
    assert!(large < small + 200_000 + 3 * 0x1000, "{large} against {small}");
}

#[test]
fn equal_contents_of_memories_are_in_the_file_once() {
    let size_of = |last: &str| {
        let data = "x".repeat(50_000);
        let (_, size) = measure(&format!(
            "(memory 40) (data (i32.const 0) {data:?})
             (memory $other 1) (data (memory $other) (i32.const 0) \"{data}{last}\")
             (func $start (drop (i32.load $other (i32.const 0)))) (start $start)"
        ));
        size
    };
    let (equal, different) = (size_of("\\00"), size_of("y"));
    assert!(equal + 40_000 < different, "{equal} against {different}");
}
