;; Memories larger than the kernel maps from the file: start-up maps the rest, and what the file
;; holds beyond stays.
;; exit: 0
(component
  (core module $M
    (memory $m 6000)
    (memory $n 5000)
    (data (memory $m) (i32.const 390000000) "\2a")
    ;; The table changes, so the compiler does not know that what it calls does nothing, and leaves
    ;; the accesses before and after in place.
    (table $table 1 funcref)
    (elem declare func $nothing)
    (func $nothing)
    (func $forget (call_indirect (i32.const 0)))
    (func $check (param i32) (if (i32.eqz (local.get 0)) (then unreachable)))
    (func (export "run") (result i32)
      (table.set (i32.const 0) (ref.func $nothing))
      (call $check (i32.eq (i32.load8_u $m (i32.const 390000000)) (i32.const 42)))
      (i32.store $m (i32.const 393215996) (i32.const 7))
      (call $forget)
      (call $check (i32.eq (i32.load $m (i32.const 393215996)) (i32.const 7)))
      (i32.store $n (i32.const 300000000) (i32.const 9))
      (call $forget)
      (call $check (i32.eq (i32.load $n (i32.const 300000000)) (i32.const 9)))
      (call $check (i32.eq (memory.grow $n (i32.const 1)) (i32.const 5000)))
      (i32.store $n (i32.const 327680000) (i32.const 5))
      (call $forget)
      (call $check (i32.eqz (i32.load $n (i32.const 327680004))))
      (call $forget)
      (i32.const 0)))
  (core instance $m (instantiate $M))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $i (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $i)))
