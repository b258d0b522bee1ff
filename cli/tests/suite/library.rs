//! Libraries for C: the example, by whatever C compiler and linkers this machine has, and what the
//! command line refuses. What is not there is said, and counted.

use crate::support::{repository, wasmelt};
use object::{Object, ObjectSymbol};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// What `examples/native-library/main.c` prints.
const PRINTED: &str = "moved: 4, -1
centre: 1, 2
centre of nothing: none
42 / 5 = 8
1 / 0: division by zero
0 1 4 9 16 \n\
grüß: 20
the component says: canvas dropped
";

/// The first of these programs that this machine has.
fn find_program(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let found = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        eprintln!("not tested: this machine has no {}", names.join(" or "));
    }
    found
}

fn example(name: &str) -> PathBuf {
    repository().join("examples/native-library").join(name)
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    output
}

/// Builds an example's component in a folder.
fn build(folder: &TempDir, input: &Path, args: &[&str]) {
    run(wasmelt().current_dir(folder.path()).arg("build").arg(input).args(args));
}

/// Compiles the example's C program with what is given, and runs it.
fn compile_and_run(folder: &TempDir, cc: &Path, args: &[&str]) -> String {
    let program = folder.path().join("program");
    let source = example("main.c");
    let mut command = Command::new(cc);
    command.current_dir(folder.path()).args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I."]);
    run(command.arg(source).args(args).arg("-o").arg(&program));
    let mut command = Command::new(&program);
    command.env("LD_LIBRARY_PATH", folder.path()).env_remove("LD_PRELOAD");
    String::from_utf8_lossy(&run(&mut command).stdout).into_owned()
}

#[test]
fn a_c_program_uses_the_example_in_every_form() {
    let Some(cc) = find_program(&["cc", "gcc", "clang"]) else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let input = example("shapes.wat");
    build(&folder, &input, &["--emit", "staticlib", "--header", "shapes.h"]);
    assert_eq!(compile_and_run(&folder, &cc, &["libshapes.a"]), PRINTED);
    build(&folder, &input, &["--emit", "obj", "-O", "0"]);
    assert_eq!(compile_and_run(&folder, &cc, &["shapes.o"]), PRINTED);
    assert_eq!(compile_and_run(&folder, &cc, &["shapes.o", "-no-pie"]), PRINTED);
    // The library calls a function of the program, which must be there for a loader to see.
    build(&folder, &input, &["--emit", "sharedlib"]);
    assert_eq!(compile_and_run(&folder, &cc, &["-L.", "-lshapes", "-rdynamic"]), PRINTED);
}

#[test]
fn the_header_is_c_and_c_plus_plus() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    build(&folder, &example("shapes.wat"), &["--emit", "obj", "--header", "shapes.h"]);
    fs::write(folder.path().join("use.c"), "#include \"shapes.h\"\n#include \"shapes.h\"\n")
        .expect("there is room for a file");
    let standards = [(&["cc", "gcc", "clang"][..], "-std=c99"), (&["c++", "g++"], "-std=c++11")];
    for (compilers, standard) in standards {
        let Some(compiler) = find_program(compilers) else { continue };
        let mut command = Command::new(compiler);
        let language = if standard.contains("++") { "c++" } else { "c" };
        command.args(["-Wall", "-Wextra", "-Werror", "-pedantic", standard, "-x", language]);
        run(command.current_dir(folder.path()).args(["-fsyntax-only", "use.c"]));
    }
}

/// Two interfaces whose names differ in what no symbol can hold, and who call different records the
/// same.
const VERSIONS: &str = r#"(component
  (component $one
    (type $r (record (field "small" u8)))
    (export "r" (type $r)))
  (component $two
    (type $r (record (field "large" u64)))
    (export "r" (type $r)))
  (instance $one (instantiate $one))
  (instance $two (instantiate $two))
  (export "my:test/a-b" (instance $one))
  (export "my:test-a/b" (instance $two))
  (alias export $one "r" (type $small))
  (alias export $two "r" (type $large))
  (core module $m
    (func (export "small") (param i32))
    (func (export "large") (param i64)))
  (core instance $m (instantiate $m))
  (func (export "small") (param "x" $small) (canon lift (core func $m "small")))
  (func (export "large") (param "x" $large) (canon lift (core func $m "large"))))"#;

