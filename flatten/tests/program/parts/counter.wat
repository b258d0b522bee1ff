;; Two interfaces over one state: whoever imports both must get one instance.
(component $counter
  (core module $m
    (global $count (mut i32) (i32.const 0))
    (func (export "add") (global.set $count (i32.add (global.get $count) (i32.const 1))))
    (func (export "get") (result i32) global.get $count))
  (core instance $i (instantiate $m))
  (func $add (canon lift (core func $i "add")))
  (func $get (result u32) (canon lift (core func $i "get")))
  (instance $up (export "add" (func $add)))
  (instance $read (export "get" (func $get)))
  (export "lab:count/up@1.2.0" (instance $up))
  (export "lab:count/read@1.2.0" (instance $read))
)
