//! What every function generator needs: the program, the addresses, the target,
//! and the names by which one function calls another.

use crate::layout::Layout;
use crate::program::{FuncId, HostFunc, HostFuncId, Program};
use crate::types::{CoreTypeId, FuncType, HeapType, ValType};
use cranelift_codegen::ir::{
    self, AbiParam, ExtFuncData, ExternalName, FuncRef, Signature, TrapCode, UserExternalName,
    types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_entity::EntityRef;
use target_lexicon::Architecture;
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;

/// What every function generator reads.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The program.
    pub program: &'a Program,
    /// Where its state lies.
    pub layout: &'a Layout,
    /// The target.
    pub isa: &'a dyn TargetIsa,
}

/// Name space of `UserExternalName`s that are `FuncId`s.
pub const NAMESPACE_FUNC: u32 = 0;
/// Name space of `UserExternalName`s that are indices of [`Symbols`].
pub const NAMESPACE_SYMBOL: u32 = 1;
/// Name space of `UserExternalName`s that are constant data: `DataId`s of passive segments.
pub const NAMESPACE_DATA: u32 = 2;
/// Name space of `UserExternalName`s that are constant data: `ElemId`s, each element the address
/// of a `FuncRef` or 0, 8 bytes.
pub const NAMESPACE_ELEM: u32 = 3;
/// Name space of `UserExternalName`s that are initial contents that start-up copies: indices of
/// `InitialData::copied`.
pub const NAMESPACE_COPIED: u32 = 4;
/// Name space of the table of a script's actions; the index is 0.
pub const NAMESPACE_ACTIONS: u32 = 5;

/// Name space of words that hold the address of an undefined function: indices of [`Symbols`].
pub const NAMESPACE_IMPORT: u32 = 6;
/// Name space of `FuncId`s whose calls are to be replaced by the function's body (`expand`).
pub const NAMESPACE_MARK: u32 = 7;

/// The calling convention of guest code. One for all, because a function may be called through a
/// table by any other, and it is the only one that has tail calls.
pub const GUEST_CALL_CONV: CallConv = CallConv::Tail;

impl<'a> Env<'a> {
    /// The calling convention of shim functions.
    pub fn host_call_conv(&self) -> CallConv {
        CallConv::triple_default(self.isa.triple())
    }

    /// A parameter or result of a shim function. Where the platform's ABI wants a register filled
    /// beyond a narrow integer, it is: RISC-V has all 32-bit integers sign-extended. Elsewhere the
    /// shim takes unsigned ones only.
    pub fn host_param(&self, ty: ir::Type) -> AbiParam {
        match self.isa.triple().architecture {
            Architecture::Riscv64(_) if ty == types::I32 => AbiParam::new(ty).sext(),
            Architecture::Riscv64(_) | Architecture::S390x if ty.is_int() && ty.bits() < 64 => {
                AbiParam::new(ty).uext()
            }
            _ => AbiParam::new(ty),
        }
    }

    /// The core function type of that id.
    pub fn func_type(&self, ty: CoreTypeId) -> &'a FuncType {
        self.program.core_types[ty].func().expect("validation lets only function types here")
    }

    /// The signature of guest functions of that type.
    pub fn guest_signature(&self, ty: CoreTypeId) -> Signature {
        let ty = self.func_type(ty);
        let mut signature = Signature::new(GUEST_CALL_CONV);
        signature.params.extend(ty.params.iter().map(|ty| AbiParam::new(clif_type(*ty))));
        signature.returns.extend(ty.results.iter().map(|ty| AbiParam::new(clif_type(*ty))));
        signature
    }

    /// Makes a function of the program, or the one that is compiled for it, callable from `func`.
    pub fn import_func(&self, func: &mut ir::Function, callee: FuncId) -> FuncRef {
        let signature = self.guest_signature(self.program.funcs[callee].ty);
        let signature = func.import_signature(signature);
        let callee = self.layout.folding.code_of(callee);
        import(func, NAMESPACE_FUNC, callee.as_u32(), signature, true)
    }

    /// Makes a symbol of the shim callable from `func`.
    pub fn import_symbol(
        &self,
        func: &mut ir::Function,
        symbol: SymbolId,
        params: &[ir::Type],
        returns: &[ir::Type],
    ) -> FuncRef {
        let mut signature = Signature::new(self.host_call_conv());
        signature.params.extend(params.iter().map(|ty| self.host_param(*ty)));
        signature.returns.extend(returns.iter().map(|ty| self.host_param(*ty)));
        let signature = func.import_signature(signature);
        import(func, NAMESPACE_SYMBOL, symbol.0, signature, true)
    }
}

impl Env<'_> {
    /// Makes the word that holds a native function's address known to `func`: as a function, because
    /// the inliner does not carry names of data over. Only its address means something.
    pub fn import_word(
        &self,
        func: &mut ir::Function,
        symbol: SymbolId,
        signature: ir::SigRef,
    ) -> FuncRef {
        import(func, NAMESPACE_IMPORT, symbol.0, signature, true)
    }
}

fn import(
    func: &mut ir::Function,
    namespace: u32,
    index: u32,
    signature: ir::SigRef,
    colocated: bool,
) -> FuncRef {
    let name = func.declare_imported_user_function(UserExternalName { namespace, index });
    func.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated,
        patchable: false,
    })
}

/// The CLIF type of a core value. References are addresses; host references are opaque words.
pub fn clif_type(ty: ValType) -> ir::Type {
    match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => types::I8X16,
        ValType::Ref(ty) => match ty.heap {
            HeapType::Func | HeapType::NoFunc | HeapType::Defined(_) => types::I64,
            HeapType::Extern | HeapType::NoExtern => types::I64,
            _ => types::I64,
        },
    }
}

