;; Exports a function and a resource for its importers.
(component
  (core module $M (func (export "answer") (result i32) (i32.const 42)))
  (core instance $m (instantiate $M))
  (type $Thing (resource (rep i32)))
  (export "thing" (type $Thing))
  (func (export "answer") (result u32) (canon lift (core func $m "answer"))))
