//! The project's own scripts on every machine that programs are made for, by emulators.

#[path = "suites/corpora.rs"]
mod corpora;

use corpora::{repository, scripts_below};
use std::process::{Command, Stdio};
use wasmelt::wast::run_scripts;
use wasmelt_codegen::options::Options;
use wasmelt_codegen::targets::MACHINES;

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
