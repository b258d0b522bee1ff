;; Prints lines of the form `LABEL NUMBER`.
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

  (core module $Memory
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      ;; One argument at a time: the label of a call.
      (i32.const 1024)))
  (core instance $memory (instantiate $Memory))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $print (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $drop-stream (canon resource.drop $output-stream))

  (core module $Main
    (import "memory" "memory" (memory 1))
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "print" (func $print (param i32 i32 i32 i32)))
    (import "wasi" "drop-stream" (func $drop-stream (param i32)))
    (data (i32.const 63) "\n")
    ;; The number's digits are written backwards, up to the line break at 63.
    (func (export "print-number") (param $label i32) (param $label-len i32) (param $number i32)
      (local $stream i32) (local $at i32)
      (local.set $stream (call $get-stdout))
      (call $print (local.get $stream) (local.get $label) (local.get $label-len) (i32.const 0))
      (local.set $at (i32.const 63))
      (loop $digit
        (local.set $at (i32.sub (local.get $at) (i32.const 1)))
        (i32.store8 (local.get $at)
          (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10))))
        (br_if $digit
          (local.tee $number (i32.div_u (local.get $number) (i32.const 10)))))
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at) (i32.const 32))
      (call $print (local.get $stream) (local.get $at) (i32.sub (i32.const 64) (local.get $at))
        (i32.const 0))
      (call $drop-stream (local.get $stream))))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "get-stdout" (func $get-stdout))
      (export "print" (func $print))
      (export "drop-stream" (func $drop-stream))))))
  (func (export "print-number") (param "label" string) (param "number" u32)
    (canon lift (core func $main "print-number")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc")))))
