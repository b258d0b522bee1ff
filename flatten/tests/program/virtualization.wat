;; library
;; Two children over two virtualizers over one store: each virtualizer shifts every address into a
;; window of its own. The window's place comes from a core module, and is a constant.
(component $graph
  (component $Store
    (core module $m
      (memory (export "memory") 1)
      (func (export "get") (param i32) (result i32) local.get 0 i32.load8_u)
      (func (export "set") (param i32 i32) local.get 0 local.get 1 i32.store8)
    )
    (core instance $i (instantiate $m))
    (func (export "get") (param "at" u32) (result u32) (canon lift (core func $i "get")))
    (func (export "set") (param "at" u32) (param "to" u32) (canon lift (core func $i "set")))
  )
  (component $Window
    (import "below" (instance $below
      (export "get" (func (param "at" u32) (result u32)))
      (export "set" (func (param "at" u32) (param "to" u32)))
    ))
    (import "place" (core module $Place (export "start" (global i32))))
    (core func $get (canon lower (func $below "get")))
    (core func $set (canon lower (func $below "set")))
    (core module $m
      (import "below" "get" (func $get (param i32) (result i32)))
      (import "below" "set" (func $set (param i32 i32)))
      (import "place" "start" (global $start i32))
      (global $calls (mut i32) (i32.const 0))
      (func $count (global.set $calls (i32.add (global.get $calls) (i32.const 1))))
      (func (export "get") (param i32) (result i32)
        call $count
        (call $get (i32.add (local.get 0) (global.get $start))))
      (func (export "set") (param i32 i32)
        call $count
        (call $set (i32.add (local.get 0) (global.get $start)) (local.get 1)))
      (func (export "calls") (result i32) global.get $calls)
    )
    (core instance $place (instantiate $Place))
    (core instance $i (instantiate $m
      (with "below" (instance (export "get" (func $get)) (export "set" (func $set))))
      (with "place" (instance $place))
    ))
    (func (export "get") (param "at" u32) (result u32) (canon lift (core func $i "get")))
    (func (export "set") (param "at" u32) (param "to" u32) (canon lift (core func $i "set")))
    (func (export "calls") (result u32) (canon lift (core func $i "calls")))
  )
  (component $Child
    (import "store" (instance $store
      (export "get" (func (param "at" u32) (result u32)))
      (export "set" (func (param "at" u32) (param "to" u32)))
    ))
    (core func $get (canon lower (func $store "get")))
    (core func $set (canon lower (func $store "set")))
    (core module $m
      (import "store" "get" (func $get (param i32) (result i32)))
      (import "store" "set" (func $set (param i32 i32)))
      (func (export "run") (param i32) (result i32)
        (call $set (i32.const 10) (local.get 0))
        (i32.mul (call $get (i32.const 10)) (i32.const 2)))
      (func $unused (export "unused") (result i32) (call $get (i32.const 0)))
    )
    (core instance $i (instantiate $m
      (with "store" (instance (export "get" (func $get)) (export "set" (func $set))))
    ))
    (func (export "run") (param "value" u32) (result u32) (canon lift (core func $i "run")))
  )
  (core module $At256 (global (export "start") i32 (i32.const 256)))
  (core module $At512 (global (export "start") i32 (i32.const 512)))
  (instance $store (instantiate $Store))
  (instance $window-a (instantiate $Window
    (with "below" (instance $store)) (with "place" (core module $At256))))
  (instance $window-b (instantiate $Window
    (with "below" (instance $store)) (with "place" (core module $At512))))
  (instance $child-a (instantiate $Child (with "store" (instance $window-a))))
  (instance $child-b (instantiate $Child (with "store" (instance $window-b))))
  (func (export "run-a") (alias export $child-a "run"))
  (func (export "run-b") (alias export $child-b "run"))
  (func (export "calls-a") (alias export $window-a "calls"))
  (func (export "get") (alias export $store "get"))
)
