;; The interface exists, the function does not.
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u128" (func (result u64)))))
  (core func $random (canon lower (func $random "get-random-u128")))
  (core module $M
    (import "wasi" "random" (func $random (result i64)))
    (func (export "run") (result i32) (i64.eqz (call $random))))
  (core instance $m (instantiate $M
    (with "wasi" (instance (export "random" (func $random))))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $i (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $i)))
