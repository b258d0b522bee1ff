//! Where two component function types differ, down to the member.

use crate::interface::{FuncTypeId, Type, TypeId};
use crate::program::Program;
use crate::show::show_type;

/// One phrase that says where an imported function's type differs from the host's.
pub(crate) fn of_functions(program: &Program, import: FuncTypeId, host: FuncTypeId) -> String {
    let (import, host) = (&program.func_types[import], &program.func_types[host]);
    if import.params.len() != host.params.len() {
        let (found, expected) = (import.params.len(), host.params.len());
        return format!("it has {found} parameters, the host's function has {expected}");
    }
    for ((name, a), (host_name, b)) in import.params.iter().zip(&host.params) {
        if name != host_name {
            return format!("its parameter `{name}` is called `{host_name}` by the host");
        }
        if a != b {
            return of_types(program, &format!("parameter `{name}`"), *a, *b);
        }
    }
    match (import.result, host.result) {
        (Some(a), Some(b)) if a != b => of_types(program, "the result", a, b),
        (Some(_), None) => "it has a result, the host's function has none".into(),
        (None, Some(_)) => "it has no result, the host's function has one".into(),
        _ => "the types are equal".into(),
    }
}

/// Where two types differ. Follows the first difference inwards; bounded by the types' depth.
fn of_types(program: &Program, place: &str, mut a: TypeId, mut b: TypeId) -> String {
    let mut place = place.to_string();
    loop {
        let inner = match (&program.types[a], &program.types[b]) {
            (Type::Record(x), Type::Record(y)) if x.len() == y.len() => {
                let named = |(name, ty): &(String, TypeId)| (name.clone(), Some(*ty));
                first_difference("field", x.iter().map(named), y.iter().map(named))
            }
            (Type::Variant(x), Type::Variant(y)) if x.len() == y.len() => {
                first_difference("case", x.iter().cloned(), y.iter().cloned())
            }
            (Type::Enum(x), Type::Enum(y)) if x.len() == y.len() => {
                let named = |name: &String| (name.clone(), None);
                first_difference("case", x.iter().map(named), y.iter().map(named))
            }
            (Type::Flags(x), Type::Flags(y)) if x.len() == y.len() => {
                let named = |name: &String| (name.clone(), None);
                first_difference("flag", x.iter().map(named), y.iter().map(named))
            }
            (Type::Tuple(x), Type::Tuple(y)) if x.len() == y.len() => {
                let numbered = |(at, ty): (usize, &TypeId)| (at.to_string(), Some(*ty));
                let (x, y) = (x.iter().enumerate(), y.iter().enumerate());
                first_difference("member", x.map(numbered), y.map(numbered))
            }
            (Type::List(x), Type::List(y)) => Member::Inside("element".into(), *x, *y),
            (Type::Option(x), Type::Option(y)) => Member::Inside("`some`".into(), *x, *y),
            (Type::Result { ok, err }, Type::Result { ok: host_ok, err: host_err }) => {
                let x = [("ok".to_string(), *ok), ("err".to_string(), *err)];
                let y = [("ok".to_string(), *host_ok), ("err".to_string(), *host_err)];
                first_difference("case", x.into_iter(), y.into_iter())
            }
            _ => Member::Whole,
        };
        match inner {
            Member::Inside(name, x, y) => {
                place = format!("{name} of {place}");
                (a, b) = (x, y);
            }
            Member::Named(message) => return format!("in {place}, {message}"),
            Member::Whole => {
                let (a, b) = (show_type(program, a), show_type(program, b));
                return format!("{place} is `{a}`, the host's is `{b}`");
            }
        }
    }
}

/// What the first difference between two lists of members is.
enum Member {
    /// A member's type.
    Inside(String, TypeId, TypeId),
    /// A member's name, or whether it has a type.
    Named(String),
    /// Nothing smaller than the whole.
    Whole,
}

fn first_difference(
    what: &str,
    import: impl Iterator<Item = (String, Option<TypeId>)>,
    host: impl Iterator<Item = (String, Option<TypeId>)>,
) -> Member {
    for ((name, a), (host_name, b)) in import.zip(host) {
        if name != host_name {
            return Member::Named(format!("{what} `{name}` is called `{host_name}` by the host"));
        }
        match (a, b) {
            (Some(a), Some(b)) if a != b => {
                return Member::Inside(format!("{what} `{name}`"), a, b);
            }
            (Some(_), None) => {
                return Member::Named(format!("the host's {what} `{name}` is empty"));
            }
            (None, Some(_)) => return Member::Named(format!("{what} `{name}` is empty")),
            _ => {}
        }
    }
    Member::Whole
}
