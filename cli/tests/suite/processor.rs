//! `--cpu`: a program says at its start what the processor lacks, and nothing is asked otherwise.

use crate::support::{repository, wasmelt};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// A processor without and one with what `--cpu` asks for, as the emulator knows them.
struct Case {
    emulator: &'static str,
    target: &'static str,
    cpu: &'static str,
    without: &'static str,
    with: &'static str,
    lacks: &'static str,
}

const CASES: &[Case] = &[
    Case {
        emulator: "qemu-x86_64",
        target: "x86_64-linux",
        cpu: "x86-64-v3",
        without: "Nehalem",
        with: "max",
        lacks: "avx, avx2, bmi1, bmi2, fma, lzcnt",
    },
    Case {
        emulator: "qemu-aarch64",
        target: "arm64-linux",
        cpu: "+lse,+fp16",
        without: "cortex-a53",
        with: "max",
        lacks: "lse, fp16",
    },
    Case {
        emulator: "qemu-riscv64",
        target: "riscv64-linux",
        cpu: "+v",
        without: "rv64",
        with: "rv64,v=true,vlen=128",
        lacks: "v",
    },
    Case {
        emulator: "qemu-s390x",
        target: "s390x-linux",
        cpu: "+vxrs_ext2",
        without: "max,vxeh2=off",
        with: "max",
        lacks: "vxrs_ext2",
    },
];

#[test]
fn a_program_says_what_the_processor_lacks() {
    let hello = repository().join("examples/hello-wat/hello.wat");
    for case in CASES.iter().filter(|case| is_installed(case.emulator)) {
        let folder = tempfile::tempdir().expect("there is room for a file");
        let program = folder.path().join("program");
        build(case, &hello, &program);
        let output = run(case, case.without, &program);
        let expected = format!(
            "wasmelt: this program needs a processor with {}; build it with another --cpu, or \
             without, for this one\n",
            case.lacks
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected, "{}", case.target);
        assert_eq!(output.status.code(), Some(70), "{}", case.target);
        assert_eq!(output.stdout, b"", "{}", case.target);
        let output = run(case, case.with, &program);
        assert_eq!(output.stdout, b"Hello, world!\n", "{}: {output:?}", case.target);
    }
}

/// Additions of four lanes at a time: the sum of 1 to 8 must be the exit code's 36.
const VECTORS: &str = r#"(component
  (core module $m
    (func $add (param v128 v128) (result v128) (i32x4.add (local.get 0) (local.get 1)))
    (func (export "run") (result i32) (local $sum v128)
      (local.set $sum (call $add (v128.const i32x4 1 2 3 4) (v128.const i32x4 5 6 7 8)))
      (i32.ne (i32.const 36)
        (i32.add
          (i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
          (i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))))
  (core instance $i (instantiate $m))
  (func $f (result (result)) (canon lift (core func $i "run")))
  (instance $run (export "run" (func $f)))
  (export "wasi:cli/run@0.2.0" (instance $run)))"#;

#[test]
fn vectors_run_where_the_processor_has_them() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let input = folder.path().join("vectors.wat");
    std::fs::write(&input, VECTORS).expect("there is room for a file");
    for case in CASES.iter().filter(|case| is_installed(case.emulator)) {
        for level in ["0", "2"] {
            let program = folder.path().join("program");
            let mut command = wasmelt();
            command.args(["build", "-O", level, "--target", case.target, "--cpu", case.cpu]);
            let status = command.arg("-o").arg(&program).arg(&input).status();
            assert!(status.expect("the compiler can be started").success(), "{}", case.target);
            let output = run(case, case.with, &program);
            assert_eq!(output.status.code(), Some(0), "{}: {output:?}", case.target);
        }
    }
}

fn build(case: &Case, input: &Path, program: &Path) {
    let mut command = wasmelt();
    command.args(["build", "--target", case.target, "--cpu", case.cpu, "-o"]);
    let status = command.arg(program).arg(input).status();
    assert!(status.expect("the compiler can be started").success(), "{}", case.target);
}

fn run(case: &Case, processor: &str, program: &Path) -> Output {
    let output = Command::new(case.emulator).args(["-cpu", processor]).arg(program).output();
    output.expect("the emulator could be started before")
}

/// Whether the emulator can be started; under `CI=true` it must be.
fn is_installed(emulator: &str) -> bool {
    let status = Command::new(emulator).arg("--version").stdout(Stdio::null()).status();
    let found = status.is_ok_and(|status| status.success());
    assert!(found || std::env::var("CI").as_deref() != Ok("true"), "{emulator} is not installed");
    found
}
