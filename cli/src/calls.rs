//! `wasmelt calls`: what is left of the calls between component instances, as a table for people
//! or JSON for programs. `docs/calls.md` says what each column counts.

use crate::args::{CallsArgs, Format};
use crate::json::{json_list, json_object, json_string};
use crate::phases::Phases;
use crate::pipeline::{self, Emit};
use crate::{Result, output};
use std::collections::{BTreeMap, BTreeSet};
use wasmelt_abi::symbols;
use wasmelt_codegen::adapter::Guard;
use wasmelt_codegen::edges::{Check, Edge, Sites, rule_text};

/// Functions of the shim that copy as many bytes as a string or a list has.
const COPYING: &[&str] = &[
    "memcpy",
    symbols::UTF8_COPY,
    symbols::UTF16_COPY,
    symbols::LATIN1_TO_UTF16,
    symbols::UTF8_TO_UTF16,
    symbols::UTF16_TO_UTF16,
    symbols::UTF16_TO_UTF8,
    symbols::LATIN1_TO_UTF8,
    symbols::ASCII_PREFIX,
    symbols::UTF16_ASCII_PREFIX,
    symbols::UTF8_LATIN1_PREFIX,
    symbols::UTF16_LATIN1_PREFIX,
    symbols::UTF16_NARROW,
];

const HEADER: [&str; 10] = [
    "caller",
    "callee",
    "function",
    "calls",
    "callee's code",
    "copies",
    "instructions",
    "copied",
    "still calls",
    "checks",
];

/// Compiles the input and prints the report.
///
/// # Errors
///
/// As for building it.
pub fn report(args: &CallsArgs) -> Result<()> {
    let mut phases = Phases::new(args.common.verbose);
    let options = args.common.pipeline_options(Emit::Exe, false)?;
    let edges = pipeline::report_calls(&args.common.input, &options, &mut phases)?;
    let text = match args.format {
        Format::Table => table(&edges),
        Format::Json => json(&edges),
    };
    output::write_stdout(text.as_bytes())
}

/// One line per edge, then the rules and the reasons that the lines refer to.
fn table(edges: &[Edge]) -> String {
    if edges.is_empty() {
        return "there are no calls between component instances\n".into();
    }
    let mut lines = vec![HEADER.map(String::from)];
    lines.extend(edges.iter().map(line));
    let width =
        |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..HEADER.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}  "));
        text += cells.collect::<String>().trim_end();
        text += "\n";
    }
    text + &rules(edges) + &guards(edges)
}

fn line(edge: &Edge) -> [String; 10] {
    [
        edge.caller.clone(),
        edge.callee.clone().unwrap_or_else(|| "(host)".into()),
        edge.function.clone(),
        calls(edge),
        inner(edge).into(),
        edge.left.copies.to_string(),
        edge.left.insts.map_or_else(|| "?".into(), |insts| mean(edge, insts)),
        copied(edge),
        still_calls(edge),
        checks(edge),
    ]
}

/// What became of the calls in the caller's code.
fn calls(edge: &Edge) -> String {
    let Sites { calls, inlined } = edge.sites;
    let mut text = match inlined {
        _ if calls == 0 => String::new(),
        0 => format!("{calls} direct"),
        _ if inlined == calls => format!("{calls} inlined"),
        _ => format!("{inlined} of {calls} inlined"),
    };
    if edge.is_called_indirectly {
        text += if text.is_empty() { "indirect" } else { ", indirect" };
    }
    text
}

/// How the adapter reaches the callee's function.
fn inner(edge: &Edge) -> &'static str {
    match edge.inner {
        None if edge.callee.is_none() => "host",
        None => "none",
        Some(Sites { calls: 0, .. }) => "none",
        Some(Sites { calls, inlined }) if calls == inlined => "inlined",
        Some(_) => "direct",
    }
}

/// A number of all copies as the mean of one.
fn mean(edge: &Edge, number: u32) -> String {
    let copies = edge.left.copies.max(1);
    match number % copies {
        0 => (number / copies).to_string(),
        _ => format!("{:.1}", f64::from(number) / f64::from(copies)),
    }
}

fn copied(edge: &Edge) -> String {
    let (left, generated) = (&edge.left, &edge.generated);
    let fixed = stored(edge, left.stored_bytes, generated.stored_bytes, "B");
    let element = stored(edge, left.element_bytes, generated.element_bytes, "B/element");
    let mut parts: Vec<String> = fixed.into_iter().chain(element).collect();
    let routines = edge.calls.iter().filter(|(name, _)| is_copying(name));
    parts.extend(routines.map(|(name, count)| called(edge, name, *count)));
    parts.join(", ")
}

/// Bytes that are stored, and how many they were before if they are fewer now.
fn stored(edge: &Edge, left: u32, generated: u32, unit: &str) -> Option<String> {
    if left == 0 && generated == 0 {
        return None;
    }
    let is_less = left < generated * edge.left.copies;
    let before = if is_less { format!(" of {generated}") } else { String::new() };
    Some(format!("{}{before} {unit}", mean(edge, left)))
}

