//! Finds in a valid core module what this compiler does not implement.
//!
//! A build stops at the first such thing that is reachable. A script goes on: it
//! has to know beforehand which of its modules cannot be compiled, because all of
//! them become one program.

use wasmparser::{
    BinaryReaderError, FunctionBody, HeapType, Operator, Parser, Payload, ValType, Validator,
    WasmFeatures,
};

/// Whether bytes that were rejected are valid with proposals that this compiler does not know.
pub fn is_valid_elsewhere(bytes: &[u8]) -> bool {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    validator.validate_all(bytes).is_ok()
}

/// What a valid core module needs that is not implemented, if anything.
pub fn find_unsupported(bytes: &[u8]) -> Option<String> {
    // The module is valid, so no payload fails to parse.
    Parser::new(0).parse_all(bytes).find_map(|payload| match payload.ok()? {
        Payload::GlobalSection(globals) => globals.into_iter().find_map(|global| {
            let global = global.ok()?;
            find_in(global.init_expr.get_operators_reader().into_iter())
        }),
        Payload::TableSection(tables) => {
            tables.into_iter().find_map(|table| match table.ok()?.init {
                wasmparser::TableInit::Expr(init) => {
                    find_in(init.get_operators_reader().into_iter())
                }
                wasmparser::TableInit::RefNull => None,
            })
        }
        Payload::ElementSection(elements) => elements.into_iter().find_map(|element| {
            let wasmparser::ElementItems::Expressions(_, items) = element.ok()?.items else {
                return None;
            };
            items
                .into_iter()
                .find_map(|item| find_in(item.ok()?.get_operators_reader().into_iter()))
        }),
        Payload::CodeSectionEntry(body) => find_in_body(&body),
        _ => None,
    })
}

fn find_in_body(body: &FunctionBody<'_>) -> Option<String> {
    let locals = body.get_locals_reader().ok()?;
    locals
        .into_iter()
        .find_map(|local| find_in_type(local.ok()?.1))
        .or_else(|| find_in(body.get_operators_reader().ok()?.into_iter()))
}

/// Memory that threads share holds no references.
fn find_in_type(ty: ValType) -> Option<String> {
    let ValType::Ref(ty) = ty else { return None };
    match ty.heap_type() {
        HeapType::Abstract { shared: true, .. } => Some(format!("shared reference type {ty}")),
        _ => None,
    }
}

fn find_in<'a>(
    operators: impl Iterator<Item = Result<Operator<'a>, BinaryReaderError>>,
) -> Option<String> {
    operators.map_while(Result::ok).find_map(|operator| {
        let (proposal, name) = proposal_of(&operator);
        (!IMPLEMENTED.contains(&proposal)).then(|| format!("{proposal}: the instruction {name}"))
    })
}

/// The proposals whose instructions are compiled, by the parser's names.
const IMPLEMENTED: &[&str] = &[
    "mvp",
    "sign_extension",
    "saturating_float_to_int",
    "bulk_memory",
    "reference_types",
    "tail_call",
    "function_references",
    "threads",
    "simd",
    "relaxed_simd",
    "wide_arithmetic",
];

macro_rules! define_proposal_of {
    ($(@$proposal:ident $op:ident $({ $($arg:ident: $ty:ty),* })? => $visit:ident ($($ann:tt)*))*) => {
        /// The proposal that an instruction comes from, and the instruction's name.
        fn proposal_of(operator: &Operator<'_>) -> (&'static str, &'static str) {
            match operator {
                $(Operator::$op { .. } => (stringify!($proposal), stringify!($op)),)*
                _ => ("unknown", "unknown"),
            }
        }
    };
}
wasmparser::for_each_operator!(define_proposal_of);
