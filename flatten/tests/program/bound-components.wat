;; library
;; A component of another file, instantiated twice, the second over the first.
(component $root
  (import "./parts/wrapper.wat" (component $Wrapper
    (import "below" (instance $below (export "get" (func (result u32)))))
    (export "get" (func (result u32)))))
  (component $Base
    (core module $m (func (export "get") (result i32) i32.const 21))
    (core instance $i (instantiate $m))
    (func (export "get") (result u32) (canon lift (core func $i "get"))))
  (instance $base (instantiate $Base))
  (instance $inner (instantiate $Wrapper (with "below" (instance $base))))
  (instance $outer (instantiate $Wrapper (with "below" (instance $inner))))
  (func (export "get") (alias export $outer "get"))
)