fn still_calls(edge: &Edge) -> String {
    let others = edge.calls.iter().filter(|(name, _)| !is_copying(name));
    // The host's function itself is what the row is about.
    let others = others.filter(|(name, _)| edge.callee.is_some() || !is_host_func(name));
    others.map(|(name, count)| called(edge, name, *count)).collect::<Vec<_>>().join(", ")
}

fn is_copying(name: &str) -> bool {
    COPYING.contains(&name)
}

fn is_host_func(name: &str) -> bool {
    !name.starts_with("wasmelt_") && !name.contains("::")
}

/// A function that each copy calls that often.
fn called(edge: &Edge, name: &str, count: u32) -> String {
    let name = name.strip_prefix("wasmelt_").unwrap_or(name);
    match mean(edge, count).as_str() {
        "1" => name.to_string(),
        mean => format!("{mean} {name}"),
    }
}

fn checks(edge: &Edge) -> String {
    let one = |check: &Check| {
        let Check { name, rule, generated, kept } = check;
        format!("{name} {} of {generated} ({rule})", mean(edge, *kept))
    };
    edge.checks.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// The rules that the lines cite.
fn rules(edges: &[Edge]) -> String {
    let checks = edges.iter().flat_map(|edge| &edge.checks).map(|check| check.rule);
    let guards = edges.iter().flat_map(|edge| &edge.guards).map(|guard| guard.rule);
    let rules: BTreeSet<&str> = checks.chain(guards).collect();
    let mut text = String::new();
    for rule in rules {
        text += if text.is_empty() { "\nrules (docs/safety.md)\n" } else { "" };
        text += &format!("  {rule}  {}\n", rule_text(rule));
    }
    text
}

/// The guards and their reasons, each once, and at how many edges.
fn guards(edges: &[Edge]) -> String {
    let mut found: BTreeMap<(bool, &str, &str, &str), u32> = BTreeMap::new();
    for Guard { name, is_kept, rule, reason } in edges.iter().flat_map(|edge| &edge.guards) {
        *found.entry((*is_kept, name, rule, reason)).or_default() += 1;
    }
    let mut text = String::new();
    let mut last = None;
    for ((is_kept, name, rule, reason), count) in found {
        if last != Some(is_kept) {
            let title = if is_kept { "guards kept" } else { "guards left out" };
            text += &format!("\n{title}\n");
            last = Some(is_kept);
        }
        let edges = if count == 1 { "edge" } else { "edges" };
        text += &format!("  {name} ({rule}, {count} {edges}): {reason}\n");
    }
    text
}

fn json(edges: &[Edge]) -> String {
    let lines: Vec<String> = edges.iter().map(edge_json).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

fn edge_json(edge: &Edge) -> String {
    let number = |number: u32| number.to_string();
    let text = |text: Option<&str>| text.map_or_else(|| "null".into(), json_string);
    let calls = edge.calls.iter().map(|(name, count)| {
        json_object([("function", json_string(name)), ("places", number(*count))])
    });
    let bytes = |fixed: u32, element: u32| {
        json_object([("fixed", number(fixed)), ("per_element", number(element))])
    };
    let (left, generated) = (&edge.left, &edge.generated);
    json_object([
        ("caller", json_string(&edge.caller)),
        ("callee", text(edge.callee.as_deref())),
        ("function", json_string(&edge.function)),
        ("calls", number(edge.sites.calls)),
        ("calls_inlined", number(edge.sites.inlined)),
        ("called_indirectly", edge.is_called_indirectly.to_string()),
        ("callee_code", json_string(inner(edge))),
        ("copies", number(left.copies)),
        ("instructions", left.insts.map_or_else(|| "null".into(), number)),
        ("code_bytes", number(left.code_bytes)),
        ("bytes_copied_generated", bytes(generated.stored_bytes, generated.element_bytes)),
        ("bytes_copied", bytes(left.stored_bytes, left.element_bytes)),
        ("calls_left", json_list(calls)),
        ("checks", json_list(edge.checks.iter().map(check_json))),
        ("guards", json_list(edge.guards.iter().map(guard_json))),
    ])
}

fn check_json(check: &Check) -> String {
    json_object([
        ("name", json_string(check.name)),
        ("rule", json_string(check.rule)),
        ("why", json_string(rule_text(check.rule))),
        ("generated", check.generated.to_string()),
        ("kept", check.kept.to_string()),
    ])
}

fn guard_json(guard: &Guard) -> String {
    json_object([
        ("name", json_string(guard.name)),
        ("kept", guard.is_kept.to_string()),
        ("rule", json_string(guard.rule)),
        ("why", json_string(&guard.reason)),
    ])
}