#[test]
fn types_that_differ_have_names_that_differ() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let input = folder.path().join("versions.wat");
    fs::write(&input, VERSIONS).expect("there is room for a file");
    build(&folder, &input, &["--emit", "obj", "--header", "versions.h"]);
    let header = fs::read_to_string(folder.path().join("versions.h"));
    let header = header.expect("the header was written");
    for (func, field) in [("small", "uint8_t small"), ("large", "uint64_t large")] {
        let (_, param) = header.split_once(&format!("root__{func}(const ")).expect("it is there");
        let (name, _) = param.split_once(' ').expect("the type stands before the parameter");
        let declaration = format!("typedef struct {name} {{\n    {field};\n}} {name};");
        assert!(header.contains(&declaration), "{header}");
    }
}

#[test]
fn structs_pass_to_native_imports_and_back() {
    let Some(cc) = find_program(&["cc", "gcc", "clang"]) else { return };
    let natives = repository().join("tests/natives");
    for level in ["0", "2"] {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let args = ["--emit", "obj", "--header", "convert.h", "-O", level];
        build(&folder, &natives.join("convert.wat"), &args);
        let mut command = Command::new(&cc);
        command.current_dir(folder.path()).args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-I."]);
        run(command.arg(natives.join("convert.c")).args(["convert.o", "-o", "program"]));
        let printed = run(&mut Command::new(folder.path().join("program"))).stdout;
        assert_eq!(String::from_utf8_lossy(&printed), "0 3 -4 name 3 3\n1 7\n");
    }
}

/// A library of functions that fault.
const FAULTS: &str = r#"(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "divide") (param i32 i32) (result i32)
      (i32.div_s (local.get 0) (local.get 1)))
    (func (export "far") (result i32) (i32.load (i32.const 0x7fff0000)))
    (func $deep (export "deep") (param i32) (result i32)
      (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1))))
  (core instance $m (instantiate $m))
  (func (export "divide") (param "a" s32) (param "b" s32) (result s32)
    (canon lift (core func $m "divide")))
  (func (export "far") (result s32) (canon lift (core func $m "far")))
  (func (export "deep") (param "at" s32) (result s32) (canon lift (core func $m "deep"))))"#;

/// Faults as its argument says, with a hook if there is a second one; `n` is a fault of its own.
const FAULTING: &str = r#"
#include "faults.h"
#include <setjmp.h>
#include <stdio.h>
static sigjmp_buf out;
static void leave(const char *message) { printf("hook: %s\n", message); siglongjmp(out, 1); }
int main(int count, char **args) {
    if (count > 2) {
        wasmelt_on_trap(leave);
        if (sigsetjmp(out, 1) != 0) {
            if (sigsetjmp(out, 1) == 0) { root__divide(4, 2); }
            return 3;
        }
    }
    if (root__divide(84, 2) != 42) { return 1; }
    switch (args[1][0]) {
    case 'd': return root__divide(1, 0);
    case 'f': return root__far();
    case 's': return root__deep(0);
    default: return *(volatile int *)(size_t)(count - 2);
    }
}
"#;

#[test]
fn traps_end_the_process_or_reach_the_hook() {
    let Some(cc) = find_program(&["cc", "gcc", "clang"]) else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let write = |name: &str, text: &str| {
        fs::write(folder.path().join(name), text).expect("there is room for a file");
        folder.path().join(name)
    };
    let input = write("faults.wat", FAULTS);
    write("main.c", FAULTING);
    build(&folder, &input, &["--emit", "obj", "--header", "faults.h"]);
    let mut command = Command::new(cc);
    run(command.current_dir(folder.path()).args(["main.c", "faults.o", "-o", "program"]));
    let start = |args: &[&str]| {
        let mut command = Command::new(folder.path().join("program"));
        command.args(args).output().expect("it can be started")
    };
    for (fault, message) in [
        ("d", "trap: integer divide by zero in component `faults`, function `divide`"),
        ("f", "trap: out of bounds memory access in component `faults`, function `far`"),
        ("s", "trap: call stack exhausted in component `faults`, function `deep`"),
    ] {
        let ended = start(&[fault]);
        assert_eq!(ended.status.code(), Some(134));
        assert!(String::from_utf8_lossy(&ended.stderr).starts_with(message));
        let hooked = start(&[fault, "hook"]);
        assert_eq!(hooked.status.code(), Some(3));
        let expected = format!("hook: {message}");
        let stdout = String::from_utf8_lossy(&hooked.stdout);
        assert!(stdout.starts_with(&expected), "{stdout}");
        // After a trap the library stays shut.
        assert!(stdout.ends_with("hook: trap: cannot enter component instance\n"), "{stdout}");
    }
    // A fault of the program's own is none of the library's business.
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(start(&["n"]).status.signal(), Some(11));
}

