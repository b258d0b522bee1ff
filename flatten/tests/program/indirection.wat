;; library
;; The shape that wit-component gives to a lowered import that needs the caller's memory: calls go
;; through a table that another module fills last. Seen through, they are direct calls.
(component $root
  (component $Log
    (core module $m
      (memory (export "memory") 1)
      (global $free (mut i32) (i32.const 1024))
      (func (export "realloc") (param i32 i32 i32 i32) (result i32)
        global.get $free
        (global.set $free (i32.add (global.get $free) (local.get 3))))
      (func (export "log") (param i32 i32))
      (func (export "warn") (param i32 i32))
    )
    (core instance $i (instantiate $m))
    (func (export "log") (param "text" string)
      (canon lift (core func $i "log") (memory $i "memory") (realloc (func $i "realloc"))))
    (func (export "warn") (param "text" string)
      (canon lift (core func $i "warn") (memory $i "memory") (realloc (func $i "realloc"))))
  )
  (instance $log (instantiate $Log))
  (core module $Indirect
    (type $t (func (param i32 i32)))
    (table (export "$imports") 2 2 funcref)
    (func (export "0") (param i32 i32)
      local.get 0 local.get 1 i32.const 0 call_indirect (type $t))
    (func (export "1") (param i32 i32)
      local.get 0 local.get 1 i32.const 1 call_indirect (type $t))
  )
  (core module $Main
    (import "log" "log" (func $log (param i32 i32)))
    (import "log" "warn" (func $warn (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "hello")
    (global $started (mut i32) (i32.const 0))
    (func $start (global.set $started (i32.const 1)))
    (start $start)
    (func (export "run") (call $log (i32.const 16) (i32.const 5)))
    (func (export "unused") (call $warn (i32.const 16) (i32.const 5)))
  )
  (core module $Fixup
    (import "" "$imports" (table 2 2 funcref))
    (import "" "0" (func $0 (param i32 i32)))
    (import "" "1" (func $1 (param i32 i32)))
    (elem (i32.const 0) func $0 $1)
  )
  (core instance $indirect (instantiate $Indirect))
  (core instance $main (instantiate $Main (with "log" (instance
    (export "log" (func $indirect "0")) (export "warn" (func $indirect "1"))
  ))))
  (core func $lowered-log (canon lower (func $log "log") (memory $main "memory")))
  (core func $lowered-warn (canon lower (func $log "warn") (memory $main "memory")))
  (core instance $fixup (instantiate $Fixup (with "" (instance
    (export "$imports" (table $indirect "$imports"))
    (export "0" (func $lowered-log)) (export "1" (func $lowered-warn))
  ))))
  (func (export "run") (canon lift (core func $main "run")))
)
