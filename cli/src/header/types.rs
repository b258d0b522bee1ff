//! Interface types as C types: which there are, and what they are called.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use wasmelt_flatten::flat::is_by_address;
use wasmelt_flatten::interface::{Type, TypeId};
use wasmelt_flatten::program::Program;

/// A name of a type made of others is not longer; it is a number then.
const NAME_BYTES_MAX: usize = 80;

/// The types that a header mentions.
pub struct CTypes<'a> {
    /// The program whose types they are.
    pub program: &'a Program,
    /// What records, variants, enums and flags are called.
    named: HashMap<TypeId, String>,
    /// The types that have been mentioned, and the C type of each.
    names: BTreeMap<TypeId, String>,
}

impl<'a> CTypes<'a> {
    /// Nothing has been mentioned but what has a name.
    pub fn new(program: &'a Program) -> CTypes<'a> {
        let mut named = HashMap::new();
        // Not all characters of names are in symbols, so types that differ may have the same.
        let resources = program.interface.resources.iter();
        let mut taken = resources.map(|resource| resource.name.clone()).collect();
        for (name, ty) in &program.interface.types {
            let has_name = matches!(
                program.types[*ty],
                Type::Record(_) | Type::Variant(_) | Type::Enum(_) | Type::Flags(_)
            );
            if has_name {
                named.entry(*ty).or_insert_with(|| unique(&mut taken, name.clone()));
            }
        }
        let mut types = CTypes { program, named, names: BTreeMap::new() };
        for (_, ty) in &program.interface.types {
            types.name(*ty);
        }
        types
    }

    /// The C type of values of that type in memory. Nests as deep as the type, within limits.
    pub fn name(&mut self, ty: TypeId) -> String {
        if let Some(known) = self.names.get(&ty) {
            return known.clone();
        }
        for part in parts(&self.program.types[ty]) {
            self.name(part);
        }
        let name = self.make_name(ty);
        self.names.insert(ty, name.clone());
        name
    }

    /// The C type of a map's entries.
    pub fn entry_name(&mut self, map: TypeId) -> String {
        format!("{}_entry", self.name(map))
    }

    fn make_name(&self, ty: TypeId) -> String {
        let plain = match &self.program.types[ty] {
            Type::Bool | Type::U8 => "uint8_t",
            Type::S8 => "int8_t",
            Type::S16 => "int16_t",
            Type::U16 => "uint16_t",
            Type::S32 => "int32_t",
            Type::U32 | Type::Char => "uint32_t",
            Type::S64 => "int64_t",
            Type::U64 => "uint64_t",
            Type::F32 => "float",
            Type::F64 => "double",
            Type::Own(resource) | Type::Borrow(resource) => {
                let known = self.program.interface.resources.iter();
                let known = known.clone().find(|known| known.resource == *resource);
                known.map_or("uint32_t", |known| &known.name)
            }
            _ => match self.named.get(&ty) {
                Some(name) => name,
                None => return self.make_structural_name(ty),
            },
        };
        plain.to_owned()
    }

    fn make_structural_name(&self, ty: TypeId) -> String {
        let word = |ty: &TypeId| self.word(*ty);
        let or_void = |ty: &Option<TypeId>| ty.as_ref().map_or("void".to_owned(), word);
        let name = match &self.program.types[ty] {
            Type::String => "string".to_owned(),
            Type::List(element) => format!("list_{}", word(element)),
            Type::FixedList(element, len) => format!("array{len}_{}", word(element)),
            Type::Map(key, value) => format!("map_{}_{}", word(key), word(value)),
            Type::Option(payload) => format!("option_{}", word(payload)),
            Type::Result { ok, err } => format!("result_{}_{}", or_void(ok), or_void(err)),
            Type::Tuple(fields) => {
                let words: Vec<String> = fields.iter().map(word).collect();
                format!("tuple{}_{}", fields.len(), words.join("_"))
            }
            _ => format!("type_{}", ty.as_u32()),
        };
        match name.len() <= NAME_BYTES_MAX {
            true => format!("wasmelt_{name}"),
            false => format!("wasmelt_type_{}", ty.as_u32()),
        }
    }

    /// A type as part of another one's name.
    fn word(&self, ty: TypeId) -> String {
        let word = match &self.program.types[ty] {
            Type::Bool => "bool",
            Type::Char => "char",
            Type::S8 => "s8",
            Type::U8 => "u8",
            Type::S16 => "s16",
            Type::U16 => "u16",
            Type::S32 => "s32",
            Type::U32 => "u32",
            Type::S64 => "s64",
            Type::U64 => "u64",
            Type::F32 => "f32",
            Type::F64 => "f64",
            _ => {
                let name = &self.names[&ty];
                return name.strip_prefix("wasmelt_").unwrap_or(name).to_owned();
            }
        };
        word.to_owned()
    }

    /// The declarations of all that have been mentioned, parts first.
    pub fn declare(&self) -> String {
        let mut out = String::new();
        let mut declared = BTreeSet::new();
        for resource in &self.program.interface.resources {
            let body = format!("typedef uint32_t {};\n", resource.name);
            declare_once(&mut out, &mut declared, &resource.name, &body);
        }
        for (ty, name) in &self.names {
            if let Some(body) = self.declare_type(*ty, name) {
                declare_once(&mut out, &mut declared, name, &body);
            }
        }
        // A second name of a type, and names of what C has names for.
        for (alias, ty) in &self.program.interface.types {
            let name = &self.names[ty];
            if !declared.contains(alias) {
                let body = format!("typedef {name} {alias};\n");
                declare_once(&mut out, &mut declared, alias, &body);
            }
        }
        out
    }

    fn declare_type(&self, ty: TypeId, name: &str) -> Option<String> {
        let mut out = String::new();
        let field = |ty: &TypeId, name: &str| format!("    {} {name};\n", self.names[ty]);
        let body = match &self.program.types[ty] {
            Type::String => {
                "    const char *bytes; /* UTF-8, without a final zero */\n    size_t len;\n"
                    .to_owned()
            }
            Type::List(element) => {
                format!("    const {} *elements;\n    size_t len;\n", self.names[element])
            }
            Type::FixedList(element, len) => {
                format!("    {} elements[{len}];\n", self.names[element])
            }
            Type::Map(key, value) => {
                let pair = field(key, "key") + &field(value, "value");
                let _ = writeln!(out, "typedef struct {name}_entry {{\n{pair}}} {name}_entry;");
                format!("    const {name}_entry *elements;\n    size_t len;\n")
            }
            Type::Record(fields) => {
                let mut names = Vec::new();
                let fields = fields.iter();
                fields.map(|(name, ty)| field(ty, &unique(&mut names, sanitize(name)))).collect()
            }
            Type::Tuple(fields) => {
                let fields = fields.iter().enumerate();
                fields.map(|(at, ty)| field(ty, &format!("f{at}"))).collect()
            }
            Type::Option(payload) => format!("    uint8_t is_some;\n{}", field(payload, "value")),
            Type::Result { ok, err } => {
                if !is_by_address(&self.program.types, ty) {
                    return Some(format!("typedef uint8_t {name}; /* 0 is ok, 1 is an error */\n"));
                }
                let ok = ok.iter().map(|ty| ("ok", *ty));
                let cases: Vec<_> = ok.chain(err.iter().map(|ty| ("err", *ty))).collect();
                format!("    uint8_t is_err;\n{}", self.union(&cases))
            }
            Type::Variant(cases) => {
                let tag = number_type(cases.len());
                let labels = cases.iter().map(|(label, _)| label.as_str());
                out += &constants(name, labels, |at| at.to_string());
                if !is_by_address(&self.program.types, ty) {
                    return Some(format!("{out}typedef {tag} {name};\n"));
                }
                let payloads = cases.iter();
                let payloads: Vec<_> =
                    payloads.filter_map(|(label, ty)| ty.map(|ty| (label.as_str(), ty))).collect();
                format!("    {tag} tag;\n{}", self.union(&payloads))
            }
            Type::Enum(labels) => return Some(declare_enum(name, labels)),
            Type::Flags(labels) => return Some(declare_flags(name, labels)),
            _ => return None,
        };
        let _ = writeln!(out, "typedef struct {name} {{\n{body}}} {name};");
        Some(out)
    }

    fn union(&self, cases: &[(&str, TypeId)]) -> String {
        let mut out = "    union {\n".to_owned();
        let mut names = Vec::new();
        for (label, ty) in cases {
            let label = unique(&mut names, sanitize(label));
            let _ = writeln!(out, "        {} {label};", self.names[ty]);
        }
        out += "    } as;\n";
        out
    }
}

fn declare_enum(name: &str, labels: &[String]) -> String {
    let values = constants(name, labels.iter().map(String::as_str), |at| at.to_string());
    format!("{values}typedef {} {name};\n", number_type(labels.len()))
}

fn declare_flags(name: &str, labels: &[String]) -> String {
    let bit = |at: usize| format!("UINT32_C({:#x})", 1u64 << at);
    let values = constants(name, labels.iter().map(String::as_str), bit);
    let ty = match labels.len() {
        0..=8 => "uint8_t",
        9..=16 => "uint16_t",
        _ => "uint32_t",
    };
    format!("{values}typedef {ty} {name};\n")
}

/// Two libraries may have the same type, and one program both headers.
fn declare_once(out: &mut String, declared: &mut BTreeSet<String>, name: &str, body: &str) {
    if declared.insert(name.to_owned()) {
        let _ = writeln!(out, "#ifndef {name}_DEFINED\n#define {name}_DEFINED\n{body}#endif\n");
    }
}

/// The discriminant of that many cases.
fn number_type(cases: usize) -> &'static str {
    match cases {
        0..=0x100 => "uint8_t",
        0x101..=0x1_0000 => "uint16_t",
        _ => "uint32_t",
    }
}

