;; Connects to 127.0.0.1:{PORT}, sends {BYTES} bytes that count up, ends its side, and copies to
;; standard output what comes back. The exit code is 0, or tells what failed: 32 times the step,
;; plus the error code, or 31 for a stream that is closed.
(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-splice"
    (func $splice (param i32 i32 i64 i32)))
  (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/network@0.2.12" "network-error-code"
    (func $network-error-code (param i32 i32)))
  (import "wasi:sockets/tcp-create-socket@0.2.12" "create-tcp-socket"
    (func $create (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.start-connect" (func $start-connect
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.finish-connect"
    (func $finish-connect (param i32 i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.subscribe"
    (func $subscribe (param i32) (result i32)))
  (import "wasi:sockets/tcp@0.2.12" "[method]tcp-socket.shutdown"
    (func $shutdown (param i32 i32 i32)))
  (memory (export "memory") 2)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))

  (func $fail (param $step i32) (param $code i32)
    (call $exit (i32.or (i32.shl (local.get $step) (i32.const 5)) (local.get $code))))
  ;; Looks at a result whose error code is at that address.
  (func $check (param $step i32) (param $at i32)
    (if (i32.load8_u (i32.const 0))
      (then (call $fail (local.get $step) (i32.load8_u (local.get $at))))))
  ;; Looks at a result whose error is a stream's: its tag at that address, the error behind it.
  (func $stream-error (param $step i32) (param $at i32)
    (if (i32.load8_u (local.get $at)) (then (call $fail (local.get $step) (i32.const 31))))
    (call $network-error-code (i32.load offset=4 (local.get $at)) (i32.const 64))
    (if (i32.load8_u (i32.const 64))
      (then (call $fail (local.get $step) (i32.load8_u (i32.const 65)))))
    (call $fail (local.get $step) (i32.const 30)))

  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $socket i32) (local $pollable i32) (local $input i32) (local $output i32)
    (local $at i32) (local $len i32)
    (loop $next
      (i32.store8 offset=4096 (local.get $at) (local.get $at))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const 65536))))
    (call $create (i32.const 0) (i32.const 0))
    (call $check (i32.const 1) (i32.const 4))
    (local.set $socket (i32.load (i32.const 4)))
    (local.set $pollable (call $subscribe (local.get $socket)))
    (call $start-connect (local.get $socket) (call $network) (i32.const 0) (i32.const {PORT})
      (i32.const 127) (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $check (i32.const 2) (i32.const 1))
    (block $connected (loop $wait
      (call $finish-connect (local.get $socket) (i32.const 0))
      (br_if $connected (i32.eqz (i32.load8_u (i32.const 0))))
      (if (i32.ne (i32.load8_u (i32.const 4)) (i32.const 8))
        (then (call $check (i32.const 3) (i32.const 4))))
      (call $block (local.get $pollable))
      (br $wait)))
    (local.set $input (i32.load (i32.const 4)))
    (local.set $output (i32.load (i32.const 8)))
    (local.set $at (i32.const 0))
    (block $sent (loop $send
      (br_if $sent (i32.ge_u (local.get $at) (i32.const {BYTES})))
      (local.set $len (i32.sub (i32.const {BYTES}) (local.get $at)))
      (if (i32.gt_u (local.get $len) (i32.const 65536))
        (then (local.set $len (i32.const 65536))))
      (call $write (local.get $output) (i32.const 4096) (local.get $len) (i32.const 0))
      (if (i32.load8_u (i32.const 0)) (then (call $stream-error (i32.const 4) (i32.const 4))))
      (local.set $at (i32.add (local.get $at) (local.get $len)))
      (br $send)))
    (call $shutdown (local.get $socket) (i32.const 1) (i32.const 0))
    (call $check (i32.const 5) (i32.const 1))
    (loop $copy
      (call $splice (call $stdout) (local.get $input) (i64.const 65536) (i32.const 0))
      (br_if $copy (i32.eqz (i32.load8_u (i32.const 0))))
      ;; The end of the input is the end of the program.
      (if (i32.eqz (i32.load8_u (i32.const 8)))
        (then (call $stream-error (i32.const 6) (i32.const 8)))))
    (i32.const 0)))
