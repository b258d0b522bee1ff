//! Scripts as data: what is read, and what is decided without a run.

use std::path::Path;
use wasmelt_frontend::error::Kind;
use wasmelt_frontend::script::{
    Argument, CorePattern, CoreValue, Definition, DirectiveKind, Execute, Expected, Script, Value,
    parse_script,
};

fn read(text: &str) -> Script {
    parse_script(Path::new("script.wast"), text.as_bytes()).expect("the script parses")
}

fn kinds(text: &str) -> Vec<DirectiveKind> {
    read(text).directives.into_iter().map(|directive| directive.kind).collect()
}

#[test]
fn lines_are_counted_from_one() {
    let script = read("(module)\n\n  (module $m)\r\n(register \"m\" $m)");
    let lines = script.directives.iter().map(|directive| directive.line);
    assert_eq!(lines.collect::<Vec<_>>(), [1, 3, 4]);
}

#[test]
fn rejections_are_decided_while_reading() {
    let kinds = kinds(
        r#"
        (assert_invalid (module (func (result i32))) "type mismatch")
        (assert_invalid (module (func)) "type mismatch")
        (assert_malformed (module quote "(func") "unexpected end")
        (assert_malformed (module binary "\00asm") "unexpected end")
        (module $a)
        "#,
    );
    let rejected = kinds.iter().map(|kind| match kind {
        DirectiveKind::AssertRejected { rejected, .. } => Some(*rejected),
        _ => None,
    });
    assert_eq!(
        rejected.collect::<Vec<_>>(),
        [Some(true), Some(false), Some(true), Some(true), None]
    );
}

#[test]
fn what_is_not_implemented_is_named_and_the_script_goes_on() {
    let kinds = kinds(
        r"
        (module (func (result i31ref) (ref.i31 (i32.const 1))))
        (module (memory 1))
        ",
    );
    let DirectiveKind::Module { definition: Definition::Unsupported(what), .. } = &kinds[0] else {
        panic!("{:?}", kinds[0]);
    };
    assert_eq!(what, "gc: the instruction RefI31");
    assert!(matches!(kinds[1], DirectiveKind::Module { definition: Definition::Module(_), .. }));
}

#[test]
fn a_definition_that_is_not_valid_does_not_end_the_script() {
    let kinds = kinds("(module quote \"(func (result i32))\")\n(module (func))");
    assert!(matches!(
        &kinds[0],
        DirectiveKind::Module { definition: Definition::Rejected(error), .. }
            if error.kind() == Kind::Invalid
    ));
    assert!(matches!(kinds[1], DirectiveKind::Module { definition: Definition::Module(_), .. }));
}

#[test]
fn nan_patterns_become_masks() {
    let kinds = kinds(
        r#"
        (assert_return (invoke "f" (f32.const -1) (ref.extern 7) (ref.null func))
          (f32.const nan:canonical) (v128.const f64x2 nan:arithmetic 1) (ref.null))
        "#,
    );
    let DirectiveKind::AssertReturn(Execute::Invoke { args, .. }, expected) = &kinds[0] else {
        panic!("{:?}", kinds[0]);
    };
    let values = [CoreValue::F32(0xbf80_0000), CoreValue::Host(7), CoreValue::Null];
    assert_eq!(args[..], values.map(Argument::Core));
    let bits = |at: usize| match &expected[at] {
        Expected::Core(CorePattern::Bits { bits, mask, .. }) => (*bits, *mask),
        other => panic!("{other:?}"),
    };
    assert_eq!(bits(0), (0x7fc0_0000, 0x7fff_ffff));
    let (bits, mask) = bits(1);
    assert_eq!(bits as u64, 0x7ff8_0000_0000_0000);
    assert_eq!(mask as u64, 0x7ff8_0000_0000_0000);
    assert_eq!((bits >> 64) as u64, 1f64.to_bits());
    assert_eq!((mask >> 64) as u64, u64::MAX);
    assert_eq!(expected[2], Expected::Core(CorePattern::Null));
}

#[test]
fn component_values_are_kept() {
    let kinds = kinds(
        r#"
        (component)
        (assert_return (invoke "f") (record.const (field "a" list.const (u8.const 1))))
        "#,
    );
    assert!(matches!(kinds[0], DirectiveKind::Module { definition: Definition::Component(_), .. }));
    let DirectiveKind::AssertReturn(_, expected) = &kinds[1] else { panic!("{:?}", kinds[1]) };
    let list = Value::List(vec![Value::U8(1)]);
    let record = Value::Record(vec![("a".to_owned(), list)]);
    assert_eq!(expected[..], [Expected::Component(record)]);
}

#[test]
fn text_that_is_no_script_is_an_error_with_its_place() {
    let text = b"(module)\n  (assert_nothing)";
    let error = parse_script(Path::new("script.wast"), text).expect_err("the script is broken");
    assert_eq!(error.kind(), Kind::Invalid);
    assert!(error.to_string().starts_with("script.wast:2:"), "{error}");
}
