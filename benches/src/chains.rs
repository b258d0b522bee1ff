//! Self-timing chains of components: a child calls through any number of
//! virtualizers to a component that does the work.
//!
//! The guests are generated, so that every engine runs the same text and any
//! depth can be had. Each virtualizer has a memory and an allocator of its own and
//! passes its arguments on, as a real one would. The child times itself (`guest`).

use crate::guest::{Child, LIBC, OPTIONS, REPETITIONS, instantiate_child, wasi_imports};
use std::fmt::Write;

/// What crosses the boundaries.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// Component-level parameters and result of the function `f`.
    ty: &'static str,
    /// Core parameters of the lifted function.
    params: &'static str,
    /// Number of those parameters.
    param_count: u32,
    /// Whether lifted results come back through a pointer.
    result_area: bool,
    /// Whether the canonical options name a memory and a realloc.
    memory: bool,
    /// What the real component does: leaves the core result.
    real: &'static str,
    /// What the child does with `$i`: leaves an `i32` for the checksum.
    call: &'static str,
    /// Calls per repetition at depth 0; a chain makes fewer.
    calls: u32,
}

/// All cases but the resource's, which is a chain of another shape.
pub const CASES: &[Case] = &[
    Case {
        name: "scalar",
        ty: r#"(param "a" u32) (result u32)"#,
        params: "(param i32)",
        param_count: 1,
        result_area: false,
        memory: false,
        real: "(i32.load (i32.and (local.get 0) (i32.const 0xfffc)))",
        call: "(call $f (i32.shl (local.get $i) (i32.const 2)))",
        calls: 20_000,
    },
    Case {
        name: "rec10",
        ty: r#"(param "r" $r) (result $r)"#,
        params: "(param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)",
        param_count: 10,
        result_area: true,
        memory: true,
        real: RECORD_REAL,
        call: RECORD_CALL,
        calls: 5_000,
    },
    Case {
        name: "str16",
        ty: r#"(param "s" string) (result u32)"#,
        params: "(param i32 i32)",
        param_count: 2,
        result_area: false,
        memory: true,
        real: SUM_ENDS,
        call: "(i32.store8 (i32.const 4096) (i32.add (i32.const 65) (i32.and (local.get $i) (i32.const 15))))
               (call $f (i32.const 4096) (i32.const 16))",
        calls: 10_000,
    },
    Case {
        name: "str4k",
        ty: r#"(param "s" string) (result u32)"#,
        params: "(param i32 i32)",
        param_count: 2,
        result_area: false,
        memory: true,
        real: SUM_ENDS,
        call: "(i32.store8 (i32.const 4096) (i32.add (i32.const 65) (i32.and (local.get $i) (i32.const 15))))
               (call $f (i32.const 4096) (i32.const 4096))",
        calls: 1_000,
    },
    Case {
        name: "list64k",
        ty: r#"(param "l" (list u8)) (result u32)"#,
        params: "(param i32 i32)",
        param_count: 2,
        result_area: false,
        memory: true,
        real: SUM_ENDS,
        call: "(i32.store8 (i32.const 131072) (i32.add (i32.const 65) (i32.and (local.get $i) (i32.const 15))))
               (call $f (i32.const 131072) (i32.const 65536))",
        calls: 100,
    },
    Case {
        name: "listrec",
        ty: r#"(param "l" (list $p)) (result u32)"#,
        params: "(param i32 i32)",
        param_count: 2,
        result_area: false,
        memory: true,
        real: SUM_ENDS,
        call: "(i32.store8 (i32.const 131072) (local.get $i))
               (call $f (i32.const 131072) (i32.const 256))",
        calls: 1_000,
    },
    Case {
        name: "variant10",
        ty: r#"(param "v" $v) (result $v)"#,
        params: "(param i32 i64 i32)",
        param_count: 3,
        result_area: true,
        memory: true,
        real: VARIANT_REAL,
        call: VARIANT_CALL,
        calls: 5_000,
    },
];

const SUM_ENDS: &str = "(i32.add (local.get 1) (i32.load8_u (local.get 0)))";

const RECORD_REAL: &str = "
    (i32.store (i32.const 256) (i32.add (local.get 0) (local.get 1)))
    (i32.store (i32.const 260) (i32.add (local.get 1) (local.get 2)))
    (i32.store (i32.const 264) (i32.add (local.get 2) (local.get 3)))
    (i32.store (i32.const 268) (i32.add (local.get 3) (local.get 4)))
    (i32.store (i32.const 272) (i32.add (local.get 4) (local.get 5)))
    (i32.store (i32.const 276) (i32.add (local.get 5) (local.get 6)))
    (i32.store (i32.const 280) (i32.add (local.get 6) (local.get 7)))
    (i32.store (i32.const 284) (i32.add (local.get 7) (local.get 8)))
    (i32.store (i32.const 288) (i32.add (local.get 8) (local.get 9)))
    (i32.store (i32.const 292) (i32.add (local.get 9) (local.get 0)))
    (i32.const 256)";

