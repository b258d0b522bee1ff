//! Components in scripts: linked by name, called with component values.

use super::{Absent, Argument, CoreValue, Instance, Linker, Value};
use crate::error::{Error, Kind};
use crate::interface::{FuncType, Type, TypeId, Types};
use crate::program::{Action, ComponentInstanceId, FuncId, FuncKind};
use crate::scope::{Entity, Exports, InstanceId};
use crate::{instantiate_component, lower_natively};
use wasmelt_frontend::composition::{ComponentId, Def};

impl<'a> Linker<'a> {
    /// Instantiates what components import from the host; the component instances from the
    /// returned one on are guests.
    pub(super) fn instantiate_host(
        &mut self,
        host: Option<ComponentId>,
    ) -> Result<ComponentInstanceId, Error> {
        if let Some(host) = host {
            let (host, _) = self.instantiate_component(host, Some("host"))?;
            self.host = Some(host);
        }
        Ok(self.flattener.program.component_instances.next_key())
    }

    /// The instance, and the function that finishes its instantiation.
    pub(super) fn instantiate_component(
        &mut self,
        component: ComponentId,
        name: Option<&str>,
    ) -> Result<(InstanceId, FuncId), Absent> {
        let args = self.component_args();
        let defs = &self.flattener.components[component].defs;
        let all_supplied = defs.iter().all(|def| match def {
            Def::Import(import) => args.contains_key(&import.name),
            _ => true,
        });
        let name = name.unwrap_or("component").to_owned();
        let instance = instantiate_component(&mut self.flattener, component, name, Some(args));
        // The steps of an instantiation that failed must not become the next one's.
        let init = self.flattener.finish_steps();
        match instance {
            Ok(instance) => Ok((instance, init)),
            Err(error) if !all_supplied && error.kind() == Kind::Invalid => {
                Err(Absent::NotSupplied(error.to_string()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What a component may import: what the host exports, and every component instance that has
    /// a name. A registered name hides an instance's own.
    fn component_args(&self) -> Exports<'a> {
        let mut args = match self.host {
            Some(host) => self.flattener.exports(host).clone(),
            None => Exports::new(),
        };
        for (name, instance) in self.instances.iter().chain(&self.registered) {
            if let Ok(Instance::Component(instance)) = instance {
                args.insert(name.clone(), Entity::Instance(*instance));
            }
        }
        args
    }

    /// The action that calls an export with component values. An export of an exported instance
    /// is `instance#export`.
    pub(super) fn call_component(
        &mut self,
        instance: InstanceId,
        export: &str,
        args: &[Argument],
    ) -> Result<Action, Absent> {
        let func = self.find_component_func(instance, export)?;
        let func = self.flattener.funcs[func].clone();
        let func = lower_natively(&mut self.flattener, &func)?;
        let program = &self.flattener.program;
        let FuncKind::Adapter(adapter) = &program.funcs[func].kind else {
            unreachable!("{func} was made as an adapter")
        };
        let (ty, core_ty) = (adapter.ty, program.funcs[func].ty);
        let args = convert_arguments(&program.types, &program.func_types[ty], export, args)?;
        let trampoline = self.trampoline(core_ty);
        Ok(Action::CallComponent { func, trampoline, ty, args })
    }

    fn find_component_func(
        &self,
        instance: InstanceId,
        export: &str,
    ) -> Result<crate::scope::ComponentFuncId, Absent> {
        let state = &self.flattener;
        let nested = || {
            let (outer, inner) = export.split_once('#')?;
            match state.export(instance, outer)? {
                Entity::Instance(instance) => state.export(instance, inner),
                _ => None,
            }
        };
        match state.export(instance, export).or_else(nested) {
            Some(Entity::Func(func)) => Ok(func),
            Some(_) => Err(Absent::Failed(format!("the export {export:?} is no function"))),
            None => Err(Absent::Failed(format!("there is no export {export:?}"))),
        }
    }
}

/// The arguments, if they are of the parameters' types.
fn convert_arguments(
    types: &Types,
    ty: &FuncType,
    export: &str,
    args: &[Argument],
) -> Result<Vec<Value>, Error> {
    if ty.params.len() != args.len() {
        let (wanted, given) = (ty.params.len(), args.len());
        return Err(Error::invalid(format!("{export:?} takes {wanted} arguments, not {given}")));
    }
    let args = ty.params.iter().zip(args).map(|((name, ty), arg)| match arg {
        Argument::Component(value) if is_value_of(types, *ty, value) => Ok(value.clone()),
        // Floats are written in the same way for both.
        Argument::Core(CoreValue::F32(bits)) if types[*ty] == Type::F32 => Ok(Value::F32(*bits)),
        Argument::Core(CoreValue::F64(bits)) if types[*ty] == Type::F64 => Ok(Value::F64(*bits)),
        _ => Err(Error::invalid(format!("{arg:?} is no value for the parameter `{name}`"))),
    });
    args.collect()
}

/// Whether a value is of a type. Types are limited in depth.
fn is_value_of(types: &Types, ty: TypeId, value: &Value) -> bool {
    let is = |ty: &TypeId, value: &Value| is_value_of(types, *ty, value);
    let fits = |ty: &Option<TypeId>, value: &Option<Box<Value>>| match (ty, value) {
        (Some(ty), Some(value)) => is(ty, value),
        (None, None) => true,
        _ => false,
    };
    match (&types[ty], value) {
        (Type::Bool, Value::Bool(_))
        | (Type::S8, Value::S8(_))
        | (Type::U8, Value::U8(_))
        | (Type::S16, Value::S16(_))
        | (Type::U16, Value::U16(_))
        | (Type::S32, Value::S32(_))
        | (Type::U32, Value::U32(_))
        | (Type::S64, Value::S64(_))
        | (Type::U64, Value::U64(_))
        | (Type::F32, Value::F32(_))
        | (Type::F64, Value::F64(_))
        | (Type::Char, Value::Char(_))
        | (Type::String, Value::String(_)) => true,
        (Type::List(ty), Value::List(values)) => values.iter().all(|value| is(ty, value)),
        (Type::FixedList(ty, len), Value::List(values)) => {
            values.len() == *len as usize && values.iter().all(|value| is(ty, value))
        }
        (Type::Map(key, value), Value::List(entries)) => entries.iter().all(|entry| match entry {
            Value::Tuple(pair) => matches!(&pair[..], [k, v] if is(key, k) && is(value, v)),
            _ => false,
        }),
        (Type::Record(fields), Value::Record(values)) => {
            fields.len() == values.len()
                && fields
                    .iter()
                    .zip(values)
                    .all(|((name, ty), (given, value))| name == given && is(ty, value))
        }
        (Type::Tuple(fields), Value::Tuple(values)) => {
            fields.len() == values.len()
                && fields.iter().zip(values).all(|(ty, value)| is(ty, value))
        }
        (Type::Variant(cases), Value::Variant(case, payload)) => {
            cases.iter().any(|(name, ty)| name == case && fits(ty, payload))
        }
        (Type::Enum(cases), Value::Enum(case)) => cases.contains(case),
        (Type::Option(ty), Value::Option(payload)) => {
            fits(&Some(*ty), payload) || payload.is_none()
        }
        (Type::Result { ok, .. }, Value::Result(Ok(payload))) => fits(ok, payload),
        (Type::Result { err, .. }, Value::Result(Err(payload))) => fits(err, payload),
        (Type::Flags(labels), Value::Flags(set)) => set.iter().all(|flag| labels.contains(flag)),
        _ => false,
    }
}
