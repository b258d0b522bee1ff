;; What some component scripts import from the host, as an ordinary component: functions that
;; return numbers, a core module, and a resource type that counts how often it was dropped.
(component
  (component $Host
    (core module $Main
      (global $drops (mut i32) (i32.const 0))
      (global $last_drop (mut i32) (i32.const 0))
      (func (export "two") (result i32) (i32.const 2))
      (func (export "three") (result i32) (i32.const 3))
      (func (export "four") (result i32) (i32.const 4))
      (func (export "drop") (param i32)
        (global.set $drops (i32.add (global.get $drops) (i32.const 1)))
        (global.set $last_drop (local.get 0)))
      (func (export "drops") (result i32) (global.get $drops))
      (func (export "last-drop") (result i32) (global.get $last_drop)))
    (core instance $main (instantiate $Main))
    (core module $Simple
      (global (export "g") i32 (i32.const 100))
      (func (export "f") (result i32) (i32.const 101)))

    (type $resource1 (resource (rep i32) (dtor (func $main "drop"))))
    (type $resource2 (resource (rep i32)))
    (core func $new (canon resource.new $resource1))
    (core func $rep (canon resource.rep $resource1))
    (core module $Methods
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "rep" (func $rep (param i32) (result i32)))
      (func (export "constructor") (param i32) (result i32) (call $new (local.get 0)))
      ;; An own handle stays with the host, which never drops it.
      (func (export "assert") (param $handle i32) (param $rep i32)
        (if (i32.ne (call $rep (local.get $handle)) (local.get $rep)) (then (unreachable))))
      ;; A borrowed resource of the own type arrives as its representation.
      (func (export "simple") (param $self i32) (param $rep i32)
        (if (i32.ne (local.get $self) (local.get $rep)) (then (unreachable))))
      (func (export "take") (param $self i32) (param i32)))
    (core instance $methods (instantiate $Methods
      (with "" (instance (export "new" (func $new)) (export "rep" (func $rep))))))

    (export $r1 "resource1" (type $resource1))
    (export "resource2" (type $resource2))
    (export "resource1-again" (type $r1))
    (func (export "[constructor]resource1") (param "r" u32) (result (own $r1))
      (canon lift (core func $methods "constructor")))
    (func (export "[static]resource1.assert") (param "r" (own $r1)) (param "rep" u32)
      (canon lift (core func $methods "assert")))
    (func (export "[static]resource1.drops") (result u32)
      (canon lift (core func $main "drops")))
    (func (export "[static]resource1.last-drop") (result u32)
      (canon lift (core func $main "last-drop")))
    (func (export "[method]resource1.simple") (param "self" (borrow $r1)) (param "rep" u32)
      (canon lift (core func $methods "simple")))
    (func (export "[method]resource1.take-borrow")
      (param "self" (borrow $r1)) (param "b" (borrow $r1))
      (canon lift (core func $methods "take")))
    (func (export "[method]resource1.take-own") (param "self" (borrow $r1)) (param "b" (own $r1))
      (canon lift (core func $methods "take")))

    (func (export "return-two") (result u32) (canon lift (core func $main "two")))
    (func (export "return-three") (result u32) (canon lift (core func $main "three")))
    (func $four (result u32) (canon lift (core func $main "four")))
    (instance $nested (export "return-four" (func $four)))
    (export "nested" (instance $nested))
    (export "simple-module" (core module $Simple)))
  (instance $host (instantiate $Host))
  (export "host" (instance $host))
  (export "host-return-two" (func $host "return-two")))
