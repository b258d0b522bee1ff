;; An interface that nothing supplies, reached two levels down.
(component $root
  (import "lab:calc/log@0.1.0" (instance $log (export "log" (func (param "x" u32)))))
  (component $Child
    (import "log" (func $log (param "x" u32)))
    (core func $log' (canon lower (func $log)))
    (core module $m (import "" "log" (func $log (param i32)))
      (func (export "run") (call $log (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "log" (func $log'))))))
    (func (export "run") (canon lift (core func $i "run")))
  )
  (instance $child (instantiate $Child (with "log" (func $log "log"))))
  (core func $run' (canon lower (func $child "run")))
  (core module $m (import "" "run" (func $run)) (func (export "run") call $run))
  (core instance $i (instantiate $m (with "" (instance (export "run" (func $run'))))))
  (func (export "run") (canon lift (core func $i "run")))
)
