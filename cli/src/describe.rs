//! What `-v` says about a phase's result.

use wasmelt_flatten::program::Program;
use wasmelt_frontend::composition::Composition;

/// The size of what was read.
pub fn composition(composition: &Composition) -> String {
    let bytes: usize = composition.files.values().map(|file| file.bytes.len()).sum();
    format!(
        "{}, {} bytes, {}, {}",
        count(composition.files.len(), "file"),
        bytes,
        count(composition.components.len(), "component"),
        count(composition.modules.len(), "core module"),
    )
}

/// The size of what is left after flattening.
pub fn program(program: &Program) -> String {
    let live = program.funcs.values().filter(|func| func.live).count();
    let hosts = program.hosts.values().filter(|host| host.live).count();
    format!(
        "{}, {}, {live} of {}, {}",
        count(program.component_instances.len(), "component instance"),
        count(program.core_instances.len(), "core instance"),
        count(program.funcs.len(), "function"),
        count(hosts, "host function"),
    )
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What `wasmelt targets` prints.
pub fn targets() -> String {
    let mut text = String::new();
    for machine in wasmelt_codegen::targets::MACHINES {
        text += machine.triple;
        text += &format!("\n    also:   {}-linux\n", machine.aliases.join("-linux, "));
        text += "    --emit: exe, obj, staticlib, sharedlib\n";
        text += &format!("    --cpu:  {}\n", machine.cpu_names().join(", "));
    }
    for system in wasmelt_codegen::targets::FOREIGN_SYSTEMS {
        text += system.triple;
        if !system.aliases.is_empty() {
            text += &format!("\n    also:   {}", system.aliases.join(", "));
        }
        text += "\n    --emit: obj\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn nouns_agree_with_numbers() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
    }
}
