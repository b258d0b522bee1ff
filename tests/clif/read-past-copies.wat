;; A string that a virtualizer passes on, and one that it writes to before: the first is copied from
;; where it came from and is not validated again, the second is.
(component
  (component $Real
    (core module $Main
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
      (func (export "f") (param i32 i32) (result i32) (i32.load8_u (local.get 0))))
    (core instance $m (instantiate $Main))
    (func (export "f") (param "s" string) (result u32)
      (canon lift (core func $m "f") (memory $m "memory") (realloc (func $m "realloc")))))
  (component $Virtualizer
    (import "f" (func $f (param "s" string) (result u32)))
    (core module $Libc
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048)))
    (core instance $libc (instantiate $Libc))
    (core func $f (canon lower (func $f) (memory $libc "memory")))
    (core module $Main
      (import "below" "f" (func $f (param i32 i32) (result i32)))
      (import "libc" "memory" (memory 1))
      (func (export "passed") (param i32 i32) (result i32) (call $f (local.get 0) (local.get 1)))
      (func (export "written") (param i32 i32) (result i32)
        (i32.store8 (local.get 0) (i32.const 90))
        (call $f (local.get 0) (local.get 1))))
    (core instance $m (instantiate $Main (with "libc" (instance $libc))
      (with "below" (instance (export "f" (func $f))))))
    (func (export "passed") (param "s" string) (result u32)
      (canon lift (core func $m "passed") (memory $libc "memory") (realloc (func $libc "realloc"))))
    (func (export "written") (param "s" string) (result u32)
      (canon lift (core func $m "written") (memory $libc "memory") (realloc (func $libc "realloc")))))
  (component $Child
    (import "passed" (func $passed (param "s" string) (result u32)))
    (import "written" (func $written (param "s" string) (result u32)))
    (core module $Libc
      (memory (export "memory") 1)
      (data (i32.const 0) "sixteen letters."))
    (core instance $libc (instantiate $Libc))
    (core func $passed (canon lower (func $passed) (memory $libc "memory")))
    (core func $written (canon lower (func $written) (memory $libc "memory")))
    (core module $Main
      (import "v" "passed" (func $passed (param i32 i32) (result i32)))
      (import "v" "written" (func $written (param i32 i32) (result i32)))
      (func $run (export "run") (result i32)
        (i32.eq (call $passed (i32.const 0) (i32.const 16))
                (call $written (i32.const 0) (i32.const 16)))))
    (core instance $m (instantiate $Main (with "v" (instance
      (export "passed" (func $passed)) (export "written" (func $written))))))
    (func (export "run") (result (result)) (canon lift (core func $m "run"))))
  (instance $real (instantiate $Real))
  (instance $virtual (instantiate $Virtualizer (with "f" (func $real "f"))))
  (instance $child (instantiate $Child
    (with "passed" (func $virtual "passed")) (with "written" (func $virtual "written"))))
  (instance $run (export "run" (func $child "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
