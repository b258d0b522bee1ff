;; Resources between three guests: indices, transfers, borrows and destructors.
(component
  ;; Defines the resource. Its representation is a number, a destructor adds it to a sum.
  (component $Maker
    (core module $Memory (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $memory (instantiate $Memory))
    (core module $Destructor
      (global $dropped (export "dropped") (mut i32) (i32.const 0))
      (func (export "drop") (param $rep i32)
        (global.set $dropped (i32.add (global.get $dropped) (local.get $rep)))))
    (core instance $destructor (instantiate $Destructor))
    (type $thing (resource (rep i32) (dtor (core func $destructor "drop"))))
    (core func $new (canon resource.new $thing))
    (core func $rep (canon resource.rep $thing))
    (core func $drop (canon resource.drop $thing))
    (core module $Code
      (import "memory" "memory" (memory 1))
      (import "thing" "new" (func $new (param i32) (result i32)))
      (import "thing" "rep" (func $rep (param i32) (result i32)))
      (import "thing" "drop" (func $drop (param i32)))
      (import "destructor" "dropped" (global $dropped (mut i32)))
      (func (export "make") (param $rep i32) (result i32) (call $new (local.get $rep)))
      ;; An own handle that comes back is one of this instance's own table.
      (func (export "take") (param $thing i32) (result i32)
        (local $rep i32)
        (local.set $rep (call $rep (local.get $thing)))
        (call $drop (local.get $thing))
        (local.get $rep))
      ;; A borrow is the representation.
      (func (export "look") (param $rep i32) (result i32) (local.get $rep))
      (func (export "sum") (param $at i32) (param $len i32) (param $has-more i32) (param $more i32)
        (result i32)
        (local $sum i32)
        (if (local.get $has-more) (then (local.set $sum (local.get $more))))
        (block $done
          (loop $next
            (br_if $done (i32.eqz (local.get $len)))
            (local.set $sum (i32.add (local.get $sum) (i32.load (local.get $at))))
            (local.set $at (i32.add (local.get $at) (i32.const 4)))
            (local.set $len (i32.sub (local.get $len) (i32.const 1)))
            (br $next)))
        (local.get $sum))
      (func (export "dropped") (result i32) (global.get $dropped)))
    (core instance $code (instantiate $Code
      (with "memory" (instance $memory))
      (with "thing" (instance
        (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))
      (with "destructor" (instance $destructor))))
    (export $thing' "thing" (type $thing))
    (func (export "make") (param "rep" u32) (result (own $thing'))
      (canon lift (core func $code "make")))
    (func (export "take") (param "thing" (own $thing')) (result u32)
      (canon lift (core func $code "take")))
    (func (export "look") (param "thing" (borrow $thing')) (result u32)
      (canon lift (core func $code "look")))
    (func (export "sum")
      (param "things" (list (borrow $thing'))) (param "more" (option (borrow $thing')))
      (result u32)
      (canon lift (core func $code "sum") (memory (core memory $memory "memory"))
        (realloc (core func $memory "realloc"))))
    (func (export "dropped") (result u32) (canon lift (core func $code "dropped"))))
  (instance $maker (instantiate $Maker))

  ;; Stands between: its borrows are handles, which it must drop before it returns.
  (component $Middle
    (import "maker" (instance $maker
      (export "thing" (type $thing (sub resource)))
      (export "look" (func (param "thing" (borrow $thing)) (result u32)))))
    (alias export $maker "thing" (type $thing))
    (core func $look (canon lower (func $maker "look")))
    (core func $drop (canon resource.drop $thing))
    (core module $Code
      (import "maker" "look" (func $look (param i32) (result i32)))
      (import "maker" "drop" (func $drop (param i32)))
      ;; A hundred times the first index that a borrow gets, plus the representation.
      (func (export "look") (param $thing i32) (result i32)
        (local $result i32)
        (local.set $result (i32.add
          (i32.mul (local.get $thing) (i32.const 100))
          (call $look (local.get $thing))))
        (call $drop (local.get $thing))
        (local.get $result))
      (func (export "pass") (param $thing i32) (result i32) (local.get $thing)))
    (core instance $code (instantiate $Code (with "maker" (instance
      (export "look" (func $look)) (export "drop" (func $drop))))))
    (func (export "look") (param "thing" (borrow $thing)) (result u32)
      (canon lift (core func $code "look")))
    (func (export "pass") (param "thing" (own $thing)) (result (own $thing))
      (canon lift (core func $code "pass"))))
  (instance $middle (instantiate $Middle (with "maker" (instance $maker))))

  (component $Client
    (import "maker" (instance $maker
      (export "thing" (type $thing (sub resource)))
      (export "make" (func (param "rep" u32) (result (own $thing))))
      (export "take" (func (param "thing" (own $thing)) (result u32)))
      (export "look" (func (param "thing" (borrow $thing)) (result u32)))
      (export "sum" (func
        (param "things" (list (borrow $thing))) (param "more" (option (borrow $thing)))
        (result u32)))
      (export "dropped" (func (result u32)))))
    (alias export $maker "thing" (type $thing))
    (import "middle" (instance $middle
      (alias outer $Client $thing (type $thing'))
      (export "look" (func (param "thing" (borrow $thing')) (result u32)))
      (export "pass" (func (param "thing" (own $thing')) (result (own $thing'))))))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $make (canon lower (func $maker "make")))
    (core func $take (canon lower (func $maker "take")))
    (core func $look (canon lower (func $maker "look")))
    (core func $sum (canon lower (func $maker "sum") (memory (core memory $memory "memory"))))
    (core func $dropped (canon lower (func $maker "dropped")))
    (core func $look-middle (canon lower (func $middle "look")))
    (core func $pass (canon lower (func $middle "pass")))
    (core func $drop (canon resource.drop $thing))
    (core module $Code
      (import "memory" "memory" (memory 1))
      (import "maker" "make" (func $make (param i32) (result i32)))
      (import "maker" "take" (func $take (param i32) (result i32)))
      (import "maker" "look" (func $look (param i32) (result i32)))
      (import "maker" "sum" (func $sum (param i32 i32 i32 i32) (result i32)))
      (import "maker" "dropped" (func $dropped (result i32)))
      (import "maker" "drop" (func $drop (param i32)))
      (import "middle" "look" (func $look-middle (param i32) (result i32)))
      (import "middle" "pass" (func $pass (param i32) (result i32)))
      (func $same (param i32 i32)
        (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
      (func (export "run") (result i32)
        (local $count i32)
        ;; Indices are dense from 1, and the one that was freed last is used first.
        (call $same (call $make (i32.const 11)) (i32.const 1))
        (call $same (call $make (i32.const 12)) (i32.const 2))
        (call $same (call $make (i32.const 13)) (i32.const 3))
        (call $drop (i32.const 2))
        (call $drop (i32.const 1))
        (call $same (call $dropped) (i32.const 23))
        (call $same (call $make (i32.const 14)) (i32.const 1))
        (call $same (call $make (i32.const 15)) (i32.const 2))
        (call $same (call $make (i32.const 16)) (i32.const 4))
        ;; Borrows, by their maker and by someone else.
        (call $same (call $look (i32.const 3)) (i32.const 13))
        (call $same (call $look-middle (i32.const 4)) (i32.const 116))
        (call $same (call $look-middle (i32.const 1)) (i32.const 114))
        ;; One handle may be lent more than once in a call.
        (i32.store (i32.const 0) (i32.const 1))
        (i32.store (i32.const 4) (i32.const 2))
        (i32.store (i32.const 8) (i32.const 1))
        (call $same (call $sum (i32.const 0) (i32.const 3) (i32.const 1) (i32.const 4))
          (i32.const 59))
        (call $same (call $sum (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 77))
          (i32.const 14))
        ;; Away and back: the index that it left is free, and so it comes back to it.
        (call $same (call $pass (i32.const 2)) (i32.const 2))
        (call $same (call $take (i32.const 2)) (i32.const 15))
        (call $same (call $dropped) (i32.const 38))
        (call $same (call $make (i32.const 17)) (i32.const 2))
        ;; More handles than the table has room for at first.
        (local.set $count (i32.const 5))
        (loop $next
          (call $same (call $make (local.get $count)) (local.get $count))
          (br_if $next (i32.ne
            (local.tee $count (i32.add (local.get $count) (i32.const 1)))
            (i32.const 3000))))
        (call $same (call $take (i32.const 2999)) (i32.const 2999))
        (call $same (call $take (i32.const 5)) (i32.const 5))
        (call $same (call $look (i32.const 4)) (i32.const 16))
        (i32.const 0)))
    (core instance $code (instantiate $Code
      (with "memory" (instance $memory))
      (with "maker" (instance
        (export "make" (func $make)) (export "take" (func $take)) (export "look" (func $look))
        (export "sum" (func $sum)) (export "dropped" (func $dropped))
        (export "drop" (func $drop))))
      (with "middle" (instance
        (export "look" (func $look-middle)) (export "pass" (func $pass))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $client (instantiate $Client
    (with "maker" (instance $maker)) (with "middle" (instance $middle))))
  (instance $wasi-run (export "run" (func $client "run")))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
