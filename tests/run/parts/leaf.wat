;; At the end of a chain of imports.
(component
  (core module $Main (func (export "answer") (result i32) (i32.const 42)))
  (core instance $main (instantiate $Main))
  (func (export "answer") (result u32) (canon lift (core func $main "answer"))))
