;; invoke: echo("hello, \u{77}\u{f6}rld")
;; stdout: "hello, wörld"
;; invoke: pairs([("a", 1), ("bcd", 7)])
;; stdout: [("a", 1), ("bcd", 7)]
;; invoke: my:math/ops@1.0.0#add(1, 41)
;; stdout: 42
;; invoke: add(2, 3)
;; stdout: 5
;; invoke: copy({left: some(-1), right: err("no")})
;; stdout: {left: some(-1), right: err("no")}
;; invoke: nothing
;; invoke: trap()
;; exit: 134
;; invoke: missing()
;; exit: 1
;; invoke: echo(1)
;; exit: 1
;; invoke: take(1)
;; exit: 1
(component
  (core module $m
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1000))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at))
    (func (export "echo") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    ;; Stores the flat values of a record where its parts lie.
    (func (export "copy") (param i32 i32 i32 i64 i32) (result i32)
      (i32.store8 (i32.const 32) (local.get 0))
      (i32.store8 (i32.const 33) (local.get 1))
      (i32.store8 (i32.const 40) (local.get 2))
      (i64.store (i32.const 48) (local.get 3))
      (if (local.get 2) (then (i32.store (i32.const 52) (local.get 4))))
      (i32.const 32))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "take") (param i32))
    (func (export "nothing"))
    (func (export "trap") unreachable))
  (core instance $m (instantiate $m))
  (func (export "echo") (param "s" string) (result string)
    (canon lift (core func $m "echo") (memory $m "memory") (realloc (func $m "realloc"))))
  (func (export "pairs") (param "s" (list (tuple string u32))) (result (list (tuple string u32)))
    (canon lift (core func $m "echo") (memory $m "memory") (realloc (func $m "realloc"))))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $m "add")))
  (instance $ops (export "add" (func $add)))
  (export "my:math/ops@1.0.0" (instance $ops))
  (type $pair' (record (field "left" (option s8)) (field "right" (result u64 (error string)))))
  (export $pair "pair" (type $pair'))
  (func (export "copy") (param "p" $pair) (result $pair)
    (canon lift (core func $m "copy") (memory $m "memory") (realloc (func $m "realloc"))))
  (type $r' (resource (rep i32)))
  (export $r "r" (type $r'))
  (func (export "take") (param "r" (own $r)) (canon lift (core func $m "take")))
  (func (export "nothing") (canon lift (core func $m "nothing")))
  (func (export "trap") (canon lift (core func $m "trap"))))
