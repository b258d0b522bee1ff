;; Preview 1 has no such function.
(module
  (import "wasi_snapshot_preview1" "fd_wrote" (func $fd_wrote (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $fd_wrote (i32.const 1)))))
