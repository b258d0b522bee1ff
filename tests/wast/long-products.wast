;; Products of 64-bit lanes whose upper halves are zero, or only seem to be.
(module
  (memory 1)
  (data (i32.const 0) "\10\32\54\76\98\ba\dc\fe\fe\ff\ff\ff\01\00\00\80\ef\cd\ab\89\67\45\23\01\ef\be\ad\de\ff\ff\ff\ff")
  (func (export "masked") (result v128)
    (i64x2.mul
      (v128.and (v128.load (i32.const 0)) (v128.const i64x2 0xffffffff 0xffffffff))
      (v128.and (v128.const i64x2 0xffffffff 0xffffffff) (v128.load (i32.const 16)))))
  (func (export "shifted-down") (result v128)
    (i64x2.mul
      (v128.and (v128.load (i32.const 0)) (v128.const i64x2 0xffffffff 0xffffffff))
      (i64x2.shr_u (v128.load (i32.const 16)) (i32.const 32))))
  (func (export "doubled") (result v128)
    (i64x2.mul
      (v128.and (i64x2.shl (v128.load (i32.const 0)) (i32.const 1)) (v128.const i64x2 0x1fffffffe 0x1fffffffe))
      (v128.and (v128.load (i32.const 16)) (v128.const i64x2 0xffffffff 0xffffffff))))
  (func (export "doubled-both") (result v128)
    (i64x2.mul
      (v128.and (i64x2.shl (v128.load (i32.const 0)) (i32.const 65)) (v128.const i64x2 0x1fffffffe 0x1fffffffe))
      (v128.and (i64x2.shl (v128.load (i32.const 16)) (i32.const 31)) (v128.const i64x2 0x7fffffff80000000 0x7fffffff80000000))))
  (func (export "odd-mask") (result v128)
    (i64x2.mul
      (v128.and (i64x2.shl (v128.load (i32.const 0)) (i32.const 1)) (v128.const i64x2 0x1ffffffff 0x1ffffffff))
      (v128.and (v128.load (i32.const 16)) (v128.const i64x2 0xffffffff 0xffffffff))))
  (func (export "not-shifted") (result v128)
    (i64x2.mul
      (v128.and (v128.load (i32.const 0)) (v128.const i64x2 0x1fffffffe 0x1fffffffe))
      (v128.and (v128.load (i32.const 16)) (v128.const i64x2 0xffffffff 0xffffffff))))
  (func (export "partly-masked") (result v128)
    (i64x2.mul
      (v128.and (v128.load (i32.const 0)) (v128.const i64x2 0xffffffff -1))
      (v128.and (v128.load (i32.const 16)) (v128.const i64x2 0xffffffff 0xffffffff))))
  (func (export "whole") (result v128)
    (i64x2.mul
      (v128.load (i32.const 0)) (v128.load (i32.const 16)))))

(assert_return (invoke "masked")
  (v128.const i64x2 0x3fa27837e5618cf0 0xdeadbeed42a48222))
(assert_return (invoke "shifted-down")
  (v128.const i64x2 0x0086a1c9358e7470 0xfffffffd00000002))
(assert_return (invoke "doubled")
  (v128.const i64x2 0x7f44f06fcac319e0 0xbd5b7dda85490444))
(assert_return (invoke "doubled-both")
  (v128.const i64x2 0xe5618cf000000000 0x42a4822200000000))
(assert_return (invoke "odd-mask")
  (v128.const i64x2 0x7f44f06fcac319e0 0xbd5b7dda85490444))
(assert_return (invoke "not-shifted")
  (v128.const i64x2 0x3fa27837e5618cf0 0xbd5b7ddc42a48222))
(assert_return (invoke "partly-masked")
  (v128.const i64x2 0x3fa27837e5618cf0 0x3d5b7ddc42a48222))
(assert_return (invoke "whole")
  (v128.const i64x2 0x2236d88fe5618cf0 0x3d5b7dde42a48222))
