;; library
;; $Caller's realloc calls an import, so that its may-leave flag can be observed; $Callee's cannot.
;; $Callee calls back into the root, which called it: both can be entered twice.
(component $root
  (core module $Base (func (export "back")))
  (core instance $base (instantiate $Base))
  (func $back (canon lift (core func $base "back")))
  (component $Callee
    (import "back" (func $back))
    (core func $lowered (canon lower (func $back)))
    (core module $m
      (import "" "back" (func $back))
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 8)
      (func (export "text") (result i32) call $back i32.const 0)
    )
    (core instance $i (instantiate $m (with "" (instance (export "back" (func $lowered))))))
    (func (export "text") (result string)
      (canon lift (core func $i "text") (memory $i "memory") (realloc (func $i "realloc"))))
  )
  (component $Caller
    (import "text" (func $text (result string)))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core module $Alloc
      (table (export "table") 1 funcref)
      (type $t (func))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        (call_indirect (type $t) (i32.const 0))
        i32.const 8)
    )
    (core instance $alloc (instantiate $Alloc))
    (core func $text' (canon lower (func $text)
      (memory $memory "memory") (realloc (func $alloc "realloc"))))
    (core module $m
      (import "" "text" (func $text (param i32)))
      (import "" "table" (table 1 funcref))
      (elem (i32.const 0) func $again)
      (func $again (call $text (i32.const 0)))
      (func (export "run") (call $text (i32.const 0)))
    )
    (core instance $i (instantiate $m (with "" (instance
      (export "text" (func $text')) (export "table" (table $alloc "table"))
    ))))
    (func (export "run") (canon lift (core func $i "run")))
  )
  (instance $callee (instantiate $Callee (with "back" (func $back))))
  (instance $caller (instantiate $Caller (with "text" (func $callee "text"))))
  (core module $Memory (memory (export "memory") 1))
  (core instance $memory (instantiate $Memory))
  (core module $Realloc
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $realloc (instantiate $Realloc))
  (core func $run' (canon lower (func $caller "run")))
  (core func $text (canon lower (func $callee "text")
    (memory $memory "memory") (realloc (func $realloc "realloc"))))
  (core module $m
    (import "" "run" (func $run))
    (import "" "text" (func $text (param i32)))
    (func (export "run") (call $run) (call $text (i32.const 0)))
  )
  (core instance $i (instantiate $m (with "" (instance
    (export "run" (func $run')) (export "text" (func $text))
  ))))
  (func (export "run") (canon lift (core func $i "run")))
)
