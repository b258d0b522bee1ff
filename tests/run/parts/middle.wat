;; Takes one component from a file by itself, which its importers need not know of, and leaves a
;; core module to whoever instantiates it.
(component
  (import "./leaf.wasm" (component $Leaf (export "answer" (func (result u32)))))
  (import "addend" (core module $Addend (export "value" (global i32))))
  (component $Sum
    (import "answer" (func $answer (result u32)))
    (import "addend" (core module $Addend (export "value" (global i32))))
    (core func $answer (canon lower (func $answer)))
    (core instance $addend (instantiate $Addend))
    (core module $Main
      (import "leaf" "answer" (func $answer (result i32)))
      (import "addend" "value" (global $addend i32))
      (func (export "sum") (result i32) (i32.add (call $answer) (global.get $addend))))
    (core instance $main (instantiate $Main
      (with "leaf" (instance (export "answer" (func $answer))))
      (with "addend" (instance $addend))))
    (func (export "sum") (result u32) (canon lift (core func $main "sum"))))
  (instance $leaf (instantiate $Leaf))
  (instance $sum (instantiate $Sum
    (with "answer" (func $leaf "answer")) (with "addend" (core module $Addend))))
  (export "sum" (func $sum "sum")))
