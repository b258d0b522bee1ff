//! A folder for what a group builds, and the ways to build and run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmelt::args::Level;
use wasmelt::grants::{Grants, encode, parse_dir};
use wasmelt::phases::Phases;
use wasmelt::pipeline::{self, Options};

/// A folder that is removed with the value.
pub struct Workshop {
    folder: PathBuf,
}

impl Workshop {
    /// Makes the folder.
    pub fn new(name: &str) -> Result<Workshop, String> {
        let folder = std::env::temp_dir().join(format!("wasmelt-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Workshop { folder })
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::write(&path, contents).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Compiles a component to an executable.
    pub fn build(&self, input: &Path, name: &str) -> Result<PathBuf, String> {
        self.build_with(input, name, &Options::default())
    }

    /// Compiles a component to an executable that may use the folder it runs in.
    pub fn build_with_files(&self, input: &Path, name: &str) -> Result<PathBuf, String> {
        let grants = encode(&Grants { dirs: vec![parse_dir(".")?], ..Grants::default() })?;
        let mut options = Options { grants_dirs: true, ..Options::default() };
        options.codegen.grants = grants;
        self.build_with(input, name, &options)
    }

    /// Compiles a component to an executable without symbols.
    pub fn build_stripped(&self, input: &Path, level: Level) -> Result<PathBuf, String> {
        let mut options = Options::default();
        options.codegen.strip = true;
        options.codegen.opt_level = level.to_codegen();
        self.build_with(input, &format!("stripped-{level:?}"), &options)
    }

    fn build_with(&self, input: &Path, name: &str, options: &Options) -> Result<PathBuf, String> {
        let artifact = pipeline::compile(input, options, &mut Phases::new(false))
            .map_err(|error| error.to_string())?;
        let path = self.write(name, &artifact.bytes)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        Ok(path)
    }

    /// Compiles C with the best that `cc` has.
    pub fn compile_c(&self, source: &str, name: &str) -> Result<PathBuf, String> {
        self.compile_c_with(source, name, &["-O3", "-march=native"])
    }

    /// Compiles C with these options.
    pub fn compile_c_with(
        &self,
        source: &str,
        name: &str,
        options: &[&str],
    ) -> Result<PathBuf, String> {
        let input = self.write(&format!("{name}.c"), source)?;
        let path = self.path(name);
        let mut command = Command::new("cc");
        command.args(options).arg("-o").arg(&path).arg(&input);
        output_of(&mut command)?;
        Ok(path)
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // What is left of the programs is of no use to anyone.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What a row about a file is called: its name, or for the examples their folder's.
pub fn case_of(input: &Path) -> String {
    let name = |path: Option<&Path>| {
        path.and_then(Path::file_stem).map_or_else(String::new, |stem| stem.display().to_string())
    };
    let own = name(Some(input));
    let own = own.trim_end_matches(".component").to_string();
    match own.as_str() {
        "hello" | "parent" | "parent-inline" => name(input.parent()),
        _ => own,
    }
}

/// A file of the examples.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

/// Runs a command to its end; what it printed.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {errors}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program is installed.
pub fn is_there(tool: &str) -> bool {
    Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success())
}

/// How many instructions a command executes, if valgrind is there.
pub fn count_instructions(command: &[PathBuf]) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args(command)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}
