;; The function exists, with another type.
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u64" (func (param "bits" u32) (result u64)))))
  (core func $random (canon lower (func $random "get-random-u64")))
  (core module $M
    (import "wasi" "random" (func $random (param i32) (result i64)))
    (func (export "run") (result i32) (i64.eqz (call $random (i32.const 64)))))
  (core instance $m (instantiate $M
    (with "wasi" (instance (export "random" (func $random))))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $i (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $i)))
