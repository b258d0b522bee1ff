;; A callee returns without having dropped what it borrowed.
;; exit: 134
;; stderr: trap: borrow handles still remain at the end of the call in component `caller`, function `caller=>user::use`
(component
  (component $Maker
    (type $a (resource (rep i32)))
    (type $b (resource (rep i32)))
    (core func $new-a (canon resource.new $a))
    (core func $new-b (canon resource.new $b))
    (core module $Code
      (import "" "new-a" (func $new-a (param i32) (result i32)))
      (import "" "new-b" (func $new-b (param i32) (result i32)))
      (func (export "make-a") (result i32) (call $new-a (i32.const 1)))
      (func (export "make-b") (result i32) (call $new-b (i32.const 1)))
      (func (export "both") (param i32 i32)))
    (core instance $code (instantiate $Code (with "" (instance
      (export "new-a" (func $new-a)) (export "new-b" (func $new-b))))))
    (export $a' "a" (type $a))
    (export $b' "b" (type $b))
    (func (export "make-a") (result (own $a')) (canon lift (core func $code "make-a")))
    (func (export "make-b") (result (own $b')) (canon lift (core func $code "make-b")))
    (func (export "both") (param "x" (borrow $a')) (param "y" (own $a'))
      (canon lift (core func $code "both"))))
  (instance $maker (instantiate $Maker))

  (component $User
    (import "maker" (instance $maker (export "a" (type $a (sub resource)))))
    (alias export $maker "a" (type $a))
    (core func $drop (canon resource.drop $a))
    (core module $Code
      (import "" "drop" (func $drop (param i32)))
      (func (export "use") (param i32) (nop)))
    (core instance $code (instantiate $Code (with "" (instance (export "drop" (func $drop))))))
    (func (export "use") (param "a" (borrow $a)) (canon lift (core func $code "use"))))
  (instance $user (instantiate $User (with "maker" (instance $maker))))

  (component $Caller
    (import "maker" (instance $maker
      (export "a" (type $a (sub resource)))
      (export "b" (type $b (sub resource)))
      (export "make-a" (func (result (own $a))))
      (export "make-b" (func (result (own $b))))
      (export "both" (func (param "x" (borrow $a)) (param "y" (own $a))))))
    (alias export $maker "a" (type $a))
    (import "user" (instance $user
      (alias outer $Caller $a (type $a'))
      (export "use" (func (param "a" (borrow $a'))))))
    (core func $make-a (canon lower (func $maker "make-a")))
    (core func $make-b (canon lower (func $maker "make-b")))
    (core func $both (canon lower (func $maker "both")))
    (core func $use (canon lower (func $user "use")))
    (core func $drop (canon resource.drop $a))
    (core module $Code
      (import "" "make-a" (func $make-a (result i32)))
      (import "" "make-b" (func $make-b (result i32)))
      (import "" "both" (func $both (param i32 i32)))
      (import "" "use" (func $use (param i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (result i32)
        (call $use (call $make-a))
        (i32.const 0)))
    (core instance $code (instantiate $Code (with "" (instance
      (export "make-a" (func $make-a)) (export "make-b" (func $make-b))
      (export "both" (func $both)) (export "use" (func $use)) (export "drop" (func $drop))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $caller (instantiate $Caller
    (with "maker" (instance $maker)) (with "user" (instance $user))))
  (instance $wasi-run (export "run" (func $caller "run")))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
