;; An imported component imports another one by itself, and gets a core module from its importer.
(component
  (import "./parts/middle.wasm" (component $Middle
    (import "addend" (core module (export "value" (global i32))))
    (export "sum" (func (result u32)))))
  (core module $Addend (global (export "value") i32 (i32.const 58)))
  (instance $middle (instantiate $Middle (with "addend" (core module $Addend))))
  (component $Check
    (import "sum" (func $sum (result u32)))
    (core func $sum (canon lower (func $sum)))
    (core module $Main
      (import "middle" "sum" (func $sum (result i32)))
      (func (export "run") (result i32) (i32.ne (call $sum) (i32.const 100))))
    (core instance $main (instantiate $Main
      (with "middle" (instance (export "sum" (func $sum))))))
    (func (export "run") (result (result)) (canon lift (core func $main "run"))))
  (instance $check (instantiate $Check (with "sum" (func $middle "sum"))))
  (instance $run (export "run" (func $check "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
