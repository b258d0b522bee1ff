(module
  (memory 4)
  ;; The product of two matrices of 64 by 64 floats.
  (func (export "kernel") (param $seed i32) (result i32)
    (local $row i32) (local $column i32) (local $at i32) (local $sum f64)
    (loop $fill
      (f64.store (i32.mul (local.get $at) (i32.const 8))
        (f64.convert_i32_u (i32.and (i32.add (local.get $at) (local.get $seed)) (i32.const 1023))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $at) (i32.const 8192))))
    (loop $rows
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $sum (f64.const 0))
        (local.set $at (i32.const 0))
        (loop $inner
          (local.set $sum (f64.add (local.get $sum) (f64.mul
            (f64.load (i32.shl (i32.add (i32.shl (local.get $row) (i32.const 6)) (local.get $at)) (i32.const 3)))
            (f64.load offset=32768 (i32.shl (i32.add (i32.shl (local.get $at) (i32.const 6)) (local.get $column)) (i32.const 3))))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $inner (i32.lt_u (local.get $at) (i32.const 64))))
        (f64.store offset=65536
          (i32.shl (i32.add (i32.shl (local.get $row) (i32.const 6)) (local.get $column)) (i32.const 3))
          (local.get $sum))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br_if $columns (i32.lt_u (local.get $column) (i32.const 64))))
      (local.set $row (i32.add (local.get $row) (i32.const 1)))
      (br_if $rows (i32.lt_u (local.get $row) (i32.const 64))))
    (i32.trunc_f64_u (f64.load (i32.const 66056)))))
