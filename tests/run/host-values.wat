;; Values to and from the host: strings and lists of them, records, options, lists of handles.
;; args: one zwölf 🙂
;; build: --env NAME=value
;; stdout: one
;; stdout: zwölf
;; stdout: 🙂
;; stdout: NAME=value
(component
  (import "wasi:io/error@0.2.0" (instance $error
    (export "error" (type (sub resource)))))
  (alias export $error "error" (type $stream-cause))
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.ready" (func (param "self" (borrow $pollable)) (result bool)))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
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
  (import "wasi:cli/environment@0.2.0" (instance $environment
    (export "get-environment" (func (result (list (tuple string string)))))
    (export "get-arguments" (func (result (list string))))
    (export "initial-cwd" (func (result (option string))))))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (export "pollable" (type $pollable' (eq $pollable)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable'))))))
  (import "wasi:clocks/wall-clock@0.2.0" (instance $wall
    (type $datetime (record (field "seconds" u64) (field "nanoseconds" u32)))
    (export "datetime" (type $datetime' (eq $datetime)))
    (export "now" (func (result $datetime')))))
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))

  (core module $Memory
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 8192))
    (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $size)))
      (local.get $at)))
  (core instance $memory (instantiate $Memory))
  (alias core export $memory "memory" (core memory $mem))
  (alias core export $memory "realloc" (core func $realloc))
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush") (memory $mem)))
  (core func $get-environment (canon lower (func $environment "get-environment")
    (memory $mem) (realloc $realloc)))
  (core func $get-arguments (canon lower (func $environment "get-arguments")
    (memory $mem) (realloc $realloc)))
  (core func $initial-cwd (canon lower (func $environment "initial-cwd")
    (memory $mem) (realloc $realloc)))
  (core func $subscribe (canon lower (func $clock "subscribe-duration")))
  (core func $now (canon lower (func $wall "now") (memory $mem)))
  (core func $get-random (canon lower (func $random "get-random-bytes")
    (memory $mem) (realloc $realloc)))
  (core func $ready (canon lower (func $poll "[method]pollable.ready")))
  (core func $poll-list (canon lower (func $poll "poll") (memory $mem) (realloc $realloc)))
  (core func $drop-pollable (canon resource.drop $pollable))
  (core func $drop-stream (canon resource.drop $output-stream))

  (core module $Code
    (import "memory" "memory" (memory 1))
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))
    (import "wasi" "get-environment" (func $get-environment (param i32)))
    (import "wasi" "get-arguments" (func $get-arguments (param i32)))
    (import "wasi" "initial-cwd" (func $initial-cwd (param i32)))
    (import "wasi" "subscribe" (func $subscribe (param i64) (result i32)))
    (import "wasi" "now" (func $now (param i32)))
    (import "wasi" "get-random" (func $get-random (param i64 i32)))
    (import "wasi" "ready" (func $ready (param i32) (result i32)))
    (import "wasi" "poll" (func $poll (param i32 i32 i32)))
    (import "wasi" "drop-pollable" (func $drop-pollable (param i32)))
    (import "wasi" "drop-stream" (func $drop-stream (param i32)))
    (data (i32.const 16) "\n=")
    (func $same (param i32 i32)
      (if (i32.ne (local.get 0) (local.get 1)) (then unreachable)))
    (func $print (param $stream i32) (param $at i32) (param $len i32)
      (call $write (local.get $stream) (local.get $at) (local.get $len) (i32.const 0))
      ;; The discriminant of the result: ok.
      (call $same (i32.load8_u (i32.const 0)) (i32.const 0)))

    (func $print-arguments (param $stream i32)
      (local $at i32) (local $left i32)
      (call $get-arguments (i32.const 32))
      ;; The first is the program's own name.
      (local.set $at (i32.add (i32.load (i32.const 32)) (i32.const 8)))
      (local.set $left (i32.sub (i32.load (i32.const 36)) (i32.const 1)))
      (block $done
        (loop $next
          (br_if $done (i32.eqz (local.get $left)))
          (call $print (local.get $stream) (i32.load (local.get $at))
            (i32.load offset=4 (local.get $at)))
          (call $print (local.get $stream) (i32.const 16) (i32.const 1))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br $next))))

    (func $print-environment (param $stream i32)
      (local $at i32)
      (call $get-environment (i32.const 32))
      (call $same (i32.load (i32.const 36)) (i32.const 1))
      (local.set $at (i32.load (i32.const 32)))
      (call $print (local.get $stream) (i32.load (local.get $at))
        (i32.load offset=4 (local.get $at)))
      (call $print (local.get $stream) (i32.const 17) (i32.const 1))
      (call $print (local.get $stream) (i32.load offset=8 (local.get $at))
        (i32.load offset=12 (local.get $at)))
      (call $print (local.get $stream) (i32.const 16) (i32.const 1)))

    ;; Two pollables, of which the second is ready at once and the first is not for an hour.
    (func $wait
      (local $first i32) (local $second i32)
      (local.set $first (call $subscribe (i64.const 3600_000_000_000)))
      (local.set $second (call $subscribe (i64.const 0)))
      (call $same (call $ready (local.get $first)) (i32.const 0))
      (call $same (call $ready (local.get $second)) (i32.const 1))
      (i32.store (i32.const 64) (local.get $first))
      (i32.store (i32.const 68) (local.get $second))
      (i32.store (i32.const 72) (local.get $second))
      (call $poll (i32.const 64) (i32.const 3) (i32.const 32))
      (call $same (i32.load (i32.const 36)) (i32.const 2))
      (call $same (i32.load (i32.load (i32.const 32))) (i32.const 1))
      (call $same (i32.load offset=4 (i32.load (i32.const 32))) (i32.const 2))
      (call $drop-pollable (local.get $first))
      (call $drop-pollable (local.get $second)))

    (func (export "run") (result i32)
      (local $stream i32)
      (local.set $stream (call $get-stdout))
      (call $same (local.get $stream) (i32.const 1))
      (call $print-arguments (local.get $stream))
      (call $print-environment (local.get $stream))
      (call $drop-stream (local.get $stream))
      (call $wait)
      (call $initial-cwd (i32.const 32))
      (call $same (i32.gt_u (i32.load8_u (i32.const 32)) (i32.const 1)) (i32.const 0))
      ;; Later than when this was written, and within the second.
      (call $now (i32.const 32))
      (if (i64.lt_u (i64.load (i32.const 32)) (i64.const 1_700_000_000)) (then unreachable))
      (if (i32.ge_u (i32.load (i32.const 40)) (i32.const 1_000_000_000)) (then unreachable))
      (call $get-random (i64.const 1000) (i32.const 32))
      (call $same (i32.load (i32.const 36)) (i32.const 1000))
      (i32.const 0)))
  (core instance $code (instantiate $Code
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "get-stdout" (func $get-stdout)) (export "write" (func $write))
      (export "get-environment" (func $get-environment))
      (export "get-arguments" (func $get-arguments)) (export "initial-cwd" (func $initial-cwd))
      (export "subscribe" (func $subscribe)) (export "now" (func $now))
      (export "get-random" (func $get-random)) (export "ready" (func $ready))
      (export "poll" (func $poll-list)) (export "drop-pollable" (func $drop-pollable))
      (export "drop-stream" (func $drop-stream))))))
  (func $run (result (result)) (canon lift (core func $code "run")))
  (instance $wasi-run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
