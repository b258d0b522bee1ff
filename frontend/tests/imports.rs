//! Imports that come from files, and what is said when they do not fit.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]
mod common;

use common::{Folder, file_name, imports, root};
use wasmelt_frontend::composition::{Binding, Composition};

/// A component that exports a function `f` of the given parameters and results.
fn exporter(signature: &str) -> String {
    format!(
        r#"(component
             (core module $m (memory (export "mem") 1)
               (func (export "f") (param i32) (result i32) unreachable)
               (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
             (core instance $i (instantiate $m))
             (func (export "f") {signature}
               (canon lift (core func $i "f") (memory $i "mem")
                 (realloc (func $i "realloc")))))"#
    )
}

/// The files that the root's imports are bound to, in order.
fn bound_files(composition: &Composition) -> Vec<String> {
    let name = |binding| match binding {
        Some(Binding::Component(id) | Binding::InstanceOf(id)) => file_name(composition, id),
        Some(Binding::Module(id)) => {
            let file = composition.modules[id].bytes.file;
            composition.files[file].path.file_name().unwrap().to_string_lossy().into_owned()
        }
        None => "host".to_owned(),
    };
    imports(root(composition)).iter().map(|import| name(import.binding)).collect()
}

const EMPTY: &str = "(component)";

#[test]
fn a_path_in_place_of_a_name_is_found_beside_the_importer() {
    let folder = Folder::new(&[
        (
            "app/parent.wat",
            r#"(component
                 (import "./child.wasm" (component $Child))
                 (import "./base.wasm" (core module $Base (export "b" (global i32))))
                 (component $again (import "../lib/child.wasm") )
                 (instance (instantiate $Child)))"#,
        ),
        ("app/child.wat", EMPTY),
        ("app/base.wat", r#"(module (global (export "b") i32 (i32.const 1)))"#),
        ("lib/child.wat", EMPTY),
    ]);
    let composition = folder.accept("app/parent.wat");
    assert_eq!(bound_files(&composition), ["child.wat", "base.wat", "child.wat"]);
    let root_imports = imports(root(&composition));
    let names: Vec<_> = root_imports.iter().map(|import| &import.name[..]).collect();
    assert_eq!(names, ["child", "base", "child2"]);
    assert_eq!(root_imports[2].external_id.as_deref(), Some("../lib/child.wasm"));
    assert_eq!(composition.files.len(), 4);
}

#[test]
fn a_file_is_loaded_once_and_its_imports_are_bound_too() {
    let folder = Folder::new(&[
        (
            "main.wat",
            r#"(component
                 (import "a" (external-id "./x/../b.wat") (component))
                 (import "b" (external-id "file:b.wat") (component))
                 (import "c" (component)))"#,
        ),
        ("b.wat", r#"(component (import "d" (component)))"#),
        ("deps/c.wat", EMPTY),
        ("deps/d.wat", EMPTY),
    ]);
    std::fs::create_dir(folder.path("x")).unwrap();
    // What `b` takes from a file by itself, its importers do not declare.
    let composition = folder.accept("main.wat");
    assert_eq!(bound_files(&composition), ["b.wat", "b.wat", "c.wat"]);
    assert_eq!(composition.files.len(), 4);

    // What no file has, whoever instantiates `b` must give it, and nobody declares that.
    std::fs::remove_file(folder.path("deps/d.wat")).unwrap();
    let error = folder.refuse("main.wat", &[]);
    assert!(error.contains("the file imports `d`, a component"), "{error}");
}

#[test]
fn what_the_declared_type_offers_needs_no_file() {
    let main = r#"(component
         (import "a" (external-id "b.wat") (component (import "d" (component))))
         (component $empty)
         (instance (instantiate 0 (with "d" (component $empty)))))"#;
    let folder =
        Folder::new(&[("main.wat", main), ("b.wat", r#"(component (import "d" (component)))"#)]);
    let composition = folder.accept("main.wat");
    assert_eq!(bound_files(&composition), ["b.wat"]);

    // A second importer that does not offer it needs the file after all.
    let second = r#"(component
         (import "a" (external-id "b.wat") (component (import "d" (component))))
         (import "a2" (external-id "b.wat") (component)))"#;
    folder.write("main.wat", second.as_bytes());
    let error = folder.refuse("main.wat", &[]);
    assert!(error.contains("the file imports `d`, a component"), "{error}");
    folder.write("deps/d.wat", EMPTY.as_bytes());
    folder.accept("main.wat");
}

#[test]
fn the_command_line_comes_first() {
    let folder = Folder::new(&[
        ("main.wat", r#"(component (import "a" (external-id "./a.wat") (component)))"#),
        ("a.wat", EMPTY),
        ("other.wat", EMPTY),
    ]);
    let composition = folder.read("main.wat", &[("a", "other.wat")]).unwrap();
    assert_eq!(bound_files(&composition), ["other.wat"]);
}

#[test]
fn packages_and_older_names_are_found_in_deps() {
    let folder = Folder::new(&[
        (
            "main.wat",
            r#"(component
                 (import "locked-dep=<ns:pkg@1.0.0>" (component))
                 (import "unlocked-dep=<ns:other@{>=1.0.0}>" (component))
                 (import "url=<file:u.wat>" (component))
                 (import "ns:literal" (component)))"#,
        ),
        ("deps/ns/pkg@1.0.0.wat", EMPTY),
        ("deps/ns/pkg.wat", "not read"),
        ("deps/ns:other.wat", EMPTY),
        ("u.wat", EMPTY),
        ("deps/ns/literal.wat", EMPTY),
    ]);
    let composition = folder.accept("main.wat");
    assert_eq!(
        bound_files(&composition),
        ["pkg@1.0.0.wat", "ns:other.wat", "u.wat", "literal.wat"]
    );
}

#[test]
fn an_instance_comes_from_the_file_that_exports_it() {
    let provider = r#"(component
         (import "ns:io/err@0.2.0" (instance $err (export "error" (type (sub resource)))))
         (alias export $err "error" (type $error))
         (core module $m (func (export "f") (param i32)))
         (core instance $i (instantiate $m))
         (func $f (param "e" (own $error)) (canon lift (core func $i "f")))
         (instance $s (export "error" (type $error)) (export "f" (func $f)))
         (export "ns:io/streams@0.2.0" (instance $s)))"#;
    let main = r#"(component
         (import "ns:io/err@0.2.0" (instance $err (export "error" (type (sub resource)))))
         (alias export $err "error" (type $error))
         (import "ns:io/streams@0.2.0" (instance
           (alias outer 1 $error (type $e))
           (export "error" (type $x (eq $e)))
           (export "f" (func (param "e" (own $x)))))))"#;
    let folder = Folder::new(&[("main.wat", main), ("provider.wat", provider)]);
    let with = [("ns:io/streams", "provider.wat")];
    let composition = folder.read("main.wat", &with).unwrap();
    assert_eq!(bound_files(&composition), ["host", "provider.wat"]);

    folder.write("provider.wat", provider.replace("own $error", "borrow $error").as_bytes());
    let error = folder.refuse("main.wat", &with);
    assert!(error.contains("the import declares `own<error>`, the file has `borrow<error>`"));

    folder.write("provider.wat", EMPTY.as_bytes());
    let error = folder.refuse("main.wat", &with);
    assert_eq!(
        error,
        "main.wat:4:11: `provider.wat` does not export `ns:io/streams@0.2.0`\n  \
         help: it exports nothing"
    );
}