const VARIANT_REAL: &str = "
    (if (i32.eqz (local.get 0))
      (then (i32.store8 (i32.const 256) (i32.const 9))
            (i32.store (i32.const 264) (i32.wrap_i64 (local.get 1)))
            (i32.store (i32.const 268) (local.get 0)))
      (else (i32.store8 (i32.const 256) (i32.const 1))
            (i64.store (i32.const 264) (local.get 1))))
    (i32.const 256)";

const VARIANT_CALL: &str = "
    (call $f (i32.and (local.get $i) (i32.const 1)) (i64.extend_i32_u (local.get $i))
             (i32.const 0) (i32.const 3072))
    (i32.xor (i32.load8_u (i32.const 3072)) (i32.load (i32.const 3080)))";

const RECORD_CALL: &str = "
    (call $f (local.get $i) (i32.add (local.get $i) (i32.const 1))
             (i32.add (local.get $i) (i32.const 2)) (i32.add (local.get $i) (i32.const 3))
             (i32.add (local.get $i) (i32.const 4)) (i32.add (local.get $i) (i32.const 5))
             (i32.add (local.get $i) (i32.const 6)) (i32.add (local.get $i) (i32.const 7))
             (i32.add (local.get $i) (i32.const 8)) (i32.add (local.get $i) (i32.const 9))
             (i32.const 3072))
    (i32.xor (i32.load (i32.const 3072)) (i32.load (i32.const 3108)))";

/// Types that the signatures name. A variant in an exported function must have a name that is
/// exported or imported; see `IMPORT_VARIANT`.
const TYPES: &str = r#"
    (type $r (tuple u32 u32 u32 u32 u32 u32 u32 u32 u32 u32))
    (type $p (tuple u32 u32 u64 f64))
    (type $v0 (variant (case "c0" u32) (case "c1" u64) (case "c2" f64) (case "c3") (case "c4" u8)
                      (case "c5" s16) (case "c6" f32) (case "c7" bool) (case "c8" char)
                      (case "c9" (tuple u32 u32))))
"#;

/// How all but the real component get the variant's name.
const IMPORT_VARIANT: &str = r#" (import "v" (type $v (eq $v0)))"#;