#[test]
fn two_libraries_share_a_process_unless_their_slots_are_one() {
    let Some(cc) = find_program(&["cc", "gcc", "clang"]) else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let text = r#"
        #include <dlfcn.h>
        #include <stdio.h>
        int main(int count, char **args) {
            for (int at = 1; at < count; at++) {
                void *library = dlopen(args[at], RTLD_NOW | RTLD_LOCAL);
                if (!library) { return 9; }
                int (*init)(void) = (int (*)(void))dlsym(library, "wasmelt_init");
                printf("%d", init());
            }
            return 0;
        }"#;
    fs::write(folder.path().join("main.c"), text).expect("there is room for a file");
    let input = folder.path().join("faults.wat");
    fs::write(&input, FAULTS).expect("there is room for a file");
    run(Command::new(cc).current_dir(folder.path()).args(["main.c", "-o", "program", "-ldl"]));
    for (name, slot) in [("./one.so", "1"), ("./two.so", "2"), ("./other.so", "1")] {
        build(&folder, &input, &["--emit", "sharedlib", "--slot", slot, "-o", name]);
    }
    let start = |libraries: [&str; 2]| {
        let mut command = Command::new(folder.path().join("program"));
        String::from_utf8_lossy(&run(command.current_dir(folder.path()).args(libraries)).stdout)
            .into_owned()
    };
    assert_eq!(start(["./one.so", "./two.so"]), "00");
    assert_eq!(start(["./one.so", "./other.so"]), "01");
}

#[test]
fn other_linkers_make_programs_of_commands() {
    let input = repository().join("examples/hello-wat/hello.wat");
    for linker in ["cc", "ld", "ld.lld", "mold"] {
        let Some(linker) = find_program(&[linker]) else { continue };
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let program = folder.path().join("hello");
        let mut command = wasmelt();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args([OsStr::new("build"), input.as_os_str(), OsStr::new("--linker")]);
        run(command.arg(&linker).arg("-o").arg(&program));
        let ours = run(wasmelt().arg("run").arg(&input)).stdout;
        assert_eq!(run(&mut Command::new(&program)).stdout, ours, "{}", linker.display());
        assert!(!ours.is_empty());
    }
}

#[test]
fn nothing_else_of_a_library_is_seen() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    build(&folder, &example("shapes.wat"), &["--emit", "obj"]);
    build(&folder, &example("shapes.wat"), &["--emit", "sharedlib"]);
    let mut seen = Vec::new();
    for file in ["shapes.o", "libshapes.so"] {
        let bytes = fs::read(folder.path().join(file)).expect("it was written");
        let object = object::File::parse(&*bytes).expect("it is an object");
        let symbols: Vec<_> = match file {
            "shapes.o" => object.symbols().collect(),
            _ => object.dynamic_symbols().collect(),
        };
        let global = symbols.iter().filter(|symbol| symbol.is_global());
        let names = |undefined: bool| {
            let chosen = global.clone().filter(|symbol| symbol.is_undefined() == undefined);
            let mut names: Vec<String> =
                chosen.map(|symbol| symbol.name().expect("it has a name").to_owned()).collect();
            names.sort();
            names
        };
        assert_eq!(names(true), ["my_shapes_log__line"], "{file}");
        seen.push(names(false));
    }
    assert_eq!(seen[0], seen[1]);
    let is_ours =
        |name: &String| name.starts_with("my_shapes_shapes__") || name.starts_with("wasm");
    assert!(seen[0].iter().all(is_ours) && seen[0].len() == 12, "{:?}", seen[0]);
}

#[test]
fn what_is_made_does_not_depend_on_threads_or_chance() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for emit in ["obj", "staticlib", "sharedlib"] {
        let mut files = Vec::new();
        for name in ["one", "two"] {
            build(&folder, &example("shapes.wat"), &["--emit", emit, "-o", name]);
            files.push(fs::read(folder.path().join(name)).expect("it was written"));
        }
        assert!(files[0] == files[1], "{emit} differs from itself");
    }
}

