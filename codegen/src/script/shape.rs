//! The shape of a result in native memory, for the driver to find all of it.

use crate::adapter::abi_layout::{Layouts, PointerSize, cases_of, discriminant_bytes, fields_of};
use crate::error::{Error, Result};
use crate::interface::{FuncType, Type, TypeId, Types};
use std::collections::HashMap;
use wasmelt_abi::script::{RESULT_AREA_BYTES, shape};
use wasmelt_flatten::flat::MAX_FLAT_RESULTS;

/// The shape of a function's result, if it lies in memory.
pub(super) fn build_result_shape(types: &Types, ty: &FuncType) -> Result<Option<Vec<u32>>> {
    let Some(result) = ty.result else { return Ok(None) };
    let mut layouts = Layouts::new(types);
    layouts.prepare(result)?;
    let layout = layouts.get(result, PointerSize::P64);
    if layout.flat.as_ref().is_some_and(|flat| flat.len() <= MAX_FLAT_RESULTS) {
        return Ok(None);
    }
    if layout.size as usize > RESULT_AREA_BYTES {
        let message = format!("a result of more than {RESULT_AREA_BYTES} bytes in a script");
        return Err(Error::unsupported(message));
    }
    let mut builder = Builder { types, layouts, words: Vec::new(), known: HashMap::new() };
    builder.build(result);
    Ok(Some(builder.words))
}

struct Builder<'a> {
    types: &'a Types,
    layouts: Layouts<'a>,
    words: Vec<u32>,
    /// The nodes of types that were met: types share their parts.
    known: HashMap<TypeId, u32>,
}

impl Builder<'_> {
    /// Where a type's node is, after appending it and what is below it if they are new. Types are
    /// limited in depth.
    fn build(&mut self, ty: TypeId) -> u32 {
        if let Some(known) = self.known.get(&ty) {
            return *known;
        }
        let node = self.words.len() as u32;
        self.known.insert(ty, node);
        match &self.types[ty] {
            Type::String => {
                self.words.extend([shape::LIST, 1, node + 3, shape::PLAIN, 1]);
            }
            Type::List(element) => self.build_list(&[*element]),
            Type::Map(key, value) => self.build_list(&[*key, *value]),
            Type::FixedList(element, len) => {
                let size = self.layouts.get(*element, PointerSize::P64).size;
                self.words.extend([shape::ARRAY, *len, size, 0]);
                self.words[node as usize + 3] = self.build(*element);
            }
            record @ (Type::Record(_) | Type::Tuple(_)) => self.build_fields(&fields_of(record)),
            variant @ (Type::Variant(_) | Type::Option(_) | Type::Result { .. }) => {
                self.build_cases(&cases_of(variant));
            }
            _ => {
                let size = self.layouts.get(ty, PointerSize::P64).size;
                self.words.extend([shape::PLAIN, size]);
            }
        }
        node
    }

    fn build_list(&mut self, element: &[TypeId]) {
        let layout = self.layouts.record(element, PointerSize::P64);
        let size = layout.expect("the list's type was prepared").size;
        let child = self.words.len() + 2;
        self.words.extend([shape::LIST, size, 0]);
        self.words[child] = match element {
            [single] => self.build(*single),
            several => {
                let node = self.words.len() as u32;
                self.build_fields(several);
                node
            }
        };
    }

    fn build_fields(&mut self, fields: &[TypeId]) {
        let offsets = self.layouts.field_offsets(fields, PointerSize::P64);
        self.words.extend([shape::FIELDS, fields.len() as u32]);
        let entries = self.words.len();
        self.words.resize(entries + 2 * fields.len(), 0);
        for (index, (field, offset)) in fields.iter().zip(offsets).enumerate() {
            self.words[entries + 2 * index] = offset;
            self.words[entries + 2 * index + 1] = self.build(*field);
        }
    }

    fn build_cases(&mut self, cases: &[Option<TypeId>]) {
        let offset = self.layouts.payload_offset(cases, PointerSize::P64);
        let discriminant = discriminant_bytes(cases.len());
        self.words.extend([shape::CASES, discriminant, cases.len() as u32]);
        let entries = self.words.len();
        self.words.resize(entries + 2 * cases.len(), 0);
        for (index, case) in cases.iter().enumerate() {
            let child = match case {
                Some(case) => self.build(*case),
                None => shape::NOTHING,
            };
            self.words[entries + 2 * index] = offset;
            self.words[entries + 2 * index + 1] = child;
        }
    }
}
