//! What a call of the host costs: the clock, a random number, a byte to `/dev/null`.
//!
//! The guests time themselves as those of the calls do. The floors are the same system functions
//! called from C: the clock through the kernel's shared page, eight random bytes by one system call
//! each, and a byte by `write`.

use crate::calls::{Floors, measure_guest};
use crate::contest::Checksums;
use crate::guest::{Child, LIBC, REPETITIONS, instantiate_child, wasi_imports};
use crate::report::{Row, Table};
use crate::workshop::Workshop;

/// A function of the host and how to call it.
struct Case {
    name: &'static str,
    /// The interface, with its version; `None` is one that every self-timing guest imports.
    interface: Option<&'static str>,
    /// The import of the interface, with `SCOPE` for the component that it stands in.
    import: &'static str,
    /// The core functions.
    lower: &'static str,
    imports: &'static str,
    exports: &'static str,
    before: &'static str,
    call: &'static str,
    after: &'static str,
    calls: u32,
}

const CASES: &[Case] = &[
    Case {
        name: "host-now",
        interface: None,
        import: "",
        lower: r#"(core func $read (canon lower (func $clock "now")))"#,
        imports: r#"(import "i" "read" (func $read (result i64)))"#,
        exports: r#"(export "read" (func $read))"#,
        before: "",
        call: "(i32.wrap_i64 (call $read))",
        after: "",
        calls: 3_000,
    },
    Case {
        name: "host-random",
        interface: Some("wasi:random/random@0.2.0"),
        import: r#"(import "wasi:random/random@0.2.0" (instance $extra
          (export "get-random-u64" (func (result u64)))))"#,
        lower: r#"(core func $random (canon lower (func $extra "get-random-u64")))"#,
        imports: r#"(import "i" "random" (func $random (result i64)))"#,
        exports: r#"(export "random" (func $random))"#,
        before: "",
        call: "(i32.wrap_i64 (call $random))",
        after: "",
        calls: 3_000,
    },
    Case {
        name: "host-write",
        interface: Some("wasi:cli/stderr@0.2.0"),
        import: r#"(import "wasi:cli/stderr@0.2.0" (instance $extra
          (alias outer $SCOPE $stream (type $stream1))
          (export "output-stream" (type $stream2 (eq $stream1)))
          (export "get-stderr" (func (result (own $stream2))))))"#,
        lower: r#"(core func $stderr (canon lower (func $extra "get-stderr")))
          (core func $put (canon lower
            (func $streams "[method]output-stream.blocking-write-and-flush")
            (memory (core memory $libc "memory"))))
          (core func $drop (canon resource.drop $stream))"#,
        imports: r#"(import "i" "stderr" (func $stderr (result i32)))
          (import "i" "put" (func $put (param i32 i32 i32 i32)))
          (import "i" "drop" (func $drop (param i32)))"#,
        exports: r#"(export "stderr" (func $stderr)) (export "put" (func $put))
          (export "drop" (func $drop))"#,
        before: "(local.set $h (call $stderr))",
        call: "(call $put (local.get $h) (i32.const 4096) (i32.const 1) (i32.const 3072))
               (i32.load8_u (i32.const 3072))",
        after: "(call $drop (local.get $h))",
        calls: 300,
    },
];

impl Case {
    fn component(&self) -> String {
        let import_in = |scope: &str| self.import.replace("SCOPE", scope);
        let child = Child {
            lower: &format!("{} {LIBC} {}", import_in("child"), self.lower),
            imports: self.imports,
            exports: self.exports,
            before: self.before,
            call: self.call,
            after: self.after,
            calls: self.calls,
            repetitions: REPETITIONS,
            title: self.name,
        };
        let args = self.interface.map(|name| format!(r#"(with "{name}" (instance $extra))"#));
        format!(
            "(component $root\n{}{}{}{}",
            wasi_imports("root"),
            import_in("root"),
            child.text(),
            instantiate_child(&args.unwrap_or_default())
        )
    }
}

/// Measures all of them.
pub fn run() -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("host")?;
    let floors = Floors::measure(&workshop);
    let mut table = Table::new("host", "ns");
    for case in CASES {
        let input = workshop.write(&format!("{}.wat", case.name), case.component())?;
        let mut row: Row = measure_guest(&workshop, &input, case.name, Checksums::Any)?;
        row.figures.push(floors.figure(case.name, 1.0));
        table.rows.push(row);
    }
    Ok(vec![table])
}
