;; library
;; with lab:count/up@1.2.0=parts/counter.wat
;; with lab:count/read@1.2.0=parts/counter.wat
;; Both imports are of one instance of the file's component.
(component $root
  (import "lab:count/up@1.2.0" (instance $up (export "add" (func))))
  (import "lab:count/read@1.2.0" (instance $read (export "get" (func (result u32)))))
  (core func $add (canon lower (func $up "add")))
  (core func $get (canon lower (func $read "get")))
  (core module $m
    (import "" "add" (func $add))
    (import "" "get" (func $get (result i32)))
    (func (export "run") (result i32) call $add call $get))
  (core instance $i (instantiate $m (with "" (instance
    (export "add" (func $add)) (export "get" (func $get))))))
  (func (export "run") (result u32) (canon lift (core func $i "run")))
)
