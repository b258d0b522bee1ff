;; A value has less than 2^28 bytes in a 64-bit memory, with what it points at left out.

(component
  (type (list u8 0xfffffff))
  (type (list string 0xffffff))
  (type (record (field "a" (list u8 0x8000000)) (field "b" (list u8 0x7ffffff))))
  (type (list (list u8 0xfffffff)))
  (type (option (list u16 0x7fffffe)))
  (type (instance (type $t (list u8 0xfffffff)) (export "t" (type (eq $t)))))
)
(component
  (core module $m (func (export "f") (result i32) i32.const 7))
  (core instance $m (instantiate $m))
  (func (export "f") (result u32) (canon lift (core func $m "f")))
)
(assert_return (invoke "f") (u32.const 7))

(assert_invalid (component (type (list u8 0x10000000))) "value type")
(assert_invalid (component (type (list string 0x1000000))) "value type")
;; 2^32 bytes, which are none to who counts in 32 bits.
(assert_invalid (component (type (list u64 0x20000000))) "value type")
(assert_invalid (component (type (list (list u8 0x4000) 0x4000))) "value type")
(assert_invalid
  (component (type (record (field "a" (list u8 0x8000000)) (field "b" (list u8 0x8000000)))))
  "value type")
;; The payload is the limit's size without the discriminant.
(assert_invalid (component (type (option (list u16 0x7ffffff)))) "value type")
(assert_invalid (component (type (result (list u64 0x1ffffff) (error (list u8 4))))) "value type")
(assert_invalid
  (component
    (type (instance (type $t (list u8 0x10000000)) (export "t" (type (eq $t))))))
  "value type")
(assert_invalid
  (component
    (component $inner (type $t (list u8 0x10000000)) (export "t" (type $t))))
  "value type")
