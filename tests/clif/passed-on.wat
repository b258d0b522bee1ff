;; A child prints text through two virtualizers that pass it on as it is: it is validated once, and
;; copied once, from the child's memory into that of the component that prints it.
(component
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $stream (sub resource)))
    (alias outer 1 $error (type $error0))
    (export "error" (type $error (eq $error0)))
    (type $failure0 (variant (case "last-operation-failed" (own $error)) (case "closed")))
    (export "stream-error" (type $failure (eq $failure0)))
    (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $stream))
      (param "contents" (list u8)) (result (result (error $failure)))))))
  (alias export $streams "output-stream" (type $stream))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $stream (type $stream0))
    (export "output-stream" (type $stream (eq $stream0)))
    (export "get-stdout" (func (result (own $stream))))))

  (component $Real
    (import "streams" (instance $streams
      (export "output-stream" (type $stream (sub resource)))
      (export "error" (type $error (sub resource)))
      (type $failure0 (variant (case "last-operation-failed" (own $error)) (case "closed")))
      (export "stream-error" (type $failure (eq $failure0)))
      (export "[method]output-stream.blocking-write-and-flush" (func (param "self" (borrow $stream))
        (param "contents" (list u8)) (result (result (error $failure)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "get-stdout" (func $get (result (own $stream))))
    (core module $Libc
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $libc (instantiate $Libc))
    (alias core export $libc "memory" (core memory $memory))
    (alias core export $libc "realloc" (core func $realloc))
    (core func $get (canon lower (func $get)))
    (core func $write (canon lower
      (func $streams "[method]output-stream.blocking-write-and-flush") (memory $memory)))
    (core module $M
      (import "" "get" (func $get (result i32)))
      (import "" "write" (func $write (param i32 i32 i32 i32)))
      (func $print (export "print") (param i32 i32)
        (call $write (call $get) (local.get 0) (local.get 1) (i32.const 0))))
    (core instance $m (instantiate $M
      (with "" (instance (export "get" (func $get)) (export "write" (func $write))))))
    (func (export "print") (param "text" string)
      (canon lift (core func $m "print") (memory $memory) (realloc $realloc))))

  (component $Virtualizer
    (import "print" (func $print (param "text" string)))
    (core module $Libc
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 2048)))
    (core instance $libc (instantiate $Libc))
    (alias core export $libc "memory" (core memory $memory))
    (alias core export $libc "realloc" (core func $realloc))
    (core func $print (canon lower (func $print) (memory $memory)))
    (core module $M
      (import "" "print" (func $print (param i32 i32)))
      (func $pass-on (export "print") (param i32 i32) (call $print (local.get 0) (local.get 1))))
    (core instance $m (instantiate $M (with "" (instance (export "print" (func $print))))))
    (func (export "print") (param "text" string)
      (canon lift (core func $m "print") (memory $memory) (realloc $realloc))))

  (component $Child
    (import "print" (func $print (param "text" string)))
    (core module $Libc (memory (export "memory") 1) (data (i32.const 64) "passed on\n"))
    (core instance $libc (instantiate $Libc))
    (core func $print (canon lower (func $print) (memory (core memory $libc "memory"))))
    (core module $M
      (import "" "print" (func $print (param i32 i32)))
      (func $run (export "run") (result i32) (call $print (i32.const 64) (i32.const 10)) (i32.const 0)))
    (core instance $m (instantiate $M (with "" (instance (export "print" (func $print))))))
    (func (export "run") (result (result)) (canon lift (core func $m "run"))))

  (instance $real (instantiate $Real
    (with "streams" (instance $streams)) (with "get-stdout" (func $stdout "get-stdout"))))
  (instance $one (instantiate $Virtualizer (with "print" (func $real "print"))))
  (instance $other (instantiate $Virtualizer (with "print" (func $one "print"))))
  (instance $child (instantiate $Child (with "print" (func $other "print"))))
  (instance $run (export "run" (func $child "run")))
  (export "wasi:cli/run@0.2.0" (instance $run)))
