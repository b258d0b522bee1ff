;; A case of the variant inside the result differs from the host's.
(component $root
  (import "wasi:io/error@0.2.0" (instance $errors (export "error" (type (sub resource)))))
  (alias export $errors "error" (type $error))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (alias outer $root $error (type $error'))
    (export "error" (type $error (eq $error')))
    (export "output-stream" (type $stream (sub resource)))
    (type $stream-error' (variant (case "failed" (own $error)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $stream-error')))
    (export "[method]output-stream.flush"
      (func (param "self" (borrow $stream)) (result (result (error $stream-error)))))
  ))
  (core module $Memory (memory (export "memory") 1))
  (core instance $memory (instantiate $Memory))
  (core func $flush (canon lower (func $streams "[method]output-stream.flush")
    (memory $memory "memory")))
  (core module $m (import "" "flush" (func $flush (param i32 i32)))
    (func (export "run") (call $flush (i32.const 1) (i32.const 0))))
  (core instance $i (instantiate $m (with "" (instance (export "flush" (func $flush))))))
  (func (export "run") (canon lift (core func $i "run")))
)
