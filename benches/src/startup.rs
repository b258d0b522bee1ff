//! How long a process takes that prints a line and ends.
//!
//! The floor is a static C program without libc that makes two system calls; a
//! static one with the system's libc stands beside it. The programs take turns, in
//! both orders, because the machine's pace changes while they run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wasmelt::phases::Phases;
use wasmelt::pipeline::{self, Options};

const SPAWNS: usize = 1000;

const FLOOR: &str = r#"
static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}
void _start(void) {
    call(1, 1, (long)"Hello, world!\n", 14);
    call(231, 0, 0, 0);
}
"#;

const WITH_LIBC: &str = r#"
#include <unistd.h>
int main(void) { return write(1, "Hello, world!\n", 14) != 14; }
"#;

/// A program to start, and how long each start took.
struct Program {
    name: &'static str,
    path: PathBuf,
    times: Vec<Duration>,
}

/// Measures and prints the table.
pub fn run() -> Result<(), String> {
    let directory = std::env::temp_dir().join(format!("wasmelt-bench-{}", std::process::id()));
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let result = build_programs(&directory).and_then(|mut programs| {
        measure(&mut programs)?;
        print_table(&mut programs);
        Ok(())
    });
    // What is left of the programs is of no use to anyone.
    let _ = fs::remove_dir_all(&directory);
    result
}

fn build_programs(directory: &Path) -> Result<Vec<Program>, String> {
    let floor = compile_c(directory, "floor", FLOOR, &["-nostdlib", "-ffreestanding"])?;
    let hello = directory.join("hello");
    let input = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/hello-wat/hello.wat");
    let artifact = pipeline::compile(&input, &Options::default(), &mut Phases::new(false))
        .map_err(|error| error.to_string())?;
    fs::write(&hello, &artifact.bytes).map_err(|error| error.to_string())?;
    fs::set_permissions(&hello, fs::Permissions::from_mode(0o755))
        .map_err(|error| error.to_string())?;
    let program = |name, path| Program { name, path, times: Vec::new() };
    let mut programs =
        vec![program("C, static, no libc", floor), program("wasmelt, hello.wat", hello)];
    match compile_c(directory, "libc", WITH_LIBC, &[]) {
        Ok(path) => programs.push(program("C, static, libc", path)),
        Err(error) => eprintln!("left out: {error}"),
    }
    Ok(programs)
}

fn compile_c(
    directory: &Path,
    name: &str,
    source: &str,
    options: &[&str],
) -> Result<PathBuf, String> {
    let path = directory.join(name);
    let input = path.with_extension("c");
    fs::write(&input, source).map_err(|error| error.to_string())?;
    let output = Command::new("cc")
        .args(["-O2", "-static"])
        .args(options)
        .arg(&input)
        .arg("-o")
        .arg(&path)
        .output()
        .map_err(|error| format!("the peer needs a C compiler, `cc`: {error}"))?;
    if output.status.success() {
        Ok(path)
    } else {
        Err(format!("cc: {}", String::from_utf8_lossy(&output.stderr)))
    }
}

fn measure(programs: &mut [Program]) -> Result<(), String> {
    for round in 0..SPAWNS {
        let count = programs.len();
        for step in 0..count {
            // Every second round goes backwards, so that no program always follows the same one.
            let index = if round % 2 == 0 { step } else { count - 1 - step };
            let program = &mut programs[index];
            let start = Instant::now();
            let status = Command::new(&program.path).stdout(Stdio::null()).status();
            program.times.push(start.elapsed());
            match status {
                Ok(status) if status.success() => {}
                other => return Err(format!("{}: {other:?}", program.name)),
            }
        }
    }
    Ok(())
}

fn print_table(programs: &mut [Program]) {
    println!("start-up, {SPAWNS} spawns each, microseconds\n");
    println!("| program | bytes | p10 | median | p10 ratio | median ratio |");
    println!("|---|--:|--:|--:|--:|--:|");
    let mut floor = None;
    for program in programs {
        program.times.sort();
        let microseconds = |at: usize| program.times[at].as_secs_f64() * 1e6;
        let (p10, median) = (microseconds(SPAWNS / 10), microseconds(SPAWNS / 2));
        let (floor_p10, floor_median) = *floor.get_or_insert((p10, median));
        let bytes = fs::metadata(&program.path).map_or(0, |metadata| metadata.len());
        println!(
            "| {} | {bytes} | {p10:.1} | {median:.1} | {:.2} | {:.2} |",
            program.name,
            p10 / floor_p10,
            median / floor_median
        );
    }
}
