//! References: words that are the address of a `FuncRef`, a host's value, or 0 for null.

use super::Translator;
use crate::env::trap_code;
use cranelift_codegen::ir::InstBuilder;
use cranelift_codegen::ir::condcodes::IntCC;
use wasmelt_abi::trap::Trap;
use wasmparser::Operator;

impl Translator<'_, '_> {
    pub(super) fn translate_ref(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::RefNull { .. } => {
                let null = self.iconst64(0);
                self.push(null);
            }
            Operator::RefIsNull => {
                let reference = self.pop();
                let is_null = self.b.ins().icmp_imm_s(IntCC::Equal, reference, 0);
                self.push_bool(is_null);
            }
            Operator::RefFunc { function_index } => {
                let func = self.instance.funcs[*function_index as usize];
                let reference = self.func_ref_address(func);
                self.push(reference);
            }
            Operator::RefAsNonNull => {
                let reference = *self.stack.last().expect("validation balances the stack");
                self.b.ins().trapz(reference, trap_code(Trap::NullReference));
            }
            _ => return false,
        }
        true
    }
}
