;; A buffer that leads out of the memory is a trap, but not behind one that has been written.
;; stdout: ab
;; exit: 134
;; stderr: trap: out of bounds memory access
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\20\00\00\00\03\00\00\00\ff\ff\00\00\02\00\00\00")
  (data (i32.const 32) "ab\n")
  (func (export "_start")
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 2) (i32.const 16)))
    (if (i32.ne (i32.load (i32.const 16)) (i32.const 3)) (then (unreachable)))
    (drop (call $fd_write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
