//! `--header`: what a C or C++ compiler has to know about a library.
//!
//! From the program after flattening, where every type is known exactly. The types are C's own:
//! structs of the fields in order lie in memory as `docs/native-abi.md` says, so that nothing here
//! computes an offset.

mod types;

use std::fmt::Write;
use types::{CTypes, sanitize, unique};
use wasmelt_flatten::flat::{is_by_address, is_returned_by_address};
use wasmelt_flatten::interface::{FuncTypeId, Type, TypeId};
use wasmelt_flatten::program::{FuncKind, Program, ResourceKind};

/// Writes the header of a library; `stem` names it in the include guard.
pub fn write_header(program: &Program, stem: &str) -> String {
    let mut types = CTypes::new(program);
    let exports = declare_exports(program, &mut types);
    let imports = declare_imports(program, &mut types);
    let guard = format!("{}_H", sanitize(stem).to_uppercase());
    let mut out = format!(
        "/* Made by wasmelt. How values pass is described in its docs/native-abi.md. */\n\
         #ifndef {guard}\n#define {guard}\n\n#include <stddef.h>\n#include <stdint.h>\n\n\
         #ifdef __cplusplus\nextern \"C\" {{\n#endif\n\n"
    );
    out += &types.declare();
    out += LIBRARY;
    if !exports.is_empty() {
        out += "/* What the library exports. */\n\n";
        out += &exports;
    }
    if !imports.is_empty() {
        out += "/* What the library imports: functions that you define. */\n\n";
        out += &imports;
    }
    out += "#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
    out
}

/// The functions that every library has.
const LIBRARY: &str = "\
#ifndef WASMELT_LIBRARY
#define WASMELT_LIBRARY
/* Prepares the library, as its first call does too: 0, or 1 if its addresses are taken. */
int wasmelt_init(void);
/* Memory for what the result of an imported function points at: valid until it has been read. */
void *wasmelt_alloc(size_t size);
/* Gives back what the last result of an exported function points at, as the next call does too. */
void wasmelt_release(void);
/* Calls `hook` with the message before a trap ends the process; it may leave by `siglongjmp`. */
void wasmelt_on_trap(void (*hook)(const char *message));
#endif

";

fn declare_exports(program: &Program, types: &mut CTypes<'_>) -> String {
    let mut out = String::new();
    for export in &program.exports {
        let FuncKind::Export { symbol, .. } = &program.funcs[export.func].kind else { continue };
        let _ = writeln!(out, "/* {} */", comment(&export.name));
        let _ = writeln!(out, "{}\n", prototype(types, symbol, export.ty));
    }
    for resource in &program.interface.resources {
        if resource.drop.is_some() {
            let name = &resource.name;
            let _ =
                writeln!(out, "/* Destroys one that you own. */\nvoid {name}__drop({name} it);\n");
        }
    }
    out
}

fn declare_imports(program: &Program, types: &mut CTypes<'_>) -> String {
    let mut out = String::new();
    for host in program.hosts.values().filter(|host| host.is_native && host.live) {
        let _ = writeln!(out, "/* {} of {} */", comment(&host.name), comment(&host.interface));
        let _ = writeln!(out, "{}\n", prototype(types, &host.symbol, host.component_type()));
    }
    for resource in &program.interface.resources {
        let kind = &program.resources[resource.resource].kind;
        if let ResourceKind::Host { drop_symbol, is_native: true } = kind {
            let name = &resource.name;
            let _ =
                writeln!(out, "/* Nobody uses it any more. */\nvoid {drop_symbol}({name} it);\n");
        }
    }
    out
}

/// A name that may hold what ends a comment.
fn comment(name: &str) -> String {
    name.replace("*/", "* /")
}

fn prototype(types: &mut CTypes<'_>, symbol: &str, ty: FuncTypeId) -> String {
    let program = types.program;
    let func = &program.func_types[ty];
    let mut names = Vec::new();
    let mut params = Vec::new();
    for (name, ty) in &func.params {
        let name = unique(&mut names, sanitize(name));
        if is_by_address(&program.types, *ty) {
            params.push(format!("const {} *{name}", types.name(*ty)));
            continue;
        }
        let pointee = match &program.types[*ty] {
            Type::String => Some("char".to_owned()),
            Type::List(element) => Some(types.name(*element)),
            Type::Map(..) => Some(types.entry_name(*ty)),
            _ => None,
        };
        match pointee {
            Some(pointee) => {
                params.push(format!("const {pointee} *{name}"));
                let len = unique(&mut names, format!("{name}_len"));
                params.push(format!("size_t {len}"));
            }
            None => params.push(format!("{} {name}", by_value(types, *ty))),
        }
    }
    let result = match func.result {
        Some(ty) if is_returned_by_address(&program.types, ty) => {
            let name = unique(&mut names, "out".to_owned());
            params.push(format!("{} *{name}", types.name(ty)));
            "void".to_owned()
        }
        Some(ty) => by_value(types, ty),
        None => "void".to_owned(),
    };
    let params = if params.is_empty() { "void".to_owned() } else { params.join(", ") };
    format!("{result} {symbol}({params});")
}

/// The type of a parameter or a result that is one number: at least 32 bits wide.
fn by_value(types: &mut CTypes<'_>, ty: TypeId) -> String {
    match &types.program.types[ty] {
        Type::S8 | Type::S16 | Type::S32 => "int32_t".to_owned(),
        Type::S64 | Type::U64 | Type::F32 | Type::F64 => types.name(ty),
        // A resource's name says more, and is as wide.
        Type::Own(_) | Type::Borrow(_) => types.name(ty),
        _ => "uint32_t".to_owned(),
    }
}
