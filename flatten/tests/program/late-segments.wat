;; library
;; Segments that cannot be first contents. The start function of $Early can call through the table
;; that $Late fills, and reads the memory that $Late fills; $Beyond writes beyond the end. The
;; memory and the table of $Late itself are filled from the first.
(component $root
  (core module $Early
    (type $t (func (result i32)))
    (table (export "table") 4 funcref)
    (memory (export "memory") 1)
    (data (i32.const 0) "first")
    (elem (i32.const 0) $one)
    (func $one (result i32) i32.const 1)
    (func $start
      (drop (call_indirect (type $t) (i32.const 0)))
      (drop (i32.load (i32.const 8))))
    (start $start)
  )
  (core module $Late
    (import "" "table" (table 4 funcref))
    (import "" "memory" (memory 1))
    (memory $own 1)
    (data (i32.const 8) "late")
    (data (memory $own) (i32.const 8) "own")
    (elem (i32.const 0) func $two)
    (func $two (result i32) (i32.load $own (i32.const 8)))
  )
  (core module $Beyond
    (import "" "memory" (memory 1))
    (memory $own 1)
    (data (memory $own) (i32.const 65534) "abc")
    (data (memory $own) (i32.const 0) "later, so not early either")
    (func (export "run") (result i32) (i32.load $own (i32.const 8)))
  )
  (core instance $early (instantiate $Early))
  (core instance $late (instantiate $Late (with "" (instance $early))))
  (core instance $beyond (instantiate $Beyond (with "" (instance $early))))
  (func (export "run") (result u32) (canon lift (core func $beyond "run")))
)
