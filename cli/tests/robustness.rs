//! Damaged input: truncated files and flipped bytes never make the compiler panic or
//! overflow its stack, and never take it long.
//!
//! The damage is drawn from a fixed seed. By default each file is damaged a few times;
//! `WASMELT_DAMAGE=50` asks for that many truncations and as many flips of each.

#[path = "suites/corpora.rs"]
mod corpora;

use corpora::{find_corpora, repository};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmelt_codegen::options::{OptLevel, Options};
use wasmelt_flatten::script::{link_script, parse_script};
use wasmelt_frontend::Session;

/// Larger files are left out: they would take most of the time and show nothing new.
const FILE_BYTES_MAX: u64 = 300_000;

/// As the command's threads have.
const STACK_BYTES: usize = 8 << 20;

#[test]
fn damaged_scripts_and_components_never_panic() {
    let mut files = files_below(&repository().join("tests"));
    files.extend(files_below(&repository().join("examples")));
    if let Some(corpora) = find_corpora() {
        files.extend(files_below(&corpora));
    }
    let times = std::env::var("WASMELT_DAMAGE").ok().and_then(|times| times.parse().ok());
    let damaged = damage_all(&files, times.unwrap_or(1));
    assert!(damaged.is_empty(), "the compiler panicked:\n{}", damaged.join("\n"));
}

/// Damages each file `times` times in each way; what made the compiler panic.
fn damage_all(files: &[PathBuf], times: usize) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let panicked = Mutex::new(Vec::new());
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = damage_file(file, times);
            panicked.lock().expect("no thread panics while it holds the lock").extend(found);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            let builder = std::thread::Builder::new().stack_size(STACK_BYTES);
            builder.spawn_scoped(scope, work).expect("a few threads can always be started");
        }
    });
    let mut panicked = panicked.into_inner().expect("no thread panicked while it held the lock");
    panicked.sort();
    panicked
}

fn damage_file(file: &Path, times: usize) -> Vec<String> {
    let whole = std::fs::read(file).expect("the file was just listed");
    let mut random = Random::from_name(&file.to_string_lossy());
    let mut panicked = Vec::new();
    for _ in 0..times {
        let at = random.below(whole.len());
        if catch_unwind(|| compile(file, &whole[..at])).is_err() {
            panicked.push(format!("{} truncated to {at} bytes", file.display()));
        }
        let (at, bit) = (random.below(whole.len()), random.below(8));
        let mut flipped = whole.clone();
        if let Some(byte) = flipped.get_mut(at) {
            *byte ^= 1 << bit;
        }
        if catch_unwind(|| compile(file, &flipped)).is_err() {
            panicked.push(format!("{} with bit {bit} of byte {at} flipped", file.display()));
        }
    }
    panicked
}

/// Compiles as far as the input lets it; what the error is does not matter here.
fn compile(file: &Path, bytes: &[u8]) {
    let options = Options { opt_level: OptLevel::None, threads: 1, ..Options::default() };
    let program = if file.extension().is_some_and(|extension| extension == "wast") {
        parse_script(file, bytes).and_then(link_script).map(|script| script.program)
    } else {
        let mut session = Session::new();
        let root = session.add_bytes(file, bytes.to_vec());
        let root = root.and_then(|root| session.prepare_root(root, false));
        root.and_then(|root| wasmelt_flatten::instantiate(session.finish(Some(root))))
    };
    if let Ok(program) = program
        && let Ok(object) = wasmelt_codegen::compile_object(&program, &options)
    {
        drop(wasmelt_codegen::link_executable(&object, &options));
    }
}

/// Numbers that look random and are the same every time (xorshift).
struct Random(u64);

impl Random {
    /// A file's numbers depend on its name alone, not on which other files there are.
    fn from_name(name: &str) -> Random {
        let short = name.rsplit('/').next().unwrap_or(name);
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        Random(short.bytes().fold(0xcbf2_9ce4_8422_2325, mix) | 1)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 as usize % end.max(1)
    }
}

/// The scripts, modules and components of a folder and of the folders in it.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in corpora::entries(&folder) {
            let is_input = |path: &Path| {
                let extension = path.extension().and_then(|extension| extension.to_str());
                matches!(extension, Some("wast" | "wat" | "wasm"))
                    && path.metadata().is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX)
            };
            if path.is_dir() {
                folders.push(path);
            } else if is_input(&path) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
