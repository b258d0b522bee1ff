//! Compiled functions as text, with readable names.

use crate::emit::{CompiledFunc, Target};
use crate::env::Env;
use crate::program::{FuncId, Program};
use std::collections::BTreeSet;
use std::fmt::Write;

/// The name of a function of the program, or `wasmelt_main`.
pub fn name_of(program: &Program, func: FuncId) -> &str {
    program.funcs.get(func).map_or(wasmelt_abi::symbols::MAIN, |func| &func.name)
}

/// A function's text: a line with its name, one for each function and symbol that it refers to,
/// and what Cranelift prints, which knows them by number only.
pub fn print_func(env: Env<'_>, func: &CompiledFunc) -> String {
    let mut text = format!("; {}{}\n", name_of(env.program, func.func), func.version.suffix());
    let names: BTreeSet<String> = func
        .relocations
        .iter()
        .filter_map(|relocation| match relocation.target {
            Target::Func(callee) => {
                Some(format!("u0:{} is {}", callee.as_u32(), name_of(env.program, callee)))
            }
            Target::Symbol(symbol) => {
                Some(format!("u1:{} is {}", symbol.0, env.symbol_name(symbol)))
            }
            _ => None,
        })
        .collect();
    for name in names {
        writeln!(text, ";   {name}").expect("writing to a string never fails");
    }
    text.push_str(func.listing.as_deref().unwrap_or_default().trim_end());
    text.push_str("\n\n");
    text
}
