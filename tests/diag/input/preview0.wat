;; The interface before preview 1.
(module
  (import "wasi_unstable" "fd_close" (func $fd_close (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $fd_close (i32.const 1)))))
