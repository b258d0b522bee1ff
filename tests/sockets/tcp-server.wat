;; Waits at 127.{A}.{B}.{C}:{PORT} for one connection, and sends back what comes until the other
;; side ends. The exit code is 0, or tells what failed: 32 times the step, plus the error code, or 31
;; for a stream's error.
(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-splice"
    (func $splice (param i32 i32 i64 i32)))
  (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.12" "create-tcp-socket"
    (func $create (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.start-bind" (func $start-bind
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.finish-bind"
    (func $finish-bind (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.start-listen"
    (func $start-listen (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.finish-listen"
    (func $finish-listen (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.accept" (func $accept (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.subscribe"
    (func $subscribe (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))

  (func $check (param $step i32) (param $at i32)
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.or (i32.shl (local.get $step) (i32.const 5))
        (i32.load8_u (local.get $at)))))))

  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $socket i32) (local $pollable i32) (local $input i32) (local $output i32)
    (call $create (i32.const 0) (i32.const 0))
    (call $check (i32.const 1) (i32.const 4))
    (local.set $socket (i32.load (i32.const 4)))
    (local.set $pollable (call $subscribe (local.get $socket)))
    (call $start-bind (local.get $socket) (call $network) (i32.const 0) (i32.const {PORT})
      (i32.const 127) (i32.const {A}) (i32.const {B}) (i32.const {C}) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $check (i32.const 2) (i32.const 1))
    (call $finish-bind (local.get $socket) (i32.const 0))
    (call $check (i32.const 3) (i32.const 1))
    (call $start-listen (local.get $socket) (i32.const 0))
    (call $check (i32.const 4) (i32.const 1))
    (call $finish-listen (local.get $socket) (i32.const 0))
    (call $check (i32.const 5) (i32.const 1))
    (block $accepted (loop $wait
      (call $accept (local.get $socket) (i32.const 0))
      (br_if $accepted (i32.eqz (i32.load8_u (i32.const 0))))
      (if (i32.ne (i32.load8_u (i32.const 4)) (i32.const 8))
        (then (call $check (i32.const 6) (i32.const 4))))
      (call $block (local.get $pollable))
      (br $wait)))
    (local.set $input (i32.load (i32.const 8)))
    (local.set $output (i32.load (i32.const 12)))
    (loop $copy
      (call $splice (local.get $output) (local.get $input) (i64.const 65536) (i32.const 0))
      (br_if $copy (i32.eqz (i32.load8_u (i32.const 0))))
      (if (i32.eqz (i32.load8_u (i32.const 8)))
        (then (call $exit (i32.const 255)))))
    (i32.const 0)))
