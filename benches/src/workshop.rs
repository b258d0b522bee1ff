//! A folder for what a group builds, and the ways to build and run it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
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
    pub fn write(&self, name: &str, contents: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::write(&path, contents).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Compiles a component to an executable.
    pub fn build(&self, input: &Path, name: &str) -> Result<PathBuf, String> {
        let artifact = pipeline::compile(input, &Options::default(), &mut Phases::new(false))
            .map_err(|error| error.to_string())?;
        let path = self.path(name);
        fs::write(&path, &artifact.bytes).map_err(|error| error.to_string())?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        Ok(path)
    }

    /// Compiles C with the best that `cc` has.
    pub fn compile_c(&self, source: &str, name: &str) -> Result<PathBuf, String> {
        let input = self.write(&format!("{name}.c"), source)?;
        let path = self.path(name);
        let mut command = Command::new("cc");
        command.args(["-O3", "-march=native", "-o"]).arg(&path).arg(&input);
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

/// Runs a command to its end; what it printed.
pub fn output_of(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{command:?}: {}: {errors}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How many instructions a command executes, if valgrind is there.
pub fn count_instructions(program: &Path) -> Option<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok()
}
