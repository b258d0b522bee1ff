;; No host has this interface.
(component
  (import "lab:sensors/thermometer@1.0.0" (instance $thermometer
    (export "read" (func (result f64)))))
  (core func $read (canon lower (func $thermometer "read")))
  (core module $M
    (import "lab" "read" (func $read (result f64)))
    (func (export "run") (result i32) (f64.gt (call $read) (f64.const 30))))
  (core instance $m (instantiate $M
    (with "lab" (instance (export "read" (func $read))))))
  (func $run (result (result)) (canon lift (core func $m "run")))
  (instance $i (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $i)))
