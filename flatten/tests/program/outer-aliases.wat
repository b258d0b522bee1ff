;; library
;; Items of scopes one, two and three levels out: a module, a type and a component.
(component $root
  (core module $M (func (export "f") (param i32) (result i32) local.get 0))
  (type $pair (tuple u8 u16))
  (component $Leaf
    (alias outer $root $M (core module $m))
    (core instance $i (instantiate $m))
    (func (export "f") (param "x" u32) (result u32) (canon lift (core func $i "f")))
  )
  (component $Middle
    (component $Inner
      (alias outer $root $Leaf (component $leaf))
      (alias outer $root $pair (type $p))
      (alias outer $root $M (core module $m))
      (instance $leaf (instantiate $leaf))
      (core instance $i (instantiate $m))
      (func (export "leaf") (alias export $leaf "f"))
      (core module $Two (func (export "g") (param i32 i32) (result i32) local.get 1))
      (core instance $two (instantiate $Two))
      (func (export "second") (param "pair" $p) (result u16) (canon lift (core func $two "g")))
      (func (export "own") (param "x" u32) (result u32) (canon lift (core func $i "f")))
    )
    (instance $inner (instantiate $Inner))
    (export "inner" (instance $inner))
  )
  (instance $middle (instantiate $Middle))
  (alias export $middle "inner" (instance $inner))
  (export "inner" (instance $inner))
)
