//! Constants, locals, globals, `drop` and `select`.

use super::{Translator, decode_error};
use crate::error::Result;
use crate::program::{ConstValue, FuncId, GlobalId};
use crate::regions::{self, Region};
use crate::types::ValType;
use cranelift_codegen::ir::{
    self, Block, ConstantData, Endianness, InstBuilder, MemFlagsData, Value, immediates, types,
};
use cranelift_entity::EntityRef;
use cranelift_frontend::Variable;
use wasmparser::{FunctionBody, Operator};

impl Translator<'_, '_> {
    pub(super) fn translate_variable(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::LocalGet { local_index } => {
                let value = self.b.use_var(Variable::new(*local_index as usize));
                self.push(value);
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop_plain();
                self.b.def_var(Variable::new(*local_index as usize), value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop_plain();
                self.b.def_var(Variable::new(*local_index as usize), value);
                self.push(value);
            }
            Operator::GlobalGet { global_index } => self.global_get(*global_index),
            Operator::GlobalSet { global_index } => self.global_set(*global_index),
            Operator::I32Const { value } => self.push_const(ConstValue::I32(*value)),
            Operator::I64Const { value } => self.push_const(ConstValue::I64(*value)),
            Operator::F32Const { value } => self.push_const(ConstValue::F32(value.bits())),
            Operator::F64Const { value } => self.push_const(ConstValue::F64(value.bits())),
            Operator::V128Const { value } => self.push_const(ConstValue::V128(*value.bytes())),
            Operator::Drop => {
                self.pop();
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop();
                let y = self.pop_plain();
                let x = self.pop_plain();
                let value = self.b.ins().select(condition, x, y);
                self.push(value);
            }
            _ => return false,
        }
        true
    }

    /// Declares parameters and locals as variables of the same numbers.
    pub(super) fn declare_locals(
        &mut self,
        func: FuncId,
        entry: Block,
        body: &FunctionBody<'_>,
    ) -> Result<()> {
        let ty = self.env.func_type(self.env.program.funcs[func].ty);
        for (at, ty) in Self::clif_types(&ty.params).enumerate() {
            let variable = self.b.declare_var(ty);
            let value = self.b.block_params(entry)[at];
            self.b.def_var(variable, value);
        }
        let locals = body.get_locals_reader().map_err(decode_error)?;
        for group in locals {
            let (count, ty) = group.map_err(decode_error)?;
            let ty = Self::value_type(ty);
            // A local without a default value is written before it is read; zero does no harm.
            let zero = self.zero(ty);
            for _ in 0..count {
                let variable = self.b.declare_var(ty);
                self.b.def_var(variable, zero);
            }
        }
        Ok(())
    }

    /// The default value of a type.
    fn zero(&mut self, ty: ir::Type) -> Value {
        match ty {
            types::F32 => self.constant(ConstValue::F32(0)),
            types::F64 => self.constant(ConstValue::F64(0)),
            types::I8X16 => self.constant(ConstValue::V128([0; 16])),
            ty => self.b.ins().iconst(ty, 0),
        }
    }

    /// The CLIF value of a constant.
    pub(super) fn constant(&mut self, value: ConstValue) -> Value {
        match value {
            ConstValue::I32(value) => {
                self.b.ins().iconst(types::I32, i64::from(value.cast_unsigned()))
            }
            ConstValue::I64(value) => self.b.ins().iconst(types::I64, value),
            ConstValue::F32(bits) => self.b.ins().f32const(immediates::Ieee32::with_bits(bits)),
            ConstValue::F64(bits) => self.b.ins().f64const(immediates::Ieee64::with_bits(bits)),
            ConstValue::V128(bytes) => {
                let data = ConstantData::from(&bytes[..]);
                let constant = self.b.func.dfg.constants.insert(data);
                self.b.ins().vconst(types::I8X16, constant)
            }
            ConstValue::Null => self.iconst64(0),
            ConstValue::Func(func) => self.func_ref_address(func),
        }
    }

    fn push_const(&mut self, value: ConstValue) {
        let value = self.constant(value);
        self.push(value);
    }

    /// The address of a function's `FuncRef`: what a reference to it is.
    pub(super) fn func_ref_address(&mut self, func: FuncId) -> Value {
        let address = self.env.layout.func_refs[func];
        assert!(address != 0, "{func} is referenced but has no record");
        self.iconst64(address)
    }

    fn global_get(&mut self, index: u32) {
        let global = self.instance.globals[index as usize];
        let data = &self.env.program.globals[global];
        if data.frozen {
            return self.push_const(data.init);
        }
        let ty = crate::env::clif_type(data.ty.value);
        let address = self.iconst64(self.env.layout.globals[global]);
        let flags = self.global_flags(global);
        let value = self.b.ins().load(ty, flags, address, 0);
        self.push(value);
    }

    fn global_set(&mut self, index: u32) {
        let global = self.instance.globals[index as usize];
        let value = self.pop_plain();
        assert!(!self.env.program.globals[global].frozen, "{global} is written, yet frozen");
        let address = self.iconst64(self.env.layout.globals[global]);
        let flags = self.global_flags(global);
        self.b.ins().store(flags, value, address, 0);
    }

    /// Flags for access to a global. A vector lies in memory as its bytes, lane 0 first, and is not
    /// aligned to its size.
    fn global_flags(&mut self, global: GlobalId) -> MemFlagsData {
        let flags = regions::state_flags(self.b.func, Region::Global(global));
        if self.env.program.globals[global].ty.value != ValType::V128 {
            return flags;
        }
        MemFlagsData::new()
            .with_notrap()
            .with_endianness(Endianness::Little)
            .with_alias_region(flags.alias_region())
    }
}
