//! Holds declarations and shim together: each declared function has its symbol in the shim's
//! sources, with the native parameters that follow from its type, and nothing else is exported.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use wasmelt_abi::preview1;
use wit_parser::abi::{FlatTypes, WasmType};
use wit_parser::{
    Function, FunctionKind, Interface, Resolve, Type, TypeDefKind, UnresolvedPackageGroup,
};

fn declarations() -> Resolve {
    let mut resolve = Resolve::default();
    for (name, text) in wasmelt_abi::wit::FILES {
        let group = UnresolvedPackageGroup::parse(name, text)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        resolve.push_group(group).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    }
    resolve
}

/// The native parameters and results, in the words of the sources.
type Signature = String;

fn flat(resolve: &Resolve, ty: &Type) -> Vec<&'static str> {
    let mut storage = [WasmType::I32; 64];
    let mut types = FlatTypes::new(&mut storage);
    assert!(resolve.push_flat(ty, &mut types), "a type of more than 64 flat types");
    let words = types.to_vec().into_iter().map(|ty| match ty {
        WasmType::I32 => "u32",
        WasmType::I64 => "u64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::Pointer => "*const",
        WasmType::Length => "usize",
        WasmType::PointerOrI64 => "u64",
    });
    words.collect()
}

fn native_signature(resolve: &Resolve, func: &Function) -> Signature {
    let mut params: Vec<&str> =
        func.params.iter().flat_map(|param| flat(resolve, &param.ty)).collect();
    assert!(params.len() <= 16, "{} needs a record for its parameters", func.name);
    let results = func.result.map_or(Vec::new(), |ty| flat(resolve, &ty));
    let result = match results.as_slice() {
        [] => "",
        [single] => single,
        _ => {
            params.push("Out");
            ""
        }
    };
    format!("({}) {result}", params.join(", "))
}

fn mangle(name: &str) -> String {
    name.replace([':', '/', '-'], "_")
}

fn symbol(resolve: &Resolve, interface: &Interface, func: &Function) -> String {
    let package = &resolve.packages[interface.package.unwrap()].name;
    let interface = interface.name.as_ref().unwrap();
    let resource = |id| mangle(resolve.types[id].name.as_ref().unwrap());
    let func = match func.kind {
        FunctionKind::Freestanding => mangle(&func.name),
        FunctionKind::Constructor(id) => format!("{}__new", resource(id)),
        FunctionKind::Method(id) | FunctionKind::Static(id) => {
            format!("{}__{}", resource(id), mangle(func.item_name()))
        }
        _ => panic!("{} is asynchronous", func.name),
    };
    format!(
        "{}_{}_{}__{func}",
        mangle(&package.namespace),
        mangle(&package.name),
        mangle(interface)
    )
}

/// The symbols that the declarations ask for.
fn declared() -> BTreeMap<String, Signature> {
    let resolve = declarations();
    let mut declared = BTreeMap::new();
    for (_, interface) in &resolve.interfaces {
        // What the program itself exports is declared for the checks alone.
        if interface.name.as_deref() == Some("run") {
            continue;
        }
        for func in interface.functions.values() {
            declared.insert(symbol(&resolve, interface, func), native_signature(&resolve, func));
        }
        let package = &resolve.packages[interface.package.unwrap()].name;
        for (name, id) in &interface.types {
            if matches!(resolve.types[*id].kind, TypeDefKind::Resource) {
                let symbol = format!(
                    "{}_{}_{}__{}__drop",
                    mangle(&package.namespace),
                    mangle(&package.name),
                    mangle(interface.name.as_ref().unwrap()),
                    mangle(name)
                );
                declared.insert(symbol, "(u32) ".to_string());
            }
        }
    }
    declared
}

/// The symbols of preview 1, by the rules of its declarations.
fn declared_in_preview1() -> impl Iterator<Item = (String, Signature)> {
    preview1::FUNCS.iter().map(|func| {
        let params = func.params.iter().map(|param| match param {
            preview1::Param::I32 => "u32",
            preview1::Param::I64 => "u64",
        });
        let params: Vec<&str> = std::iter::once("&MemoryState").chain(params).collect();
        let result = if func.has_result { "u32" } else { "" };
        let symbol = format!("{}__{}", preview1::MODULE, func.name);
        (symbol, format!("({}) {result}", params.join(", ")))
    })
}

/// The symbols that the sources export.
fn exported() -> BTreeMap<String, Signature> {
    let mut exported = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/wasi")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                read_exports(&fs::read_to_string(path).unwrap(), &mut exported);
            }
        }
    }
    exported
}

fn read_exports(source: &str, exported: &mut BTreeMap<String, Signature>) {
    for item in source.split("#[unsafe(export_name = \"").skip(1) {
        let (symbol, rest) = item.split_once('"').unwrap();
        let (_, rest) = rest.split_once("extern \"C\" fn ").unwrap();
        let (head, _) = rest.split_once('{').unwrap();
        let (params, result) = head.split_once('(').unwrap().1.rsplit_once(')').unwrap();
        let params: Vec<&str> = params
            .split(", ")
            .flat_map(|part| part.split(",\n"))
            .filter_map(|param| param.split_once(": "))
            .map(|(_, ty)| ty.split([' ', '<', ',']).next().unwrap())
            // A `Reply` is an `Out` of a result.
            .map(|ty| if ty == "Reply" { "Out" } else { ty })
            .collect();
        let result = result.trim().trim_start_matches("-> ");
        exported.insert(symbol.to_string(), format!("({}) {result}", params.join(", ")));
    }
}

#[test]
fn declarations_parse() {
    let resolve = declarations();
    let mut functions = 0;
    for (_, interface) in &resolve.interfaces {
        functions += interface.functions.len();
    }
    assert_eq!(resolve.packages.len(), 6);
    assert!(functions > 120, "{functions}");
}

#[test]
fn what_is_declared_is_what_the_shim_exports() {
    let (mut declared, exported) = (declared(), exported());
    declared.extend(declared_in_preview1());
    for (symbol, signature) in &declared {
        let found = exported.get(symbol);
        assert_eq!(found, Some(signature), "{symbol} should be {signature}");
    }
    for symbol in exported.keys() {
        assert!(declared.contains_key(symbol), "{symbol} is not declared");
    }
}
