//! Tables and indirect calls.
//!
//! A frozen table is constant: its elements are `FuncRef`s in place, and what all
//! of them have in common is known here. A table that can change holds addresses of
//! `FuncRef`s, or whatever words its references are. This file alone leaves out
//! checks of indirect calls; each omission names its rule of `docs/safety.md`.

use super::Translator;
use super::calls::Target;
use crate::env::{NAMESPACE_ELEM, trap_code};
use crate::error::{Error, Result};
use crate::layout::TablePlace;
use crate::memory;
use crate::program::{ConstValue, FuncId, TableId};
use crate::regions::{self, Region};
use crate::table_facts::{TableFacts, accepted_types};
use crate::types::{CoreTypeId, HeapType};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};
use wasmelt_abi::state::{FuncRef, TableState};
use wasmelt_abi::symbols;
use wasmelt_abi::trap::Trap;
use wasmparser::Operator;

/// Bytes of an element of a table that can change.
const WORD_BYTES_LOG2: i64 = 3;
/// Bytes of an element of a frozen table.
const RECORD_BYTES_LOG2: i64 = FuncRef::BYTES.trailing_zeros() as i64;
/// What a part of a table has in common is not computed for larger parts: each call would do so.
const PART_ELEMENTS_MAX: u64 = 1024;
/// More subtypes than this in one type check are not worth the code.
const SUBTYPES_MAX: usize = 32;

impl Translator<'_, '_> {
    pub(super) fn translate_table(&mut self, operator: &Operator<'_>) -> bool {
        match operator {
            Operator::TableGet { table } => self.table_get(*table),
            Operator::TableSet { table } => self.table_set(*table),
            Operator::TableSize { table } => {
                let table = self.table(*table);
                let size = self.table_size(table);
                self.push_index(size, self.env.program.tables[table].ty.table64);
            }
            Operator::TableGrow { table } => self.table_grow(*table),
            Operator::TableFill { table } => self.table_fill(*table),
            Operator::TableCopy { dst_table, src_table } => {
                self.table_copy(*dst_table, *src_table);
            }
            Operator::TableInit { elem_index, table } => self.table_init(*elem_index, *table),
            Operator::ElemDrop { elem_index } => {
                let elem = self.instance.elems[*elem_index as usize];
                if self.env.program.elems[elem].passive {
                    let zero = self.iconst64(0);
                    self.store_segment_length(self.env.layout.elem_lengths[elem], zero);
                }
            }
            _ => return false,
        }
        true
    }

    /// Pops an element's index and finds what an indirect call of type `expected` reaches, after
    /// the checks that it needs.
    pub(super) fn indirect_target(&mut self, table: u32, expected: CoreTypeId) -> Result<Target> {
        let table = self.table(table);
        let operand = *self.stack.last().expect("validation balances the stack");
        let constant = memory::constant_of(self.b.func, operand);
        let accepted = self.accepted_types(expected)?;
        // T1: the element is known, and so is its type.
        if let Some(func) = constant.and_then(|index| self.known_element(table, index))
            && accepted.contains(&self.env.program.funcs[func].ty)
        {
            self.pop();
            return Ok(Target::Direct(func));
        }
        let index_max = memory::max_of(self.b.func, operand);
        let index = self.pop_index();
        match self.env.layout.tables[table] {
            TablePlace::Frozen { elements, size } => {
                let record = self.record_address(index, index_max, elements, size);
                Ok(self.checked_target(table, record, index_max, &accepted))
            }
            TablePlace::Mutable { .. } => {
                let reference = self.load_element(table, index);
                Ok(Target::Address(self.checked_code(table, reference, &accepted)))
            }
            TablePlace::Absent => panic!("{table} is used, yet not live"),
        }
    }

    /// The types that a call of type `expected` accepts.
    fn accepted_types(&self, expected: CoreTypeId) -> Result<Vec<CoreTypeId>> {
        let accepted = accepted_types(self.env.program, expected);
        if accepted.len() > SUBTYPES_MAX {
            return Err(Error::unsupported(format!(
                "an indirect call of a type with more than {SUBTYPES_MAX} subtypes"
            )));
        }
        Ok(accepted)
    }

