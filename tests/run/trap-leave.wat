;; A `realloc` must not call out of its component instance.
;; exit: 134
;; stderr: trap: cannot leave component instance in component `callee`, function `callee=>other::f`
(component
  (component $Other (core module $Code (func (export "f"))) (core instance $code (instantiate $Code))
    (func (export "f") (canon lift (core func $code "f"))))
  (instance $other (instantiate $Other))
  (component $Callee
    (import "other" (func $other))
    (core func $other' (canon lower (func $other)))
    (core module $Code
      (import "" "other" (func $other))
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $other) (i32.const 64))
      (func (export "f") (param i32 i32) (call $other)))
    (core instance $code (instantiate $Code
      (with "" (instance (export "other" (func $other'))))))
    (func (export "f") (param "v" (list u8)) (canon lift (core func $code "f")
      (memory (core memory $code "memory")) (realloc (core func $code "realloc")))))
  (instance $callee (instantiate $Callee (with "other" (func $other "f"))))

  (component $Caller
    (import "f" (func $f (param "v" (list u8))))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $f' (canon lower (func $f) (memory (core memory $memory "memory"))))
    (core module $Code
      (import "callee" "f" (func $f (param i32 i32)))
      (func (export "run") (result i32)
        (call $f (i32.const 0) (i32.const 4))
        (i32.const 0)))
    (core instance $code (instantiate $Code
      (with "callee" (instance (export "f" (func $f'))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $caller (instantiate $Caller (with "f" (func $callee "f"))))
  (instance $wasi-run (export "run" (func $caller "run")))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
