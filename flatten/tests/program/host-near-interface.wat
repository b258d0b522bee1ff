;; The interface's name has a slip.
(component $root
  (import "wasi:cli/stdot@0.2.3" (instance $out (export "get-stdout" (func (result u32)))))
  (core func $get (canon lower (func $out "get-stdout")))
  (core module $m (import "" "get" (func $get (result i32)))
    (func (export "run") (drop (call $get))))
  (core instance $i (instantiate $m (with "" (instance (export "get" (func $get))))))
  (func (export "run") (canon lift (core func $i "run")))
)
