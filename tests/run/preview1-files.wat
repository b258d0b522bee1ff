;; Several buffers at once, positions, appending, listing a folder from a place in it, waiting.
;; dir: /data
;; stdin: x
;; stdout: ok
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread"
    (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags"
    (func $fd_fdstat_set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_get"
    (func $fd_filestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir"
    (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff"
    (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "file")
  (data (i32.const 32) "abcdefgh")
  (data (i32.const 56) "ok\n")
  ;; At 64: buffers of 3, 0 and 5 bytes at 32, 0 and 35.
  (data (i32.const 64) "\20\00\00\00\03\00\00\00\00\00\00\00\00\00\00\00\23\00\00\00\05\00\00\00")
  ;; At 96: buffers of 2 and 6 bytes at 128 and 256.
  (data (i32.const 96) "\80\00\00\00\02\00\00\00\00\01\00\00\06\00\00\00")
  (data (i32.const 112) "\38\00\00\00\03\00\00\00")
  (func $check (param $holds i32) (if (i32.eqz (local.get $holds)) (then (unreachable))))
  (func $is (param $found i32) (param $wanted i32)
    (call $check (i32.eq (local.get $found) (local.get $wanted))))
  (func $done (param $errno i32) (call $is (local.get $errno) (i32.const 0)))
  (func (export "_start")
    (call $transfer)
    (call $append)
    (call $list)
    (call $wait)
    (call $done (call $fd_write (i32.const 1) (i32.const 112) (i32.const 1) (i32.const 8))))
  (func $transfer
    ;; Descriptor 4, created, to be read and written.
    (call $done (call $path_open (i32.const 3) (i32.const 0) (i32.const 16) (i32.const 4)
      (i32.const 5) (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 8)))
    (call $is (i32.load (i32.const 8)) (i32.const 4))
    (call $done (call $fd_write (i32.const 4) (i32.const 64) (i32.const 3) (i32.const 8)))
    (call $is (i32.load (i32.const 8)) (i32.const 8))
    (call $done (call $fd_seek (i32.const 4) (i64.const -7) (i32.const 2) (i32.const 8)))
    (call $check (i64.eq (i64.load (i32.const 8)) (i64.const 1)))
    (call $done (call $fd_read (i32.const 4) (i32.const 96) (i32.const 2) (i32.const 8)))
    (call $is (i32.load (i32.const 8)) (i32.const 7))
    (call $is (i32.load16_u (i32.const 128)) (i32.const 0x6362))
    (call $is (i32.load (i32.const 256)) (i32.const 0x67666564))
    (call $done (call $fd_pread (i32.const 4) (i32.const 96) (i32.const 1) (i64.const 6) (i32.const 8)))
    (call $is (i32.load16_u (i32.const 128)) (i32.const 0x6867))
    (call $done (call $fd_tell (i32.const 4) (i32.const 8)))
    (call $check (i64.eq (i64.load (i32.const 8)) (i64.const 8))))
  (func $append
    (call $done (call $fd_seek (i32.const 4) (i64.const 0) (i32.const 0) (i32.const 8)))
    (call $done (call $fd_fdstat_set_flags (i32.const 4) (i32.const 1)))
    (call $done (call $fd_write (i32.const 4) (i32.const 64) (i32.const 1) (i32.const 8)))
    (call $done (call $fd_fdstat_get (i32.const 4) (i32.const 512)))
    (call $is (i32.load8_u (i32.const 512)) (i32.const 4))
    (call $is (i32.load16_u (i32.const 514)) (i32.const 1))
    (call $done (call $fd_filestat_get (i32.const 4) (i32.const 512)))
    (call $check (i64.eq (i64.load (i32.const 544)) (i64.const 11)))
    (call $is (i32.load8_u (i32.const 528)) (i32.const 4)))
  (func $list (local $cookie i64) (local $entries i32) (local $names i32)
    ;; One entry at a time: 24 bytes and a name of at most 4.
    (loop $next
      (call $done (call $fd_readdir (i32.const 3) (i32.const 512) (i32.const 28)
        (local.get $cookie) (i32.const 8)))
      (if (i32.ge_u (i32.load (i32.const 8)) (i32.const 24)) (then
        (local.set $cookie (i64.load (i32.const 512)))
        (local.set $entries (i32.add (local.get $entries) (i32.const 1)))
        (local.set $names (i32.add (local.get $names) (i32.load (i32.const 528))))
        (br $next))))
    (call $is (local.get $entries) (i32.const 3))
    (call $is (local.get $names) (i32.const 7)))
  (func $wait
    ;; The clock of the calendar has long passed 1; a minute from now is far; standard input is here.
    (i64.store (i32.const 1024) (i64.const 11))
    (i32.store (i32.const 1040) (i32.const 0))
    (i64.store (i32.const 1048) (i64.const 1))
    (i32.store16 (i32.const 1064) (i32.const 1))
    (i64.store (i32.const 1072) (i64.const 22))
    (i32.store (i32.const 1088) (i32.const 1))
    (i64.store (i32.const 1096) (i64.const 60000000000))
    (i64.store (i32.const 1120) (i64.const 33))
    (i32.store8 (i32.const 1128) (i32.const 1))
    (call $done (call $poll_oneoff (i32.const 1024) (i32.const 2048) (i32.const 2) (i32.const 8)))
    (call $is (i32.load (i32.const 8)) (i32.const 1))
    (call $check (i64.eq (i64.load (i32.const 2048)) (i64.const 11)))
    (call $done (call $poll_oneoff (i32.const 1072) (i32.const 2048) (i32.const 2) (i32.const 8)))
    (call $is (i32.load (i32.const 8)) (i32.const 1))
    (call $check (i64.eq (i64.load (i32.const 2048)) (i64.const 33)))
    (call $is (i32.load16_u (i32.const 2056)) (i32.const 0))
    (call $is (i32.load8_u (i32.const 2058)) (i32.const 1))
    ;; The file becomes standard input: it is read to its end.
    (call $done (call $fd_renumber (i32.const 4) (i32.const 0)))
    (call $done (call $poll_oneoff (i32.const 1120) (i32.const 2048) (i32.const 1) (i32.const 8)))
    (call $is (i32.load16_u (i32.const 2072)) (i32.const 1))))
