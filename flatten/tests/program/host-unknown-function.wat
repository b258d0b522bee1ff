;; The interface has no such function.
(component $root
  (import "wasi:clocks/monotonic-clock@0.2.3" (instance $clock (export "know" (func (result u64)))))
  (core func $now (canon lower (func $clock "know")))
  (core module $m (import "" "now" (func $now (result i64)))
    (func (export "run") (drop (call $now))))
  (core instance $i (instantiate $m (with "" (instance (export "now" (func $now))))))
  (func (export "run") (canon lift (core func $i "run")))
)
