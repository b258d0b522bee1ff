//! Core modules in scripts: linked by name, called with core values.

use super::{Absent, Argument, CoreValue, Instance, Linker};
use crate::link_core::match_import;
use crate::module::{MemoryType, Module, ModuleId};
use crate::program::{
    Action, Argument as ProgramArgument, ConstValue, CoreInstanceId, FuncId, InitStep,
};
use crate::scope::{CoreInstanceValue, CoreItem};
use crate::types::ValType;
use crate::{instantiate_module, limits};
use wasmelt_abi::script::RESULTS_MAX;

impl Linker<'_> {
    /// The instance, and the function that finishes its instantiation.
    pub(super) fn instantiate_module(
        &mut self,
        module: ModuleId,
        name: Option<&str>,
    ) -> Result<(CoreInstanceId, FuncId), Absent> {
        let (imports, steps) = self.resolve_imports(module)?;
        check_sizes(&self.flattener.program.modules[module])?;
        for step in steps {
            self.flattener.add_step(step);
        }
        let name = name.unwrap_or("module").to_owned();
        let flattener = &mut self.flattener;
        let instance = instantiate_module(flattener, module, self.component, name, &imports);
        // The steps of an instantiation that failed must not become the next one's.
        let init = flattener.finish_steps();
        Ok((instance.map_err(Absent::from)?, init))
    }

    /// What each import of a module is, and what has to be checked at run time.
    pub(super) fn resolve_imports(
        &self,
        id: ModuleId,
    ) -> Result<(Vec<CoreItem>, Vec<InitStep>), Absent> {
        let module = &self.flattener.program.modules[id];
        let mut items = Vec::with_capacity(module.imports.len());
        let mut steps = Vec::new();
        for import in &module.imports {
            let failed = |what: String| {
                Absent::Failed(format!(
                    "the import {:?} {:?} is {what}",
                    import.module, import.name
                ))
            };
            // Some suites import from an instance by its own name, without registering it.
            let instance = self
                .registered
                .get(&import.module)
                .or_else(|| self.instances.get(&import.module))
                .cloned()
                .unwrap_or_else(|| Err(failed("of an unknown module".to_owned())))?;
            let Instance::Core(instance) = instance else {
                return Err(failed("of a component".to_owned()));
            };
            let item = self
                .find_core_export(instance, &import.name)
                .ok_or_else(|| failed("not exported".to_owned()))?;
            let step = match_import(&self.flattener.program, module, import.item, item);
            steps.extend(step.map_err(failed)?);
            items.push(item);
        }
        Ok((items, steps))
    }

    pub(super) fn find_core_export(
        &self,
        instance: CoreInstanceId,
        name: &str,
    ) -> Option<CoreItem> {
        self.flattener.core_export(&CoreInstanceValue::Module(instance), name)
    }

    /// The action that calls an export with core arguments.
    pub(super) fn call_core(
        &mut self,
        instance: CoreInstanceId,
        export: &str,
        args: &[Argument],
    ) -> Result<Action, Absent> {
        let func = match self.find_core_export(instance, export) {
            Some(CoreItem::Func(func)) => func,
            Some(_) => return Err(Absent::Failed(format!("the export {export:?} is no function"))),
            None => return Err(Absent::Failed(format!("there is no export {export:?}"))),
        };
        let program = &self.flattener.program;
        let id = program.funcs[func].ty;
        let ty = program.core_types[id].func().expect("a function's type is a function type");
        if ty.results.len() > RESULTS_MAX {
            return Err(Absent::Unsupported(format!("more than {RESULTS_MAX} results")));
        }
        if ty.params.len() != args.len() {
            let (wanted, given) = (ty.params.len(), args.len());
            let message = format!("{export:?} takes {wanted} arguments, not {given}");
            return Err(Absent::Failed(message));
        }
        let args = ty.params.iter().zip(args).map(|(ty, arg)| {
            convert_argument(*ty, arg)
                .ok_or_else(|| Absent::Failed(format!("{arg:?} is no value of type {ty:?}")))
        });
        let args = args.collect::<Result<Vec<_>, _>>()?;
        Ok(Action::Call { func, trampoline: self.trampoline(id), args })
    }
}

/// Refuses a module whose own memories or tables nothing can hold.
fn check_sizes(module: &Module) -> Result<(), Absent> {
    let mut memories = module.memories.iter().skip(module.imported.memories as usize);
    let has_byte_pages = |ty: &MemoryType| !ty.memory64 && ty.page_size_log2 == 0;
    if memories.any(|ty| has_byte_pages(ty) && ty.min_pages > limits::BYTE_PAGES_MAX) {
        return Err(Absent::TooLarge("a memory"));
    }
    let mut tables = module.tables.iter().skip(module.imported.tables as usize);
    if tables.any(|table| table.ty.min > limits::TABLE_SIZE_MAX) {
        return Err(Absent::TooLarge("a table"));
    }
    Ok(())
}

fn convert_argument(ty: ValType, arg: &Argument) -> Option<ProgramArgument> {
    let Argument::Core(value) = arg else { return None };
    Some(ProgramArgument::Value(match (ty, *value) {
        (ValType::I32, CoreValue::I32(value)) => ConstValue::I32(value as i32),
        (ValType::I64, CoreValue::I64(value)) => ConstValue::I64(value as i64),
        (ValType::F32, CoreValue::F32(bits)) => ConstValue::F32(bits),
        (ValType::F64, CoreValue::F64(bits)) => ConstValue::F64(bits),
        (ValType::V128, CoreValue::V128(bytes)) => ConstValue::V128(bytes),
        (ValType::Ref(_), CoreValue::Null) => ConstValue::Null,
        (ValType::Ref(_), CoreValue::Host(number)) => return Some(ProgramArgument::Host(number)),
        _ => return None,
    }))
}
