//! What a component cannot reach is not in its program: checked on the program's data and on the
//! executable's symbols.

use crate::support::{repository, wasmelt};
use object::{Object, ObjectSymbol};
use std::collections::HashSet;
use std::fs;
use std::path::Path;
use wasmelt_flatten::program::{ComponentInstanceId, FuncId, FuncKind, Lift, Program};
use wasmelt_flatten::program::{ResourceKind, ResourceOp};
use wasmelt_frontend::ReadOptions;

fn flatten(path: &str) -> Program {
    let path = repository().join(path);
    let composition = wasmelt_frontend::read(&path, &ReadOptions::default())
        .unwrap_or_else(|error| panic!("{error}"));
    wasmelt_flatten::instantiate(composition).unwrap_or_else(|error| panic!("{error}"))
}

/// Whether running this function by itself uses the host's file system.
fn uses_host_files(program: &Program, func: FuncId) -> bool {
    match &program.funcs[func].kind {
        FuncKind::Adapter(adapter) => match adapter.lift {
            Lift::Host(host) => program.hosts[host].interface.starts_with("wasi:filesystem/"),
            _ => false,
        },
        FuncKind::Resource { op: ResourceOp::Drop, resource, .. } => {
            let kind = &program.resources[*resource].kind;
            matches!(kind, ResourceKind::Host { drop_symbol, .. }
                if drop_symbol.starts_with("wasi_filesystem_"))
        }
        _ => false,
    }
}

/// The functions that use the host's files and that `from` can reach without entering `walls`.
fn reach(program: &Program, from: &[FuncId], walls: &[ComponentInstanceId]) -> Vec<FuncId> {
    let mut seen: HashSet<FuncId> = from.iter().copied().collect();
    let mut work = from.to_vec();
    let mut reached = Vec::new();
    while let Some(func) = work.pop() {
        if program.funcs[func].component.is_some_and(|component| walls.contains(&component)) {
            continue;
        }
        if uses_host_files(program, func) {
            reached.push(func);
        }
        let callees = wasmelt_flatten::callees(program, func);
        work.extend(callees.into_iter().filter(|callee| seen.insert(*callee)));
    }
    reached
}

fn instance(program: &Program, name: &str) -> ComponentInstanceId {
    let mut found = program.component_instances.iter().filter(|(_, it)| it.name == name);
    found.next().unwrap_or_else(|| panic!("there is no `{name}`")).0
}

#[test]
fn children_reach_files_through_their_virtualizers_only() {
    for form in ["parent.wat", "parent-inline.wat"] {
        let program = flatten(&format!("examples/link-time-virtualization/{form}"));
        for (child, virtualizer) in [("child-a", "virtual-a"), ("child-b", "virtual-b")] {
            let (child, wall) = (instance(&program, child), instance(&program, virtualizer));
            let code: Vec<FuncId> = program
                .funcs
                .iter()
                .filter(|(_, func)| func.live && func.component == Some(child))
                .map(|(id, _)| id)
                .collect();
            assert!(!code.is_empty());
            let around = reach(&program, &code, &[wall]);
            assert!(around.is_empty(), "{around:?}");
            // The proof is about something: without that wall there is a way.
            assert!(!reach(&program, &code, &[]).is_empty());
        }
    }
}

fn symbols(path: &Path) -> Vec<String> {
    let bytes = fs::read(path).expect("it was built");
    let file = object::File::parse(&*bytes).expect("it is an ELF file");
    file.symbols().map(|symbol| symbol.name().expect("it has a name").to_string()).collect()
}

fn build(input: &str) -> Vec<String> {
    let scratch = tempfile::tempdir().expect("tests can write temporary files");
    let program = scratch.path().join("program");
    let output = wasmelt()
        .arg("build")
        .arg(repository().join(input))
        .arg("-o")
        .arg(&program)
        .output()
        .expect("the compiler can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    symbols(&program)
}

#[test]
fn what_is_not_reached_is_not_linked() {
    let is_files = |name: &&String| name.starts_with("wasi_filesystem_");
    let denied = build("tests/run/virtualizer-offers-nothing.wat");
    assert!(!denied.iter().any(|name| is_files(&name)), "{denied:?}");
    assert!(denied.iter().any(|name| name.starts_with("wasi_cli_stdout")), "{denied:?}");
    let granted = build("examples/link-time-virtualization/parent.wat");
    assert!(granted.iter().any(|name| is_files(&name)), "{granted:?}");
}

#[test]
fn sockets_and_files_do_not_link_each_other() {
    let build = |name: &str| {
        let scratch = tempfile::tempdir().expect("tests can write temporary files");
        let replacements = [("PORT", 9), ("BYTES", 4096)];
        let options = ["--network", "outbound", "--dir", "."];
        symbols(&crate::guests::build(scratch.path(), name, &replacements, &options))
    };
    // The shim's own functions have the names of their modules in theirs.
    let mentions = |symbols: &[String], module: &str| {
        symbols.iter().any(|name| name.starts_with("wasi_") && name.contains(module))
            || symbols.iter().any(|name| name.contains(&format!("4wasi{}{module}", module.len())))
    };
    let connecting = build("tcp-client.wat");
    assert!(mentions(&connecting, "sockets") && !mentions(&connecting, "filesystem"));
    assert!(!connecting.iter().any(|name| name.contains("udp") || name.contains("lookup")));
    let writing = build("file-writer.wat");
    assert!(mentions(&writing, "filesystem") && !mentions(&writing, "sockets"), "{writing:?}");
}
