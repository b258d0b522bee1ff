//! Self-timing chains of components: a child calls through any number of
//! virtualizers to a component that does the work.
//!
//! The guests are generated, so that every engine runs the same text and any
//! depth can be had. Each virtualizer has a memory and an allocator of its own and
//! passes its arguments on, as a real one would. The child times a loop with
//! `wasi:clocks`, keeps the best of many repetitions and prints
//! `CASE CALLS BEST_NS CHECKSUM`.

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
        call: "(i32.store8 (i32.const 131072) (local.get $i))
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
        ty: r#"(param "v" $v) (result u32)"#,
        params: "(param i32 i64)",
        param_count: 2,
        result_area: false,
        memory: false,
        real: "(i32.add (local.get 0) (i32.wrap_i64 (local.get 1)))",
        call: "(call $f (i32.rem_u (local.get $i) (i32.const 10)) (i64.extend_i32_u (i32.and (local.get $i) (i32.const 255))))",
        calls: 20_000,
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

const RECORD_CALL: &str = "
    (call $f (local.get $i) (i32.const 1) (local.get $i) (i32.const 3) (i32.const 4)
             (local.get $i) (i32.const 6) (i32.const 7) (local.get $i) (i32.const 9) (i32.const 3072))
    (i32.add (i32.load (i32.const 3072)) (i32.load (i32.const 3108)))";

/// Types that the signatures name. A variant in an exported function must have a name that is
/// exported or imported; see `IMPORT_VARIANT`.
const TYPES: &str = r#"
    (type $r (tuple u32 u32 u32 u32 u32 u32 u32 u32 u32 u32))
    (type $p (tuple u32 u32 u64 f64))
    (type $v0 (variant (case "a" u8) (case "b" u16) (case "c" u32) (case "d" u64) (case "e" s8)
                      (case "f" s16) (case "g" s32) (case "h" s64) (case "i" u32) (case "j" u64)))
"#;

/// How all but the real component get the variant's name.
const IMPORT_VARIANT: &str = r#" (import "v" (type $v (eq $v0)))"#;

/// A memory and an allocator that only moves on, until it is reset.
const LIBC: &str = r#"
  (core module $libc
    (memory (export "memory") 8)
    (global $next (mut i32) (i32.const 262144))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get 2))))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $next) (i32.const 524288)) (then unreachable))
      (local.get $at))
    (func (export "reset") (global.set $next (i32.const 262144))))
  (core instance $libc (instantiate $libc))
"#;

const OPTIONS: &str =
    r#" (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;

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
        child(&lower, &imports, r#"(export "f" (func $f))"#, "", call, "", calls, title)
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
    text += &child(
        &lower,
        r#"(import "i" "new" (func $new (result i32)))
    (import "i" "get" (func $get (param i32 i32) (result i32)))
    (import "i" "drop" (func $drop (param i32)))"#,
        r#"(export "new" (func $new)) (export "get" (func $get)) (export "drop" (func $drop))"#,
        "(local.set $h (call $new))",
        "(call $get (local.get $h) (local.get $i))",
        "(call $drop (local.get $h))",
        10_000 / (1 + depth),
        &format!("resmethod-d{depth}"),
    );
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

fn wasi_imports(scope: &str) -> String {
    format!(
        r#"
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer ${scope} $error (type $error0))
    (export "error" (type $error (eq $error0)))
    (type $stream-error0 (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error0)))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $stream))
      (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer ${scope} $stream (type $stream0))
    (export "output-stream" (type $stream (eq $stream0)))
    (export "get-stdout" (func (result (own $stream))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "now" (func (result u64)))))
"#
    )
}

fn instantiate_child(args: &str) -> String {
    format!(
        r#"  (instance $c (instantiate $child
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "wasi:clocks/monotonic-clock@0.2.0" (instance $clock))
    {args}))
  (instance $run (export "run" (func $c "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
"#
    )
}

/// Writes a number and a space to memory; where the text ends.
const DECIMAL: &str = r#"
    (func $decimal (param $value i64) (param $to i32) (result i32)
      (local $at i32)
      (local.set $at (i32.const 576))
      (loop $digit
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at)
          (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
        (local.set $value (i64.div_u (local.get $value) (i64.const 10)))
        (br_if $digit (i64.ne (local.get $value) (i64.const 0))))
      (memory.copy (local.get $to) (local.get $at) (i32.sub (i32.const 576) (local.get $at)))
      (local.set $to (i32.add (local.get $to) (i32.sub (i32.const 576) (local.get $at))))
      (i32.store8 (local.get $to) (i32.const 32))
      (i32.add (local.get $to) (i32.const 1)))"#;

/// How often the child repeats its loop; it reports the best.
pub const REPETITIONS: u32 = 301;

#[expect(clippy::too_many_arguments, reason = "a template with eight holes")]
fn child(
    lower: &str,
    imports: &str,
    exports: &str,
    before: &str,
    call: &str,
    after: &str,
    calls: u32,
    title: &str,
) -> String {
    let wasi = wasi_imports("child");
    let title_bytes = title.len() + 1;
    format!(
        r#"
(component $child {wasi} {lower}
  (core func $now (canon lower (func $clock "now")))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $libc "memory"))))
  (core module $m
    (import "libc" "memory" (memory 8))
    (import "libc" "reset" (func $reset))
    (import "h" "now" (func $now (result i64)))
    (import "h" "stdout" (func $stdout (result i32)))
    (import "h" "write" (func $write (param i32 i32 i32 i32)))
    {imports}
    (func $body (result i64)
      (local $i i32) (local $sum i64) (local $h i32)
      {before}
      (loop $again
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (block (result i32) {call}))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const {calls}))))
      {after}
      (local.get $sum))
{DECIMAL}
    (func (export "run") (result i32)
      (local $round i32) (local $start i64) (local $best i64) (local $sum i64) (local $to i32)
      (local.set $best (i64.const -1))
      (memory.fill (i32.const 4096) (i32.const 97) (i32.const 4096))
      (loop $again
        (local.set $start (call $now))
        (local.set $sum (call $body))
        (local.set $start (i64.sub (call $now) (local.get $start)))
        (if (i64.lt_u (local.get $start) (local.get $best)) (then (local.set $best (local.get $start))))
        (local.set $round (i32.add (local.get $round) (i32.const 1)))
        (br_if $again (i32.lt_u (local.get $round) (i32.const {REPETITIONS}))))
      (local.set $to (call $decimal (i64.const {calls}) (i32.const {numbers})))
      (local.set $to (call $decimal (local.get $best) (local.get $to)))
      (local.set $to (call $decimal (local.get $sum) (local.get $to)))
      (i32.store8 (i32.sub (local.get $to) (i32.const 1)) (i32.const 10))
      (call $write (call $stdout) (i32.const 1024) (i32.sub (local.get $to) (i32.const 1024)) (i32.const 2048))
      (i32.load8_u (i32.const 2048)))
    (data (i32.const 1024) "{title} "))
  (core instance $m (instantiate $m (with "libc" (instance $libc))
    (with "h" (instance (export "now" (func $now)) (export "stdout" (func $get-stdout)) (export "write" (func $write))))
    (with "i" (instance {exports}))))
  (func (export "run") (result (result)) (canon lift (core func $m "run"))))
"#,
        numbers = 1024 + title_bytes,
    )
}
