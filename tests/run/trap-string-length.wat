;; A string that reaches beyond the end of the memory.
;; exit: 134
;; stderr: trap: canonical ABI: pointer out of bounds in component `caller`, function `caller=>callee::f`
(component
  (component $Callee
    (core module $Code
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64))
      (func (export "f") (param i32 i32)))
    (core instance $code (instantiate $Code))
    (func (export "f") (param "v" string) (canon lift (core func $code "f")
      (memory (core memory $code "memory")) (realloc (core func $code "realloc")))))
  (instance $callee (instantiate $Callee))

  (component $Caller
    (import "f" (func $f (param "v" string)))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $f' (canon lower (func $f) (memory (core memory $memory "memory"))))
    (core module $Code
      (import "callee" "f" (func $f (param i32 i32)))
      (func (export "run") (result i32)
        (call $f (i32.const 65530) (i32.const 7))
        (i32.const 0)))
    (core instance $code (instantiate $Code
      (with "callee" (instance (export "f" (func $f'))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $caller (instantiate $Caller (with "f" (func $callee "f"))))
  (instance $wasi-run (export "run" (func $caller "run")))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
