;; Creates `out` in the first granted directory and writes {BYTES} bytes to it, 4096 at a time, as
;; a stream; then reads them back and compares. Prints a dot for each part that was reported as
;; written. The exit code is 0, 200 if other bytes come back, or one more than the error code.
(module
  (import "wasi:cli/exit@0.2.12" "exit-with-code" (func $exit (param i32)))
  (import "wasi:cli/stdout@0.2.12" "get-stdout" (func $stdout (result i32)))
  (import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.open-at"
    (func $open (param i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.write-via-stream"
    (func $write-stream (param i32 i64 i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.read-via-stream"
    (func $read-stream (param i32 i64 i32)))
  (import "wasi:filesystem/types@0.2.12" "[method]descriptor.sync" (func $sync (param i32 i32)))
  (import "wasi:filesystem/types@0.2.12" "filesystem-error-code"
    (func $error-code (param i32 i32)))
  (import "wasi:io/streams@0.2.12" "[method]output-stream.blocking-write-and-flush"
    (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.12" "[method]input-stream.blocking-read"
    (func $read (param i32 i64 i32)))
  (memory (export "memory") 4)
  (data (i32.const 1024) "out.")
  (global $free (mut i32) (i32.const 0))
  ;; Lists are needed until the next call only.
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $check (param $at i32)
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.add (i32.load8_u (local.get $at)) (i32.const 1))))))
  (func $check-stream
    (if (i32.load8_u (i32.const 0)) (then
      (if (i32.load8_u (i32.const 4)) (then (call $exit (i32.const 199))))
      (call $error-code (i32.load (i32.const 8)) (i32.const 64))
      (call $exit (i32.add (i32.load8_u (i32.const 65)) (i32.const 1))))))

  (func (export "wasi:cli/run@0.2.12#run") (result i32)
    (local $file i32) (local $stream i32) (local $at i32) (local $from i32) (local $end i32)
    (loop $next
      (i32.store8 offset=131072 (local.get $at)
        (i32.add (local.get $at) (i32.shr_u (local.get $at) (i32.const 8))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $at) (i32.const {BYTES}))))
    (global.set $free (i32.const 4096))
    (call $directories (i32.const 0))
    (if (i32.eqz (i32.load (i32.const 4))) (then (call $exit (i32.const 198))))
    ;; Created, truncated; for reading and writing.
    (call $open (i32.load (i32.load (i32.const 0))) (i32.const 0) (i32.const 1024) (i32.const 3)
      (i32.const 9) (i32.const 3) (i32.const 0))
    (call $check (i32.const 4))
    (local.set $file (i32.load (i32.const 4)))
    (call $write-stream (local.get $file) (i64.const 0) (i32.const 0))
    (call $check (i32.const 4))
    (local.set $stream (i32.load (i32.const 4)))
    (local.set $at (i32.const 0))
    (loop $more
      (call $write (local.get $stream) (i32.add (i32.const 131072) (local.get $at))
        (i32.const 4096) (i32.const 0))
      (call $check-stream)
      (call $write (call $stdout) (i32.const 1027) (i32.const 1) (i32.const 0))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $more (i32.lt_u (local.get $at) (i32.const {BYTES}))))
    (call $sync (local.get $file) (i32.const 0))
    (call $check (i32.const 1))
    (call $read-stream (local.get $file) (i64.const 0) (i32.const 0))
    (call $check (i32.const 4))
    (local.set $stream (i32.load (i32.const 4)))
    (local.set $at (i32.const 131072))
    (loop $compare
      (global.set $free (i32.const 4096))
      (call $read (local.get $stream) (i64.const 10000) (i32.const 0))
      (call $check-stream)
      (local.set $from (i32.load (i32.const 4)))
      (local.set $end (i32.add (local.get $from) (i32.load (i32.const 8))))
      (loop $byte
        (if (i32.ne (i32.load8_u (local.get $from)) (i32.load8_u (local.get $at)))
          (then (call $exit (i32.const 200))))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br_if $byte (i32.lt_u (local.get $from) (local.get $end))))
      (br_if $compare
        (i32.lt_u (local.get $at) (i32.add (i32.const 131072) (i32.const {BYTES})))))
    (i32.const 0)))
