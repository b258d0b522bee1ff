;; A sum that outlives a call behind its loop and is then an argument is copied where it leaves the
;; loop; one that no call separates from its use is not. Loaded numbers become long as they are loaded.
(component
  (core module $Main
    (memory 1)
    (table funcref (elem $sum $sum-at-once))
    (func $tell (param $sum i64)
      (call_indirect (param i64) (local.get $sum) (i32.load (i32.const 8))))
    (func $sum (param $end i32)
      (local $i i32) (local $sum i64)
      (loop $again
        (local.set $sum (i64.add (local.get $sum)
          (i64.extend_i32_u (i32.load offset=16 (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $again (i32.lt_u (local.get $i) (local.get $end))))
      (call $tell (i64.const 1))
      (call $tell (local.get $sum)))
    (func $sum-at-once (param $end i32)
      (local $i i32) (local $sum i64)
      (loop $again
        (local.set $sum (i64.add (local.get $sum) (i64.load offset=16 (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        (br_if $again (i32.lt_u (local.get $i) (local.get $end))))
      (call $tell (local.get $sum)))
    (func (export "run") (result i32)
      (call_indirect (param i32) (i32.const 8) (i32.load (i32.const 4)))
      (i32.const 0)))
  (core instance $main (instantiate $Main))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $program (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $program)))
