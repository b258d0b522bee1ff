;; Instantiation happens in script order, between the assertions around it.

(module $owner
  (memory (export "memory") 1 4)
  (table (export "table") 2 8 funcref)
  (global (export "count") (mut i32) (i32.const 0))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "grow_memory") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32)
    (table.grow (ref.null func) (local.get 0)))
  (func (export "call") (param i32) (result i32)
    (call_indirect (result i32) (local.get 0))))
(register "owner" $owner)

(assert_return (invoke "peek" (i32.const 8)) (i32.const 0))
(module (memory (import "owner" "memory") 1) (data (i32.const 8) "\2a"))
(assert_return (invoke $owner "peek" (i32.const 8)) (i32.const 42))

;; An import's minimum is compared with the current size.
(assert_unlinkable (module (memory (import "owner" "memory") 2)) "incompatible import type")
(assert_unlinkable (module (table (import "owner" "table") 3 funcref)) "incompatible import type")
(assert_return (invoke $owner "grow_memory" (i32.const 1)) (i32.const 1))
(assert_return (invoke $owner "grow_table" (i32.const 1)) (i32.const 2))
(module (memory (import "owner" "memory") 2) (data (i32.const 65536) "\2b"))
(module (table (import "owner" "table") 3 funcref) (elem (i32.const 2) $f)
  (func $f (result i32) (i32.const 5)))
(assert_return (invoke $owner "peek" (i32.const 65536)) (i32.const 43))
(assert_return (invoke $owner "call" (i32.const 2)) (i32.const 5))
(assert_unlinkable (module (memory (import "owner" "memory") 3)) "incompatible import type")
(assert_unlinkable (module (memory (import "owner" "memory") 5)) "incompatible import type")
(assert_unlinkable (module (memory (import "owner" "memory") 1 3)) "incompatible import type")
(assert_unlinkable (module (import "owner" "memory" (func))) "incompatible import type")
(assert_unlinkable (module (import "owner" "nothing" (func))) "unknown import")
(assert_unlinkable (module (import "nobody" "memory" (memory 1))) "unknown import")

;; What an instantiation did before it trapped stays.
(assert_trap
  (module
    (memory (import "owner" "memory") 1)
    (table (import "owner" "table") 1 funcref)
    (elem (i32.const 0) $f)
    (func $f (result i32) (i32.const 6))
    (data (i32.const 9) "\2c")
    (data (i32.const 0x20000) "\2d"))
  "out of bounds memory access")
(assert_return (invoke $owner "peek" (i32.const 9)) (i32.const 44))
(assert_return (invoke $owner "call" (i32.const 0)) (i32.const 6))

;; Start functions run then and there, and may trap.
(module
  (global (import "owner" "count") (mut i32))
  (func $start (global.set 0 (i32.add (global.get 0) (i32.const 1))))
  (start $start))
(assert_return (get $owner "count") (i32.const 1))
(assert_trap
  (module
    (global (import "owner" "count") (mut i32))
    (func $start (global.set 0 (i32.const 10)) (unreachable))
    (start $start))
  "unreachable")
(assert_return (get $owner "count") (i32.const 10))

;; One definition, several instances, each with state of its own.
(module definition $counter
  (global $count (mut i32) (i32.const 100))
  (func (export "next") (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $count)))
(module instance $one $counter)
(module instance $two $counter)
(assert_return (invoke $one "next") (i32.const 101))
(assert_return (invoke $one "next") (i32.const 102))
(assert_return (invoke $two "next") (i32.const 101))
