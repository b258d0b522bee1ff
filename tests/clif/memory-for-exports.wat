;; Native code can call the export after the start function: what that has stored must be there.
(component
  (core module $Main
    (memory 1)
    (func $prepare (i32.store (i32.const 16) (i32.const 3)))
    (func (export "look") (result i32) (i32.load (i32.const 16)))
    (start $prepare))
  (core instance $main (instantiate $Main))
  (func (export "look") (result u32) (canon lift (core func $main "look"))))