    /// The function that a frozen table holds at an index, if it does and can be called.
    fn known_element(&self, table: TableId, index: u64) -> Option<FuncId> {
        let table = &self.env.program.tables[table];
        if !table.frozen || index >= table.ty.min {
            return None;
        }
        let set = table.image.iter().rev().find_map(|(start, values)| {
            let at = index.checked_sub(*start)?;
            values.get(usize::try_from(at).ok()?).copied()
        });
        match set.unwrap_or(table.init) {
            ConstValue::Func(func) if self.env.program.funcs[func].live => Some(func),
            _ => None,
        }
    }

    /// The address of a frozen table's element, after a bounds check.
    fn record_address(&mut self, index: Value, index_max: u64, elements: u64, size: u64) -> Value {
        // T4: no index that can occur is beyond the table.
        if index_max >= size {
            let size = self.iconst64(size);
            self.check_element(index, size);
        }
        let offset = self.b.ins().ishl_imm_u(index, RECORD_BYTES_LOG2);
        let elements = self.iconst64(elements);
        self.b.ins().iadd(offset, elements)
    }

    fn check_element(&mut self, index: Value, size: Value) {
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, index, size);
        self.b.ins().trapnz(beyond, trap_code(Trap::TableOutOfBounds));
    }

    /// What a call of a frozen table's element reaches, checked as far as the table makes necessary.
    fn checked_target(
        &mut self,
        table: TableId,
        record: Value,
        index_max: u64,
        accepted: &[CoreTypeId],
    ) -> Target {
        let (program, layout) = (self.env.program, self.env.layout);
        let size = program.tables[table].ty.min;
        let part = (index_max < size.min(PART_ELEMENTS_MAX)).then(|| {
            // T4: only the elements at indices that can occur matter.
            TableFacts::new(program, &layout.folding, &program.tables[table], index_max + 1)
        });
        let facts = part.as_ref().unwrap_or(&layout.table_facts[table]);
        // T5: what passes the checks is this function.
        let only = facts.only_callee(program, accepted);
        // T1: every element that is a function has an accepted type.
        let is_uniform = facts.all_have(accepted);
        if !is_uniform {
            // A null element has no type, so this finds it too.
            self.check_type_of_record(record, accepted);
        }
        if let Some(only) = only
            && (!is_uniform || !facts.has_null)
        {
            return Target::Direct(only);
        }
        let code = self.load_code(record);
        if is_uniform && facts.has_null {
            self.b.ins().trapz(code, trap_code(Trap::IndirectCallToNull));
        }
        only.map_or(Target::Address(code), Target::Direct)
    }

    /// The code address behind a function reference from a table that can change.
    fn checked_code(&mut self, table: TableId, reference: Value, accepted: &[CoreTypeId]) -> Value {
        let element = self.env.program.tables[table].ty.element;
        // R1: the first load finds null. T2: a table of a non-nullable type holds none.
        let flags = match element.nullable {
            true => regions::null_checking_flags(self.b.func, trap_code(Trap::IndirectCallToNull)),
            false => regions::checked_constant_flags(self.b.func, Region::Constants),
        };
        // T2: the table's own type promises the function's.
        if matches!(element.heap, HeapType::Defined(ty) if accepted.contains(&ty)) {
            return self.b.ins().load(types::I64, flags, reference, FuncRef::CODE);
        }
        let actual = self.b.ins().load(types::I32, flags, reference, FuncRef::TYPE);
        let matches = self.match_type(actual, accepted);
        self.b.ins().trapz(matches, trap_code(Trap::IndirectCallType));
        self.load_code(reference)
    }

    /// Traps unless the frozen table's element at `record` has one of the types `accepted`.
    fn check_type_of_record(&mut self, record: Value, accepted: &[CoreTypeId]) {
        let flags = regions::checked_constant_flags(self.b.func, Region::Constants);
        let actual = self.b.ins().load(types::I32, flags, record, FuncRef::TYPE);
        let matches = self.match_type(actual, accepted);
        let next = self.b.create_block();
        let mismatch = self.b.create_block();
        self.b.set_cold_block(mismatch);
        self.b.ins().brif(matches, next, &[], mismatch, &[]);
        self.b.switch_to_block(mismatch);
        self.b.seal_block(mismatch);
        self.b.ins().trapz(actual, trap_code(Trap::IndirectCallToNull));
        self.b.ins().trap(trap_code(Trap::IndirectCallType));
        self.b.switch_to_block(next);
        self.b.seal_block(next);
    }

    /// Whether the type in a `FuncRef` is one of `accepted`.
    fn match_type(&mut self, actual: Value, accepted: &[CoreTypeId]) -> Value {
        let mut any = None;
        for ty in accepted {
            let word = i64::from(FuncRef::type_word(ty.as_u32()));
            let is_equal = self.b.ins().icmp_imm_u(IntCC::Equal, actual, word);
            any = Some(match any {
                Some(any) => self.b.ins().bor(any, is_equal),
                None => is_equal,
            });
        }
        any.expect("a type accepts itself")
    }

    /// The table of that index.
    fn table(&self, index: u32) -> TableId {
        self.instance.tables[index as usize]
    }

    /// The current number of elements, an `i64`.
    fn table_size(&mut self, table: TableId) -> Value {
        match self.env.layout.tables[table] {
            TablePlace::Frozen { size, .. }
            | TablePlace::Mutable { fixed: Some((_, size)), .. } => self.iconst64(size),
            TablePlace::Mutable { state, fixed: None, .. } => {
                self.load_table_state(table, state, TableState::SIZE)
            }
            TablePlace::Absent => panic!("{table} is used, yet not live"),
        }
    }

    /// The address of element 0 of a table that can change.
    fn table_elements(&mut self, table: TableId) -> Value {
        match self.env.layout.tables[table] {
            TablePlace::Mutable { fixed: Some((elements, _)), .. } => self.iconst64(elements),
            TablePlace::Mutable { state, fixed: None, .. } => {
                self.load_table_state(table, state, TableState::ELEMENTS)
            }
            place => panic!("{table} does not change: {place:?}"),
        }
    }

    fn load_table_state(&mut self, table: TableId, state: u64, field: i32) -> Value {
        let state = self.iconst64(state);
        let flags = regions::state_flags(self.b.func, Region::TableState(table));
        self.b.ins().load(types::I64, flags, state, field)
    }

    /// The address of the element at `index` of a table that can change; nothing is checked.
    fn element_address(&mut self, table: TableId, index: Value) -> Value {
        let elements = self.table_elements(table);
        let offset = self.b.ins().ishl_imm_u(index, WORD_BYTES_LOG2);
        self.b.ins().iadd(offset, elements)
    }

    /// The element at `index`, after a bounds check.
    fn load_element(&mut self, table: TableId, index: Value) -> Value {
        if let TablePlace::Frozen { elements, size } = self.env.layout.tables[table] {
            let record = self.record_address(index, u64::MAX, elements, size);
            return self.reference_of_record(record);
        }
        let size = self.table_size(table);
        self.check_element(index, size);
        let address = self.element_address(table, index);
        let flags = regions::state_flags(self.b.func, Region::Table(table));
        self.b.ins().load(types::I64, flags, address, 0)
    }

    /// The reference that a frozen table's element is: its own address, or null.
    fn reference_of_record(&mut self, record: Value) -> Value {
        let code = self.load_code(record);
        let null = self.iconst64(0);
        self.b.ins().select(code, record, null)
    }

    fn store_element(&mut self, table: TableId, address: Value, value: Value) {
        let flags = regions::state_flags(self.b.func, Region::Table(table));
        self.b.ins().store(flags, value, address, 0);
    }

    fn table_get(&mut self, index: u32) {
        let table = self.table(index);
        let at = self.pop_index();
        let value = self.load_element(table, at);
        self.push(value);
    }

    fn table_set(&mut self, index: u32) {
        let table = self.table(index);
        let value = self.pop();
        let at = self.pop_index();
        let size = self.table_size(table);
        self.check_element(at, size);
        let address = self.element_address(table, at);
        self.store_element(table, address, value);
    }

    fn table_grow(&mut self, index: u32) {
        let table = self.table(index);
        let delta = self.pop_index();
        let value = self.pop();
        let is_64_bit = self.env.program.tables[table].ty.table64;
        let TablePlace::Mutable { state, .. } = self.env.layout.tables[table] else {
            panic!("{table} grows, yet it does not change");
        };
        let state = self.iconst64(state);
        let words = [types::I64; 3];
        let args = [state, delta, value];
        let grown = self.call_shim(symbols::TABLE_GROW, &words, types::I64, &args);
        // Failure is all ones, which is -1 in both widths.
        self.push_index(grown, is_64_bit);
    }

    fn table_fill(&mut self, index: u32) {
        let table = self.table(index);
        let len = self.pop_index();
        let value = self.pop();
        let start = self.pop_index();
        let size = self.table_size(table);
        self.check_sum(start, len, size, Trap::TableOutOfBounds);
        let address = self.element_address(table, start);
        self.for_each_element(len, |translator, at| {
            let offset = translator.b.ins().ishl_imm_u(at, WORD_BYTES_LOG2);
            let address = translator.b.ins().iadd(address, offset);
            translator.store_element(table, address, value);
        });
    }

    fn table_copy(&mut self, to: u32, from: u32) {
        let (to, from) = (self.table(to), self.table(from));
        let len = self.pop_index();
        let source = self.pop_index();
        let target = self.pop_index();
        let size = self.table_size(from);
        self.check_sum(source, len, size, Trap::TableOutOfBounds);
        let size = self.table_size(to);
        self.check_sum(target, len, size, Trap::TableOutOfBounds);
        let target = self.element_address(to, target);
        let TablePlace::Frozen { elements, .. } = self.env.layout.tables[from] else {
            let source = self.element_address(from, source);
            return self.move_words(target, source, len);
        };
        // Records become references one by one; the two tables cannot overlap.
        self.for_each_element(len, |translator, at| {
            let index = translator.b.ins().iadd(source, at);
            let offset = translator.b.ins().ishl_imm_u(index, RECORD_BYTES_LOG2);
            let elements = translator.iconst64(elements);
            let record = translator.b.ins().iadd(elements, offset);
            let value = translator.reference_of_record(record);
            let offset = translator.b.ins().ishl_imm_u(at, WORD_BYTES_LOG2);
            let address = translator.b.ins().iadd(target, offset);
            translator.store_element(to, address, value);
        });
    }

    fn table_init(&mut self, elem: u32, index: u32) {
        let table = self.table(index);
        let elem = self.instance.elems[elem as usize];
        let is_passive = self.env.program.elems[elem].passive;
        let len = self.pop_index();
        let source = self.pop_index();
        let target = self.pop_index();
        // Any other segment is dropped once its instance exists.
        let limit = match is_passive {
            true => self.load_segment_length(self.env.layout.elem_lengths[elem]),
            false => self.iconst64(0),
        };
        self.check_sum(source, len, limit, Trap::TableOutOfBounds);
        let size = self.table_size(table);
        self.check_sum(target, len, size, Trap::TableOutOfBounds);
        if !is_passive || matches!(self.env.layout.tables[table], TablePlace::Frozen { .. }) {
            // Only a length of 0 passes the checks here.
            return;
        }
        let target = self.element_address(table, target);
        let start = self.symbol_address(NAMESPACE_ELEM, elem.as_u32());
        let offset = self.b.ins().ishl_imm_u(source, WORD_BYTES_LOG2);
        let source = self.b.ins().iadd(start, offset);
        self.move_words(target, source, len);
    }

    fn move_words(&mut self, target: Value, source: Value, count: Value) {
        let len = self.b.ins().ishl_imm_u(count, WORD_BYTES_LOG2);
        let words = [types::I64; 3];
        self.call_shim("memmove", &words, types::I64, &[target, source, len]);
    }

    /// A loop that runs `body` with each number from 0 up to `count`.
    fn for_each_element(&mut self, count: Value, body: impl FnOnce(&mut Self, Value)) {
        let head = self.b.create_block();
        let inside = self.b.create_block();
        let next = self.b.create_block();
        let at = self.b.append_block_param(head, types::I64);
        let zero = self.iconst64(0);
        self.b.ins().jump(head, &[zero.into()]);
        self.b.switch_to_block(head);
        let is_done = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, at, count);
        self.b.ins().brif(is_done, next, &[], inside, &[]);
        self.b.switch_to_block(inside);
        self.b.seal_block(inside);
        body(self, at);
        let following = self.b.ins().iadd_imm_s(at, 1);
        self.b.ins().jump(head, &[following.into()]);
        self.b.seal_block(head);
        self.b.switch_to_block(next);
        self.b.seal_block(next);
    }
}
