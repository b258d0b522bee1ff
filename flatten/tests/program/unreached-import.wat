;; What nothing reaches need not be supplied.
(component $root
  (import "lab:calc/log@0.1.0" (instance $log
    (export "sink" (type $sink (sub resource)))
    (export "log" (func (param "x" (borrow $sink))))
    (export "later" (func (param "x" (future u32))))
  ))
  (alias export $log "sink" (type $sink))
  (core func $log' (canon lower (func $log "log")))
  (core func $drop (canon resource.drop $sink))
  (core module $m
    (import "" "log" (func $log (param i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "unused") (call $log (i32.const 1)) (call $drop (i32.const 1)))
    (func (export "run")))
  (core instance $i (instantiate $m (with "" (instance
    (export "log" (func $log')) (export "drop" (func $drop))))))
  (func (export "run") (canon lift (core func $i "run")))
)
