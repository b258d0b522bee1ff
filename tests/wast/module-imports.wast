;; A component of a script may import core modules of another one: their types must fit.

(component $source
  (core module (export "plain")
    (func (export "f") (result i32) i32.const 5)
    (table (export "t") 2 8 funcref)
    (memory (export "m") 2 4)
    (global (export "g") i32 (i32.const 9))
    (global (export "v") (mut i64) (i64.const 0)))
  (core module (export "hungry")
    (import "env" "f" (func (param i32)))
    (import "env" "t" (table 2 funcref))
    (import "env" "m" (memory 2 8))
    (import "env" "g" (global i64)))
  (core module (export "typed")
    (type $get (func (result i32)))
    (type $holder (func (param (ref $get)) (result (ref null $get))))
    (func (export "f") (type $holder) local.get 0))
  (core module (export "tagged") (tag (export "t") (param f32)))
)

;; All of it, less of it, larger limits than are asked for.
(component
  (import "source" (instance $source
    (export "plain" (core module $plain
      (export "f" (func (result i32)))
      (export "t" (table 1 8 funcref))
      (export "m" (memory 1 5))
      (export "g" (global i32))
      (export "v" (global (mut i64)))))
    (export "hungry" (core module
      (import "env" "f" (func (param i32)))
      (import "env" "t" (table 3 funcref))
      (import "env" "m" (memory 3 8))
      (import "env" "g" (global i64))
      (import "other" "unused" (func))))
    (export "typed" (core module
      (type $get (func (result i32)))
      (export "f" (func (param (ref $get)) (result (ref null $get))))))
    (export "tagged" (core module (export "t" (tag (param f32)))))
  ))
  (alias export $source "plain" (core module $p))
  (core instance $i (instantiate $p))
  (func (export "five") (result u32) (canon lift (core func $i "f")))
)
(assert_return (invoke "five") (u32.const 5))

;; The type may be an alias of one outside, in an instance inside an instance.
(component $nest
  (core module $m (func (export "f")))
  (instance $inner (export "m" (core module $m)))
  (export "inner" (instance $inner))
)
(component
  (core type $m (module (export "f" (func))))
  (import "nest" (instance $nest
    (export "inner" (instance (export "m" (core module (type $m)))))))
  (alias export $nest "inner" (instance $inner))
  (alias export $inner "m" (core module $module))
  (core instance $i (instantiate $module))
  (func (export "f") (canon lift (core func $i "f")))
)
(assert_return (invoke "f"))
(assert_unlinkable
  (component
    (core type $m (module (export "f" (func (param i32)))))
    (import "nest" (instance
      (export "inner" (instance (export "m" (core module (type $m))))))))
  "another type")

;; Exports that are not there, of another kind, or of another type.
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "absent" (func)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "f" (global i32)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "f" (func (result i64))))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "t" (table 3 funcref)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "t" (table 2 8 externref)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "m" (memory 2 3)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "m" (memory i64 2)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "plain" (core module (export "g" (global (mut i32))))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "typed" (core module
      (type $get (func (result i64)))
      (export "f" (func (param (ref $get)) (result (ref null $get)))))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "tagged" (core module (export "t" (tag (param f64))))))))
  "another type")

;; Imports that the importer does not foresee, or only with less than the module needs.
(assert_unlinkable
  (component (import "source" (instance (export "hungry" (core module)))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "hungry" (core module
      (import "env" "f" (func (param i32)))
      (import "env" "t" (table 1 funcref))
      (import "env" "m" (memory 2 8))
      (import "env" "g" (global i64)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "hungry" (core module
      (import "env" "f" (func (param i32)))
      (import "env" "t" (table 2 funcref))
      (import "env" "m" (memory 2))
      (import "env" "g" (global i64)))))))
  "another type")
(assert_unlinkable
  (component (import "source" (instance
    (export "hungry" (core module
      (import "env" "f" (func))
      (import "env" "t" (table 2 funcref))
      (import "env" "m" (memory 2 8))
      (import "env" "g" (global i64)))))))
  "another type")