/// The Cranelift trap code of a cause. `HEAP_OUT_OF_BOUNDS` is not among them: it marks accesses to
/// guest memory, whose faults are known by their address and need no entry in a table.
pub fn trap_code(trap: Trap) -> TrapCode {
    match trap {
        Trap::StackOverflow => TrapCode::STACK_OVERFLOW,
        Trap::IntegerOverflow => TrapCode::INTEGER_OVERFLOW,
        Trap::DivideByZero => TrapCode::INTEGER_DIVISION_BY_ZERO,
        Trap::InvalidConversion => TrapCode::BAD_CONVERSION_TO_INTEGER,
        other => {
            TrapCode::user(other as u8).expect("codes are not 0 and far below the reserved ones")
        }
    }
}

/// A symbol that generated code uses and the shim defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SymbolId(pub u32);

/// What a function of the shim may read and write of the guests' state, apart from tables, handle
/// tables and the bookkeeping beside them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShimEffect {
    /// Nothing.
    State,
    /// What that many of its arguments, the first ones, point at.
    Pointers(usize),
    /// All of it.
    Anything,
}

/// The fixed symbols of the shim, with what each of them does; host functions and drop symbols come
/// after them.
pub const SHIM_SYMBOLS: &[(&str, ShimEffect)] = &[
    (symbols::MEMORY_GROW, ShimEffect::State),
    (symbols::TABLE_GROW, ShimEffect::State),
    (symbols::HANDLES_GROW, ShimEffect::State),
    (symbols::SCRATCH_RESET, ShimEffect::State),
    (symbols::SCRATCH_ALLOC, ShimEffect::State),
    (symbols::UTF8_VALIDATE, ShimEffect::Pointers(1)),
    (symbols::UTF8_COPY, ShimEffect::Pointers(2)),
    (symbols::UTF16_COPY, ShimEffect::Pointers(2)),
    (symbols::LATIN1_TO_UTF16, ShimEffect::Pointers(2)),
    (symbols::UTF8_TO_UTF16, ShimEffect::Pointers(2)),
    (symbols::UTF16_TO_UTF16, ShimEffect::Pointers(2)),
    (symbols::UTF16_TO_UTF8, ShimEffect::Pointers(2)),
    (symbols::LATIN1_TO_UTF8, ShimEffect::Pointers(2)),
    (symbols::ASCII_PREFIX, ShimEffect::Pointers(2)),
    (symbols::UTF16_ASCII_PREFIX, ShimEffect::Pointers(2)),
    (symbols::UTF8_LATIN1_PREFIX, ShimEffect::Pointers(2)),
    (symbols::UTF16_LATIN1_PREFIX, ShimEffect::Pointers(2)),
    (symbols::UTF16_NARROW, ShimEffect::Pointers(1)),
    (symbols::ATOMIC_WAIT, ShimEffect::Anything),
    (symbols::SCRIPT_RUN, ShimEffect::Anything),
    (symbols::REQUIRE_PROCESSOR, ShimEffect::Anything),
    (symbols::LIBRARY_ENTER, ShimEffect::Anything),
    (symbols::LIBRARY_LEAVE, ShimEffect::State),
    ("memcpy", ShimEffect::Pointers(2)),
    ("memmove", ShimEffect::Pointers(2)),
    ("memset", ShimEffect::Pointers(1)),
];

impl Env<'_> {
    /// The id of one of [`SHIM_SYMBOLS`].
    pub fn shim_symbol(&self, name: &str) -> SymbolId {
        let at = SHIM_SYMBOLS.iter().position(|(symbol, _)| *symbol == name);
        SymbolId(at.expect("only listed symbols are used") as u32)
    }

    /// The id of a host function's symbol.
    pub fn host_symbol(&self, host: HostFuncId) -> SymbolId {
        SymbolId((SHIM_SYMBOLS.len() + host.index()) as u32)
    }

    /// The host function that a symbol is, if it is one.
    pub fn host_func(&self, symbol: SymbolId) -> Option<&HostFunc> {
        let at = (symbol.0 as usize).checked_sub(SHIM_SYMBOLS.len())?;
        self.program.hosts.get(HostFuncId::new(at))
    }

    /// The id of a host resource's drop symbol.
    pub fn drop_symbol(&self, resource: crate::program::ResourceId) -> SymbolId {
        SymbolId((SHIM_SYMBOLS.len() + self.program.hosts.len() + resource.index()) as u32)
    }

    /// Whether a symbol is not the shim's, but a function that someone else links.
    pub fn is_native(&self, symbol: SymbolId) -> bool {
        let Some(at) = (symbol.0 as usize).checked_sub(SHIM_SYMBOLS.len()) else { return false };
        match at.checked_sub(self.program.hosts.len()) {
            None => self.program.hosts[crate::program::HostFuncId::new(at)].is_native,
            Some(at) => matches!(
                self.program.resources[crate::program::ResourceId::new(at)].kind,
                crate::program::ResourceKind::Host { is_native: true, .. }
            ),
        }
    }

    /// The name of a symbol.
    pub fn symbol_name(&self, symbol: SymbolId) -> &str {
        let at = symbol.0 as usize;
        if let Some((name, _)) = SHIM_SYMBOLS.get(at) {
            return name;
        }
        if let Some(host) = self.host_func(symbol) {
            return &host.symbol;
        }
        let at = at - SHIM_SYMBOLS.len() - self.program.hosts.len();
        let resource = crate::program::ResourceId::new(at);
        match &self.program.resources[resource].kind {
            crate::program::ResourceKind::Host { drop_symbol, .. } => drop_symbol,
            crate::program::ResourceKind::Guest { .. } => {
                unreachable!("{resource} has no drop symbol")
            }
        }
    }
}
