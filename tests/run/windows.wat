;; Link-time virtualization in small: one store of bytes, two virtualizers that each show a window
;; of it, and a client behind each. The numbers show that the windows are apart, that the store
;; below is shared, and that each virtualizer has a state of its own.
;; stdout: first client 84
;; stdout: store at 266 42
;; stdout: second client 14
;; stdout: store at 522 7
;; stdout: store at 10 0
;; stdout: calls of the first 2
;; stdout: calls of the second 2
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
  (import "./parts/print-number.wat" (component $PrintNumber
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
    (export "print-number" (func (param "label" string) (param "number" u32)))))
  (instance $printer (instantiate $PrintNumber
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))))

  (component $Store
    (core module $Code
      (memory 1)
      (func (export "get") (param $at i32) (result i32) (i32.load8_u (local.get $at)))
      (func (export "set") (param $at i32) (param $byte i32)
        (i32.store8 (local.get $at) (local.get $byte))))
    (core instance $code (instantiate $Code))
    (func (export "get") (param "at" u32) (result u8) (canon lift (core func $code "get")))
    (func (export "set") (param "at" u32) (param "byte" u8)
      (canon lift (core func $code "set"))))

  ;; Shifts every address by a constant that its instantiator supplies as a core module.
  (component $Window
    (import "store" (instance $store
      (export "get" (func (param "at" u32) (result u8)))
      (export "set" (func (param "at" u32) (param "byte" u8)))))
    (import "shift" (core module $Shift (export "bytes" (global i32))))
    (core func $get (canon lower (func $store "get")))
    (core func $set (canon lower (func $store "set")))
    (core module $Code
      (import "below" "get" (func $get (param i32) (result i32)))
      (import "below" "set" (func $set (param i32 i32)))
      (import "shift" "bytes" (global $shift i32))
      (global $calls (mut i32) (i32.const 0))
      (func $shifted (param $at i32) (result i32)
        (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
        (i32.add (local.get $at) (global.get $shift)))
      (func (export "get") (param $at i32) (result i32)
        (call $get (call $shifted (local.get $at))))
      (func (export "set") (param $at i32) (param $byte i32)
        (call $set (call $shifted (local.get $at)) (local.get $byte)))
      (func (export "calls") (result i32) (global.get $calls)))
    (core instance $shift (instantiate $Shift))
    (core instance $code (instantiate $Code
      (with "below" (instance (export "get" (func $get)) (export "set" (func $set))))
      (with "shift" (instance $shift))))
    (func (export "get") (param "at" u32) (result u8) (canon lift (core func $code "get")))
    (func (export "set") (param "at" u32) (param "byte" u8)
      (canon lift (core func $code "set")))
    (func (export "calls") (result u32) (canon lift (core func $code "calls"))))

  ;; Keeps a byte at address 10 and says twice of what it finds there.
  (component $Client
    (import "store" (instance $store
      (export "get" (func (param "at" u32) (result u8)))
      (export "set" (func (param "at" u32) (param "byte" u8)))))
    (core func $get (canon lower (func $store "get")))
    (core func $set (canon lower (func $store "set")))
    (core module $Code
      (import "store" "get" (func $get (param i32) (result i32)))
      (import "store" "set" (func $set (param i32 i32)))
      (func (export "keep") (param $byte i32) (result i32)
        (call $set (i32.const 10) (local.get $byte))
        (i32.shl (call $get (i32.const 10)) (i32.const 1))))
    (core instance $code (instantiate $Code
      (with "store" (instance (export "get" (func $get)) (export "set" (func $set))))))
    (func (export "keep") (param "byte" u8) (result u32)
      (canon lift (core func $code "keep"))))

  (core module $At256 (global (export "bytes") i32 (i32.const 256)))
  (core module $At512 (global (export "bytes") i32 (i32.const 512)))
  (instance $store (instantiate $Store))
  (instance $window-a (instantiate $Window
    (with "store" (instance $store)) (with "shift" (core module $At256))))
  (instance $window-b (instantiate $Window
    (with "store" (instance $store)) (with "shift" (core module $At512))))
  (instance $client-a (instantiate $Client (with "store" (instance $window-a))))
  (instance $client-b (instantiate $Client (with "store" (instance $window-b))))

  (component $Script
    (import "print-number" (func $print-number (param "label" string) (param "number" u32)))
    (import "keep-a" (func $keep-a (param "byte" u8) (result u32)))
    (import "keep-b" (func $keep-b (param "byte" u8) (result u32)))
    (import "get" (func $get (param "at" u32) (result u8)))
    (import "calls-a" (func $calls-a (result u32)))
    (import "calls-b" (func $calls-b (result u32)))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $print-number (canon lower (func $print-number)
      (memory (core memory $memory "memory"))))
    (core func $keep-a (canon lower (func $keep-a)))
    (core func $keep-b (canon lower (func $keep-b)))
    (core func $get (canon lower (func $get)))
    (core func $calls-a (canon lower (func $calls-a)))
    (core func $calls-b (canon lower (func $calls-b)))
    (core module $Code
      (import "memory" "memory" (memory 1))
      (import "env" "print-number" (func $print-number (param i32 i32 i32)))
      (import "env" "keep-a" (func $keep-a (param i32) (result i32)))
      (import "env" "keep-b" (func $keep-b (param i32) (result i32)))
      (import "env" "get" (func $get (param i32) (result i32)))
      (import "env" "calls-a" (func $calls-a (result i32)))
      (import "env" "calls-b" (func $calls-b (result i32)))
      (data (i32.const 0) "first client")
      (data (i32.const 16) "second client")
      (data (i32.const 32) "store at 266")
      (data (i32.const 48) "store at 522")
      (data (i32.const 64) "store at 10")
      (data (i32.const 80) "calls of the first")
      (data (i32.const 112) "calls of the second")
      (func (export "run") (result i32)
        (call $print-number (i32.const 0) (i32.const 12) (call $keep-a (i32.const 42)))
        (call $print-number (i32.const 32) (i32.const 12) (call $get (i32.const 266)))
        (call $print-number (i32.const 16) (i32.const 13) (call $keep-b (i32.const 7)))
        (call $print-number (i32.const 48) (i32.const 12) (call $get (i32.const 522)))
        (call $print-number (i32.const 64) (i32.const 11) (call $get (i32.const 10)))
        (call $print-number (i32.const 80) (i32.const 18) (call $calls-a))
        (call $print-number (i32.const 112) (i32.const 19) (call $calls-b))
        (i32.const 0)))
    (core instance $code (instantiate $Code
      (with "memory" (instance $memory))
      (with "env" (instance
        (export "print-number" (func $print-number))
        (export "keep-a" (func $keep-a))
        (export "keep-b" (func $keep-b))
        (export "get" (func $get))
        (export "calls-a" (func $calls-a))
        (export "calls-b" (func $calls-b))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $script (instantiate $Script
    (with "print-number" (func $printer "print-number"))
    (with "keep-a" (func $client-a "keep"))
    (with "keep-b" (func $client-b "keep"))
    (with "get" (func $store "get"))
    (with "calls-a" (func $window-a "calls"))
    (with "calls-b" (func $window-b "calls"))))
  (instance $run (export "run" (func $script "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