#[test]
fn the_command_line_refuses_what_does_not_fit() {
    let refused = [
        (&["--header", "x.h"][..], "`--header` describes a library"),
        (&["--slot", "3"], "`--slot` is for libraries"),
        (&["--linker", "ld", "--emit", "obj"], "`--linker` links executables"),
        (&["--emit", "dll"], "possible values: exe, obj, staticlib, sharedlib"),
    ];
    for (args, message) in refused {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let mut command = wasmelt();
        command.current_dir(folder.path()).arg("build").arg(example("shapes.wat")).args(args);
        let output = command.output().expect("the compiler can be started");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
        assert_eq!(fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
    }
}

/// Exports a resource type and no function; its destructor reads what the start function wrote.
const DESTRUCTOR: &str = r#"(component
  (core module $m
    (memory 1)
    (func $start (i32.store (i32.const 1024) (i32.const 7)))
    (start $start)
    (func (export "dtor") (param i32)
      (if (i32.ne (i32.load (i32.const 1024)) (i32.const 7)) (then unreachable))))
  (core instance $m (instantiate $m))
  (type $r (resource (rep i32) (dtor (func $m "dtor"))))
  (export "r" (type $r)))"#;

#[test]
fn destructors_find_what_start_functions_stored() {
    let Some(cc) = find_program(&["cc", "gcc", "clang"]) else { return };
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let input = folder.path().join("destructor.wat");
    fs::write(&input, DESTRUCTOR).expect("there is room for a file");
    build(&folder, &input, &["--emit", "obj", "--header", "destructor.h"]);
    let text = "#include \"destructor.h\"\nint main(void) { root__r__drop(1); return 0; }\n";
    fs::write(folder.path().join("main.c"), text).expect("there is room for a file");
    let args = ["main.c", "destructor.o", "-o", "program"];
    run(Command::new(cc).current_dir(folder.path()).args(args));
    run(&mut Command::new(folder.path().join("program")));
}

#[test]
fn slots_that_the_machine_lacks_are_refused() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for (target, last) in [("x86_64-linux", 999), ("aarch64-linux", 5)] {
        let build = |slot: u32| {
            let mut command = wasmelt();
            command.args(["build", "--emit", "obj", "--target", target, "--slot"]);
            command.arg(slot.to_string()).arg("-o").arg(folder.path().join("o"));
            command.arg(example("shapes.wat")).output().expect("the compiler can be started")
        };
        assert!(build(last).status.success(), "{target}");
        let refused = build(last + 1);
        let stderr = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains(&format!("the slots are 0 to {last}")), "{stderr}");
    }
}

/// Imports what it exports, one of the interfaces in two versions.
const BOTH_WAYS: &str = r#"(component
  (import "a:b/c@1.0.0" (instance $c
    (export "r" (type (sub resource)))
    (export "f" (func (result u32)))))
  (core func $drop (canon resource.drop (type $c "r")))
  (core func $f (canon lower (func $c "f")))
  (core instance $i (export "f" (func $f)))
  (func $lifted (result u32) (canon lift (core func $i "f")))
  (instance $exported (export "f" (func $lifted)))
  (export "a:b/c@1.0.0" (instance $exported))
  (export "a:b/d@1.0.0" (instance $exported))
  (export "a:b/d@2.0.0" (instance $exported)))"#;

#[test]
fn exports_are_told_apart_from_imports_and_other_versions() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let input = folder.path().join("both.wat");
    fs::write(&input, BOTH_WAYS).expect("there is room for a file");
    build(&folder, &input, &["--emit", "obj"]);
    let bytes = fs::read(folder.path().join("both.o")).expect("it was written");
    let object = object::File::parse(&*bytes).expect("it is an object");
    let symbols = object.symbols().filter(|symbol| symbol.is_global());
    let mut names: Vec<&str> = symbols.map(|symbol| symbol.name().expect("it has one")).collect();
    names.retain(|name| name.contains("a_b"));
    names.sort_unstable();
    assert_eq!(names, ["a_b_c__f", "a_b_d_1__f", "a_b_d_2__f", "exports_a_b_c__f"]);
}
