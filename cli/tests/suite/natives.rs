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

/// One interface in two versions, functions and resources.
const VERSIONS: &str = r#"(component
  (import "my:native/math@1.4.0" (instance $one
    (export "counter" (type $r (sub resource)))
    (export "f" (func))))
  (import "my:native/math@0.2.1" (instance $two
    (export "counter" (type $r (sub resource)))
    (export "f" (func))))
  (alias export $one "counter" (type $one-counter))
  (alias export $two "counter" (type $two-counter))
  (core func $one (canon lower (func $one "f")))
  (core func $two (canon lower (func $two "f")))
  (core func $drop-one (canon resource.drop $one-counter))
  (core func $drop-two (canon resource.drop $two-counter))
  (core module $m
    (import "" "one" (func $one))
    (import "" "two" (func $two))
    (import "" "drop-one" (func $drop-one (param i32)))
    (import "" "drop-two" (func $drop-two (param i32)))
    (func (export "f")
      (call $one)
      (call $two)
      (call $drop-one (i32.const 1))
      (call $drop-two (i32.const 1))))
  (core instance $m (instantiate $m (with "" (instance
    (export "one" (func $one))
    (export "two" (func $two))
    (export "drop-one" (func $drop-one))
    (export "drop-two" (func $drop-two))))))
  (func (export "f") (canon lift (core func $m "f"))))"#;

/// Two names that differ in what no symbol can hold.
const CLASH: &str = r#"(component
  (import "my:native/a-b" (instance $one (export "f" (func))))
  (import "my:native-a/b" (instance $two (export "f" (func))))
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

/// As `CLASH`, with exported resources.
const DROPS: &str = r#"(component
  (component $c (type $r (resource (rep i32))) (export "r" (type $r)))
  (instance $one (instantiate $c))
  (instance $two (instantiate $c))
  (export "my:native/a-b" (instance $one))
  (export "my:native-a/b" (instance $two)))"#;

/// As `CLASH`, with imported resources.
const DROP_CLASH: &str = r#"(component
  (import "my:native/a-b" (instance $one (export "r" (type (sub resource)))))
  (import "my:native-a/b" (instance $two (export "r" (type (sub resource))))))"#;

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

/// The symbols of an object that someone else has to define.
fn undefined_symbols(object: &[u8]) -> Vec<String> {
    let object = object::File::parse(object).expect("it is an object");
    let undefined = object.symbols().filter(|symbol| symbol.is_undefined());
    let names = undefined.filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    let is_native = |name: &String| name.starts_with("my_native") || name.starts_with("root__");
    let mut names = names.filter(is_native).collect::<Vec<_>>();
    names.sort_unstable();
    names
}

#[test]
fn unknown_imports_are_undefined_symbols() {
    let object = build_object(NATIVES, "obj").expect("the imports are left to the linker");
    let names = undefined_symbols(&object);
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
fn two_versions_have_symbols_of_their_own() {
    let object = build_object(VERSIONS, "obj").expect("the imports are left to the linker");
    let expected = [
        "my_native_math_0_2__counter__drop",
        "my_native_math_0_2__f",
        "my_native_math_1__counter__drop",
        "my_native_math_1__f",
    ];
    assert_eq!(undefined_symbols(&object), expected);
}

#[test]
fn equal_symbols_are_refused() {
    let error = build_object(CLASH, "obj").expect_err("a symbol stands for one function");
    assert!(error.contains("would both be the native function `my_native_a_b__f`"), "{error}");
    for text in [DROPS, DROP_CLASH] {
        let error = build_object(text, "obj").expect_err("a symbol stands for one function");
        assert!(error.contains("would both be the symbol `my_native_a_b__r__drop`"), "{error}");
    }
}
