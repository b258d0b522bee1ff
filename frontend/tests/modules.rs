//! Core modules: every section ends up as data.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
mod common;

use common::{accept, first_module};
use wasmelt_frontend::Session;
use wasmelt_frontend::module::{ConstOp, Extern, IndirectCall, SegmentMode};
use wasmelt_frontend::types::{HeapType, ValType};

const MODULE: &str = r#"
(component
  (core module $m
    (type $unary (func (param i32) (result i32)))
    (import "env" "f" (func $f (type $unary)))
    (import "env" "g" (global $g i32))
    (table $t 2 5 funcref)
    (memory $mem 1 3)
    (global $counter (mut i64) (i64.const 7))
    (global $base i32 (i32.add (global.get $g) (i32.const 16)))
    (func $main (export "main") (type $unary)
      (global.set $counter (i64.const 1))
      (i32.store (i32.const 0) (call $f (local.get 0)))
      (i32.store8 (i32.const 1) (i32.load (i32.const 4)))
      (loop (drop (v128.load (i32.const 0))))
      (drop (call_indirect $t (type $unary) (i32.const 5) (i32.const 1)))
      (drop (call_indirect $t (type $unary) (i32.const 5) (local.get 0)))
      (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
      (drop (memory.grow (i32.const 1)))
      (drop (table.get $t (i32.const 0)))
      (table.set $t (i32.const 0) (ref.func $f))
      (i32.const 0))
    (func $start)
    (start $start)
    (elem (i32.const 1) func $main)
    (elem declare func $f)
    (data (i32.const 8) "hello")
    (data $d "passive"))
  (core module $other
    (type (func (result i64)))
    (type (func (param i32) (result i32)))))
"#;

#[test]
fn sections_become_data() {
    let composition = accept(MODULE);
    let module = first_module(&composition);
    assert_eq!(module.name.as_deref(), Some("m"));
    assert_eq!((module.imported.funcs, module.imported.globals), (1, 1));
    assert_eq!(module.imports[1].item, Extern::Global(0));
    assert_eq!(module.funcs.len(), 3);
    assert_eq!((module.tables[0].ty.min, module.tables[0].ty.max), (2, Some(5)));
    assert_eq!(module.tables[0].ty.element.heap, HeapType::Func);
    assert_eq!((module.memories[0].min_pages, module.memories[0].max_pages), (1, Some(3)));
    assert_eq!(module.memories[0].page_size_log2, 16);
    assert_eq!(module.globals[1].init, Some(vec![ConstOp::I64(7)]));
    assert!(module.globals[1].ty.mutable);
    let base = vec![ConstOp::GlobalGet(0), ConstOp::I32(16), ConstOp::I32Add];
    assert_eq!(module.globals[2].init, Some(base));
    assert_eq!(module.exports["main"], Extern::Func(1));
    assert_eq!(module.start, Some(2));
    assert_eq!(module.elems[0].items, [vec![ConstOp::RefFunc(1)]]);
    assert!(matches!(module.elems[1].mode, SegmentMode::Declared));
    let bytes = &composition.files[module.bytes.file].bytes;
    assert_eq!(&bytes[module.data[0].bytes.range.clone()], b"hello");
    assert_eq!(&bytes[module.data[1].bytes.range.clone()], b"passive");
    assert_eq!(&bytes[module.bytes.range.clone()][..8], b"\0asm\x01\0\0\0");
    assert_eq!(module.func_names[&1], "main");
}

#[test]
fn bodies_are_summarised() {
    let composition = accept(MODULE);
    let module = first_module(&composition);
    let summary = &module.bodies[0].summary;
    assert_eq!(*summary.calls, [0]);
    assert_eq!(*summary.ref_funcs, [0]);
    let call = |element| IndirectCall { table: 0, ty: 0, element };
    assert_eq!(*summary.indirect_calls, [call(None), call(Some(1))]);
    assert_eq!(*summary.globals_written, [1]);
    assert_eq!(*summary.memories, [0]);
    assert_eq!(*summary.memories_written, [0]);
    assert_eq!(*summary.memories_grown, [0]);
    assert_eq!(*summary.tables_read, [0]);
    assert_eq!(*summary.tables_written, [0]);
    assert_eq!(*summary.data, [1]);
    assert!(summary.has_loop && summary.uses_simd);
    assert_eq!(module.bodies[1].summary.operators, 1);
    let body = &composition.files[module.bytes.file].bytes[module.bodies[1].bytes.range.clone()];
    assert_eq!(body, [0, 0x0b]);
}

#[test]
fn a_load_does_not_write_and_an_atomic_update_does() {
    let composition = accept(
        "(component (core module
           (memory 1 1 shared) (memory 1) (memory 1)
           (func (drop (i32.load 1 (i32.const 0)))
                 (drop (i32.atomic.rmw.add 0 (i32.const 0) (i32.const 1)))
                 (drop (v128.load8_lane 2 0 (i32.const 0) (v128.const i64x2 0 0))))))",
    );
    let summary = &first_module(&composition).bodies[0].summary;
    assert_eq!(*summary.memories, [0, 1, 2]);
    assert_eq!(*summary.memories_read, [0, 1, 2]);
    assert_eq!(*summary.memories_written, [0]);
}

