;; Reads the monotonic clock ten million times and ends with 0 if it never went back.
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (local $left i32) (local $last i64)
    (local.set $left (i32.const 10000000))
    loop $more
      (if (call $now (i32.const 1) (i64.const 1) (i32.const 0)) (then (call $exit (i32.const 1))))
      (if (i64.lt_u (i64.load (i32.const 0)) (local.get $last)) (then (call $exit (i32.const 2))))
      (local.set $last (i64.load (i32.const 0)))
      (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1))))
    end))
