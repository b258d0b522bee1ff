;; Sends two datagrams to 127.0.0.1:{PORT}, with and without naming it, and copies to standard
;; output what comes back, a line for each datagram, until it has two. The exit code is 0, or tells
;; what failed: 32 times the step, plus the error code.
(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/udp-create-socket@0.2.12" "create-udp-socket"
    (func $create (param i32 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]udp-socket.start-bind" (func $start-bind
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]udp-socket.finish-bind"
    (func $finish-bind (param i32 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]udp-socket.stream" (func $stream
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]incoming-datagram-stream.receive"
    (func $receive (param i32 i64 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]incoming-datagram-stream.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]outgoing-datagram-stream.check-send"
    (func $check-send (param i32 i32)))
  (import "wasi:sockets/udp@0.2.12" "[method]outgoing-datagram-stream.send"
    (func $send (param i32 i32 i32 i32)))
  (memory (export "memory") 4)
  (data (i32.const 1024) "to itto the peer\n")
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))

  (func $check (param $step i32) (param $at i32)
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.or (i32.shl (local.get $step) (i32.const 5))
        (i32.load8_u (local.get $at)))))))
  (func $print (param $at i32) (param $len i32)
    (call $write (call $stdout) (local.get $at) (local.get $len) (i32.const 64)))

  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $socket i32) (local $incoming i32) (local $outgoing i32) (local $pollable i32)
    (local $count i32) (local $at i32) (local $end i32)
    (call $create (i32.const 0) (i32.const 0))
    (call $check (i32.const 1) (i32.const 4))
    (local.set $socket (i32.load (i32.const 4)))
    (call $start-bind (local.get $socket) (call $network) (i32.const 0) (i32.const 0)
      (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $check (i32.const 2) (i32.const 1))
    (call $finish-bind (local.get $socket) (i32.const 0))
    (call $check (i32.const 3) (i32.const 1))
    (call $stream (local.get $socket) (i32.const 1) (i32.const 0) (i32.const {PORT})
      (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $check (i32.const 4) (i32.const 4))
    (local.set $incoming (i32.load (i32.const 4)))
    (local.set $outgoing (i32.load (i32.const 8)))
    (local.set $pollable (call $subscribe (local.get $incoming)))

    (call $check-send (local.get $outgoing) (i32.const 0))
    (call $check (i32.const 5) (i32.const 8))
    ;; Two records of 44 bytes: pointer, length, and the optional address.
    (i32.store (i32.const 2048) (i32.const 1024))
    (i32.store (i32.const 2052) (i32.const 5))
    (i32.store (i32.const 2092) (i32.const 1029))
    (i32.store (i32.const 2096) (i32.const 11))
    (i32.store8 (i32.const 2100) (i32.const 1))
    (i32.store16 (i32.const 2108) (i32.const {PORT}))
    (i32.store (i32.const 2110) (i32.const 0x0100007f))
    (call $send (local.get $outgoing) (i32.const 2048) (i32.const 2) (i32.const 0))
    (call $check (i32.const 6) (i32.const 8))
    (if (i64.ne (i64.load (i32.const 8)) (i64.const 2)) (then (call $exit (i32.const 254))))

    (loop $more
      (call $block (local.get $pollable))
      (call $receive (local.get $incoming) (i64.const 16) (i32.const 0))
      (call $check (i32.const 7) (i32.const 4))
      (local.set $at (i32.load (i32.const 4)))
      (local.set $count (i32.add (local.get $count) (i32.load (i32.const 8))))
      (local.set $end (i32.add (local.get $at) (i32.mul (i32.load (i32.const 8)) (i32.const 40))))
      (block $printed (loop $next
        (br_if $printed (i32.ge_u (local.get $at) (local.get $end)))
        (call $print (i32.load (local.get $at)) (i32.load offset=4 (local.get $at)))
        (call $print (i32.const 1040) (i32.const 1))
        (local.set $at (i32.add (local.get $at) (i32.const 40)))
        (br $next)))
      (br_if $more (i32.lt_u (local.get $count) (i32.const 2))))
    (i32.const 0)))
