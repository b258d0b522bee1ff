;; A trap ends an action and nothing else: state stays, and the script goes on.

(module
  (memory 1)
  (global $count (mut i32) (i32.const 0))
  (func $note (global.set $count (i32.add (global.get $count) (i32.const 1))))
  (func (export "count") (result i32) (global.get $count))
  (func (export "unreachable") (call $note) (unreachable))
  (func (export "divide") (param i32 i32) (result i32)
    (call $note)
    (i32.div_s (local.get 0) (local.get 1)))
  (func (export "load") (param i32) (result i32) (call $note) (i32.load (local.get 0)))
  (func (export "store") (param i32) (call $note) (i32.store (local.get 0) (i32.const 7)))
  (func $deep (export "deep") (result i32) (i32.add (call $deep) (i32.const 1)))
  (func $deep_frames (export "deep_frames") (param i64 i64 i64 i64) (result i64)
    (i64.add
      (call $deep_frames
        (i64.add (local.get 1) (i64.const 1)) (local.get 2) (local.get 3) (local.get 0))
      (i64.mul (local.get 0) (i64.add (local.get 1) (i64.add (local.get 2) (local.get 3)))))))

(assert_trap (invoke "unreachable") "unreachable")
(assert_return (invoke "count") (i32.const 1))
(assert_trap (invoke "divide" (i32.const 1) (i32.const 0)) "integer divide by zero")
(assert_trap (invoke "divide" (i32.const 0x80000000) (i32.const -1)) "integer overflow")
(assert_return (invoke "divide" (i32.const 6) (i32.const 3)) (i32.const 2))
(assert_return (invoke "count") (i32.const 4))
(assert_trap (invoke "load" (i32.const 65533)) "out of bounds memory access")
(assert_trap (invoke "load" (i32.const -1)) "out of bounds memory access")
(assert_trap (invoke "store" (i32.const 0x7fffffff)) "out of bounds memory access")
(invoke "store" (i32.const 65532))
(assert_return (invoke "load" (i32.const 65532)) (i32.const 7))
(assert_return (invoke "count") (i32.const 9))

;; Again and again, and each time the whole stack is there.
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_exhaustion (invoke "deep") "call stack exhausted")
(assert_exhaustion (invoke "deep_frames"
  (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)) "call stack exhausted")
(assert_return (invoke "count") (i32.const 9))
