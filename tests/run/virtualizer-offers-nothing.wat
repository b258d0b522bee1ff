;; A child of the link-time virtualization example behind a file system without directories, which
;; needs nothing itself: what the child can reach is standard output alone.
;; stdout: note.txt: out of reach
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
  (type $Types (instance
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
      (result (result u64 (error $error-code)))))
    (export "[method]descriptor.create-directory-at" (func
      (param "self" (borrow $descriptor)) (param "path" string)
      (result (result (error $error-code)))))))
  (import "../../examples/link-time-virtualization/child.wasm" (component $Child
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
    (import "wasi:filesystem/types@0.2.0" (instance $types (type $Types)))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
      (export "descriptor" (type $preopen (eq $descriptor)))
      (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))
    (export "write" (func (param "path" string) (param "text" string) (result (result))))
    (export "show" (func (param "path" string) (result (result))))))

  (component $Nothing
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
    (type $Descriptor (resource (rep i32)))
    ;; Nobody ever has a descriptor, so its methods are never called.
    (core module $Memory
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
      (func (export "open-at") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable)
      (func (export "read") (param i32 i64 i64) (result i32) unreachable)
      (func (export "write") (param i32 i32 i32 i64) (result i32) unreachable)
      (func (export "create-directory-at") (param i32 i32 i32) (result i32) unreachable)
      ;; The empty list: the memory is never written to.
      (func (export "get-directories") (result i32) (i32.const 0)))
    (core instance $memory (instantiate $Memory))
    (func $open-at
      (param "self" (borrow $Descriptor)) (param "path-flags" $path-flags-def)
      (param "path" string) (param "open-flags" $open-flags-def)
      (param "flags" $descriptor-flags-def)
      (result (result (own $Descriptor) (error $error-code-def)))
      (canon lift (core func $memory "open-at")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (func $read
      (param "self" (borrow $Descriptor)) (param "length" u64) (param "offset" u64)
      (result (result (tuple (list u8) bool) (error $error-code-def)))
      (canon lift (core func $memory "read") (memory (core memory $memory "memory"))))
    (func $write
      (param "self" (borrow $Descriptor)) (param "buffer" (list u8)) (param "offset" u64)
      (result (result u64 (error $error-code-def)))
      (canon lift (core func $memory "write")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (func $create-directory-at (param "self" (borrow $Descriptor)) (param "path" string)
      (result (result (error $error-code-def)))
      (canon lift (core func $memory "create-directory-at")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (func $get-directories (result (list (tuple (own $Descriptor) string)))
      (canon lift (core func $memory "get-directories")
        (memory (core memory $memory "memory"))))
    (component $Interface
      (import "descriptor-type" (type $d (sub resource)))
      (import "error-code-type" (type $code (eq $error-code-def)))
      (import "path-flags-type" (type $paths (eq $path-flags-def)))
      (import "open-flags-type" (type $opens (eq $open-flags-def)))
      (import "descriptor-flags-type" (type $modes (eq $descriptor-flags-def)))
      (import "open-at" (func $open-at
        (param "self" (borrow $d)) (param "path-flags" $paths) (param "path" string)
        (param "open-flags" $opens) (param "flags" $modes)
        (result (result (own $d) (error $code)))))
      (import "read" (func $read
        (param "self" (borrow $d)) (param "length" u64) (param "offset" u64)
        (result (result (tuple (list u8) bool) (error $code)))))
      (import "write" (func $write
        (param "self" (borrow $d)) (param "buffer" (list u8)) (param "offset" u64)
        (result (result u64 (error $code)))))
      (import "create-directory-at" (func $create-directory-at
        (param "self" (borrow $d)) (param "path" string) (result (result (error $code)))))
      (export $descriptor "descriptor" (type $d))
      (export $e "error-code" (type $code))
      (export $p "path-flags" (type $paths))
      (export $o "open-flags" (type $opens))
      (export $f "descriptor-flags" (type $modes))
      (export "[method]descriptor.open-at" (func $open-at) (func
        (param "self" (borrow $descriptor)) (param "path-flags" $p) (param "path" string)
        (param "open-flags" $o) (param "flags" $f)
        (result (result (own $descriptor) (error $e)))))
      (export "[method]descriptor.read" (func $read) (func
        (param "self" (borrow $descriptor)) (param "length" u64) (param "offset" u64)
        (result (result (tuple (list u8) bool) (error $e)))))
      (export "[method]descriptor.write" (func $write) (func
        (param "self" (borrow $descriptor)) (param "buffer" (list u8)) (param "offset" u64)
        (result (result u64 (error $e)))))
      (export "[method]descriptor.create-directory-at" (func $create-directory-at) (func
        (param "self" (borrow $descriptor)) (param "path" string)
        (result (result (error $e))))))
    (instance $types (instantiate $Interface
      (with "descriptor-type" (type $Descriptor))
      (with "error-code-type" (type $error-code-def))
      (with "path-flags-type" (type $path-flags-def))
      (with "open-flags-type" (type $open-flags-def))
      (with "descriptor-flags-type" (type $descriptor-flags-def))
      (with "open-at" (func $open-at))
      (with "read" (func $read))
      (with "write" (func $write))
      (with "create-directory-at" (func $create-directory-at))))
    (instance $preopens
      (export "descriptor" (type $Descriptor))
      (export "get-directories" (func $get-directories)))
    (export "types" (instance $types))
    (export "preopens" (instance $preopens)))

  (instance $nothing (instantiate $Nothing))
  (instance $child (instantiate $Child
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "wasi:filesystem/types@0.2.0" (instance $nothing "types"))
    (with "wasi:filesystem/preopens@0.2.0" (instance $nothing "preopens"))))
  (component $Script
    (import "show" (func $show (param "path" string) (result (result))))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $show (canon lower (func $show) (memory (core memory $memory "memory"))))
    (core module $Code
      (import "memory" "memory" (memory 1))
      (import "child" "show" (func $show (param i32 i32) (result i32)))
      (data (i32.const 0) "note.txt")
      (func (export "run") (result i32)
        ;; It must fail.
        (i32.eqz (call $show (i32.const 0) (i32.const 8)))))
    (core instance $code (instantiate $Code
      (with "memory" (instance $memory))
      (with "child" (instance (export "show" (func $show))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $script (instantiate $Script (with "show" (func $child "show"))))
  (instance $run (export "run" (func $script "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
