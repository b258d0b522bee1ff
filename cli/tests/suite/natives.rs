//! Native imports: functions that an object leaves to whoever links it.

use crate::support::{repository, wasmelt};
use object::{Object, ObjectSymbol};
use std::fs;

const NATIVES: &str = r#"(component
  (import "my:native/math@1.0.0" (instance $math
    (export "counter" (type $r (sub resource)))
    (export "[method]counter.next" (func (param "self" (borrow $r)) (result u32)))
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (import "top-level" (func $top (param "s" string)))
  (alias export $math "add" (func $add))
  (alias export $math "[method]counter.next" (func $next))
  (alias export $math "counter" (type $counter))
  (core module $memory (memory (export "memory") 1))
  (core instance $memory (instantiate $memory))
  (core func $add (canon lower (func $add)))
  (core func $next (canon lower (func $next)))
  (core func $drop (canon resource.drop $counter))
  (core func $top (canon lower (func $top) (memory $memory "memory")))
  (core module $m
    (import "" "add" (func $add (param i32 i32) (result i32)))
    (import "" "next" (func $next (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "top" (func $top (param i32 i32)))
    (func (export "f") (result i32)
      (call $top (i32.const 0) (i32.const 0))
      (call $drop (i32.const 1))
      (call $add (call $next (i32.const 1)) (i32.const 2))))
  (core instance $m (instantiate $m (with "" (instance
    (export "add" (func $add))
    (export "next" (func $next))
    (export "drop" (func $drop))
    (export "top" (func $top))))))
  (func (export "f") (result u32) (canon lift (core func $m "f"))))"#;

/// As many imports as versions, of which no symbol speaks.
const VERSIONS: &str = r#"(component
  (import "my:native/math@1.0.0" (instance $one (export "f" (func))))
  (import "my:native/math@2.0.0" (instance $two (export "f" (func))))
  (core func $one (canon lower (func $one "f")))
  (core func $two (canon lower (func $two "f")))
  (core module $m
    (import "" "one" (func $one))
    (import "" "two" (func $two))
    (func (export "f") (call $one) (call $two)))
  (core instance $m (instantiate $m (with "" (instance
    (export "one" (func $one))
    (export "two" (func $two))))))
  (func (export "f") (canon lift (core func $m "f"))))"#;

/// The object, or what the compiler says instead.
fn build_object(text: &str, emit: &str) -> Result<Vec<u8>, String> {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let (input, output) = (folder.path().join("natives.wat"), folder.path().join("natives.o"));
    fs::write(&input, text).expect("there is room for a file");
    let built = wasmelt().args(["build", "--emit", emit, "-o"]).arg(&output).arg(&input).output();
    let built = built.expect("the compiler can be started");
    match built.status.success() {
        true => Ok(fs::read(&output).expect("the object was written")),
        false => Err(String::from_utf8_lossy(&built.stderr).into_owned()),
    }
}

#[test]
fn unknown_imports_are_undefined_symbols() {
    let object = build_object(NATIVES, "obj").expect("the imports are left to the linker");
    let object = object::File::parse(&object[..]).expect("it is an object");
    let undefined = object.symbols().filter(|symbol| symbol.is_undefined());
    let mut names = undefined
        .filter_map(|symbol| symbol.name().ok())
        .filter(|name| name.starts_with("my_native") || name.starts_with("root__"))
        .collect::<Vec<_>>();
    names.sort_unstable();
    let expected = [
        "my_native_math__add",
        "my_native_math__counter__drop",
        "my_native_math__counter__next",
        "root__top_level",
    ];
    assert_eq!(names, expected);
    // The names are what the document says.
    let document = fs::read_to_string(repository().join("docs/native-abi.md"));
    assert!(document.expect("the document is there").contains("`root__toplevel`"));
}

#[test]
fn an_executable_needs_every_import() {
    let error = build_object(NATIVES, "exe").expect_err("nothing supplies the imports");
    assert!(error.contains("missing import"), "{error}");
}

#[test]
fn two_versions_have_one_symbol() {
    let error = build_object(VERSIONS, "obj").expect_err("a symbol has no version");
    assert!(error.contains("would both be the native function `my_native_math__f`"), "{error}");
}
