;; Valid, but asynchronous functions are not implemented.
(component
  (core module $M
    (func (export "run") (result i32) (i32.const 0))
    (func (export "callback") (param i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $m (instantiate $M))
  (func (export "run") async
    (canon lift (core func $m "run") async (callback (func $m "callback")))))
