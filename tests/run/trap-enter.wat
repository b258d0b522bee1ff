;; A component instance does not call into one that it contains.
;; exit: 134
;; stderr: trap: cannot enter component instance in component `trap-enter`, function `trap-enter=>inner::f`
(component
  (component $Inner (core module $Code (func (export "f"))) (core instance $code (instantiate $Code))
    (func (export "f") (canon lift (core func $code "f"))))
  (instance $inner (instantiate $Inner))
  (core func $f (canon lower (func $inner "f")))
  (core module $Code
    (import "inner" "f" (func $f))
    (func (export "run") (result i32) (call $f) (i32.const 0)))
  (core instance $code (instantiate $Code (with "inner" (instance (export "f" (func $f))))))
  (func $run (result (result)) (canon lift (core func $code "run")))
  (instance $wasi-run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
