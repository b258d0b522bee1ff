;; The parent decides at link time what its children take for the file system.
;;
;; It imports two components, each by the path of its file, and instantiates both of them
;; twice: each child gets the file system of its own virtualizer, and only the virtualizers
;; get the real one. Nothing of this is left at run time: the instances are flattened into
;; one program, and the calls between them are inlined.
(component
  ;; What the host provides.
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
  ;; What a file system is, here: the same for the host, the virtualizers and the children.
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
  (import "wasi:filesystem/types@0.2.0" (instance $types (type $Types)))
  (alias export $types "descriptor" (type $descriptor))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (export "descriptor" (type $preopen (eq $descriptor)))
    (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))

  ;; The components that it is composed of.
  (import "./virtualize.wasm" (component $Virtualize
    (import "wasi:filesystem/types@0.2.0" (instance $types (type $Types)))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
      (export "descriptor" (type $preopen (eq $descriptor)))
      (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))
    (import "window" (core module (export "letter" (global i32))))
    (export "wasi:filesystem/types@0.2.0" (instance $virtual-types (type $Types)))
    (alias export $virtual-types "descriptor" (type $virtual-descriptor))
    (export "wasi:filesystem/preopens@0.2.0" (instance
      (export "descriptor" (type $preopen (eq $virtual-descriptor)))
      (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))
    (export "calls" (func (result u32)))))
  (import "./child.wasm" (component $Child
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

  ;; Two folders of one file system, and a child in each.
  (core module $WindowA (global (export "letter") i32 (i32.const 97)))
  (core module $WindowB (global (export "letter") i32 (i32.const 98)))
  (instance $virtual-a (instantiate $Virtualize
    (with "wasi:filesystem/types@0.2.0" (instance $types))
    (with "wasi:filesystem/preopens@0.2.0" (instance $preopens))
    (with "window" (core module $WindowA))))
  (instance $virtual-b (instantiate $Virtualize
    (with "wasi:filesystem/types@0.2.0" (instance $types))
    (with "wasi:filesystem/preopens@0.2.0" (instance $preopens))
    (with "window" (core module $WindowB))))
  (instance $child-a (instantiate $Child
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "wasi:filesystem/types@0.2.0" (instance $virtual-a "wasi:filesystem/types@0.2.0"))
    (with "wasi:filesystem/preopens@0.2.0"
      (instance $virtual-a "wasi:filesystem/preopens@0.2.0"))))
  (instance $child-b (instantiate $Child
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "wasi:filesystem/types@0.2.0" (instance $virtual-b "wasi:filesystem/types@0.2.0"))
    (with "wasi:filesystem/preopens@0.2.0"
      (instance $virtual-b "wasi:filesystem/preopens@0.2.0"))))

  ;; What is to happen: both children write, then read, then one reaches for the other's note;
  ;; in the end the number of calls of each virtualizer is printed.
  (component $Script
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
    (import "write-a" (func $write-a (param "path" string) (param "text" string) (result (result))))
    (import "write-b" (func $write-b (param "path" string) (param "text" string) (result (result))))
    (import "show-a" (func $show-a (param "path" string) (result (result))))
    (import "show-b" (func $show-b (param "path" string) (result (result))))
    (import "calls-a" (func $calls-a (result u32)))
    (import "calls-b" (func $calls-b (result u32)))

    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $write-a (canon lower (func $write-a)
      (memory (core memory $memory "memory"))))
    (core func $write-b (canon lower (func $write-b)
      (memory (core memory $memory "memory"))))
    (core func $show-a (canon lower (func $show-a) (memory (core memory $memory "memory"))))
    (core func $show-b (canon lower (func $show-b) (memory (core memory $memory "memory"))))
    (core func $calls-a (canon lower (func $calls-a)))
    (core func $calls-b (canon lower (func $calls-b)))
    (core func $get-stdout (canon lower (func $stdout "get-stdout")))
    (core func $print (canon lower
      (func $streams "[method]output-stream.blocking-write-and-flush")
      (memory (core memory $memory "memory"))))
    (core func $drop-stream (canon resource.drop $output-stream))
    (core module $Main
      (import "memory" "memory" (memory 1))
      (import "a" "write" (func $write-a (param i32 i32 i32 i32) (result i32)))
      (import "a" "show" (func $show-a (param i32 i32) (result i32)))
      (import "a" "calls" (func $calls-a (result i32)))
      (import "b" "write" (func $write-b (param i32 i32 i32 i32) (result i32)))
      (import "b" "show" (func $show-b (param i32 i32) (result i32)))
      (import "b" "calls" (func $calls-b (result i32)))
      (import "wasi" "get-stdout" (func $get-stdout (result i32)))
      (import "wasi" "print" (func $print (param i32 i32 i32 i32)))
      (import "wasi" "drop-stream" (func $drop-stream (param i32)))
      (data (i32.const 256) "note.txt")
      (data (i32.const 272) "the first child was here")
      (data (i32.const 304) "the second child was here")
      (data (i32.const 336) "../window-b/note.txt")
      (data (i32.const 368) "calls: ??, ??\n")

      ;; Writes a number below 100 as two digits.
      (func $put (param $at i32) (param $number i32)
        (i32.store8 (local.get $at)
          (i32.add (i32.const 48) (i32.div_u (local.get $number) (i32.const 10))))
        (i32.store8 offset=1 (local.get $at)
          (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10)))))

      ;; 0 if everything went as it should, to begin with that the last `show` failed.
      (func (export "run") (result i32)
        (local $failed i32) (local $stream i32)
        (local.set $failed (i32.or
          (i32.or
            (call $write-a (i32.const 256) (i32.const 8) (i32.const 272) (i32.const 24))
            (call $write-b (i32.const 256) (i32.const 8) (i32.const 304) (i32.const 25)))
          (i32.or
            (call $show-a (i32.const 256) (i32.const 8))
            (call $show-b (i32.const 256) (i32.const 8)))))
        (local.set $failed (i32.or (local.get $failed)
          (i32.eqz (call $show-a (i32.const 336) (i32.const 20)))))
        (call $put (i32.const 375) (call $calls-a))
        (call $put (i32.const 379) (call $calls-b))
        (local.set $stream (call $get-stdout))
        (call $print (local.get $stream) (i32.const 368) (i32.const 14) (i32.const 16))
        (call $drop-stream (local.get $stream))
        (local.get $failed)))
    (core instance $main (instantiate $Main
      (with "memory" (instance $memory))
      (with "a" (instance
        (export "write" (func $write-a)) (export "show" (func $show-a))
        (export "calls" (func $calls-a))))
      (with "b" (instance
        (export "write" (func $write-b)) (export "show" (func $show-b))
        (export "calls" (func $calls-b))))
      (with "wasi" (instance
        (export "get-stdout" (func $get-stdout))
        (export "print" (func $print))
        (export "drop-stream" (func $drop-stream))))))
    (func (export "run") (result (result)) (canon lift (core func $main "run"))))
  (instance $script (instantiate $Script
    (with "wasi:io/error@0.2.0" (instance $error))
    (with "wasi:io/streams@0.2.0" (instance $streams))
    (with "wasi:cli/stdout@0.2.0" (instance $stdout))
    (with "write-a" (func $child-a "write"))
    (with "write-b" (func $child-b "write"))
    (with "show-a" (func $child-a "show"))
    (with "show-b" (func $child-b "show"))
    (with "calls-a" (func $virtual-a "calls"))
    (with "calls-b" (func $virtual-b "calls"))))
  (instance $run (export "run" (func $script "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
