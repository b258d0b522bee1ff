//! Objects for systems that no executables are made for: read back, and given to their linkers.

use crate::support::{repository, wasmelt};
use object::{
    Architecture, BinaryFormat, Object, ObjectSection, ObjectSymbol, RelocationTarget, SymbolKind,
};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use wasmelt_codegen::targets::FOREIGN_SYSTEMS;

/// Builds the example's object.
fn build(target: &str, output: &Path) -> Vec<u8> {
    let mut command = wasmelt();
    command.args(["build", "--emit", "obj", "--target", target, "-o"]).arg(output);
    let built = command.arg(repository().join("examples/native-library/shapes.wat")).output();
    let built = built.expect("the compiler can be started");
    assert!(built.status.success(), "{target}: {}", String::from_utf8_lossy(&built.stderr));
    std::fs::read(output).expect("the object was written")
}

#[test]
fn objects_are_as_their_systems_have_them() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    for system in FOREIGN_SYSTEMS {
        let bytes = build(system.triple, &folder.path().join("object"));
        let file = object::File::parse(&*bytes).expect("it is an object");
        let is_macho = system.triple.contains("apple");
        let format = if is_macho { BinaryFormat::MachO } else { BinaryFormat::Coff };
        let is_arm = system.triple.starts_with("aarch64");
        let machine = if is_arm { Architecture::Aarch64 } else { Architecture::X86_64 };
        assert_eq!((file.format(), file.architecture()), (format, machine));
        check_symbols(&file, if is_macho { "_" } else { "" });
        check_references(&file);
        let starts = func_starts(&file);
        let framed = if is_macho { macho_frames(&file) } else { coff_frames(&file, is_arm) };
        // Functions without a frame of their own need no entry on Windows.
        assert!(framed.is_subset(&starts), "{}: {framed:?} of {starts:?}", system.triple);
        assert!(framed == starts || !is_macho && framed.len() >= 8, "{}", system.triple);
    }
}

/// What C calls has the platform's names, and what C must supply is undefined.
fn check_symbols(file: &object::File<'_>, prefix: &str) {
    let find = |name: &str| {
        let name = format!("{prefix}{name}");
        let mut symbols = file.symbols().filter(|symbol| symbol.name() == Ok(&name));
        let symbol = symbols.next().unwrap_or_else(|| panic!("no symbol {name}"));
        assert!(symbols.next().is_none(), "two symbols {name}");
        symbol
    };
    for name in ["centre", "canvas__new", "canvas__drop"] {
        let symbol = find(&format!("my_shapes_shapes__{name}"));
        assert!(symbol.is_definition() && symbol.is_global(), "{name}");
    }
    for name in ["my_shapes_log__line", "wasmelt_library_enter", "memcpy"] {
        assert!(find(name).is_undefined(), "{name}");
    }
}

/// Every reference lies within its section and leads to a symbol.
fn check_references(file: &object::File<'_>) {
    let mut count = 0;
    for section in file.sections() {
        for (offset, relocation) in section.relocations() {
            assert!(offset + u64::from(relocation.size() / 8) <= section.size());
            let RelocationTarget::Symbol(symbol) = relocation.target() else {
                panic!("{relocation:?} of {:?}", section.name());
            };
            file.symbol_by_index(symbol).expect("it is in the table");
            count += 1;
        }
    }
    assert!(count > 20, "{count} references");
}

/// Where in the text functions start.
fn func_starts(file: &object::File<'_>) -> BTreeSet<u64> {
    let is_func = |symbol: &object::Symbol<'_, '_>| {
        symbol.is_definition()
            && symbol.kind() == SymbolKind::Text
            && !symbol.name().is_ok_and(|name| name.contains("lwasmelt_"))
    };
    file.symbols().filter(is_func).map(|symbol| symbol.address()).collect()
}

/// The functions that the frame table describes. Its words are distances from their own places:
/// what is stored adds the function's offset and takes the place's away.
fn macho_frames(file: &object::File<'_>) -> BTreeSet<u64> {
    let section = file.section_by_name("__eh_frame").expect("frames are described");
    let data = section.data().expect("it has contents");
    let places: BTreeSet<u64> = section.relocations().map(|(offset, _)| offset).collect();
    let start = |place: &u64| {
        let word = data[*place as usize..][..8].try_into().expect("eight bytes");
        i64::from_le_bytes(word).wrapping_add_unsigned(*place).cast_unsigned()
    };
    places.iter().map(start).collect()
}

