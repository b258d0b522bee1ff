//! Components: definitions in the order of the binary.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
mod common;

use common::{accept, imports, refuse, root};
use wasmelt_frontend::composition::{
    Alias, CoreInstance, Def, ExternType, Instance, Sort, StringEncoding, TypeDecl, TypeDef,
    ValueTypeDef,
};

/// One word for each definition.
fn outline(defs: &[Def]) -> String {
    let word = |def: &Def| match def {
        Def::Import(_) => "import",
        Def::CoreModule(_) => "core-module",
        Def::CoreType => "core-type",
        Def::CoreInstance(CoreInstance::Instantiate { .. }) => "core-instantiate",
        Def::CoreInstance(CoreInstance::Bundle(_)) => "core-bundle",
        Def::Component(_) => "component",
        Def::Instance(Instance::Instantiate { .. }) => "instantiate",
        Def::Instance(Instance::Bundle(_)) => "bundle",
        Def::Alias(Alias::InstanceExport { .. }) => "alias-export",
        Def::Alias(Alias::CoreInstanceExport { .. }) => "alias-core-export",
        Def::Alias(Alias::Outer { .. }) => "alias-outer",
        Def::Type(_) => "type",
        Def::Lift { .. } => "lift",
        Def::Lower { .. } => "lower",
        Def::Resource { .. } => "resource",
        Def::Cell { .. } => "cell",
        Def::UnsupportedBuiltin(_) => "unsupported",
        Def::Export(_) => "export",
    };
    defs.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn definitions_keep_their_order() {
    let composition = accept(
        r#"(component $outer
             (import "log" (func $log (param "s" string)))
             (core module $libc (memory (export "m") 1)
               (func (export "r") (param i32 i32 i32 i32) (result i32) unreachable))
             (core instance $libc (instantiate $libc))
             (core func $low (canon lower (func $log) string-encoding=utf16
               (memory $libc "m") (realloc (func $libc "r"))))
             (component $child (export "l" (core module $libc)))
             (instance $c (instantiate $child))
             (instance $b (export "log" (func $log)))
             (export "b" (instance $b)))"#,
    );
    let component = root(&composition);
    assert_eq!(component.name.as_deref(), Some("outer"));
    assert_eq!(
        outline(&component.defs),
        "type import core-module core-instantiate alias-core-export alias-core-export lower \
         component instantiate bundle export"
    );
    assert!(component.item_names.contains(&(Sort::Component, 0, "child".to_owned())));
    let Def::Lower { func, options } = &component.defs[6] else { panic!() };
    assert_eq!((*func, options.memory, options.realloc), (0, Some(0), Some(0)));
    assert_eq!(options.encoding, StringEncoding::Utf16);
    let Def::Component(child) = component.defs[7] else { panic!() };
    assert_eq!(outline(&composition.components[child].defs), "alias-outer export");
}

#[test]
fn types_keep_their_shape() {
    let composition = accept(
        r#"(component
             (core rec (type $a (func)) (type $b (func (param i32))))
             (core type $c (func (result i64)))
             (type $r (record (field "a" u8) (field "b" (list string))))
             (type $i (instance
               (alias outer 1 $r (type $r))
               (export "r" (type (eq $r)))
               (export "res" (type $res (sub resource)))
               (type $nested (instance))
               (export "[method]res.go" (func (param "self" (borrow $res)) (result (own $res))))))
             (import "i" (instance (type $i))))"#,
    );
    let defs = &root(&composition).defs;
    assert_eq!(outline(defs), "core-type core-type core-type type type type import");
    let Def::Type(TypeDef::Value(ValueTypeDef::Record(fields))) = &defs[4] else {
        panic!("{:?}", defs[4])
    };
    assert_eq!(fields[1].0, "b");
    let Def::Type(TypeDef::Instance(decls)) = &defs[5] else { panic!() };
    assert!(matches!(&decls[0], TypeDecl::Alias { sort: Sort::Type, .. }));
    assert!(matches!(&decls[1], TypeDecl::Export { ty: ExternType::TypeEq(0), .. }));
    assert!(matches!(&decls[2], TypeDecl::Export { ty: ExternType::TypeResource, .. }));
    assert!(matches!(&decls[3], TypeDecl::Type(TypeDef::Instance(inner)) if inner.is_empty()));
    assert!(matches!(imports(root(&composition))[0].ty, ExternType::Instance(2)));
}

#[test]
fn import_attributes_are_kept() {
    let composition = accept(
        r#"(component
             (import "a" (implements "ns:pkg/iface") (external-id "some-id") (instance)))"#,
    );
    let import = imports(root(&composition))[0];
    assert_eq!(import.implements.as_deref(), Some("ns:pkg/iface"));
    assert_eq!(import.external_id.as_deref(), Some("some-id"));
}

#[test]
fn asynchronous_definitions_are_kept_by_name() {
    let composition = accept(
        r#"(component
             (core func $y (canon thread.yield))
             (core module $m (func (export "f") (result i32) unreachable)
               (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
             (core instance $i (instantiate $m))
             (func (export "f") async
               (canon lift (core func $i "f") async (callback (func $i "cb")))))"#,
    );
    let defs = &root(&composition).defs;
    assert!(matches!(&defs[0], Def::UnsupportedBuiltin(name) if name == "thread.yield"));
    let lift = defs.iter().find_map(|def| match def {
        Def::Lift { options, .. } => Some(options),
        _ => None,
    });
    assert_eq!(lift.unwrap().unsupported, Some("async"));
}

#[test]
fn component_start_is_refused() {
    assert_eq!(
        refuse("(component\n  (import \"f\" (func $f))\n  (start $f))"),
        "main.wat:2:4: unsupported: a component `start` function"
    );
}

#[test]
fn value_imports_are_refused() {
    assert_eq!(
        refuse("(component\n  (import \"v\" (value u32)))"),
        "main.wat:2:4: unsupported: an import of a component value\n  in the import `v`"
    );
}

#[test]
fn nesting_has_a_limit_and_no_recursion() {
    // The text parser has a limit of its own, so the binary is written here.
    let header = b"\0asm\x0d\0\x01\0";
    let mut component = header.to_vec();
    for _ in 0..3_000 {
        let mut outer = header.to_vec();
        outer.push(4);
        write_var_u32(&mut outer, component.len());
        outer.extend(&component);
        component = outer;
    }
    let error = wasmelt_frontend::Session::new().add_bytes("x".as_ref(), component.clone());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("components that nest more than 1000 levels deep"), "{error}");
    assert!(wasmelt_frontend::validate(&component).is_err());
}

#[test]
fn type_nesting_has_a_limit() {
    // An instance type of one declaration, a type that is an instance type, and so on.
    let mut body = vec![1, 0x42];
    for _ in 0..200_000 {
        body.extend([1, 1, 0x42]);
    }
    body.push(0);
    let mut component = b"\0asm\x0d\0\x01\0\x07".to_vec();
    write_var_u32(&mut component, body.len());
    component.extend(&body);
    let error = wasmelt_frontend::validate(&component).unwrap_err().to_string();
    assert!(error.contains("nest more than 100 levels deep"), "{error}");
    assert!(wasmelt_frontend::Session::new().add_bytes("x".as_ref(), component).is_err());
}

fn write_var_u32(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
