//! Scripts on every machine that programs are made for, by emulators: the project's own, and a
//! sample of the corpora of others.

#[path = "suites/corpora.rs"]
mod corpora;

use corpora::{find_corpora, repository, scripts_below};
use std::process::{Command, Stdio};
use wasmelt::wast::{Outcome, run_scripts};
use wasmelt_codegen::options::Options;
use wasmelt_codegen::targets::{MACHINES, add_cpu, parse_target};

#[test]
fn own_scripts_pass_on_risc_v_with_vectors() {
    let files = scripts_below(&repository().join("tests/wast"));
    let mut target = parse_target("riscv64-linux").expect("it is one of the machines");
    add_cpu(&mut target, "+v").expect("it is one of its features");
    if !is_installed("qemu-riscv64") {
        return;
    }
    let options = Options { target, ..Options::default() };
    for (file, outcome) in files.iter().zip(run_scripts(&files, &options)) {
        let complete = outcome.failed == 0 && outcome.unsupported == 0 && outcome.passed > 0;
        assert!(complete, "{}: {outcome:#?}", file.display());
    }
}

#[test]
fn own_scripts_pass_on_every_machine() {
    let files = scripts_below(&repository().join("tests/wast"));
    assert!(files.len() >= 3, "the scripts are part of the repository");
    for machine in MACHINES.iter().filter(|machine| is_installed(machine.emulator)) {
        let options = Options { target: machine.target(), ..Options::default() };
        for (file, outcome) in files.iter().zip(run_scripts(&files, &options)) {
            // RISC-V has no vectors in its baseline.
            let may_lack = machine.emulator == "qemu-riscv64";
            let done = outcome.passed > 0 || may_lack && outcome.unsupported > 0;
            let complete = outcome.failed == 0 && done && (outcome.unsupported == 0 || may_lack);
            assert!(complete, "{} on {}: {outcome:#?}", file.display(), machine.triple);
        }
    }
}

/// The corpora's folders, and of how many scripts one is taken.
const SAMPLES: &[(&str, usize)] =
    &[("core-spec", 4), ("component-model/values", 1), ("component-model/resources", 1)];

#[test]
fn a_sample_of_the_corpora_comes_out_alike_on_every_machine() {
    let Some(corpora) = find_corpora() else { return };
    let sample = |(folder, step): &(&str, usize)| {
        scripts_below(&corpora.join(folder)).into_iter().step_by(*step).collect::<Vec<_>>()
    };
    let files: Vec<_> = SAMPLES.iter().flat_map(sample).collect();
    let has_simd = files.iter().any(|file| file.to_string_lossy().contains("simd"));
    assert!(files.len() >= 40 && has_simd, "{} scripts", files.len());
    let natively = run_scripts(&files, &Options::default());
    for machine in MACHINES.iter().filter(|machine| is_installed(machine.emulator)) {
        let options = Options { target: machine.target(), ..Options::default() };
        for ((file, here), there) in files.iter().zip(&natively).zip(run_scripts(&files, &options))
        {
            // Only the vectors that RISC-V's baseline lacks may make a difference.
            let may_lack = machine.emulator == "qemu-riscv64";
            let alike = may_lack && there.unsupported > here.unsupported
                || there.passed == here.passed && there.unsupported == here.unsupported;
            let complete = there.failed == here.failed && total(&there) == total(here) && alike;
            let (file, triple) = (file.display(), &machine.triple);
            assert!(complete, "{file} on {triple}: {there:#?}, and natively: {here:#?}");
        }
    }
}

fn total(outcome: &Outcome) -> usize {
    outcome.passed + outcome.failed + outcome.unsupported
}

#[test]
fn the_shims_of_other_machines_are_made_from_these_sources() {
    let list = "find src abi/src abi/wit Cargo.toml -type f | LC_ALL=C sort | xargs sha256sum";
    let shim = repository().join("runtime-shim");
    let output = Command::new("sh").args(["-c", list]).current_dir(&shim).output();
    let now = output.expect("a shell can be started").stdout;
    let then = std::fs::read(shim.join("prebuilt/SOURCES")).expect("the script has written it");
    assert!(now == then, "the shim has changed: run `runtime-shim/build-prebuilt`");
}

/// Whether the emulator can be started; under `CI=true` it must be.
fn is_installed(emulator: &str) -> bool {
    let status = Command::new(emulator).arg("--version").stdout(Stdio::null()).status();
    let found = status.is_ok_and(|status| status.success());
    assert!(found || std::env::var("CI").as_deref() != Ok("true"), "{emulator} is not installed");
    found
}
