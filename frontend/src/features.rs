//! The WebAssembly features that validation accepts: the only place that lists them.
//!
//! Accepting is not implementing. What is valid but not compiled (yet) is refused
//! later, as unsupported and by name, so the two cases never blur.

use wasmparser::WasmFeatures;

/// The features of every validator and parser of this crate.
///
/// They are everything of WebAssembly 3.0, threads, wide arithmetic,
/// compact imports, custom page sizes, and the component model with its
/// asynchronous half, 64-bit memories, maps, fixed-length lists and import
/// attributes.
pub const FEATURES: WasmFeatures = WasmFeatures::WASM3
    .union(WasmFeatures::THREADS)
    .union(WasmFeatures::WIDE_ARITHMETIC)
    .union(WasmFeatures::CUSTOM_PAGE_SIZES)
    .union(WasmFeatures::COMPACT_IMPORTS)
    .union(WasmFeatures::CALL_INDIRECT_OVERLONG)
    .union(WasmFeatures::BULK_MEMORY_OPT)
    .union(WasmFeatures::COMPONENT_MODEL)
    .union(WasmFeatures::CM_ASYNC)
    .union(WasmFeatures::CM_ASYNC_STACKFUL)
    .union(WasmFeatures::CM_MORE_ASYNC_BUILTINS)
    .union(WasmFeatures::CM_THREADING)
    .union(WasmFeatures::CM_ERROR_CONTEXT)
    .union(WasmFeatures::CM_FIXED_LENGTH_LISTS)
    .union(WasmFeatures::CM64)
    .union(WasmFeatures::CM_MAP)
    .union(WasmFeatures::CM_IMPLEMENTS);
