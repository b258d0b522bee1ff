//! Code that only computes: small kernels of our own, and the modules of sightglass where there are
//! corpora (`WASMELT_CORPORA`, or `../shared/corpora` beside the repository).
//!
//! The kernels' peers are the reference engine, and wasm2c with clang: what a C compiler makes of
//! the same module. Every engine runs the same file; the modules of sightglass mark the part that
//! counts and get a stopwatch.

use crate::componentize::find_nanos;
use crate::contest::{Checksums, Contestant, peers, take_turns, turns};
use crate::guest::{Child, LIBC, REPETITIONS, instantiate_child, wasi_imports};
use crate::report::{Figure, Measured, Row, Table};
use crate::workshop::{Workshop, count_instructions, is_there, output_of};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compilers for what wasm2c makes, the best first.
const CLANGS: &[&str] = &["clang-22", "clang-21", "clang-20", "clang-19", "clang"];
/// Where the support code of wasm2c is.
const WASM2C_FILES: &str = "/usr/share/wabt/wasm2c";

const HARNESS: &str = include_str!("kernel.c");

const KERNELS: &[(&str, &str)] = &[
    ("dispatch", include_str!("../guests/kernels/dispatch.wat")),
    ("fib", include_str!("../guests/kernels/fib.wat")),
    ("hash", include_str!("../guests/kernels/hash.wat")),
    ("matrix", include_str!("../guests/kernels/matrix.wat")),
    ("sieve", include_str!("../guests/kernels/sieve.wat")),
    ("sort", include_str!("../guests/kernels/sort.wat")),
];

const ROUNDS: usize = 3;

/// Modules of sightglass that compute nothing, or need what only their own harness has.
const LEFT_OUT: &[&str] = &["noop", "cm-online-stats"];

/// Measures the kernels and the modules.
pub fn run() -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("compute")?;
    let mut kernels = Table::new("kernels", "µs");
    for (name, text) in KERNELS {
        kernels.rows.push(measure_kernel(&workshop, name, text)?);
    }
    let mut modules = Table::new("sightglass", "ms");
    match find_modules() {
        Ok(found) => {
            for (name, module) in found {
                eprintln!("{name}");
                modules.rows.push(measure_module(&workshop, &name, &module));
            }
        }
        Err(why) => eprintln!("left out, the modules of sightglass: {why}"),
    }
    Ok(vec![kernels, modules])
}

fn measure_kernel(workshop: &Workshop, name: &str, text: &str) -> Result<Row, String> {
    let input = workshop.write("guest.wat", kernel_component(name, text, REPETITIONS))?;
    let ours = workshop.build(&input, "guest")?;
    let mut contestants = vec![Contestant { who: "wasmelt", command: vec![ours] }];
    contestants.extend(peers(&input)?);
    let translated = translate(workshop, text);
    if let Ok(program) = &translated {
        let command = vec![program.clone(), name.into(), REPETITIONS.to_string().into()];
        contestants.push(Contestant { who: "wasm2c + clang", command });
    }
    let mut figures = take_turns(&contestants, name, Checksums::Equal)?;
    for measured in figures.iter_mut().filter_map(|figure| figure.measured.as_mut().ok()) {
        measured.best /= 1e3;
        measured.worst /= 1e3;
    }
    let once = workshop.write("once.wat", kernel_component(name, text, 1))?;
    let once = workshop.build(&once, "once")?;
    set_count(&mut figures[0], count_instructions(&[once]));
    match translated {
        Ok(program) => {
            let last = figures.last_mut().expect("it is the last contestant");
            set_count(last, count_instructions(&[program]));
        }
        Err(why) => figures.push(Figure::absent("wasm2c + clang", why)),
    }
    Ok(Row { case: name.to_string(), figures })
}

fn set_count(figure: &mut Figure, count: Option<u64>) {
    if let Ok(measured) = &mut figure.measured {
        measured.instructions = count.map(|count| count as f64);
    }
}

/// A self-timing component around a core module that exports `kernel`.
fn kernel_component(name: &str, text: &str, repetitions: u32) -> String {
    let module = text.replacen("(module", "(core module $kernel", 1);
    let child = Child {
        lower: &format!("{LIBC} {module} (core instance $kernel (instantiate $kernel))"),
        imports: r#"(import "i" "kernel" (func $kernel (param i32) (result i32)))"#,
        exports: r#"(export "kernel" (func $kernel "kernel"))"#,
        before: "",
        call: "(call $kernel (local.get $i))",
        after: "",
        calls: 1,
        repetitions,
        title: name,
    };
    format!("(component $root\n{}{}{}", wasi_imports("root"), child.text(), instantiate_child(""))
}

/// A program of wasm2c and clang.
fn translate(workshop: &Workshop, text: &str) -> Result<PathBuf, String> {
    let clang = find_clang().ok_or("clang is not installed")?;
    if !is_there("wasm2c") {
        return Err("wasm2c is not installed".into());
    }
    let module = wat::parse_str(text).map_err(|error| error.to_string())?;
    let module = workshop.write("kernel.wasm", module)?;
    let c = workshop.path("kernel.c");
    output_of(Command::new("wasm2c").args(["-n", "kernel", "-o"]).arg(&c).arg(module))?;
    let main = workshop.write("main.c", HARNESS)?;
    let program = workshop.path("translated");
    let mut compile = Command::new(clang);
    compile.args(["-O3", "-w", "-I", WASM2C_FILES, "-o"]).arg(&program);
    compile.arg(main).arg(c).arg(format!("{WASM2C_FILES}/wasm-rt-impl.c")).arg("-lm");
    output_of(&mut compile)?;
    Ok(program)
}

