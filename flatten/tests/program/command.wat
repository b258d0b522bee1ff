;; A core module for preview 1: its host functions get the memory that it exports, not the first one.
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "elsewhere" "unreached" (func $unreached))
  (memory $other 1)
  (memory (export "memory") 2)
  (func $idle call $unreached)
  (func (export "_start")
    (drop (call $fd_close (i32.const 1)))
    (drop (call $fd_close (i32.const 2)))))
