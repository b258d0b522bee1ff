//! Functions in several versions: each processor runs its own, and all do the same.

use crate::support::wasmelt;
use object::{Object, ObjectSection, ObjectSymbol};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Loops over what the baseline lacks: bytes that move within vectors, rounding, counting bits, and
/// products of 64-bit lanes. The last state goes to standard output, then the number of arguments is
/// what the first lane is divided by, less one: without any the program traps.
const INPUT: &str = r#"(module $work
  (import "wasi_snapshot_preview1" "fd_write"
    (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\20\00\00\00")
  (func $move (param $state v128) (param $rounds i32) (result v128)
    (loop $again
      (local.set $state (i32x4.add
        (i8x16.shuffle 1 2 3 0 5 6 7 4 9 10 11 8 14 13 12 15 (local.get $state) (local.get $state))
        (i32x4.mul (local.get $state) (v128.const i32x4 3 5 7 9))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $state))
  (func $round (param $x f64) (param $rounds i32) (result f64)
    (loop $again
      (local.set $x (f64.add
        (f64.floor (f64.mul (local.get $x) (f64.const 1.25)))
        (f64.convert_i32_u (i32.popcnt (local.get $rounds)))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $x))
  (func $multiply (param $state v128) (param $rounds i32) (result v128)
    (loop $again
      (local.set $state (i64x2.add (v128.const i64x2 11 13)
        (i64x2.mul (local.get $state) (i64x2.add (local.get $state) (v128.const i64x2 1 3)))))
      (br_if $again (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $state))
  (func $divide (param $state v128) (param $by i32) (result i32)
    (i32.div_u (i32x4.extract_lane 0 (call $move (local.get $state) (i32.const 2))) (local.get $by)))
  (func (export "_start") (local $state v128)
    (local.set $state (call $move (v128.const i32x4 1 2 3 4) (i32.const 100)))
    (local.set $state (f64x2.replace_lane 1 (local.get $state)
      (call $round (f64.const 1.5) (i32.const 100))))
    (local.set $state (call $multiply (local.get $state) (i32.const 100)))
    (v128.store (i32.const 16) (local.get $state))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (drop (call $args (i32.const 48) (i32.const 52)))
    (drop (call $divide (local.get $state) (i32.sub (i32.load (i32.const 48)) (i32.const 1))))))"#;

const BASELINE: &str = ".x86-64";
const V3: &str = ".x86-64-v3";
const V4: &str = ".x86-64-v4";

#[test]
fn every_processor_gets_the_same_results() {
    for inline in ["on", "off"] {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let program = build(folder.path(), &["--inline", inline]);
        let reference = build(&folder.path().join("reference"), &["--cpu", "x86-64"]);
        assert!(find_versions(&reference, BASELINE).is_empty());
        for runner in runners() {
            let expected = run(runner, &reference, &["argument"]);
            assert!(expected.status.success() && expected.stdout.len() == 16, "{expected:?}");
            assert_eq!(run(runner, &program, &["argument"]), expected, "{runner:?}, {inline}");
            let (trap, expected) = (run(runner, &program, &[]), run(runner, &reference, &[]));
            let text = String::from_utf8_lossy(&expected.stderr).into_owned();
            assert!(text.contains("integer divide by zero") && text.contains("`divide`"), "{text}");
            assert_eq!(trap, expected, "{runner:?}, {inline}");
        }
    }
}

/// A version whose code is overwritten ends the program on the processors that it is for, and on no
/// others.
#[test]
fn every_processor_runs_its_own_version() {
    // With inlining the versions are those of `wasmelt_main`.
    for inline in ["on", "off"] {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let program = build(folder.path(), &["--inline", inline]);
        for version in [BASELINE, V3, V4] {
            let broken = folder.path().join(format!("broken{version}"));
            break_versions(&program, version, &broken);
            for runner in runners() {
                let level = match runner {
                    Runner::Emulator { level, .. } => level,
                    Runner::Itself => level_of_this_machine(),
                };
                // Only products have a version for level 4, and then what they are inlined into.
                let is_hit = level == version || (level, version, inline) == (V4, V3, "off");
                let output = run(runner, &broken, &["argument"]);
                assert_eq!(!output.status.success(), is_hit, "{version} {runner:?} {output:?}");
            }
        }
    }
}

/// Where another linker makes the program, the shim is a library of one call.
#[test]
fn a_library_asks_before_the_first_call_needs_it() {
    let has_cc = Command::new("cc").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has_cc || !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        println!("skipped: no C compiler for x86-64 Linux");
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a file");
    let object = build(folder.path(), &["--emit", "obj"]);
    let program = folder.path().join("linked");
    let linked = Command::new("cc").arg(&object).arg("-o").arg(&program).status();
    assert!(linked.expect("it could be started before").success());
    let expected = run(Runner::Itself, &build(folder.path(), &[]), &["argument"]);
    assert!(expected.status.success());
    assert_eq!(run(Runner::Itself, &program, &["argument"]), expected);
    for version in [BASELINE, V3, V4] {
        let broken = folder.path().join(format!("broken{version}"));
        break_versions(&program, version, &broken);
        let output = run(Runner::Itself, &broken, &["argument"]);
        assert_eq!(!output.status.success(), level_of_this_machine() == version, "{version}");
    }
}

#[test]
fn who_chooses_a_processor_or_another_level_gets_one_version() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    for options in [["--cpu", "x86-64-v3"], ["-O", "s"], ["-O", "1"], ["-O", "0"]] {
        let program = build(folder.path(), &options);
        assert!(find_versions(&program, V3).is_empty(), "{options:?}");
    }
    assert!(!find_versions(&build(folder.path(), &["-O", "2"]), V3).is_empty());
}

/// Where a program runs.
#[derive(Clone, Copy, Debug)]
enum Runner {
    /// On this machine.
    Itself,
    /// On a processor that the emulator knows, and the version that it must run.
    Emulator { processor: &'static str, level: &'static str },
}

fn runners() -> Vec<Runner> {
    let mut runners = Vec::new();
    if cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        runners.push(Runner::Itself);
    }
    let status = Command::new("qemu-x86_64").arg("--version").stdout(Stdio::null()).status();
    if status.is_ok_and(|status| status.success()) {
        for (processor, level) in [("qemu64", BASELINE), ("Nehalem", BASELINE), ("max", V3)] {
            runners.push(Runner::Emulator { processor, level });
        }
    } else {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "qemu-x86_64 is not installed");
    }
    runners
}

#[cfg(target_arch = "x86_64")]
fn level_of_this_machine() -> &'static str {
    use std::is_x86_feature_detected as detect;
    let has_v3 = detect!("avx2") && detect!("fma") && detect!("bmi1") && detect!("bmi2");
    let has_v4 = detect!("avx512f") && detect!("avx512dq") && detect!("avx512vl");
    match (has_v3 && detect!("lzcnt") && detect!("popcnt"), has_v4) {
        (true, true) => V4,
        (true, false) => V3,
        (false, _) => BASELINE,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn level_of_this_machine() -> &'static str {
    ""
}

fn build(folder: &Path, options: &[&str]) -> PathBuf {
    fs::create_dir_all(folder).expect("there is room for a folder");
    let (input, program) = (folder.join("work.wat"), folder.join("program"));
    fs::write(&input, INPUT).expect("there is room for a file");
    let mut command = wasmelt();
    command.args(["build", "--target", "x86_64-linux"]).args(options).arg("-o");
    let output = command.arg(&program).arg(&input).output().expect("the compiler can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

fn run(runner: Runner, program: &Path, arguments: &[&str]) -> Output {
    let mut command = match runner {
        Runner::Itself => Command::new(program),
        Runner::Emulator { processor, .. } => {
            let mut command = Command::new("qemu-x86_64");
            command.args(["-cpu", processor]).arg(program);
            command
        }
    };
    command.args(arguments);
    loop {
        // Another test that starts a program while this one writes a file holds that open until then.
        match command.output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => return output.expect("it can be started"),
        }
    }
}

/// The offsets in the file of the versions with that suffix.
fn find_versions(program: &Path, suffix: &str) -> Vec<u64> {
    let bytes = fs::read(program).expect("it was built");
    let file = object::File::parse(&*bytes).expect("it is an ELF file");
    let text = file.section_by_name(".text").expect("it has code");
    let (offset, _) = text.file_range().expect("the code is in the file");
    let symbols =
        file.symbols().filter(|symbol| symbol.name().is_ok_and(|it| it.ends_with(suffix)));
    symbols.map(|symbol| symbol.address() - text.address() + offset).collect()
}

/// Writes the program with an instruction that no processor has in front of those versions.
fn break_versions(program: &Path, suffix: &str, broken: &Path) {
    const UD2: [u8; 2] = [0x0f, 0x0b];
    let mut bytes = fs::read(program).expect("it was built");
    let found = find_versions(program, suffix);
    assert!(!found.is_empty(), "{suffix}");
    for offset in found {
        bytes[offset as usize..][..UD2.len()].copy_from_slice(&UD2);
    }
    fs::copy(program, broken).expect("there is room for a file");
    fs::write(broken, bytes).expect("there is room for a file");
}
