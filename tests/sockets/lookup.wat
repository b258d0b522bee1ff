;; Looks up `localhost`. The exit code is 0 if 127.0.0.1 is among the addresses and 255 if not, or
;; it tells what failed: 32 times the step, plus the error code.
(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (import "wasi:io/poll@0.2.12" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.12" "resolve-addresses"
    (func $resolve (param i32 i32 i32 i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.12"
    "[method]resolve-address-stream.resolve-next-address" (func $next (param i32 i32)))
  (import "wasi:sockets/ip-name-lookup@0.2.12" "[method]resolve-address-stream.subscribe"
    (func $subscribe (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "localhost")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (unreachable))

  (func $check (param $step i32) (param $at i32)
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.or (i32.shl (local.get $step) (i32.const 5))
        (i32.load8_u (local.get $at)))))))

  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $stream i32)
    (call $resolve (call $network) (i32.const 1024) (i32.const 9) (i32.const 0))
    (call $check (i32.const 1) (i32.const 4))
    (local.set $stream (i32.load (i32.const 4)))
    (loop $more
      (call $block (call $subscribe (local.get $stream)))
      (call $next (local.get $stream) (i32.const 0))
      (br_if $more (i32.and (i32.load8_u (i32.const 0))
        (i32.eq (i32.load8_u (i32.const 2)) (i32.const 8))))
      (call $check (i32.const 2) (i32.const 2))
      (if (i32.eqz (i32.load8_u (i32.const 2))) (then (call $exit (i32.const 255))))
      ;; The address: its case, then four bytes.
      (br_if $more (i32.load8_u (i32.const 4)))
      (br_if $more (i32.ne (i32.load (i32.const 6)) (i32.const 0x0100007f))))
    (i32.const 0)))
