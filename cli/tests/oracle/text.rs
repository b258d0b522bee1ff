//! A case as component text.

use crate::guest::{
    COUNT_AT, Encoding, FAR_POINTER, FLAT_AT, Guest, HEAP_AT, MEMORY_BYTES, MEMORY_PAGES,
    Misbehaviour, POST_RETURN_AT, TRACE_AT,
};
use crate::pair::{Expected, Pair, dump_bytes};
use crate::types::{Core, Names};
use std::fmt::Write;

/// The component `$P{index}` and the two calls of it: `run` makes the call and returns the
/// caller's memory, `dump` returns the callee's.
pub fn write_pair(pair: &Pair, index: usize) -> String {
    let (caller_after, callee_after) = match &pair.expected {
        Expected::Done(done) => (Some(&done.caller), Some(&done.callee)),
        Expected::Trap { .. } => (None, None),
    };
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
    let callee = write_callee(pair, &names, &signature, dump_bytes(&pair.callee, callee_after));
    let caller = write_caller(pair, &names, &signature, dump_bytes(&pair.caller, caller_after));
    format!(
        "(component $P{index}
  (component $Callee {callee})
  (instance $callee (instantiate $Callee))
  (component $Caller {caller})
  (instance $caller (instantiate $Caller (with \"callee\" (instance $callee))))
  (export \"run\" (func $caller \"run\"))
  (export \"dump\" (func $callee \"dump\"))
)
(assert_return (invoke $P{index} \"run\"))
(assert_return (invoke $P{index} \"dump\"))\n"
    )
}

fn write_callee(pair: &Pair, names: &Names, signature: &str, dump: u32) -> String {
    let mut text = String::new();
    for (index, definition) in names.definitions.iter().enumerate() {
        let line = format!(
            "(type $d{index} {definition})\n(export $t{index} \"t{index}\" (type $d{index}))\n"
        );
        text.push_str(&line);
    }
    let params = pair.core_params();
    let results = pair.core_results();
    let memory = write_memory(&pair.callee);
    let stores = write_stores(&params, FLAT_AT);
    let core_params = write_list("param", &params);
    let core_results = write_list("result", &results);
    let constants = write_constants(&results, &pair.returned);
    let post_stores = write_stores(&results, POST_RETURN_AT + 8);
    let post_params = write_list("param", &results);
    let options = write_options(pair.callee.encoding, "m");
    let post = if pair.has_post_return { " (post-return (func $m \"post\"))" } else { "" };
    let dump = write_dump(dump);
    text + &format!(
        "(core module $M {memory}
    (func (export \"f\") {core_params} {core_results} {stores} {constants})
    (func (export \"post\") {post_params}
      (i32.store (i32.const {POST_RETURN_AT}) (i32.const 1)) {post_stores})
    (func (export \"dump\") (result i32) {dump}))
  (core instance $m (instantiate $M))
  (func $f {signature} (canon lift (core func $m \"f\") {options}{post}))
  (export \"f\" (func $f))
  (func (export \"dump\") (result (list u8))
    (canon lift (core func $m \"dump\") (memory $m \"memory\")))"
    )
}

fn write_caller(pair: &Pair, names: &Names, signature: &str, dump: u32) -> String {
    let mut types = String::new();
    for (index, definition) in names.definitions.iter().enumerate() {
        let line = format!(
            "(type $d{index} {definition})\n(export \"t{index}\" (type $t{index} (eq $d{index})))\n"
        );
        types.push_str(&line);
    }
    let mut params = pair.core_params();
    let mut results = pair.core_results();
    if pair.has_result_pointer() {
        params.push(Core::I32);
        results.clear();
    }
    let memory = write_memory(&pair.caller);
    let options = write_options(pair.caller.encoding, "libc");
    let core_params = write_list("param", &params);
    let core_results = write_list("result", &results);
    let constants = write_constants(&params, &pair.passed);
    let dump = write_dump(dump);
    let keep = match results.first() {
        Some(core) => {
            let core = core.name();
            format!("({core}.store (i32.const {FLAT_AT}) (call $f {constants}))")
        }
        None => format!("(call $f {constants})"),
    };
    format!(
        "(import \"callee\" (instance $callee
    {types}
    (export \"f\" (func {signature}))))
  (core module $Libc {memory})
  (core instance $libc (instantiate $Libc))
  (core func $f (canon lower (func $callee \"f\") {options}))
  (core module $M
    (import \"\" \"f\" (func $f {core_params} {core_results}))
    (import \"libc\" \"memory\" (memory 1))
    (func (export \"run\") (result i32) {keep} {dump}))
  (core instance $m (instantiate $M
    (with \"libc\" (instance $libc)) (with \"\" (instance (export \"f\" (func $f))))))
  (func (export \"run\") (result (list u8))
    (canon lift (core func $m \"run\") (memory $libc \"memory\")))"
    )
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
    let realloc = write_realloc(guest);
    format!(
        "(memory (export \"memory\") {MEMORY_PAGES}) (data (i32.const {HEAP_AT}) \"{data}\") {realloc}"
    )
}

/// The twin of `Guest::run_realloc`.
fn write_realloc(guest: &Guest) -> String {
    let habit = &guest.habit;
    let (mut far, mut misaligned) = (String::new(), String::new());
    match habit.fault {
        Some((call, Misbehaviour::Far)) => {
            far = format!(
                "(if (i32.eq (local.get $count) (i32.const {call}))
                  (then (return (i32.const {FAR_POINTER}))))"
            );
        }
        Some((call, Misbehaviour::Misaligned)) => {
            misaligned = format!(
                "(if (i32.eq (local.get $count) (i32.const {call}))
                  (then (local.set $new (i32.add (local.get $new) (i32.const 1)))))"
            );
        }
        None => {}
    }
    let grow = if habit.grows {
        format!(
            "(if (i32.eq (local.get $count) (i32.const 1)) (then
              (drop (memory.grow (i32.const 1))) (global.set $next (i32.const {MEMORY_BYTES}))))"
        )
    } else {
        String::new()
    };
    let in_place = if habit.in_place {
        "(if (i32.and (i32.ne (local.get $old) (i32.const 0))
                      (i32.le_u (local.get $size) (local.get $old_size)))
          (then (return (local.get $old))))"
    } else {
        ""
    };
    let (next, skip) = (guest.next, habit.skip);
    format!(
        "(global $next (mut i32) (i32.const {next}))
    (func (export \"realloc\")
      (param $old i32) (param $old_size i32) (param $align i32) (param $size i32) (result i32)
      (local $count i32) (local $new i32) (local $at i32)
      (local.set $at (i32.add (i32.const {TRACE_AT})
        (i32.shl (i32.load (i32.const {COUNT_AT})) (i32.const 4))))
      (i32.store (local.get $at) (local.get $old))
      (i32.store offset=4 (local.get $at) (local.get $old_size))
      (i32.store offset=8 (local.get $at) (local.get $align))
      (i32.store offset=12 (local.get $at) (local.get $size))
      (local.set $count (i32.add (i32.load (i32.const {COUNT_AT})) (i32.const 1)))
      (i32.store (i32.const {COUNT_AT}) (local.get $count))
      {far} {grow} {in_place}
      (local.set $new (i32.add
        (i32.and (i32.sub (i32.add (global.get $next) (local.get $align)) (i32.const 1))
                 (i32.sub (i32.const 0) (local.get $align)))
        (i32.mul (local.get $align) (i32.const {skip}))))
      {misaligned}
      (global.set $next (i32.add (local.get $new) (local.get $size)))
      (memory.copy (local.get $new) (local.get $old)
        (select (local.get $size) (local.get $old_size)
          (i32.lt_u (local.get $size) (local.get $old_size))))
      (local.get $new))"
    )
}

/// Stores parameters where they are looked for, 8 bytes each.
fn write_stores(params: &[Core], start: u32) -> String {
    let mut text = String::new();
    for (index, core) in params.iter().enumerate() {
        let (core, at) = (core.name(), start as usize + 8 * index);
        write!(text, "({core}.store (i32.const {at}) (local.get {index})) ").expect("strings grow");
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

/// Returns the first `bytes` bytes of memory as a list.
fn write_dump(bytes: u32) -> String {
    format!("(i32.store (i32.const 12) (i32.const {bytes})) (i32.const 8)")
}
