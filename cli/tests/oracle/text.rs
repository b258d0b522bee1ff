//! A case as component text.

use crate::guest::{
    COUNT_AT, Encoding, FLAT_AT, Guest, HEAP_AT, MEMORY_BYTES, MEMORY_PAGES, Misbehaviour,
    POST_RETURN_AT, REPS_AT, TRACE_AT,
};
use crate::handles::{Owner, handles_of};
use crate::pair::{Done, Expected, Pair, dump_bytes};
use crate::types::{Core, Names, Pointers};
use std::fmt::Write;

/// Where a guest stores the pointer and the length of the memory that it shows.
const DUMP_AT: u32 = 8;

/// The component `$P{index}` and the two calls of it: `run` makes the call and returns the
/// caller's memory, `dump` returns the callee's.
pub fn write_pair(pair: &Pair, index: usize) -> String {
    let mut names = Names::default();
    let mut signature = String::new();
    for (index, ty) in pair.params.iter().enumerate() {
        let name = names.name(ty);
        write!(signature, " (param \"p{index}\" {name})").expect("strings grow");
    }
    if let Some(ty) = &pair.result {
        let name = names.name(ty);
        write!(signature, " (result {name})").expect("strings grow");
    }
    let callee = write_callee(pair, &names, &signature);
    let caller = write_caller(pair, &names, &signature);
    let (owner, with_owner) = match pair.owner {
        Some(Owner::Third) => (
            format!("(component $Owner {OWNER})\n(instance $owner (instantiate $Owner))"),
            "(with \"owner\" (instance $owner))",
        ),
        _ => (String::new(), ""),
    };
    format!(
        "(component $P{index}
  {owner}
  (component $Callee {callee})
  (instance $callee (instantiate $Callee {with_owner}))
  (component $Caller {caller})
  (instance $caller (instantiate $Caller {with_owner} (with \"callee\" (instance $callee))))
  (export \"run\" (func $caller \"run\"))
  (export \"dump\" (func $callee \"dump\"))
)
(assert_return (invoke $P{index} \"run\"))
(assert_return (invoke $P{index} \"dump\"))\n"
    )
}

/// What defines the resource type: a function that makes a resource, and one that tells what a
/// handle stands for.
const OWNER: &str = "(type $r' (resource (rep i32)))
  (export $r \"r\" (type $r'))
  (core func $make (canon resource.new $r'))
  (core module $O
    (import \"\" \"make\" (func $make (param i32) (result i32)))
    (func (export \"make\") (param i32) (result i32) (call $make (local.get 0)))
    (func (export \"rep\") (param i32) (result i32) (local.get 0)))
  (core instance $o (instantiate $O (with \"\" (instance (export \"make\" (func $make))))))
  (func (export \"make\") (param \"rep\" u32) (result (own $r)) (canon lift (core func $o \"make\")))
  (func (export \"rep\") (param \"r\" (borrow $r)) (result u32) (canon lift (core func $o \"rep\")))";

/// What the others see of it.
const OWNER_TYPE: &str = "(export \"r\" (type $r (sub resource)))
    (export \"make\" (func (param \"rep\" u32) (result (own $r))))
    (export \"rep\" (func (param \"r\" (borrow $r)) (result u32)))";

/// The core functions for handles of a component that does not define the resource type.
fn lower_owner(instance: &str) -> String {
    format!(
        "(alias export ${instance} \"r\" (type $r))
  (core func $make (canon lower (func ${instance} \"make\")))
  (core func $rep (canon lower (func ${instance} \"rep\")))
  (core func $drop (canon resource.drop $r))"
    )
}

/// The core functions for handles as arguments and as imports of a core module.
const HANDLES: &str = "(with \"handles\" (instance (export \"make\" (func $make))
    (export \"rep\" (func $rep)) (export \"drop\" (func $drop))))";
const HANDLE_IMPORTS: &str = "(import \"handles\" \"make\" (func $make (param i32) (result i32)))
    (import \"handles\" \"rep\" (func $rep (param i32) (result i32)))
    (import \"handles\" \"drop\" (func $drop (param i32)))";

fn write_callee(pair: &Pair, names: &Names, signature: &str) -> String {
    let guest = &pair.callee;
    let mut text = match pair.owner {
        Some(Owner::Third) => {
            let lowered = lower_owner("owner");
            format!("(import \"owner\" (instance $owner {OWNER_TYPE}))\n{lowered}\n")
        }
        Some(Owner::Callee) => format!(
            "{OWNER} (core func $rep (canon resource.rep $r')) (core func $drop (canon resource.drop $r'))\n"
        ),
        None => String::new(),
    };
    for (index, definition) in names.definitions.iter().enumerate() {
        let line = format!(
            "(type $d{index} {definition})\n(export $t{index} \"t{index}\" (type $d{index}))\n"
        );
        text.push_str(&line);
    }
    let (handles, imports) = handle_texts(pair);
    let params = pair.core_params(guest.pointers);
    let results = pair.core_results(guest.pointers);
    let memory = write_memory(guest);
    let stores = write_stores(guest, &params, FLAT_AT);
    let work = write_handle_work(pair);
    let core_params = write_list("param", &params);
    let core_results = write_list("result", &results);
    let constants = write_constants(&results, &pair.returned);
    let post_stores = write_stores(guest, &results, POST_RETURN_AT + 8);
    let post_params = write_list("param", &results);
    let options = write_options(guest.encoding, "m");
    let post = if pair.has_post_return { " (post-return (func $m \"post\"))" } else { "" };
    let dump = write_dump(guest, pair.done().map(|done| &done.callee));
    let (pointer, noted) = (guest.pointers.core().name(), address(guest, POST_RETURN_AT));
    text + &format!(
        "(core module $M {imports} {memory}
    (func (export \"f\") {core_params} {core_results} {stores} {work} {constants})
    (func (export \"post\") {post_params} (i32.store {noted} (i32.const 1)) {post_stores})
    (func (export \"dump\") (result {pointer}) {dump}))
  (core instance $m (instantiate $M {handles}))
  (func $f {signature} (canon lift (core func $m \"f\") {options}{post}))
  (export \"f\" (func $f))
  (func (export \"dump\") (result (list u8))
    (canon lift (core func $m \"dump\") (memory $m \"memory\")))"
    )
}

/// What the callee does with handles before it returns: asks what they stand for, drops what is
/// lent, makes what it returns.
fn write_handle_work(pair: &Pair) -> String {
    let mut text = String::new();
    if let Some(done) = pair.done() {
        let mut indices = done.received_handles.iter();
        let handles = handles_of(&pair.params_type(), &done.argument);
        let is_bare = |is_own: bool| !is_own && pair.callee.is_owner;
        let values = handles.into_iter().map(|(rep, is_own)| match is_bare(is_own) {
            true => format!("(i32.const {rep})"),
            false => ask_rep(*indices.next().expect("each handle has an index")),
        });
        text.push_str(&write_reps(&pair.callee, values));
    }
    for index in &pair.drops {
        write!(text, "(call $drop (i32.const {index})) ").expect("strings grow");
    }
    text + &write_makes(&pair.callee)
}

fn write_caller(pair: &Pair, names: &Names, signature: &str) -> String {
    let guest = &pair.caller;
    let mut types = String::new();
    for (index, definition) in names.definitions.iter().enumerate() {
        let line = format!(
            "(type $d{index} {definition})\n(export \"t{index}\" (type $t{index} (eq $d{index})))\n"
        );
        types.push_str(&line);
    }
    let (owner, inner_type, lowered) = match pair.owner {
        Some(Owner::Third) => (
            format!("(import \"owner\" (instance $owner {OWNER_TYPE}))\n{}", lower_owner("owner")),
            "(alias outer $Caller $r (type $r))",
            String::new(),
        ),
        Some(Owner::Callee) => (String::new(), OWNER_TYPE, lower_owner("callee")),
        None => (String::new(), "", String::new()),
    };
    let (handles, handle_imports) = handle_texts(pair);
    let mut params = pair.core_params(guest.pointers);
    let mut results = pair.core_results(guest.pointers);
    if pair.has_result_pointer() {
        params.push(guest.pointers.core());
        results.clear();
    }
    let memory = write_memory(guest);
    let options = write_options(guest.encoding, "libc");
    let core_params = write_list("param", &params);
    let core_results = write_list("result", &results);
    let constants = write_constants(&params, &pair.passed);
    let makes = write_makes(guest);
    let reps = pair
        .done()
        .map(|done| write_reps(guest, done.handles_given_back.iter().map(|index| ask_rep(*index))));
    let reps = reps.unwrap_or_default();
    let dump = write_dump(guest, pair.done().map(|done| &done.caller));
    let keep = match results.first() {
        Some(core) => {
            format!("({}.store {} (call $f {constants}))", core.name(), address(guest, FLAT_AT))
        }
        None => format!("(call $f {constants})"),
    };
    let (pointer, index_type) = (guest.pointers.core().name(), index_type(guest));
    format!(
        "{owner} (import \"callee\" (instance $callee
    {inner_type} {types}
    (export \"f\" (func {signature}))))
  {lowered}
  (core module $Libc {memory})
  (core instance $libc (instantiate $Libc))
  (core func $f (canon lower (func $callee \"f\") {options}))
  (core module $M
    {handle_imports}
    (import \"\" \"f\" (func $f {core_params} {core_results}))
    (import \"libc\" \"memory\" (memory {index_type} 1))
    (func (export \"run\") (result {pointer}) {makes} {keep} {reps} {dump}))
  (core instance $m (instantiate $M {handles}
    (with \"libc\" (instance $libc)) (with \"\" (instance (export \"f\" (func $f))))))
  (func (export \"run\") (result (list u8))
    (canon lift (core func $m \"run\") (memory $libc \"memory\")))"
    )
}

fn handle_texts(pair: &Pair) -> (&'static str, &'static str) {
    if pair.owner.is_some() { (HANDLES, HANDLE_IMPORTS) } else { ("", "") }
}

fn write_makes(guest: &Guest) -> String {
    let make = |rep: &u32| format!("(drop (call $make (i32.const {rep}))) ");
    guest.makes.iter().map(make).collect()
}

fn ask_rep(index: u32) -> String {
    format!("(call $rep (i32.const {index}))")
}

fn write_reps(guest: &Guest, values: impl Iterator<Item = String>) -> String {
    let slots = (REPS_AT..).step_by(4);
    values
        .zip(slots)
        .map(|(rep, at)| format!("(i32.store {} {rep}) ", address(guest, at)))
        .collect()
}

fn write_options(encoding: Encoding, instance: &str) -> String {
    let encoding = match encoding {
        Encoding::Utf8 => "utf8",
        Encoding::Utf16 => "utf16",
        Encoding::Latin1Utf16 => "latin1+utf16",
    };
    format!(
        "(memory ${instance} \"memory\") (realloc (func ${instance} \"realloc\")) \
         string-encoding={encoding}"
    )
}

/// A module's memory with what the guest has prepared, and its `realloc`.
fn write_memory(guest: &Guest) -> String {
    let mut data = String::new();
    for byte in guest.bytes(HEAP_AT, guest.next - HEAP_AT) {
        write!(data, "\\{byte:02x}").expect("strings grow");
    }
    let (index_type, start) = (index_type(guest), address(guest, HEAP_AT));
    let realloc = write_realloc(guest);
    format!(
        "(memory (export \"memory\") {index_type} {MEMORY_PAGES}) (data {start} \"{data}\") {realloc}"
    )
}

/// The twin of `Guest::run_realloc`.
fn write_realloc(guest: &Guest) -> String {
    let habit = &guest.habit;
    let t = guest.pointers.core().name();
    let (mut far, mut misaligned) = (String::new(), String::new());
    match habit.fault {
        Some((call, Misbehaviour::Far)) => {
            let pointer = guest.far_pointer();
            far = format!(
                "(if (i32.eq (local.get $count) (i32.const {call}))
                  (then (return ({t}.const {pointer}))))"
            );
        }
        Some((call, Misbehaviour::Misaligned)) => {
            misaligned = format!(
                "(if (i32.eq (local.get $count) (i32.const {call}))
                  (then (local.set $new ({t}.add (local.get $new) ({t}.const 1)))))"
            );
        }
        None => {}
    }
    let grow = if habit.grows {
        format!(
            "(if (i32.eq (local.get $count) (i32.const 1)) (then
              (drop (memory.grow ({t}.const 1))) (global.set $next ({t}.const {MEMORY_BYTES}))))"
        )
    } else {
        String::new()
    };
    let in_place = if habit.in_place {
        format!(
            "(if (i32.and ({t}.ne (local.get $old) ({t}.const 0))
                      ({t}.le_u (local.get $size) (local.get $old_size)))
          (then (return (local.get $old))))"
        )
    } else {
        String::new()
    };
    let (next, skip) = (guest.next, habit.skip);
    let trace = write_trace(guest);
    format!(
        "(global $next (mut {t}) ({t}.const {next}))
    (func (export \"realloc\")
      (param $old {t}) (param $old_size {t}) (param $align {t}) (param $size {t}) (result {t})
      (local $count i32) (local $new {t}) (local $at {t})
      {trace} {far} {grow} {in_place}
      (local.set $new ({t}.add
        ({t}.and ({t}.sub ({t}.add (global.get $next) (local.get $align)) ({t}.const 1))
                 ({t}.sub ({t}.const 0) (local.get $align)))
        ({t}.mul (local.get $align) ({t}.const {skip}))))
      {misaligned}
      (global.set $next ({t}.add (local.get $new) (local.get $size)))
      (memory.copy (local.get $new) (local.get $old)
        (select (local.get $size) (local.get $old_size)
          ({t}.lt_u (local.get $size) (local.get $old_size))))
      (local.get $new))"
    )
}

/// Notes a call of `realloc` and its arguments, which are kept as 64 bits each.
fn write_trace(guest: &Guest) -> String {
    let t = guest.pointers.core().name();
    let is_wide = guest.pointers == Pointers::Wide;
    let count_at = address(guest, COUNT_AT);
    let offset = format!("(i32.shl (i32.load {count_at}) (i32.const 5))");
    let offset = if is_wide { format!("(i64.extend_i32_u {offset})") } else { offset };
    let mut text = format!("(local.set $at ({t}.add ({t}.const {TRACE_AT}) {offset}))");
    for (name, at) in ["old", "old_size", "align", "size"].into_iter().zip((0..).step_by(8)) {
        let value = format!("(local.get ${name})");
        let value = if is_wide { value } else { format!("(i64.extend_i32_u {value})") };
        write!(text, "(i64.store offset={at} (local.get $at) {value})").expect("strings grow");
    }
    text + &format!(
        "(local.set $count (i32.add (i32.load {count_at}) (i32.const 1)))
      (i32.store {count_at} (local.get $count))"
    )
}

/// Stores parameters where they are looked for, 8 bytes each.
fn write_stores(guest: &Guest, params: &[Core], start: u32) -> String {
    let mut text = String::new();
    for ((index, core), at) in params.iter().enumerate().zip((start..).step_by(8)) {
        let (core, at) = (core.name(), address(guest, at));
        write!(text, "({core}.store {at} (local.get {index})) ").expect("strings grow");
    }
    text
}

fn write_list(keyword: &str, cores: &[Core]) -> String {
    let names = cores.iter().map(|core| format!(" {}", core.name()));
    if cores.is_empty() {
        String::new()
    } else {
        format!("({keyword}{})", names.collect::<String>())
    }
}

fn write_constants(cores: &[Core], flat: &[u64]) -> String {
    assert_eq!(cores.len(), flat.len(), "there is a value for each flat type");
    let constant = |(core, bits): (&Core, &u64)| match core {
        Core::I32 => format!("(i32.const {}) ", *bits as u32),
        Core::I64 => format!("(i64.const {bits}) "),
        Core::F32 => format!("(f32.reinterpret_i32 (i32.const {})) ", *bits as u32),
        Core::F64 => format!("(f64.reinterpret_i64 (i64.const {bits})) "),
    };
    cores.iter().zip(flat).map(constant).collect()
}

/// Drops the handles that are left, which shows that nothing is lent any more, and returns the
/// beginning of the memory as a list.
fn write_dump(before: &Guest, after: Option<&Guest>) -> String {
    let t = before.pointers.core().name();
    let live = after.map(|after| after.table.live()).unwrap_or_default();
    let drops = live.iter().map(|index| format!("(call $drop (i32.const {index})) "));
    let drops = drops.collect::<String>();
    let len_at = address(before, DUMP_AT + before.pointers.bytes());
    let bytes = dump_bytes(before, after);
    format!("{drops} ({t}.store {len_at} ({t}.const {bytes})) ({t}.const {DUMP_AT})")
}

fn address(guest: &Guest, at: u32) -> String {
    format!("({}.const {at})", guest.pointers.core().name())
}

fn index_type(guest: &Guest) -> &'static str {
    if guest.pointers == Pointers::Wide { "i64" } else { "" }
}

impl Pair {
    /// What becomes of the call if it does not trap.
    fn done(&self) -> Option<&Done> {
        match &self.expected {
            Expected::Done(done) => Some(done),
            Expected::Trap { .. } => None,
        }
    }
}
