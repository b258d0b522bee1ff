;; What an export returns is copied before `post-return` may destroy it.

(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\05\00\00\00")
    (data (i32.const 16) "hello")
    (func (export "text") (result i32) (i32.const 0))
    (func (export "wipe") (param i32)
      (memory.fill (i32.const 0) (i32.const 0x58) (i32.const 64))))
  (core instance $m (instantiate $m))
  (func (export "text") (result string)
    (canon lift (core func $m "text") (memory $m "memory") (post-return (func $m "wipe")))))

(assert_return (invoke "text") (str.const "hello"))
;; The first call has wiped the pointer too.
(assert_trap (invoke "text") "out of bounds")

(component
  (core module $m
    (memory (export "memory") 1)
    (data (i32.const 24) "\01\00\00\00\02\00\00\00")
    (data (i32.const 32) "\18\00\00\00\02\00\00\00")
    (func (export "numbers") (result i32) (i32.const 32))
    (func (export "wipe") (param i32)
      (memory.fill (i32.const 24) (i32.const 0x58) (i32.const 8))))
  (core instance $m (instantiate $m))
  (func (export "numbers") (result (list u32))
    (canon lift (core func $m "numbers") (memory $m "memory") (post-return (func $m "wipe")))))

(assert_return (invoke "numbers") (list.const (u32.const 1) (u32.const 2)))
(assert_return (invoke "numbers") (list.const (u32.const 0x58585858) (u32.const 0x58585858)))
