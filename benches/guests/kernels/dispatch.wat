(module
  (memory 2)
  ;; An interpreter: a loop over small instructions, each chosen by a table of branches.
  (data (i32.const 0) "\00\01\02\03\00\04\01\02\00\03\04\04\01\00\02\05")
  (func (export "kernel") (param $seed i32) (result i32)
    (local $at i32) (local $a i32) (local $b i32) (local $steps i32)
    (local.set $a (local.get $seed))
    (loop $next
      (block $done
        (block $5 (block $4 (block $3 (block $2 (block $1 (block $0
          (br_table $0 $1 $2 $3 $4 $5 (i32.load8_u (local.get $at))))
          (local.set $a (i32.add (local.get $a) (i32.const 7))) (br $done))
          (local.set $b (i32.xor (local.get $b) (local.get $a))) (br $done))
          (local.set $a (i32.mul (local.get $a) (i32.const 31))) (br $done))
          (local.set $b (i32.rotl (local.get $b) (i32.const 5))) (br $done))
          (i32.store offset=256 (i32.and (local.get $a) (i32.const 0xfffc)) (local.get $b)) (br $done))
        (local.set $a (i32.add (local.get $a) (i32.load offset=256 (i32.and (local.get $b) (i32.const 0xffc)))))
      )
      (local.set $at (i32.and (i32.add (local.get $at) (i32.const 1)) (i32.const 15)))
      (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $steps) (i32.const 50000))))
    (i32.xor (local.get $a) (local.get $b))))
