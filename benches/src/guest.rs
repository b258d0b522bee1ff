//! Components that time themselves: a child that runs a loop, keeps the best of many repetitions and
//! prints `CASE CALLS BEST_NS CHECKSUM`.

/// A memory and an allocator that only moves on, until it is reset.
pub const LIBC: &str = r#"
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

/// The canonical options that name the two.
pub const OPTIONS: &str =
    r#" (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))"#;

/// What a self-timing component imports of the host, in a component of that name.
pub fn wasi_imports(scope: &str) -> String {
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

/// The child's instance, the last of a composition, with these arguments beyond the host's.
pub fn instantiate_child(args: &str) -> String {
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

/// The component that times a loop.
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// Imports of the component, its core instance `$libc`, and the core functions that it needs.
    pub lower: &'a str,
    /// The core module's imports from `i`.
    pub imports: &'a str,
    /// What there is to import from `i`.
    pub exports: &'a str,
    /// What comes before the loop.
    pub before: &'a str,
    /// The body of the loop with `$i`: leaves an `i32` for the checksum.
    pub call: &'a str,
    /// What comes behind the loop.
    pub after: &'a str,
    /// How often the loop runs.
    pub calls: u32,
    /// How often the loop is repeated; the best counts.
    pub repetitions: u32,
    /// The name that is printed.
    pub title: &'a str,
}

impl Child<'_> {
    /// Its text.
    pub fn text(&self) -> String {
        let Child { lower, imports, exports, before, call, after, calls, title, .. } = self;
        let repetitions = self.repetitions;
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
        (br_if $again (i32.lt_u (local.get $round) (i32.const {repetitions}))))
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
}