impl Case {
    fn options(&self) -> &'static str {
        if self.memory { OPTIONS } else { "" }
    }

    /// The core type of the lowered function's declaration, without its name.
    fn lowered(&self) -> String {
        match self.result_area {
            true => format!("{} (param i32)", self.params),
            false => format!("{} (result i32)", self.params),
        }
    }

    fn pass_on(&self) -> String {
        let mut call = String::from("(call $f");
        for param in 0..self.param_count {
            write!(call, " (local.get {param})").expect("strings take all");
        }
        match self.result_area {
            true => format!("{call} (i32.const 2048)) (i32.const 2048)"),
            false => format!("{call})"),
        }
    }

    /// The whole composition of a chain with `depth` virtualizers.
    pub fn chain(&self, depth: u32) -> String {
        let mut text = format!("(component $root\n{}", wasi_imports("root"));
        text += &self.real_component();
        text += &self.virtualizer();
        text += &self.child(self.calls / (1 + depth.min(9)), &format!("{}-d{depth}", self.name));
        text += "  (instance $v0 (instantiate $real))\n";
        for level in 1..=depth {
            let below = level - 1;
            writeln!(text, r#"  (instance $v{level} (instantiate $virt (with "f" (func $v{below} "f")) (with "v" (type $v0 "v"))))"#)
                .expect("strings take all");
        }
        text += &instantiate_child(&format!(
            r#"(with "f" (func $v{depth} "f")) (with "v" (type $v0 "v"))"#
        ));
        text
    }

    fn real_component(&self) -> String {
        let Case { ty, params, real, .. } = self;
        let options = self.options();
        format!(
            r#"
(component $real {TYPES} (export $v "v" (type $v0)) {LIBC}
  (core module $m
    (import "libc" "memory" (memory 8))
    (import "libc" "reset" (func $reset))
    (func (export "f") {params} (result i32) {reset} {real})
    (data (i32.const 0) "\0b\30\55\7a\9f\c4\e9\0e\33\58\7d\a2\c7\ec\11\36"))
  (core instance $m (instantiate $m (with "libc" (instance $libc))))
  (func (export "f") {ty} (canon lift (core func $m "f"){options})))
"#,
            reset = if self.memory { "(call $reset)" } else { "" },
        )
    }

    fn virtualizer(&self) -> String {
        let Case { ty, params, .. } = self;
        let (options, lowered, pass_on) = (self.options(), self.lowered(), self.pass_on());
        format!(
            r#"
(component $virt {TYPES} {IMPORT_VARIANT}
  (import "f" (func $f {ty})) {LIBC}
  (core func $f (canon lower (func $f){options}))
  (core module $m
    (import "libc" "memory" (memory 8))
    (import "libc" "reset" (func $reset))
    (import "below" "f" (func $f {lowered}))
    (func (export "f") {params} (result i32) {reset} {pass_on}))
  (core instance $m (instantiate $m (with "libc" (instance $libc))
    (with "below" (instance (export "f" (func $f))))))
  (func (export "f") {ty} (canon lift (core func $m "f"){options})))
"#,
            reset = if self.memory { "(call $reset)" } else { "" },
        )
    }

    fn child(&self, calls: u32, title: &str) -> String {
        let Case { ty, call, .. } = self;
        let (options, lowered) = (self.options(), self.lowered());
        let lower = format!(
            r#"{TYPES} {IMPORT_VARIANT} (import "f" (func $f {ty})) {LIBC}
  (core func $f (canon lower (func $f){options}))"#
        );
        let imports = format!(r#"(import "i" "f" (func $f {lowered}))"#);
        Child {
            lower: &lower,
            imports: &imports,
            exports: r#"(export "f" (func $f))"#,
            before: "",
            call,
            after: "",
            calls,
            repetitions: REPETITIONS,
            title,
        }
        .text()
    }
}

/// A chain whose virtualizers wrap a resource of the level below: each call of its method is one
/// borrow handle per level.
pub fn resource_chain(depth: u32) -> String {
    let mut text =
        format!("(component $root\n{}{RESOURCE_REAL}{RESOURCE_VIRT}", wasi_imports("root"));
    let lower = format!(
        r#"
  (import "t" (type $t (sub resource)))
  (import "[constructor]t" (func $new (result (own $t))))
  (import "[method]t.get" (func $get (param "self" (borrow $t)) (param "x" u32) (result u32)))
  {LIBC}
  (core func $new (canon lower (func $new)))
  (core func $get (canon lower (func $get)))
  (core func $drop (canon resource.drop $t))"#
    );
    let child = Child {
        lower: &lower,
        imports: r#"(import "i" "new" (func $new (result i32)))
    (import "i" "get" (func $get (param i32 i32) (result i32)))
    (import "i" "drop" (func $drop (param i32)))"#,
        exports: r#"(export "new" (func $new)) (export "get" (func $get)) (export "drop" (func $drop))"#,
        before: "(local.set $h (call $new))",
        call: "(call $get (local.get $h) (local.get $i))",
        after: "(call $drop (local.get $h))",
        calls: 10_000 / (1 + depth),
        repetitions: REPETITIONS,
        title: &format!("resmethod-d{depth}"),
    };
    text += &child.text();
    text += "  (instance $v0 (instantiate $real))\n";
    for level in 1..=depth {
        let below = level - 1;
        writeln!(text, r#"  (instance $v{level} (instantiate $virt {}))"#, resource_args(below))
            .expect("strings take all");
    }
    text += &instantiate_child(&resource_args(depth));
    text
}

fn resource_args(level: u32) -> String {
    format!(
        r#"(with "t" (type $v{level} "t")) (with "[constructor]t" (func $v{level} "[constructor]t"))
      (with "[method]t.get" (func $v{level} "[method]t.get"))"#
    )
}

const RESOURCE_REAL: &str = r#"
(component $real
  (type $t (resource (rep i32)))
  (core func $new (canon resource.new $t))
  (core module $m
    (import "i" "new" (func $new (param i32) (result i32)))
    (memory 1)
    (func (export "new") (result i32) (i32.store (i32.const 128) (i32.const 7)) (call $new (i32.const 128)))
    (func (export "get") (param i32 i32) (result i32) (i32.add (i32.load (local.get 0)) (local.get 1))))
  (core instance $m (instantiate $m (with "i" (instance (export "new" (func $new))))))
  (export $out "t" (type $t))
  (func (export "[constructor]t") (result (own $out)) (canon lift (core func $m "new")))
  (func (export "[method]t.get") (param "self" (borrow $out)) (param "x" u32) (result u32)
    (canon lift (core func $m "get"))))
"#;

const RESOURCE_VIRT: &str = r#"
(component $virt
  (import "t" (type $below (sub resource)))
  (import "[constructor]t" (func $below-new (result (own $below))))
  (import "[method]t.get" (func $below-get (param "self" (borrow $below)) (param "x" u32) (result u32)))
  (type $t (resource (rep i32)))
  (core func $new (canon resource.new $t))
  (core func $below-new (canon lower (func $below-new)))
  (core func $below-get (canon lower (func $below-get)))
  (core module $m
    (import "i" "new" (func $new (param i32) (result i32)))
    (import "i" "below-new" (func $below-new (result i32)))
    (import "i" "below-get" (func $below-get (param i32 i32) (result i32)))
    (memory 1)
    (func (export "new") (result i32)
      (i32.store (i32.const 128) (call $below-new))
      (call $new (i32.const 128)))
    (func (export "get") (param i32 i32) (result i32)
      (call $below-get (i32.load (local.get 0)) (local.get 1))))
  (core instance $m (instantiate $m (with "i" (instance (export "new" (func $new))
    (export "below-new" (func $below-new)) (export "below-get" (func $below-get))))))
  (export $out "t" (type $t))
  (func (export "[constructor]t") (result (own $out)) (canon lift (core func $m "new")))
  (func (export "[method]t.get") (param "self" (borrow $out)) (param "x" u32) (result u32)
    (canon lift (core func $m "get"))))
"#;
