;; A trap in a stripped program: functions have numbers instead of names.
;; exit: 134
;; stdout: before the trap
;; build: --strip
;; stderr: trap: integer divide by zero in component `trap-stripped`, function 2 (wasm offset 0x..)
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $stream-cause))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $output-stream (sub resource)))
    (export "error" (type $error (eq $stream-cause)))
    (type $stream-error-def (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error-def)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $output-stream)) (param "contents" (list u8))
      (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $output-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (export "output-stream" (type $stream (eq $output-stream)))
    (export "get-stdout" (func (result (own $stream))))))

  (core module $Memory (memory (export "memory") 1))
  (core instance $memory (instantiate $Memory))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $print (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))

  (core module $Main
    (import "memory" "memory" (memory 1))
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "print" (func $print (param i32 i32 i32 i32)))
    (data (i32.const 16) "before the trap\n")
    (func $divide (param $by i32) (result i32) (i32.div_s (i32.const 1) (local.get $by)))
    (func (export "run") (result i32)
      (call $print (call $get-stdout) (i32.const 16) (i32.const 16) (i32.const 0))
      (call $divide (i32.load8_u (i32.const 0)))))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "get-stdout" (func $get-stdout))
      (export "print" (func $print))))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $wasi-run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