fn constants<'n>(
    owner: &str,
    labels: impl Iterator<Item = &'n str>,
    value: impl Fn(usize) -> String,
) -> String {
    let mut names = Vec::new();
    let define = |(at, label): (usize, &str)| {
        let label = unique(&mut names, plain(label));
        format!("#define {owner}__{label} {}\n", value(at))
    };
    labels.enumerate().map(define).collect()
}

/// The types that a type consists of.
fn parts(ty: &Type) -> Vec<TypeId> {
    match ty {
        Type::List(element) | Type::FixedList(element, _) | Type::Option(element) => vec![*element],
        Type::Map(key, value) => vec![*key, *value],
        Type::Record(fields) => fields.iter().map(|(_, ty)| *ty).collect(),
        Type::Tuple(fields) => fields.clone(),
        Type::Variant(cases) => cases.iter().filter_map(|(_, ty)| *ty).collect(),
        Type::Result { ok, err } => ok.iter().chain(err).copied().collect(),
        _ => Vec::new(),
    }
}

/// The words of C and C++ that a WIT name may be too.
const KEYWORDS: &str = " alignas alignof and asm auto bitand bitor bool break case catch char class \
    compl concept const constexpr continue decltype default delete do double else enum explicit \
    export extern false float for friend goto if inline int long mutable namespace new noexcept not \
    nullptr operator or private protected public register requires restrict return short signed \
    sizeof static struct switch template this throw true try typedef typeid typename union unsigned \
    using virtual void volatile while xor errno linux unix ";

/// A WIT name as an identifier.
pub fn sanitize(name: &str) -> String {
    let mut name = plain(name);
    if KEYWORDS.contains(&format!(" {name} ")) || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.push('_');
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

/// That name, or with as many underscores behind it as make it new.
pub fn unique(taken: &mut Vec<String>, mut name: String) -> String {
    while taken.contains(&name) {
        name.push('_');
    }
    taken.push(name.clone());
    name
}