#[test]
fn a_provider_may_import_what_it_exports() {
    let provider = r#"(component
         (import "ns:io/log" (instance $log (export "f" (func))))
         (export "ns:io/log" (instance $log)))"#;
    let main = r#"(component (import "ns:io/log" (instance (export "f" (func)))))"#;
    let folder = Folder::new(&[("main.wat", main), ("virt.wat", provider)]);
    let composition = folder.read("main.wat", &[("ns:io/log", "virt.wat")]).unwrap();
    assert_eq!(bound_files(&composition), ["virt.wat"]);
    let bound = composition.components.values().flat_map(imports).filter_map(|i| i.binding);
    assert_eq!(bound.count(), 1);
    assert!(folder.refuse("main.wat", &[("ns:io/log", "main.wat")]).contains("form a cycle"));
}

#[test]
fn an_option_for_no_import_names_the_near_ones() {
    let folder = Folder::new(&[
        ("main.wat", r#"(component (import "ns:io/streams@0.2.0" (instance)))"#),
        ("a.wat", EMPTY),
    ]);
    assert_eq!(
        folder.refuse("main.wat", &[("ns:io/steams", "a.wat")]),
        "main.wat: `--with ns:io/steams=a.wat` is for no import: none is named `ns:io/steams`\n  \
         help: there is `ns:io/streams@0.2.0`"
    );
    assert!(
        folder
            .refuse("main.wat", &[("zzz", "a.wat")])
            .ends_with("help: the imports are `ns:io/streams@0.2.0`")
    );
}

#[test]
fn a_cycle_is_printed() {
    let folder = Folder::new(&[
        ("a.wat", r#"(component (import "./b.wat" (component)))"#),
        ("b.wat", "(component\n  (import \"./c.wat\" (component)))"),
        ("c.wat", r#"(component (import "./b.wat" (component)))"#),
    ]);
    assert_eq!(
        folder.refuse("a.wat", &[]),
        "c.wat:1:13: imports form a cycle: `b.wat` imports `c.wat` imports `b.wat`"
    );
    folder.write(
        "own.wat",
        br#"(component (import "./own.wat" (component (import "own" (component)))))"#,
    );
    let error = folder.refuse("own.wat", &[]);
    assert_eq!(error, "own.wat:1:13: imports form a cycle: `own.wat` imports `own.wat`");
}

#[test]
fn a_missing_file_names_the_places_looked_at() {
    let folder = Folder::new(&[("main.wat", "(component\n  (import \"./x.wasm\" (component)))")]);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "main.wat:2:4: no file has the imported component `x`\n  \
         help: looked for `x.wasm` and `x.wat`; name a file with `--with x=FILE`"
    );
}

#[test]
fn a_fault_in_an_imported_file_says_who_imports_it() {
    let folder = Folder::new(&[
        ("main.wat", r#"(component (import "./x.wat" (component)))"#),
        ("x.wat", "(component\n  (oops))"),
    ]);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "x.wat:2:4: expected valid component field\n  in the import `x` of `main.wat`"
    );
}

#[test]
fn a_component_is_no_module() {
    let folder = Folder::new(&[
        ("main.wat", r#"(component (import "./x.wat" (core module)))"#),
        ("x.wat", EMPTY),
    ]);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "main.wat:1:13: the file is a component\n  in `x.wat` as the import `x`"
    );
}

/// The message for a file that exports `f` with a type other than the declared one.
fn mismatch(declared: &str, file: &str) -> String {
    let main = format!(
        "(component\n  (import \"x\" (external-id \"x.wat\") (component\n    (export \"f\" (func {declared})))))"
    );
    Folder::new(&[("main.wat", &main), ("x.wat", &exporter(file))]).refuse("main.wat", &[])
}

#[test]
fn different_types_are_printed_down_to_the_member() {
    assert_eq!(
        mismatch(r#"(param "a" u32) (result string)"#, r#"(param "a" s32) (result string)"#),
        "main.wat:2:4: the import declares `u32`, the file has `s32`\n  \
         in the parameter `a`\n  \
         in a function declared as `func(a: u32) -> string` \
         that is `func(a: s32) -> string` in the file\n  \
         in the export `f`\n  \
         in `x.wat` as the import `x`"
    );
    let message = mismatch(r#"(param "a" u32) (param "b" u8)"#, r#"(param "a" u32) (result u8)"#);
    assert!(message.contains("the import declares 2 parameters, the file has 1 parameter"));
    let message = mismatch(r#"(param "a" (list u8))"#, r#"(param "a" u8) (result u8)"#);
    assert!(message.contains("the import declares `list<u8>`, the file has `u8`"), "{message}");
    let message = mismatch(r#"(param "a" u8)"#, r#"(param "b" u8) (result u8)"#);
    assert!(message.contains("parameter 1 is declared as `a`, in the file it is `b`"));
    let message = mismatch(r#"(param "a" u8)"#, r#"(param "a" u8) (result u8)"#);
    assert!(message.contains("the import declares nothing, the file has `u8`\n  in the result"));
}

#[test]
fn missing_members_are_named() {
    let main = r#"(component (import "./x.wat" (component
        (import "host" (func))
        (export "g" (instance)))))"#;
    let folder = Folder::new(&[("main.wat", main), ("x.wat", EMPTY)]);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "main.wat:1:13: the file does not export `g`, an instance\n  \
         in `x.wat` as the import `x`"
    );
    folder
        .write("x.wat", br#"(component (import "other" (component)) (export "g" (component 0)))"#);
    assert!(folder.refuse("main.wat", &[]).contains(
        "the file imports `other`, a component, which the declared type does not import"
    ));
    folder.write("x.wat", br#"(component (component $c) (export "g" (component $c)))"#);
    assert!(folder.refuse("main.wat", &[]).contains(
        "the import declares an instance, the file has a component\n  in the export `g`"
    ));
}

#[test]
fn a_resource_is_not_another_type() {
    let main = r#"(component (import "./x.wat" (component (export "r" (type (sub resource))))))"#;
    let folder = Folder::new(&[
        ("main.wat", main),
        ("x.wat", r#"(component (type $t (record (field "a" u8))) (export "r" (type $t)))"#),
    ]);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "main.wat:1:13: the import declares the resource `r`, \
         the file has the type `record { a: u8 }`\n  \
         in the export `r`\n  \
         in `x.wat` as the import `x`"
    );
}

#[test]
fn core_module_types_are_compared() {
    let main = r#"(component (import "./m.wat" (core module
        (import "env" "g" (global i32))
        (export "f" (func (param i32)))
        (export "m" (memory 1)))))"#;
    let folder = Folder::new(&[
        ("main.wat", main),
        ("m.wat", r#"(module (memory (export "m") 2) (func (export "f") (param i32)))"#),
    ]);
    folder.accept("main.wat");
    folder.write("m.wat", br#"(module (memory (export "m") 1) (func (export "f") (param i64)))"#);
    assert_eq!(
        folder.refuse("main.wat", &[]),
        "main.wat:1:13: the import declares `(func (param i32))`, the file has `(func (param i64))`\n  \
         in the export `f`\n  \
         in `m.wat` as the import `m`"
    );
    folder.write("m.wat", br#"(module (import "env" "h" (func)) (memory (export "m") 1) (func (export "f") (param i32)))"#);
    assert!(
        folder
            .refuse("main.wat", &[])
            .contains("the declared type lacks the import `env` `h` of the file")
    );
}