/// The clang that compiles what wasm2c makes.
pub fn find_clang() -> Option<&'static str> {
    CLANGS.iter().copied().find(|clang| is_there(clang))
}

/// The core modules of sightglass, by name.
pub fn find_modules() -> Result<Vec<(String, PathBuf)>, String> {
    let folder = match std::env::var_os("WASMELT_CORPORA") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora"),
    };
    let mut modules = Vec::new();
    let mut folders = vec![folder.join("sightglass")];
    while let Some(folder) = folders.pop() {
        let fail = |error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let path = entry.map_err(fail)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "wasm") {
                modules.push((module_name(&path), path));
            }
        }
    }
    modules.retain(|(name, _)| !LEFT_OUT.contains(&name.as_str()));
    modules.sort();
    Ok(modules)
}

/// The file's name, or its folder's if all files are called the same.
fn module_name(path: &Path) -> String {
    let name = |path: &Path| path.file_stem().map(|stem| stem.display().to_string());
    let stem = name(path).unwrap_or_default();
    let stem = stem.strip_prefix("shootout-").unwrap_or(&stem);
    match stem {
        "benchmark" => path.parent().and_then(name).unwrap_or_default(),
        stem => stem.to_string(),
    }
}

fn measure_module(workshop: &Workshop, name: &str, module: &Path) -> Row {
    let programs = || -> Result<Vec<(&'static str, Vec<PathBuf>)>, String> {
        let input = workshop.componentize_timed(module, name)?;
        let ours = workshop.build_with_files(&input, "module")?;
        let mut programs = vec![("wasmelt", vec![ours])];
        programs.extend(loader(workshop, &input)?);
        Ok(programs)
    };
    let case = name.to_string();
    let folder = module.parent().unwrap_or(module);
    match programs().and_then(|programs| run_module(folder, &programs)) {
        Ok(figures) => Row { case, figures },
        Err(why) => {
            let why = why.lines().next().unwrap_or_default().to_string();
            // The folder is gone when someone reads this.
            let why = why.replace(&workshop.path("").display().to_string(), "");
            let mut figures = vec![Figure::absent("wasmelt", format!("{name}: {why}"))];
            if cfg!(feature = "wasmtime") {
                let why = format!("{name}: there is nothing to compare with");
                figures.push(Figure::absent("wasmtime", why));
            }
            Row { case, figures }
        }
    }
}

#[cfg(feature = "wasmtime")]
fn loader(workshop: &Workshop, input: &Path) -> Result<Vec<(&'static str, Vec<PathBuf>)>, String> {
    use crate::peer::{Configuration, precompile};
    let compiled = workshop.path("module.cwasm");
    let configuration = Configuration::Default;
    precompile(configuration, input, &compiled).map_err(|error| format!("{error:?}"))?;
    let this = std::env::current_exe().map_err(|error| error.to_string())?;
    let command = vec![this, "load".into(), "default".into(), compiled];
    Ok(vec![(configuration.title(), command)])
}

#[cfg(not(feature = "wasmtime"))]
fn loader(_: &Workshop, _: &Path) -> Result<Vec<(&'static str, Vec<PathBuf>)>, String> {
    Ok(Vec::new())
}

/// Runs the programs in turns, in the folder of their input; what they print must be the same.
fn run_module(
    folder: &Path,
    programs: &[(&'static str, Vec<PathBuf>)],
) -> Result<Vec<Figure>, String> {
    let mut rounds: Vec<Vec<f64>> = programs.iter().map(|_| Vec::new()).collect();
    let mut printed: Option<Vec<u8>> = None;
    for at in turns(ROUNDS, programs.len()) {
        let (who, command) = &programs[at];
        let mut run = Command::new(&command[0]);
        run.args(&command[1..]).current_dir(folder);
        let output = run.output().map_err(|error| format!("{run:?}: {error}"))?;
        let nanos = find_nanos(&output.stderr)
            .ok_or_else(|| format!("{who} measured nothing ({})", output.status))?;
        if *printed.get_or_insert_with(|| output.stdout.clone()) != output.stdout {
            return Err(format!("{who} prints something else"));
        }
        rounds[at].push(nanos / 1e6);
    }
    let figure =
        |((who, _), rounds): (&(&str, _), Vec<f64>)| Figure::new(who, Measured::of(rounds));
    Ok(programs.iter().zip(rounds).map(figure).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::run_line;

    #[test]
    fn kernels_compute_the_same_as_in_c() {
        let workshop = Workshop::new("kernels").expect("temporary folders can be made");
        for (name, text) in KERNELS {
            let component = kernel_component(name, text, 2);
            let input = workshop.write("guest.wat", component).expect("files can be written");
            let ours = workshop.build(&input, "guest").expect("the input is valid");
            let line = run_line(&[ours]).expect("the program prints a line");
            assert_eq!(line.case, *name);
            // Without the tools there is nothing to compare with.
            if let Ok(program) = translate(&workshop, text) {
                let command = [program, PathBuf::from(*name), "2".into()];
                let theirs = run_line(&command).expect("the program prints a line");
                assert_eq!(line.checksum, theirs.checksum, "{name}");
            }
        }
    }
}
