;; Passes structs to a native import and a result back: cli/tests/suite/library.rs.
(component
  (import "my:host/convert" (instance $convert
    (type $point' (record (field "x" s32) (field "y" s32)))
    (export "point" (type $point (eq $point')))
    (export "describe" (func (param "p" $point) (param "name" (option string))
      (param "list" (list u16)) (result (result string (error u32)))))))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (core func $describe (canon lower (func $convert "describe") (memory $memory) (realloc $realloc)))
  (core module $m
    (import "" "memory" (memory 1))
    (import "" "describe" (func $describe (param i32 i32 i32 i32 i32 i32 i32 i32)))
    (data (i32.const 16) "name\01\00\02\00\03\00")
    (func (export "run") (param i32) (result i32)
      (call $describe (i32.const 3) (i32.const -4) (local.get 0) (i32.const 16) (i32.const 4)
        (i32.const 20) (i32.const 3) (i32.const 64))
      (i32.const 64)))
  (core instance $m (instantiate $m (with "" (instance
    (export "memory" (memory $memory)) (export "describe" (func $describe))))))
  (func (export "run") (param "named" bool) (result (result string (error u32)))
    (canon lift (core func $m "run") (memory $memory))))
