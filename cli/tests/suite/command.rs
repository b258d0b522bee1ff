//! The command itself: where output goes, what a failure leaves behind, exit codes.

use crate::support::{repository, run_with_input, wasmelt};
use object::Endianness;
use object::elf::PT_INTERP;
use object::read::elf::{ElfFile64, ProgramHeader};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

const FILES: &str = "examples/link-time-virtualization";
const FILES_OUTPUT: &str = "note.txt: the first child was here\n\
                            note.txt: the second child was here\n\
                            ../window-b/note.txt: out of reach\n\
                            calls: 08, 06\n";

fn scratch() -> TempDir {
    tempfile::tempdir().expect("tests can write temporary files")
}

fn example(name: &str) -> PathBuf {
    repository().join("examples").join(name)
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn read_only(name: &str, directory: &TempDir) -> Output {
    let grant = format!("{}:ro", directory.path().display());
    run_with_input(wasmelt().arg("run").arg(example(name)).args(["--dir", &grant]), b"")
}

#[test]
fn readme_shows_what_the_example_prints() {
    let readme = fs::read_to_string(repository().join("README.md")).expect("it is there");
    let quoted: String = FILES_OUTPUT.lines().map(|line| format!("    {line}\n")).collect();
    assert!(readme.contains(&quoted), "README.md shows something else than\n{quoted}");
}

#[test]
fn both_forms_of_the_graph_do_the_same() {
    for form in ["parent.wat", "parent-inline.wat"] {
        let data = scratch();
        let output = wasmelt()
            .arg("run")
            .arg(repository().join(FILES).join(form))
            .arg("--dir")
            .arg(data.path())
            .output()
            .expect("the compiler can be run");
        assert_eq!(stderr(&output), "", "{form}");
        assert_eq!(stdout(&output), FILES_OUTPUT, "{form}");
        assert_eq!(output.status.code(), Some(0), "{form}");
        let note = |window: &str| fs::read_to_string(data.path().join(window).join("note.txt"));
        assert_eq!(note("window-a").expect("it was written"), "the first child was here");
        assert_eq!(note("window-b").expect("it was written"), "the second child was here");
        assert_eq!(fs::read_dir(data.path()).expect("it exists").count(), 2, "{form}");
    }
}

#[test]
fn a_read_only_directory_is_not_written_to() {
    let data = scratch();
    let output = read_only("link-time-virtualization/parent.wat", &data);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("note.txt: out of reach\n"), "{}", stdout(&output));
    assert_eq!(fs::read_dir(data.path()).expect("it exists").count(), 0);
}

#[test]
fn a_rust_program_runs() {
    let data = scratch();
    let expected = fs::read_to_string(example("hello-rust/expected.txt")).expect("it is there");
    let grant = format!("{}::/", data.path().display());
    let mut run = wasmelt();
    run.arg("run").arg(example("hello-rust/hello.wasm")).args(["--dir", &grant]);
    let output = run_with_input(run.args(["--", "/out.txt"]), b"");
    assert_eq!(stderr(&output), "time ok true\n");
    assert_eq!(stdout(&output), expected);
    assert_eq!(output.status.code(), Some(0));
    let written = fs::read_to_string(data.path().join("out.txt")).expect("the program wrote it");
    assert_eq!(written, "written\n");
}

