;; A child that asks for randomness, through a virtualizer that counts the calls and passes on the
;; lowest bit alone.
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-u64" (func (result u64)))))

  (component $Virtualize
    (import "random" (instance $random (export "get-random-u64" (func (result u64)))))
    (core func $get (canon lower (func $random "get-random-u64")))
    (core module $Main
      (import "below" "get" (func $get (result i64)))
      (memory 1)
      (func $get-bit (export "get") (result i64)
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
        (i64.and (call $get) (i64.const 1))))
    (core instance $main (instantiate $Main
      (with "below" (instance (export "get" (func $get))))))
    (func (export "get-random-u64") (result u64) (canon lift (core func $main "get"))))

  (component $Child
    (import "random" (instance $random (export "get-random-u64" (func (result u64)))))
    (core func $get (canon lower (func $random "get-random-u64")))
    (core module $Main
      (import "random" "get" (func $get (result i64)))
      (func $play (export "run") (result i32) (i64.gt_u (call $get) (i64.const 1))))
    (core instance $main (instantiate $Main
      (with "random" (instance (export "get" (func $get))))))
    (func (export "run") (result (result)) (canon lift (core func $main "run"))))

  (instance $virtual (instantiate $Virtualize (with "random" (instance $random))))
  (instance $child (instantiate $Child (with "random" (instance $virtual))))
  (instance $run (export "run" (func $child "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
