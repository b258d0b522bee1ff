;; `parent.wat` with the components that it imports written inline: the same program.
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

  ;; The text of `virtualize.wat`.
  (component $Virtualize
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
        (result (result u64 (error $error-code)))))
      (export "[method]descriptor.create-directory-at" (func
        (param "self" (borrow $descriptor)) (param "path" string)
        (result (result (error $error-code)))))))
    (alias export $types "descriptor" (type $inner))
    (alias export $types "error-code" (type $error-code))
    (alias export $types "path-flags" (type $path-flags))
    (alias export $types "open-flags" (type $open-flags))
    (alias export $types "descriptor-flags" (type $descriptor-flags))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
      (export "descriptor" (type $preopen (eq $inner)))
      (export "get-directories" (func (result (list (tuple (own $preopen) string)))))))
    ;; Who instantiates this component chooses the folder's last letter.
    (import "window" (core module $Window (export "letter" (global i32))))
    (core instance $window (instantiate $Window))

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

    (core func $get-directories (canon lower (func $preopens "get-directories")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core func $open-at (canon lower (func $types "[method]descriptor.open-at")
      (memory (core memory $memory "memory"))))
    (core func $create-directory-at (canon lower
      (func $types "[method]descriptor.create-directory-at")
      (memory (core memory $memory "memory"))))
    (core func $read (canon lower (func $types "[method]descriptor.read")
      (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core func $write (canon lower (func $types "[method]descriptor.write")
      (memory (core memory $memory "memory"))))
    (core func $drop-inner (canon resource.drop $inner))

    ;; A descriptor's representation is the handle that it wraps, and dropping the one drops
    ;; the other: so no table is needed here.
    (type $Descriptor (resource (rep i32) (dtor (func $drop-inner))))
    (core func $new (canon resource.new $Descriptor))

    (core module $Main
      (import "memory" "memory" (memory 1))
      (import "window" "letter" (global $letter i32))
      (import "below" "get-directories" (func $get-directories (param i32)))
      (import "below" "open-at" (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))
      (import "below" "create-directory-at" (func $create-directory-at (param i32 i32 i32 i32)))
      (import "below" "read" (func $read (param i32 i64 i64 i32)))
      (import "below" "write" (func $write (param i32 i32 i32 i64 i32)))
      (import "below" "drop" (func $drop (param i32)))
      (import "below" "new" (func $new (param i32) (result i32)))
      (data (i32.const 256) "window-?")
      (data (i32.const 264) "/")

      ;; Results are written here, by the functions below as by the ones of this module.
      (global $result i32 (i32.const 16))

      ;; The number of calls, at address 0.
      (func $count
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))))
      (func (export "calls") (result i32) (i32.load (i32.const 0)))

      ;; Puts our own handle in the place of the one below, if the result at $result is a success.
      (func $wrap-result
        (if (i32.eqz (i32.load8_u (global.get $result)))
          (then (i32.store offset=4 (global.get $result)
            (call $new (i32.load offset=4 (global.get $result)))))))

      (func (export "open-at")
        (param $self i32) (param $path-flags i32) (param $path i32) (param $path-len i32)
        (param $open-flags i32) (param $flags i32) (result i32)
        (call $count)
        (call $open-at (local.get $self) (local.get $path-flags)
          (local.get $path) (local.get $path-len)
          (local.get $open-flags) (local.get $flags) (global.get $result))
        (call $wrap-result)
        (global.get $result))

      (func (export "read")
        (param $self i32) (param $length i64) (param $offset i64) (result i32)
        (call $count)
        (call $read (local.get $self) (local.get $length) (local.get $offset) (global.get $result))
        (global.get $result))

      (func (export "write")
        (param $self i32) (param $buffer i32) (param $buffer-len i32) (param $offset i64)
        (result i32)
        (call $count)
        (call $write (local.get $self) (local.get $buffer) (local.get $buffer-len)
          (local.get $offset) (global.get $result))
        (global.get $result))

      (func (export "create-directory-at")
        (param $self i32) (param $path i32) (param $path-len i32) (result i32)
        (call $count)
        (call $create-directory-at (local.get $self) (local.get $path) (local.get $path-len)
          (global.get $result))
        (global.get $result))

      ;; A list with one element, the folder; an empty one if there is no folder to give.
      (func (export "get-directories") (result i32)
        (local $directories i32) (local $count i32) (local $at i32)
        (call $count)
        (i32.store8 (i32.const 263) (global.get $letter))
        (call $get-directories (global.get $result))
        (local.set $directories (i32.load (global.get $result)))
        (local.set $count (i32.load offset=4 (global.get $result)))
        (i32.store offset=4 (global.get $result) (i32.const 0))
        (if (i32.eqz (local.get $count)) (then (return (global.get $result))))
        ;; It may exist already: whether it can be opened is what counts.
        (call $create-directory-at (i32.load (local.get $directories))
          (i32.const 256) (i32.const 8) (global.get $result))
        (call $open-at (i32.load (local.get $directories)) (i32.const 0)
          (i32.const 256) (i32.const 8)
          (i32.const 2)    ;; directory
          (i32.const 33)   ;; read, mutate-directory
          (global.get $result))
        (call $wrap-result)
        ;; From here on nothing holds what lies outside the folder.
        (local.set $at (local.get $directories))
        (loop $next
          (call $drop (i32.load (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 12)))
          (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
        (if (i32.load8_u (global.get $result))
          (then
            (i64.store (global.get $result) (i64.const 0))
            (return (global.get $result))))
        (i32.store (local.get $directories) (i32.load offset=4 (global.get $result)))
        (i32.store offset=4 (local.get $directories) (i32.const 264))
        (i32.store offset=8 (local.get $directories) (i32.const 1))
        (i32.store (global.get $result) (local.get $directories))
        (i32.store offset=4 (global.get $result) (i32.const 1))
        (global.get $result)))
    (core instance $main (instantiate $Main
      (with "memory" (instance $memory))
      (with "window" (instance $window))
      (with "below" (instance
        (export "get-directories" (func $get-directories))
        (export "open-at" (func $open-at))
        (export "create-directory-at" (func $create-directory-at))
        (export "read" (func $read))
        (export "write" (func $write))
        (export "drop" (func $drop-inner))
        (export "new" (func $new))))))

    (func $virtual-open-at
      (param "self" (borrow $Descriptor)) (param "path-flags" $path-flags) (param "path" string)
      (param "open-flags" $open-flags) (param "flags" $descriptor-flags)
      (result (result (own $Descriptor) (error $error-code)))
      (canon lift (core func $main "open-at")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
        (post-return (core func $memory "end-call"))))
    (func $virtual-read
      (param "self" (borrow $Descriptor)) (param "length" u64) (param "offset" u64)
      (result (result (tuple (list u8) bool) (error $error-code)))
      (canon lift (core func $main "read")
        (memory (core memory $memory "memory"))
        (post-return (core func $memory "end-call"))))
    (func $virtual-write
      (param "self" (borrow $Descriptor)) (param "buffer" (list u8)) (param "offset" u64)
      (result (result u64 (error $error-code)))
      (canon lift (core func $main "write")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
        (post-return (core func $memory "end-call"))))
    (func $virtual-create-directory-at (param "self" (borrow $Descriptor)) (param "path" string)
      (result (result (error $error-code)))
      (canon lift (core func $main "create-directory-at")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))
        (post-return (core func $memory "end-call"))))
    (func $virtual-get-directories (result (list (tuple (own $Descriptor) string)))
      (canon lift (core func $main "get-directories")
        (memory (core memory $memory "memory"))
        (post-return (core func $memory "end-call"))))
    (func $calls (result u32) (canon lift (core func $main "calls")))

    ;; Only a component can export a resource's methods, so the first interface's instance is one
    ;; of a component that passes on what it is given.
    (component $Types
      (import "descriptor-type" (type $d (sub resource)))
      (import "error-code-type" (type $imported-error-code (eq $error-code)))
      (import "path-flags-type" (type $imported-path-flags (eq $path-flags)))
      (import "open-flags-type" (type $imported-open-flags (eq $open-flags)))
      (import "descriptor-flags-type" (type $imported-descriptor-flags (eq $descriptor-flags)))
      (import "open-at" (func $open-at
        (param "self" (borrow $d)) (param "path-flags" $imported-path-flags) (param "path" string)
        (param "open-flags" $imported-open-flags) (param "flags" $imported-descriptor-flags)
        (result (result (own $d) (error $imported-error-code)))))
      (import "read" (func $read
        (param "self" (borrow $d)) (param "length" u64) (param "offset" u64)
        (result (result (tuple (list u8) bool) (error $imported-error-code)))))
      (import "write" (func $write
        (param "self" (borrow $d)) (param "buffer" (list u8)) (param "offset" u64)
        (result (result u64 (error $imported-error-code)))))
      (import "create-directory-at" (func $create-directory-at
        (param "self" (borrow $d)) (param "path" string)
        (result (result (error $imported-error-code)))))
      (export $descriptor "descriptor" (type $d))
      (export $e "error-code" (type $imported-error-code))
      (export $p "path-flags" (type $imported-path-flags))
      (export $o "open-flags" (type $imported-open-flags))
      (export $f "descriptor-flags" (type $imported-descriptor-flags))
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
    (instance $virtual-types (instantiate $Types
      (with "descriptor-type" (type $Descriptor))
      (with "error-code-type" (type $error-code))
      (with "path-flags-type" (type $path-flags))
      (with "open-flags-type" (type $open-flags))
      (with "descriptor-flags-type" (type $descriptor-flags))
      (with "open-at" (func $virtual-open-at))
      (with "read" (func $virtual-read))
      (with "write" (func $virtual-write))
      (with "create-directory-at" (func $virtual-create-directory-at))))
    (instance $virtual-preopens
      (export "descriptor" (type $Descriptor))
      (export "get-directories" (func $virtual-get-directories)))
    (export "wasi:filesystem/types@0.2.0" (instance $virtual-types))
    (export "wasi:filesystem/preopens@0.2.0" (instance $virtual-preopens))
    (export "calls" (func $calls)))

  ;; The text of `child.wat`.
  (component $Child
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
