;; Values that loops carry and that outlive calls behind them: whatever way they leave the loop, they
;; are what they were when they left it.
(module
  (memory 1)
  (data (i32.const 0) "\01\00\00\00\02\00\00\00\ff\ff\ff\ff\04\00\00\80")
  (global $told (mut i64) (i64.const 0))
  (table 2 funcref)
  (elem (i32.const 0) $add $subtract)
  (func $add (param i64) (global.set $told (i64.add (global.get $told) (local.get 0))))
  (func $subtract (param i64) (global.set $told (i64.sub (global.get $told) (local.get 0))))
  (func $tell (param $value i64)
    (call_indirect (param i64) (local.get $value) (i32.load (i32.const 1024))))
  (func $tell-short (param $value i32)
    (call $tell (i64.extend_i32_s (local.get $value))))

  ;; The exit is at the end.
  (func (export "sum") (param $end i32) (result i64)
    (local $i i32) (local $sum i64)
    (global.set $told (i64.const 0))
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (i32.load (local.get $i)))))
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (br_if $again (i32.lt_u (local.get $i) (local.get $end))))
    (call $tell (i64.const 1000))
    (call $tell (local.get $sum))
    (call $tell-short (local.get $i))
    (global.get $told))

  ;; The exit is at the header, so what leaves are its parameters.
  (func (export "sum-while") (param $end i32) (result i64)
    (local $i i32) (local $sum i64)
    (global.set $told (i64.const 0))
    (block $done
      (loop $again
        (br_if $done (i32.ge_u (local.get $i) (local.get $end)))
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_s (i32.load (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br $again)))
    (call $tell (i64.const 1000))
    (call $tell (local.get $sum))
    (local.get $sum))

  ;; Two exits meet, one with the value before the sum and one with that behind it; and the way around
  ;; the loop meets them too.
  (func (export "find") (param $wanted i32) (param $end i32) (result i64)
    (local $i i32) (local $sum i32)
    (global.set $told (i64.const 0))
    (block $done
      (br_if $done (i32.eqz (local.get $end)))
      (loop $again
        (br_if $done (i32.eq (i32.load (local.get $i)) (local.get $wanted)))
        (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $i))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $again (i32.lt_u (local.get $i) (local.get $end)))))
    (call $tell (i64.const 1000))
    (call $tell-short (local.get $sum))
    (call $tell-short (local.get $i))
    (global.get $told))

  ;; The exit is the header of a loop around it, and several entries of a table lead there.
  (func (export "nested") (param $rounds i32) (result i64)
    (local $i i32) (local $sum i32) (local $round i32)
    (global.set $told (i64.const 0))
    (loop $outer
      (local.set $i (i32.const 0))
      (block $left
        (loop $again
          (local.set $sum (i32.add (local.get $sum) (local.get $i)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_table $again $again $left $left $left (local.get $i))))
      (call $tell (i64.const 1))
      (call $tell-short (local.get $sum))
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_if $outer (i32.lt_u (local.get $round) (local.get $rounds))))
    (call $tell-short (local.get $i))
    (global.get $told))

  ;; A list whose links are short and whose addresses are long.
  (func (export "follow") (param $at i32) (result i32)
    (local $steps i32)
    (block $done
      (loop $again
        (br_if $done (i32.eqz (local.get $at)))
        (local.set $at (i32.load offset=2048 (local.get $at)))
        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
        (br $again)))
    (call $tell-short (local.get $at))
    (local.get $steps))
  (data (i32.const 2049) "\05\00\00\00\09\00\00\00\00\00\00\00")

  ;; A loaded number serves short and long, with its sign and without.
  (func (export "both") (param $at i32) (result i64)
    (local $x i32)
    (local.set $x (i32.load (local.get $at)))
    (i64.add (i64.add (i64.extend_i32_u (local.get $x)) (i64.extend_i32_s (local.get $x)))
             (i64.extend_i32_u (i32.add (local.get $x) (i32.const 1))))))

(assert_return (invoke "sum" (i32.const 0)) (i64.const 1005))
(assert_return (invoke "sum" (i32.const 16)) (i64.const 6442451966))
(assert_return (invoke "sum-while" (i32.const 0)) (i64.const 0))
(assert_return (invoke "sum-while" (i32.const 16)) (i64.const -2147483642))
(assert_return (invoke "find" (i32.const -1) (i32.const 16)) (i64.const 1011))
(assert_return (invoke "find" (i32.const 7) (i32.const 12)) (i64.const 1014))
(assert_return (invoke "find" (i32.const 7) (i32.const 0)) (i64.const 1000))
(assert_return (invoke "nested" (i32.const 1)) (i64.const 4))
(assert_return (invoke "nested" (i32.const 3)) (i64.const 11))
(assert_return (invoke "follow" (i32.const 1)) (i32.const 3))
(assert_return (invoke "follow" (i32.const 0)) (i32.const 0))
(assert_return (invoke "both" (i32.const 8)) (i64.const 4294967294))
(assert_return (invoke "both" (i32.const 12)) (i64.const 2147483661))
