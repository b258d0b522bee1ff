//! Lists and maps: one check, one allocation, and where bytes need no look, one copy.

use super::abi_layout::PointerSize;
use super::copy::Route;
use super::endpoint::{Endpoint, Place};
use super::generator::Generator;
use crate::error::Result;
use crate::interface::TypeId;
use cranelift_codegen::ir::{InstBuilder, Value};

impl<'a> Generator<'a, '_> {
    /// Moves the contents of a list (or a map: its `element` is then a key and a value), and gives
    /// back the new pointer and length.
    pub(super) fn copy_list(
        &mut self,
        route: Route<'a>,
        element: &[TypeId],
        pointer: Value,
        len: Value,
    ) -> Result<(Value, Value)> {
        let from_layout = self.layouts.record(element, route.from.pointer())?;
        let to_layout = self.layouts.record(element, route.to.pointer())?;
        let count = self.widen(len);
        self.check_count(route.from, count);
        let from_bytes = self.scale(count, from_layout.size);
        let from = self.find_content(route, pointer, from_bytes, from_layout.align);
        let is_block = element.len() == 1 && self.is_block(route, element[0]);
        if is_block && matches!(route.to, Endpoint::Native) && !route.outlives_call {
            // Native code reads the elements where they are.
            return Ok((from, count));
        }

        let to_bytes = self.scale(count, to_layout.size);
        if to_layout.size > from_layout.size {
            self.check_length(to_bytes);
        }
        let (to_pointer, to) = self.allocate(route.to, to_bytes, to_layout.align);
        if let Some(cell) = route.passing.into {
            assert!(is_block, "only bytes are passed on");
            self.store_passed(route.to, cell, from);
        } else if is_block {
            self.copy_bytes(to, from, from_bytes);
        } else {
            let from = Place { address: from, offset: 0, memory: route.from.memory() };
            let to = Place { address: to, offset: 0, memory: route.to.memory() };
            self.copy_elements(route, element, from, to, from_bytes)?;
        }
        let to_len = match (route.from.pointer(), route.to.pointer()) {
            (PointerSize::P32, PointerSize::P32) => len,
            _ => self.narrow(route.to, count),
        };
        Ok((to_pointer, to_len))
    }

    fn scale(&mut self, count: Value, size_bytes: u32) -> Value {
        match size_bytes {
            1 => count,
            size => self.b.ins().imul_imm_u(count, i64::from(size)),
        }
    }
}
