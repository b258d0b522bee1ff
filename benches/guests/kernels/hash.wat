(module
  (memory 2)
  ;; A hash of 64 KiB, eight bytes a step, as xxHash mixes them.
  (func (export "kernel") (param $seed i32) (result i32)
    (local $at i32) (local $hash i64)
    (local.set $hash (i64.extend_i32_u (local.get $seed)))
    (loop $next
      (i64.store (local.get $at) (i64.xor (local.get $hash) (i64.extend_i32_u (local.get $at))))
      (local.set $hash (i64.mul
        (i64.rotl
          (i64.xor (local.get $hash)
            (i64.mul (i64.load (local.get $at)) (i64.const 0xc2b2ae3d27d4eb4f)))
          (i64.const 31))
        (i64.const 0x9e3779b185ebca87)))
      (local.set $at (i32.add (local.get $at) (i32.const 8)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 65536))))
    (i32.wrap_i64 (i64.xor (local.get $hash) (i64.shr_u (local.get $hash) (i64.const 32))))))
