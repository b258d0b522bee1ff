;; Doubles what it imports.
(component $wrapper
  (import "below" (instance $below (export "get" (func (result u32)))))
  (core func $get (canon lower (func $below "get")))
  (core module $m
    (import "" "get" (func $get (result i32)))
    (func (export "get") (result i32) (i32.mul (call $get) (i32.const 2))))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func (export "get") (result u32) (canon lift (core func $i "get")))
)