#[test]
fn a_store_does_not_read_and_neither_does_growing() {
    let composition = accept(
        "(component (core module
           (memory 1) (memory 1 1 shared) (memory 1) (memory 1) (memory 1) (data $d \"x\")
           (func (i32.store8 0 (i32.const 0) (i32.const 1))
                 (i32.atomic.store 1 (i32.const 0) (i32.const 1))
                 (drop (memory.grow 2 (memory.size 2)))
                 (memory.copy 0 3 (i32.const 0) (i32.const 0) (i32.const 1))
                 (memory.init 4 $d (i32.const 0) (i32.const 0) (i32.const 1))
                 (memory.fill 4 (i32.const 0) (i32.const 0) (i32.const 1)))))",
    );
    let summary = &first_module(&composition).bodies[0].summary;
    assert_eq!(*summary.memories, [0, 1, 2, 3, 4]);
    assert_eq!(*summary.memories_read, [3]);
    assert_eq!(*summary.memories_written, [0, 1, 4]);
}

#[test]
fn equal_types_of_different_modules_are_one() {
    let composition = accept(MODULE);
    let types: Vec<_> = composition.modules.values().map(|module| &module.types).collect();
    assert_eq!(types[0][0], types[1][1]);
    assert_ne!(types[1][0], types[1][1]);
    let ty = composition.core_types[types[0][0]].func().unwrap();
    assert_eq!((&*ty.params, &*ty.results), (&[ValType::I32][..], &[ValType::I32][..]));
}

#[test]
fn recursion_groups_are_compared_as_wholes() {
    let composition = accept(
        "(component
           (core module
             (rec (type $a (func (result (ref null $b)))) (type $b (func (result (ref null $a)))))
             (type $c (func)))
           (core module
             (type $c (func))
             (rec (type $a (func (result (ref null $b)))) (type $b (func (result (ref null $a))))))
           (core module
             (rec (type $b (func (result (ref null $a)))) (type $a (func (result (ref null $a)))))
             (type $d (sub (func)))))",
    );
    let types: Vec<_> = composition.modules.values().map(|module| &module.types).collect();
    assert_eq!((types[0][0], types[0][1]), (types[1][1], types[1][2]));
    assert_eq!(types[0][2], types[1][0]);
    assert!(!types[0].contains(&types[2][0]) && !types[0].contains(&types[2][2]));
}

#[test]
fn a_session_goes_on_after_a_bad_module() {
    let mut session = Session::new();
    let good = b"(module (type (func (param i64))))";
    let bad = b"(module (func (result i32)))";
    session.add_bytes("a".as_ref(), good.to_vec()).unwrap();
    session.add_bytes("b".as_ref(), bad.to_vec()).unwrap_err();
    session.add_bytes("c".as_ref(), good.to_vec()).unwrap();
    let composition = session.finish(None);
    let types: Vec<_> = composition.modules.values().map(|module| module.types[0]).collect();
    assert_eq!(types[0], types[1]);
}

#[test]
fn a_module_on_its_own_may_import_a_name_twice() {
    let module = r#"(module (import "a" "b" (func)) (import "a" "b" (func)))"#;
    Session::new().add_bytes("m".as_ref(), module.as_bytes().to_vec()).unwrap();
}
