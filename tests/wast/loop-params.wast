;; Indices that loops carry: whatever they are used for, they have 32 bits and wrap.
(module
  (memory 1)
  (data (i32.const 0) "\01\00\00\00\02\00\00\00\04\00\00\00\08\00\00\00\10\00\00\00\20\00\00\00\40\00\00\00\80\00\00\00")

  ;; The index wraps from 0xfffffffc to 0 before it is an address.
  (func (export "wrap") (result i32)
    (local $i i32) (local $sum i32)
    (local.set $i (i32.const -16))
    (loop $again
      (local.set $i (i32.add (local.get $i) (i32.const 4)))
      (if (i32.lt_u (local.get $i) (i32.const 32))
        (then (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $i))))))
      (br_if $again (i32.ne (local.get $i) (i32.const 16))))
    (local.get $sum))

  ;; An index below zero is a large address.
  (func (export "beyond") (param $i i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $i))))
      (local.set $i (i32.sub (local.get $i) (i32.const 4)))
      (br_if $again (i32.ne (local.get $i) (i32.const -8))))
    (local.get $sum))

  ;; The parameter serves long, without its sign and with it, and short.
  (func (export "long") (param $i i32) (param $rounds i32) (result i64)
    (local $sum i64)
    (loop $again
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
      (local.set $sum (i64.sub (local.get $sum) (i64.extend_i32_s (local.get $i))))
      (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (i32.shr_s (local.get $i) (i32.const 1)))))
      (local.set $i (i32.mul (local.get $i) (i32.const 3)))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $again (local.get $rounds)))
    (local.get $sum))

  ;; Two indices change places, and one of them goes around unchanged.
  (func (export "swap") (param $a i32) (param $b i32) (param $rounds i32) (result i32)
    (local $sum i32) (local $c i32)
    (loop $again
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 3)) (i32.load (local.get $a))))
      (local.set $sum (i32.sub (local.get $sum) (i32.load (local.get $b))))
      (local.set $c (local.get $a))
      (local.set $a (local.get $b))
      (local.set $b (local.get $c))
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $again (local.get $rounds)))
    (local.get $sum))

  ;; Several ways lead back to the header, one of them through a table.
  (func (export "ways") (param $end i32) (result i64)
    (local $i i32) (local $sum i64)
    (block $done
      (loop $again
        (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 2))
          (i64.extend_i32_u (i32.load8_u (local.get $i)))))
        (local.set $i (i32.add (local.get $i) (i32.const 4)))
        (br_if $again (i32.lt_u (local.get $i) (i32.const 8)))
        (br_table $again $done (i32.ge_u (local.get $i) (local.get $end)))))
    (local.get $sum))

  ;; Both ways of one branch lead to the header.
  (func (export "both") (param $i i32) (result i64)
    (local $sum i64)
    (block $done
      (loop $again
        (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $i))))
        (br_if $done (i64.gt_u (local.get $sum) (i64.const 0x200000000)))
        (if (i32.and (local.get $i) (i32.const 1))
          (then (local.set $i (i32.add (local.get $i) (i32.const 0x70000000))) (br $again))
          (else (local.set $i (i32.xor (local.get $i) (i32.const 0x80000001))) (br $again)))))
    (local.get $sum)))

(assert_return (invoke "wrap") (i32.const 31))
(assert_trap (invoke "beyond" (i32.const 8)) "out of bounds memory access")
(assert_return (invoke "long" (i32.const -1) (i32.const 1)) (i64.const 0x1ffffffff))
(assert_return (invoke "long" (i32.const 0x60000000) (i32.const 3)) (i64.const 0x70000000))
(assert_return (invoke "swap" (i32.const 4) (i32.const 16) (i32.const 3)) (i32.const -98))
(assert_return (invoke "ways" (i32.const 16)) (i64.const 32))
(assert_return (invoke "both" (i32.const 1)) (i64.const 0x260000005))
