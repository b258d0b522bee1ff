;; One resource type through two compatible versions of its interface: a stream from one goes into
;; the other.
(component $root
  (import "wasi:io/streams@0.2.0" (instance $old (export "output-stream" (type (sub resource)))))
  (alias export $old "output-stream" (type $old-stream))
  (import "wasi:io/streams@0.2.9" (instance $new (export "output-stream" (type (sub resource)))))
  (alias export $new "output-stream" (type $new-stream))
  (import "wasi:cli/stdout@0.2.0" (instance $out
    (alias outer $root $old-stream (type $stream))
    (export "output-stream" (type $stream' (eq $stream)))
    (export "get-stdout" (func (result (own $stream'))))
  ))
  (import "wasi:cli/stderr@0.2.9" (instance $err
    (alias outer $root $new-stream (type $stream))
    (export "output-stream" (type $stream' (eq $stream)))
    (export "get-stderr" (func (result (own $stream'))))
  ))
  (core func $stdout (canon lower (func $out "get-stdout")))
  (core func $stderr (canon lower (func $err "get-stderr")))
  (core func $drop (canon resource.drop $old-stream))
  (core func $drop-new (canon resource.drop $new-stream))
  (core module $m
    (import "" "stdout" (func $stdout (result i32)))
    (import "" "stderr" (func $stderr (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "drop-new" (func $drop-new (param i32)))
    (func (export "run") (call $drop (call $stdout)) (call $drop-new (call $stderr))))
  (core instance $i (instantiate $m (with "" (instance
    (export "stdout" (func $stdout)) (export "stderr" (func $stderr))
    (export "drop" (func $drop)) (export "drop-new" (func $drop-new))))))
  (func (export "run") (canon lift (core func $i "run")))
)
