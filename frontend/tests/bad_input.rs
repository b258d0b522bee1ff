//! Bad input is refused with a message, never with a panic.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
mod common;

use common::{Folder, refuse};
use wasmelt_frontend::{Root, Session, validate};

/// Reads bytes that must be refused.
fn refuse_bytes(bytes: &[u8]) -> String {
    let folder = Folder::new(&[]);
    folder.write("main.wasm", bytes);
    folder.refuse("main.wasm", &[])
}

#[test]
fn files_that_are_no_files() {
    let folder = Folder::new(&[("folder/x.wat", "")]);
    assert_eq!(folder.refuse("none.wasm", &[]), "none.wasm: there is no such file");
    assert_eq!(folder.refuse("folder", &[]), "folder: is a directory, not a WebAssembly file");
    assert_eq!(folder.refuse("folder/x.wat", &[]), "folder/x.wat: the file is empty");
}

#[test]
fn bytes_that_are_no_webassembly() {
    let help = "\n  help: a binary starts with the bytes 00 61 73 6d, text with a parenthesis";
    let message = "main.wasm: the file is neither a WebAssembly binary nor text";
    assert_eq!(refuse_bytes(b"\x7fELF\xff\xfe"), format!("{message}{help}"));
    assert_eq!(refuse_bytes(b"\0as"), format!("{message}{help}"));
    assert_eq!(refuse_bytes(b"hello"), format!("{message}{help}"));
    assert_eq!(refuse_bytes(b"\n "), "main.wasm: the file is empty");
    assert_eq!(
        refuse_bytes(b"\0asm\x07\0\x01\0"),
        "main.wasm:0x4: unknown binary version: 0x10007"
    );
}

#[test]
fn syntax_errors_have_a_line() {
    assert_eq!(
        refuse("(component\n  (core modul))"),
        "main.wat:2:4: expected valid component field"
    );
    assert_eq!(
        refuse("(component\n  (instance (instantiate $nobody)))"),
        "main.wat:2:26: unknown component: failed to find name `$nobody`"
    );
}

#[test]
fn invalid_text_is_placed_at_the_item() {
    let message = refuse(
        "(component\n  (core module $m\n    (func $good)\n    (func $bad (result i32)\n      i64.const 1)))",
    );
    assert_eq!(
        message,
        "main.wat:4:6: type mismatch: expected i32, found i64\n  in the function `bad`\n  in the core module `m`"
    );
    let message = refuse(
        "(component\n  (core module $m (import \"a\" \"b\" (func)))\n\n  (core instance (instantiate $m)))",
    );
    assert!(message.starts_with("main.wat:4:4: "), "{message}");
}

#[test]
fn core_modules_need_an_entry_point_and_a_memory() {
    let message = refuse("(module)");
    assert!(
        message.starts_with("main.wat: the core module neither exports `_start` nor"),
        "{message}"
    );
    let message = refuse(
        r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))
             (func (export "_start")))"#,
    );
    assert!(message.contains("exports no memory"), "{message}");
}

/// A component with something of everything.
const RICH: &str = r#"(component $rich
  (import "a:b/c@1.0.0" (instance $i (export "r" (type $r (sub resource)))
    (export "f" (func (param "x" (own $r)) (param "y" (list string)) (result (result string))))))
  (core module $m
    (import "i" "f" (func (param i32 i32 i32 i32)))
    (memory (export "m") 1) (table 3 funcref) (global (mut f64) (f64.const 1.5))
    (elem (i32.const 0) func $g) (data (i32.const 4) "some data")
    (func (export "r") (param i32 i32 i32 i32) (result i32) local.get 0)
    (func $g (export "g") (param i32) (result i32)
      block loop br 1 end end
      local.get 0 if (result i32) i32.const 1 else i32.const 2 end))
  (component $nested (type $e (enum "a" "b")) (export "e" (type $e)))
  (instance $n (instantiate $nested))
  (type $v (variant (case "x" u8) (case "y")))
  (type $res (resource (rep i32)))
  (core func $new (canon resource.new $res))
  (export "v" (type $v)))"#;

fn encode(text: &str) -> Vec<u8> {
    let mut session = Session::new();
    let root = session.add_bytes("x".as_ref(), text.as_bytes().to_vec()).unwrap();
    let composition = session.finish(None);
    match root {
        Root::Component(id) => composition.files[composition.components[id].file].bytes.clone(),
        Root::Module(id) => composition.files[composition.modules[id].bytes.file].bytes.clone(),
    }
}

#[test]
fn truncated_files_are_refused() {
    let bytes = encode(RICH);
    let mut session = Session::new();
    for len in (0..bytes.len()).step_by(7) {
        // A component may end after any section; all other places are errors.
        let _ = session.add_bytes("x".as_ref(), bytes[..len].to_vec());
        let _ = validate(&bytes[..len]);
    }
    session.add_bytes("x".as_ref(), bytes.clone()).unwrap();
    let message = refuse_bytes(&bytes[..40]);
    assert!(message.ends_with("help: the file may be truncated"), "{message}");
    assert!(message.starts_with("main.wasm:0x"), "{message}");
    for len in (0..RICH.len()).step_by(7) {
        let folder = Folder::new(&[("main.wat", &RICH[..len])]);
        folder.refuse("main.wat", &[]);
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let bytes = encode(RICH);
    // A fixed sequence of numbers, so that a failure can be repeated.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut session = Session::new();
    for _ in 0..2_000 {
        let mut broken = bytes.clone();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let position = state as usize % broken.len();
            broken[position] = (state >> 32) as u8;
        }
        let accepted = session.add_bytes("x".as_ref(), broken.clone()).is_ok();
        if !accepted {
            session = Session::new();
        }
        let _ = validate(&broken);
    }
}