/// The functions that the list of functions has: begin, on x86-64 the end, and the description.
fn coff_frames(file: &object::File<'_>, is_arm: bool) -> BTreeSet<u64> {
    let section = file.section_by_name(".pdata").expect("frames are described");
    let described = file.section_by_name(".xdata").expect("frames are described").size();
    let data = section.data().expect("it has contents");
    let word = |bytes: &[u8]| u64::from(u32::from_le_bytes(bytes.try_into().expect("four bytes")));
    let entries = data.chunks(if is_arm { 8 } else { 12 }).map(|entry| {
        let fields: Vec<u64> = entry.chunks(4).map(word).collect();
        assert!(is_arm || fields[0] < fields[1], "{fields:?}");
        assert!(fields[fields.len() - 1] < described, "{fields:?}");
        fields[0]
    });
    entries.collect()
}

#[test]
fn their_linkers_take_the_objects() {
    let folder = tempfile::tempdir().expect("there is room for a file");
    let (object, output) = (folder.path().join("object.o"), folder.path().join("library"));
    for system in FOREIGN_SYSTEMS {
        let arm = system.triple.starts_with("aarch64");
        let (flavor, args): (&str, &[&str]) = match (system.triple.contains("apple"), arm) {
            (true, false) => ("darwin", &["-arch", "x86_64"]),
            (true, true) => ("darwin", &["-arch", "arm64"]),
            (false, false) => ("link", &["/machine:x64"]),
            (false, true) => ("link", &["/machine:arm64"]),
        };
        if !has_lld() {
            println!("skipped: no linker for {}", system.triple);
            continue;
        }
        build(system.triple, &object);
        let mut link = Command::new("lld");
        link.args(["-flavor", flavor]).args(args).arg(&object);
        // What the system's own libraries and the embedding program define is missing here.
        match flavor {
            "darwin" => link
                .args(["-platform_version", "macos", "11", "11", "-dylib"])
                .args(["-undefined", "dynamic_lookup", "-o"])
                .arg(&output),
            _ => link
                .args(["/dll", "/noentry", "/force:unresolved"])
                .arg(format!("/out:{}", output.display())),
        };
        let linked = link.output().expect("it could be started before");
        let text = String::from_utf8_lossy(&linked.stderr);
        assert!(linked.status.success(), "{}: {text}", system.triple);
        assert!(!text.contains("error"), "{}: {text}", system.triple);
        let bytes = std::fs::read(&output).expect("it was linked");
        // Linkers of Mach-O turn the frame table into a denser one, if they can.
        let names: &[&str] =
            if flavor == "darwin" { &["__unwind_info", "__eh_frame"] } else { &[".pdata"] };
        let has = |name: &str| bytes.windows(name.len()).any(|it| it == name.as_bytes());
        assert!(names.iter().any(|name| has(name)), "{}: none of {names:?}", system.triple);
    }
}

/// Whether the linker can be started; under `CI=true` it must be.
fn has_lld() -> bool {
    let mut version = Command::new("lld");
    version.args(["-flavor", "gnu", "--version"]).stdout(Stdio::null());
    let found = version.status().is_ok_and(|status| status.success());
    assert!(found || std::env::var("CI").as_deref() != Ok("true"), "lld is not installed");
    found
}

#[test]
fn other_outputs_are_refused_with_the_one_that_works() {
    for (emit, what) in [
        ("exe", "executables"),
        ("staticlib", "static libraries"),
        ("sharedlib", "shared libraries"),
    ] {
        let mut command = wasmelt();
        command.args(["build", "--emit", emit, "--target", "arm64-macos"]);
        let output = command.arg(repository().join("examples/native-library/shapes.wat")).output();
        let output = output.expect("the compiler can be started");
        let expected = format!(
            "error: unsupported: {what} for `aarch64-apple-darwin`\n  help: `--emit obj` makes an \
             object for the linkers of that system\n"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
        assert_eq!(output.status.code(), Some(1));
    }
}
