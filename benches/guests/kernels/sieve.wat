(module
  (memory 1)
  ;; The primes below 65,000, found by crossing out multiples.
  (func (export "kernel") (param $seed i32) (result i32)
    (local $at i32) (local $multiple i32) (local $count i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 65000))
    (local.set $at (i32.const 2))
    (loop $next
      (if (i32.eqz (i32.load8_u (local.get $at)))
        (then
          (local.set $count (i32.add (local.get $count) (i32.const 1)))
          (local.set $multiple (i32.mul (local.get $at) (i32.const 2)))
          (block $done
            (loop $cross
              (br_if $done (i32.ge_u (local.get $multiple) (i32.const 65000)))
              (i32.store8 (local.get $multiple) (i32.const 1))
              (local.set $multiple (i32.add (local.get $multiple) (local.get $at)))
              (br $cross)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 65000))))
    (i32.add (local.get $count) (local.get $seed))))
