;; A guest that keeps a note in a file.
;;
;; It imports the real `wasi:filesystem` interfaces, cut down to the functions that it
;; calls, and cannot tell whether the host stands behind them or another component.
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
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (type $error-code-def (enum
      "access" "would-block" "already" "bad-descriptor" "busy" "deadlock" "quota" "exist"
      "file-too-large" "illegal-byte-sequence" "in-progress" "interrupted" "invalid" "io"
      "is-directory" "loop" "too-many-links" "message-size" "name-too-long" "no-device"
      "no-entry" "no-lock" "insufficient-memory" "insufficient-space" "not-directory"
      "not-empty" "not-recoverable" "unsupported" "no-tty" "no-such-device" "overflow"
      "not-permitted" "pipe" "read-only" "invalid-seek" "text-file-busy" "cross-device"))
    (type $path-flags-def (flags "symlink-follow"))
    (type $open-flags-def (flags "create" "directory" "exclusive" "truncate"))
    (type $descriptor-flags-def (flags
      "read" "write" "file-integrity-sync" "data-integrity-sync" "requested-write-sync"
      "mutate-directory"))
    (export "descriptor" (type $descriptor (sub resource)))
    (export "error-code" (type $error-code (eq $error-code-def)))
    (export "path-flags" (type $path-flags (eq $path-flags-def)))
    (export "open-flags" (type $open-flags (eq $open-flags-def)))
    (export "descriptor-flags" (type $descriptor-flags (eq $descriptor-flags-def)))
    (export "[method]descriptor.open-at" (func
      (param "self" (borrow $descriptor)) (param "path-flags" $path-flags) (param "path" string)
      (param "open-flags" $open-flags) (param "flags" $descriptor-flags)
      (result (result (own $descriptor) (error $error-code)))))
    (export "[method]descriptor.read" (func
      (param "self" (borrow $descriptor)) (param "length" u64) (param "offset" u64)
      (result (result (tuple (list u8) bool) (error $error-code)))))
    (export "[method]descriptor.write" (func
      (param "self" (borrow $descriptor)) (param "buffer" (list u8)) (param "offset" u64)
      (result (result u64 (error $error-code)))))))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (export "descriptor" (type $preopen (eq $descriptor)))
    (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))

  ;; The memory comes first, because lowering an import needs it and the code imports what
  ;; was lowered. Blocks are only ever added; the end of each call gives all of them back.
  (core module $Memory
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc")
      (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
      (local $block i32)
      (local.set $block (i32.and
        (i32.add (global.get $top) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $top (i32.add (local.get $block) (local.get $size)))
      (if (i32.gt_u (global.get $top) (i32.const 65536)) (then unreachable))
      (local.get $block))
    (func (export "end-call") (param i32) (global.set $top (i32.const 1024))))
  (core instance $memory (instantiate $Memory))

  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $print (canon lower
    (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $memory "memory"))))
  (core func $drop-stream (canon resource.drop $output-stream))
  (core func $get-directories (canon lower (func $preopens "get-directories")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $open-at (canon lower (func $types "[method]descriptor.open-at")
    (memory (core memory $memory "memory"))))
  (core func $read (canon lower (func $types "[method]descriptor.read")
    (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
  (core func $write (canon lower (func $types "[method]descriptor.write")
    (memory (core memory $memory "memory"))))
  (core func $drop-descriptor (canon resource.drop $descriptor))

  (core module $Main
    (import "memory" "memory" (memory 1))
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "print" (func $print (param i32 i32 i32 i32)))
    (import "wasi" "drop-stream" (func $drop-stream (param i32)))
    (import "wasi" "get-directories" (func $get-directories (param i32)))
    (import "wasi" "open-at" (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))
    (import "wasi" "read" (func $read (param i32 i64 i64 i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i64 i32)))
    (import "wasi" "drop-descriptor" (func $drop-descriptor (param i32)))
    (data (i32.const 256) ": ")
    (data (i32.const 264) "out of reach")
    (data (i32.const 280) "\n")

    ;; Results larger than a register are written here: a discriminant, then the payload.
    (global $result i32 (i32.const 16))

    ;; Opens a file in the first preopened directory; 0, which is never a handle, if that fails.
    (func $open (param $path i32) (param $path-len i32) (param $open-flags i32) (param $flags i32)
      (result i32)
      (local $directory i32)
      (call $get-directories (global.get $result))
      (if (i32.eqz (i32.load offset=4 (global.get $result))) (then (return (i32.const 0))))
      (local.set $directory (i32.load (i32.load (global.get $result))))
      (call $open-at (local.get $directory) (i32.const 0)
        (local.get $path) (local.get $path-len)
        (local.get $open-flags) (local.get $flags) (global.get $result))
      (call $drop-descriptor (local.get $directory))
      (if (i32.load8_u (global.get $result)) (then (return (i32.const 0))))
      (i32.load offset=4 (global.get $result)))

    (func $say (param $text i32) (param $text-len i32)
      (local $stream i32)
      (local.set $stream (call $get-stdout))
      (call $print (local.get $stream) (local.get $text) (local.get $text-len)
        (global.get $result))
      (call $drop-stream (local.get $stream)))

    ;; Replaces a file's contents. 0 is success.
    (func (export "write")
      (param $path i32) (param $path-len i32) (param $text i32) (param $text-len i32) (result i32)
      (local $file i32)
      (local.set $file (call $open (local.get $path) (local.get $path-len)
        (i32.const 9)    ;; create, truncate
        (i32.const 2)))  ;; write
      (if (i32.eqz (local.get $file)) (then (return (i32.const 1))))
      (call $write (local.get $file) (local.get $text) (local.get $text-len) (i64.const 0)
        (global.get $result))
      (call $drop-descriptor (local.get $file))
      (i32.load8_u (global.get $result)))

    ;; Prints a line with a file's name and its contents. 0 is success.
    (func (export "show") (param $path i32) (param $path-len i32) (result i32)
      (local $file i32) (local $failed i32) (local $text i32) (local $text-len i32)
      (call $say (local.get $path) (local.get $path-len))
      (call $say (i32.const 256) (i32.const 2))
      (local.set $file (call $open (local.get $path) (local.get $path-len)
        (i32.const 0) (i32.const 1)))  ;; read
      (if (local.get $file)
        (then
          (call $read (local.get $file) (i64.const 4096) (i64.const 0) (global.get $result))
          (call $drop-descriptor (local.get $file))
          (local.set $failed (i32.load8_u (global.get $result)))
          (local.set $text (i32.load offset=4 (global.get $result)))
          (local.set $text-len (i32.load offset=8 (global.get $result))))
        (else (local.set $failed (i32.const 1))))
      (if (local.get $failed)
        (then (local.set $text (i32.const 264)) (local.set $text-len (i32.const 12))))
      (call $say (local.get $text) (local.get $text-len))
      (call $say (i32.const 280) (i32.const 1))
      (local.get $failed)))
  (core instance $main (instantiate $Main
    (with "memory" (instance $memory))
    (with "wasi" (instance
      (export "get-stdout" (func $get-stdout))
      (export "print" (func $print))
      (export "drop-stream" (func $drop-stream))
      (export "get-directories" (func $get-directories))
      (export "open-at" (func $open-at))
      (export "read" (func $read))
      (export "write" (func $write))
      (export "drop-descriptor" (func $drop-descriptor))))))

  (func (export "write") (param "path" string) (param "text" string) (result (result))
    (canon lift (core func $main "write")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
      (post-return (core func $memory "end-call"))))
  (func (export "show") (param "path" string) (result (result))
    (canon lift (core func $main "show")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
      (post-return (core func $memory "end-call")))))
