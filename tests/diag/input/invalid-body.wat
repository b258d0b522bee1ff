;; The body leaves an i64 where an i32 is needed.
(component
  (core module $M
    (func $sum (export "sum") (param i32) (result i32)
      (i64.const 1))))