#[test]
fn hello_is_small_and_needs_nothing() {
    let directory = scratch();
    let program = directory.path().join("hello");
    let built = wasmelt()
        .arg("build")
        .arg(example("hello-wat/hello.wat"))
        .arg("-o")
        .arg(&program)
        .output()
        .expect("the compiler can be run");
    assert_eq!(stderr(&built), "");
    let bytes = fs::read(&program).expect("it was built");
    // A quarter of it is for debuggers: names and frames.
    assert!(bytes.len() <= 10 * 1024, "{} bytes", bytes.len());
    let stripped = directory.path().join("stripped");
    let mut strip = wasmelt();
    strip.args(["build", "--strip", "-o"]).arg(&stripped).arg(example("hello-wat/hello.wat"));
    assert!(strip.status().expect("the compiler can be run").success());
    let stripped_bytes = fs::metadata(&stripped).expect("it was built").len();
    assert!(stripped_bytes <= 8 * 1024, "{stripped_bytes} bytes");
    let metadata = fs::metadata(&program).expect("it was built");
    assert_eq!(metadata.permissions().mode() & 0o111, 0o111);
    // It names no interpreter, which is what the dynamic linker would be.
    let elf = ElfFile64::<Endianness>::parse(&*bytes).expect("it is an ELF file");
    let segments = elf.elf_program_headers();
    assert!(segments.iter().all(|segment| segment.p_type(elf.endian()) != PT_INTERP));
    let output = Command::new(&program).env_clear().output().expect("it can be executed");
    assert_eq!(stdout(&output), "Hello, world!\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn the_environment_is_what_was_granted() {
    let run = |options: &[&str]| {
        let mut command = wasmelt();
        command.arg("run").arg(example("hello-rust/hello.wasm")).args(options);
        let output = run_with_input(command.env("GREETING", "caller").env("OTHER", "1"), b"");
        let text = stdout(&output);
        text.lines().filter(|line| line.starts_with("env ")).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(run(&[]), [""; 0]);
    assert_eq!(run(&["--env", "GREETING=builder"]), ["env GREETING=builder"]);
    assert_eq!(run(&["--env", "GREETING", "--env", "ABSENT"]), ["env GREETING=caller"]);
    assert!(run(&["--inherit-env"]).contains(&"env OTHER=1".to_string()));
}

#[test]
fn a_missing_grant_is_pointed_out_once() {
    let output = wasmelt()
        .arg("build")
        .arg(repository().join(FILES).join("parent.wat"))
        .args(["-o", "/dev/null"])
        .output()
        .expect("the compiler can be run");
    let message = stderr(&output);
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.starts_with("note: ") && message.contains("--dir"), "{message}");
}

#[test]
fn a_failed_build_leaves_no_program() {
    let directory = scratch();
    let program = directory.path().join("broken");
    fs::write(&program, "an older program").expect("tests can write temporary files");
    let input = directory.path().join("broken.wat");
    fs::write(&input, "(component (nonsense))").expect("tests can write temporary files");
    let output = wasmelt()
        .args(["build", "broken.wat"])
        .current_dir(directory.path())
        .output()
        .expect("the compiler can be run");
    assert_eq!(output.status.code(), Some(1));
    let left: Vec<_> = fs::read_dir(directory.path())
        .expect("it exists")
        .map(|entry| entry.expect("readable").file_name())
        .collect();
    assert_eq!(left, ["broken.wat"]);
}

#[test]
fn a_usage_error_touches_nothing() {
    let directory = scratch();
    let program = directory.path().join("app");
    fs::write(&program, "an older program").expect("tests can write temporary files");
    let output = wasmelt()
        .args(["build", "a.wat", "-o", "app", "-O", "7"])
        .current_dir(directory.path())
        .output()
        .expect("the compiler can be run");
    assert_eq!(output.status.code(), Some(2));
    assert!(program.exists());
}

#[test]
fn the_input_is_never_overwritten() {
    let directory = scratch();
    let input = directory.path().join("app");
    fs::write(&input, "(component)").expect("tests can write temporary files");
    let output = wasmelt()
        .args(["build", "app"])
        .current_dir(directory.path())
        .output()
        .expect("the compiler can be run");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("would overwrite the input"), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(&input).expect("it is there"), "(component)");
}

#[test]
fn two_builds_give_the_same_bytes() {
    let directory = scratch();
    let build = |name: &str, args: &[&str]| {
        let path = directory.path().join(name);
        let input = repository().join(FILES).join("parent.wat");
        let status = wasmelt().arg("build").args(args).arg(input).arg("-o").arg(&path).output();
        assert!(status.expect("the compiler can be run").status.success());
        fs::read(path).expect("it was built")
    };
    assert!(build("one", &[]) == build("two", &[]));
    // Nor does it matter whether this machine is the default or one of several.
    if cfg!(target_arch = "x86_64") {
        assert!(build("one", &[]) == build("two", &["--target", "x86_64-linux"]));
    }
}

#[test]
fn verbose_names_every_phase() {
    let output = wasmelt()
        .arg("build")
        .arg(example("hello-wat/hello.wat"))
        .args(["-v", "-o", "/dev/null"])
        .output()
        .expect("the compiler can be run");
    let message = stderr(&output);
    let phases: Vec<&str> =
        message.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(phases, ["read", "flatten", "compile", "link", "write"], "{message}");
}
