;; Products of 64-bit lanes: the first by their lower halves, the second in full, because one
;; factor's upper halves need not be zero.
(component
  (core module $Main
    (memory 1)
    (table funcref (elem $narrow $wide))
    (func $narrow (param $x i32)
      (v128.store (local.get $x)
        (i64x2.mul
          (v128.and
            (i64x2.shl (v128.load (local.get $x)) (i32.const 1))
            (v128.const i64x2 0x1fffffffe 0x1fffffffe))
          (v128.and
            (v128.load offset=16 (local.get $x))
            (v128.const i64x2 0xffffffff 0xffffffff)))))
    (func $wide (param $x i32)
      (v128.store (local.get $x)
        (i64x2.mul
          (v128.and
            (v128.load (local.get $x))
            (v128.const i64x2 0x1ffffffff 0xffffffff))
          (v128.and
            (v128.load offset=16 (local.get $x))
            (v128.const i64x2 0xffffffff 0xffffffff)))))
    (func (export "run") (result i32)
      (call_indirect (param i32) (i32.const 8) (i32.load (i32.const 4)))
      (i32.const 0)))
  (core instance $main (instantiate $Main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $program (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $program)))
