;; What the functions of preview 1 say to mistakes: one error number a line.
;; dir: /data
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 70
;; stdout: 08
;; stdout: 70
;; stdout: 08
;; stdout: 70
;; stdout: 70
;; stdout: 08
;; stdout: 08
;; stdout: 28
;; stdout: 61
;; stdout: 70
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 28
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 28
;; stdout: 61
;; stdout: 08
;; stdout: 58
;; stdout: 08
;; stdout: 28
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 28
;; stdout: 28
;; stdout: 00
;; stdout: 08
;; stdout: 08
;; stdout: 37
;; stdout: 00
;; stdout: 08
;; stdout: 54
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 00
;; stdout: 08
;; stdout: 44
;; stdout: 00
;; stdout: 20
;; stdout: 54
;; stdout: 28
;; stdout: 31
;; stdout: 44
;; stdout: 63
;; stdout: 63
;; stdout: 54
;; stdout: 54
;; stdout: 08
;; stdout: 54
;; stdout: 08
;; stdout: 28
;; stdout: 28
;; stdout: 61
;; stdout: 28
;; stdout: 28
;; stdout: 25
;; stdout: 31
;; stdout: 00
;; stdout: 31
;; stdout: 28
;; stdout: 00
;; stdout: 28
;; stdout: 08
;; stdout: 00
;; stdout: 28
;; stdout: 28
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 28
;; stdout: 00
;; stdout: 58
;; stdout: 58
;; stdout: 28
;; stdout: 00
;; stdout: 08
;; stdout: 28
;; stdout: 28
;; stdout: 28
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 08
;; stdout: 28
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 08
;; stdout: 00
;; stdout: 08
;; stdout: 00
;; stdout: 20
;; stdout: 20
;; stdout: 00
;; stdout: 20
;; stdout: 54
;; stdout: 08
;; stdout: 44
;; stdout: 63
;; stdout: 63
;; stdout: 08
;; stdout: 44
;; stdout: 28
;; stdout: 00
;; stdout: 54
;; stdout: 00
;; stdout: 63
;; stdout: 00
;; stdout: 44
;; stdout: 00
;; stdout: 20
;; stdout: 28
;; stdout: 63
;; stdout: 44
;; stdout: 44
;; stdout: 54
;; stdout: 08
;; stdout: 00
;; stdout: 20
;; stdout: 63
;; stdout: 00
;; stdout: 44
;; stdout: 44
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 28
;; stdout: 44
;; stdout: 28
;; stdout: 32
;; stdout: 63
;; stdout: 32
;; stdout: 54
;; stdout: 63
;; stdout: 00
;; stdout: 32
;; stdout: 44
;; stdout: 28
;; stdout: 00
;; stdout: 63
;; stdout: 44
;; stdout: 31
;; stdout: 54
;; stdout: 28
;; stdout: 54
;; stdout: 63
;; stdout: 00
;; stdout: 08
;; stdout: 31
;; stdout: 44
;; stdout: 54
;; stdout: 31
;; stdout: 31
;; stdout: 63
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 00
;; stdout: 54
;; stdout: 44
;; stdout: 00
;; stdout: 55
;; stdout: 00
;; stdout: 28
;; stdout: 00
;; stdout: 00
;; stdout: 63
;; stdout: 00
;; stdout: 00
;; stdout: 08
;; stdout: 08
;; stdout: 28
;; stdout: 61
;; stdout: 28
;; stdout: 58
;; stdout: 28
;; stdout: 61
;; stdout: 00
;; stdout: 00
;; stdout: 57
;; stdout: 08
;; stdout: 28
;; stdout: 57
;; stdout: 28
;; stdout: 08
;; stdout: 57
;; stdout: 61
;; stdout: 57
;; stdout: 28
;; stdout: 57
;; stdout: 08
;; stdout: 61
;; stdout: 00
;; stdout: 08
;; stdout: 08
;; stdout: 00
;; stdout: 00
;; stdout: 08
;; stdout: 08
;; stdout: 08
;; stdout: 00
;; stdout: 08
;; stdout: 00
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pread" (func $fd_pread (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_tell" (func $fd_tell (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_sync" (func $fd_sync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_datasync" (func $fd_datasync (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_advise" (func $fd_advise (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_allocate" (func $fd_allocate (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $fd_fdstat_set_flags (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_set_rights" (func $fd_fdstat_set_rights (param i32 i64 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd_filestat_set_size (param i32 i64) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_times" (func $fd_filestat_set_times (param i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_prestat_dir_name" (func $fd_prestat_dir_name (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_readdir" (func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $path_create_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get" (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link" (func $path_link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink" (func $path_readlink (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times" (func $path_filestat_set_times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path_rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_remove_directory" (func $path_remove_directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_res_get" (func $clock_res_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_raise" (func $proc_raise (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $sock_recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $sock_send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $sock_shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $fd_fdstat_get (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 2048) "missing")
  (data (i32.const 2056) "f")
  (data (i32.const 2064) ".")
  (data (i32.const 2080) "/f")
  (data (i32.const 2088) "../f")
  (data (i32.const 2096) "f/")
  (data (i32.const 2104) "f/x")
  (data (i32.const 2112) "\ff")
  (data (i32.const 2120) "f\00")
  (data (i32.const 2128) "d")
  (data (i32.const 2136) "d/")
  (data (i32.const 2144) "e/")
  (data (i32.const 2152) "x")
  (data (i32.const 2160) "../x")
  (data (i32.const 2168) "/x")
  (data (i32.const 2176) "..")
  (data (i32.const 2184) "d/..")
  (data (i32.const 2192) "g")
  (data (i32.const 2200) "h")
  (data (i32.const 2208) "h/")
  (data (i32.const 2216) "s")
  (data (i32.const 2224) "t")
  (data (i32.const 2232) "../out")
  (data (i32.const 2240) "out")
  (data (i32.const 2248) "t/")
  (data (i32.const 2256) "loop")
  (data (i32.const 2264) "s/")
  (data (i32.const 2272) "d/x")
  (data (i32.const 2280) "d/i")
  (func $show (param $errno i32)
    (i32.store8 (i32.const 64) (i32.add (i32.const 48) (i32.div_u (local.get $errno) (i32.const 10))))
    (i32.store8 (i32.const 65) (i32.add (i32.const 48) (i32.rem_u (local.get $errno) (i32.const 10))))
    (i32.store8 (i32.const 66) (i32.const 10))
    (i32.store (i32.const 72) (i32.const 64))
    (i32.store (i32.const 76) (i32.const 3))
    (drop (call $fd_write (i32.const 1) (i32.const 72) (i32.const 1) (i32.const 80))))
  (func (export "_start")
    ;; Descriptors that are not there, and standard streams.
    (i32.store (i32.const 512) (i32.const 600)) (i32.store (i32.const 516) (i32.const 0))
    (i32.store (i32.const 520) (i32.const 600)) (i32.store (i32.const 524) (i32.const 4))
    (call $show (call $fd_write (i32.const 9) (i32.const 512) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_write (i32.const 9) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_write (i32.const 0) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_write (i32.const 3) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_read (i32.const 1) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_read (i32.const 3) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_read (i32.const 9) (i32.const 512) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_pread (i32.const 0) (i32.const 520) (i32.const 1) (i64.const 0) (i32.const 1024)))
    (call $show (call $fd_pread (i32.const 1) (i32.const 520) (i32.const 1) (i64.const 0) (i32.const 1024)))
    (call $show (call $fd_pwrite (i32.const 1) (i32.const 520) (i32.const 1) (i64.const 0) (i32.const 1024)))
    (call $show (call $fd_pwrite (i32.const 0) (i32.const 520) (i32.const 1) (i64.const 0) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 1) (i64.const 0) (i32.const 0) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 0) (i64.const 0) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 3) (i64.const 0) (i32.const 0) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 9) (i64.const 0) (i32.const 0) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 9) (i64.const 0) (i32.const 3) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 9) (i64.const 0) (i32.const 256) (i32.const 1024)))
    (call $show (call $fd_tell (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_tell (i32.const 3) (i32.const 1024)))
    (call $show (call $fd_sync (i32.const 1)))
    (call $show (call $fd_sync (i32.const 3)))
    (call $show (call $fd_datasync (i32.const 9)))
    (call $show (call $fd_advise (i32.const 1) (i64.const 0) (i64.const 0) (i32.const 0)))
    (call $show (call $fd_advise (i32.const 3) (i64.const 0) (i64.const 0) (i32.const 6)))
    (call $show (call $fd_advise (i32.const 3) (i64.const 0) (i64.const 0) (i32.const 0)))
    (call $show (call $fd_allocate (i32.const 1) (i64.const 0) (i64.const 1)))
    (call $show (call $fd_allocate (i32.const 3) (i64.const 0) (i64.const 1)))
    (call $show (call $fd_fdstat_set_flags (i32.const 1) (i32.const 0)))
    (call $show (call $fd_fdstat_set_flags (i32.const 3) (i32.const 1)))
    (call $show (call $fd_fdstat_set_flags (i32.const 1) (i32.const 32)))
    (call $show (call $fd_fdstat_set_flags (i32.const 1) (i32.const 65536)))
    (call $show (call $fd_fdstat_set_rights (i32.const 1) (i64.const 0) (i64.const 0)))
    (call $show (call $fd_fdstat_set_rights (i32.const 3) (i64.const 0) (i64.const 0)))
    (call $show (call $fd_fdstat_set_rights (i32.const 9) (i64.const 0) (i64.const 0)))
    (call $show (call $fd_fdstat_set_rights (i32.const 3) (i64.const 1073741824) (i64.const 0)))
    (call $show (call $fd_filestat_set_size (i32.const 3) (i64.const 0)))
    (call $show (call $fd_filestat_set_size (i32.const 1) (i64.const 0)))
    (call $show (call $fd_filestat_set_times (i32.const 1) (i64.const 0) (i64.const 0) (i32.const 0)))
    (call $show (call $fd_filestat_set_times (i32.const 9) (i64.const 0) (i64.const 0) (i32.const 3)))
    (call $show (call $fd_filestat_set_times (i32.const 9) (i64.const 0) (i64.const 0) (i32.const 16)))
    (call $show (call $fd_prestat_get (i32.const 3) (i32.const 1024)))
    (call $show (call $fd_prestat_get (i32.const 4) (i32.const 1024)))
    (call $show (call $fd_prestat_get (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_prestat_dir_name (i32.const 3) (i32.const 1024) (i32.const 2)))
    (call $show (call $fd_prestat_dir_name (i32.const 3) (i32.const 1024) (i32.const 5)))
    (call $show (call $fd_prestat_dir_name (i32.const 4) (i32.const 1024) (i32.const 5)))
    (call $show (call $fd_prestat_dir_name (i32.const 1) (i32.const 1024) (i32.const 5)))
    (call $show (call $fd_readdir (i32.const 1) (i32.const 1024) (i32.const 64) (i64.const 0) (i32.const 1536)))
    (call $show (call $fd_readdir (i32.const 9) (i32.const 1024) (i32.const 64) (i64.const 0) (i32.const 1536)))
    (call $show (call $fd_renumber (i32.const 9) (i32.const 1)))
    (call $show (call $fd_renumber (i32.const 1) (i32.const 9)))
    (call $show (call $fd_renumber (i32.const 1) (i32.const 1)))
    (call $show (call $fd_close (i32.const 9)))
    ;; Files.
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2048) (i32.const 7) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 1) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))  ;; 4
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 5) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 2) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 3) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2064) (i32.const 1) (i32.const 8) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2072) (i32.const 0) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2080) (i32.const 2) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2088) (i32.const 4) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2096) (i32.const 2) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2104) (i32.const 3) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 1) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 4) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 9) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 2) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 16) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 65536) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 32) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 1073741824) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2112) (i32.const 3) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2064) (i32.const 1) (i32.const 0) (i64.const 64) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2064) (i32.const 1) (i32.const 2) (i64.const 2) (i64.const 536870911) (i32.const 0) (i32.const 1024)))  ;; 5
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2064) (i32.const 1) (i32.const 2) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2120) (i32.const 4) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $fd_fdstat_set_flags (i32.const 4) (i32.const 5)))
    (call $show (call $fd_fdstat_set_flags (i32.const 4) (i32.const 2)))
    (call $show (call $fd_fdstat_set_flags (i32.const 5) (i32.const 0)))
    (call $show (call $fd_write (i32.const 4) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 4) (i64.const -1) (i32.const 0) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 4) (i64.const -100) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_seek (i32.const 4) (i64.const -4) (i32.const 2) (i32.const 1024)))
    (call $show (call $fd_tell (i32.const 4) (i32.const 1024)))
    (call $show (call $fd_read (i32.const 4) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_filestat_set_size (i32.const 4) (i64.const -1)))
    (call $show (call $fd_filestat_set_size (i32.const 4) (i64.const 2)))
    (call $show (call $fd_allocate (i32.const 4) (i64.const 0) (i64.const 1)))
    (call $show (call $fd_allocate (i32.const 4) (i64.const 0) (i64.const 0)))
    (call $show (call $fd_advise (i32.const 4) (i64.const -1) (i64.const -1) (i32.const 0)))
    (call $show (call $fd_advise (i32.const 4) (i64.const 0) (i64.const 0) (i32.const 5)))
    (call $show (call $fd_readdir (i32.const 4) (i32.const 1024) (i32.const 64) (i64.const 0) (i32.const 1536)))
    (call $show (call $fd_pread (i32.const 4) (i32.const 520) (i32.const 1) (i64.const -1) (i32.const 1024)))
    (call $show (call $fd_pwrite (i32.const 4) (i32.const 520) (i32.const 1) (i64.const -1) (i32.const 1024)))
    (call $show (call $fd_filestat_set_times (i32.const 4) (i64.const 1) (i64.const 1) (i32.const 3)))
    (call $show (call $fd_filestat_set_times (i32.const 4) (i64.const 1) (i64.const 1) (i32.const 5)))
    (call $show (call $fd_filestat_set_times (i32.const 4) (i64.const -1) (i64.const 1) (i32.const 1)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 2) (i64.const 536870911) (i32.const 0) (i32.const 1024)))  ;; 6
    (call $show (call $fd_write (i32.const 6) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_filestat_set_size (i32.const 6) (i64.const 0)))
    (call $show (call $fd_read (i32.const 6) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_close (i32.const 6)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 0) (i64.const 64) (i64.const 536870911) (i32.const 0) (i32.const 1024)))  ;; 6
    (call $show (call $fd_read (i32.const 6) (i32.const 520) (i32.const 1) (i32.const 1024)))
    (call $show (call $fd_close (i32.const 6)))
    (call $show (call $fd_close (i32.const 6)))
    ;; Paths.
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2128) (i32.const 1)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2128) (i32.const 1)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2136) (i32.const 2)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2144) (i32.const 2)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2064) (i32.const 1)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2104) (i32.const 3)))
    (call $show (call $path_create_directory (i32.const 4) (i32.const 2152) (i32.const 1)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2072) (i32.const 0)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2160) (i32.const 4)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2168) (i32.const 2)))
    (call $show (call $path_create_directory (i32.const 1) (i32.const 2152) (i32.const 1)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2048) (i32.const 7) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 2) (i32.const 2056) (i32.const 1) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2096) (i32.const 2) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2136) (i32.const 2) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2176) (i32.const 2) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2184) (i32.const 4) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2072) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2192) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2192) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2128) (i32.const 1) (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2048) (i32.const 7) (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2208) (i32.const 2)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2096) (i32.const 2) (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_link (i32.const 3) (i32.const 0) (i32.const 2056) (i32.const 1) (i32.const 9) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_symlink (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2216) (i32.const 1)))
    (call $show (call $path_symlink (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2216) (i32.const 1)))
    (call $show (call $path_symlink (i32.const 2080) (i32.const 2) (i32.const 3) (i32.const 2224) (i32.const 1)))
    (call $show (call $path_symlink (i32.const 2232) (i32.const 6) (i32.const 3) (i32.const 2240) (i32.const 3)))
    (call $show (call $path_symlink (i32.const 2056) (i32.const 1) (i32.const 3) (i32.const 2248) (i32.const 2)))
    (call $show (call $path_symlink (i32.const 2072) (i32.const 0) (i32.const 3) (i32.const 2224) (i32.const 1)))
    (call $show (call $path_symlink (i32.const 2256) (i32.const 4) (i32.const 3) (i32.const 2256) (i32.const 4)))
    (call $show (call $path_readlink (i32.const 3) (i32.const 2216) (i32.const 1) (i32.const 1024) (i32.const 16) (i32.const 1536)))
    (call $show (call $path_readlink (i32.const 3) (i32.const 2216) (i32.const 1) (i32.const 1024) (i32.const 0) (i32.const 1536)))
    (call $show (call $path_readlink (i32.const 3) (i32.const 2056) (i32.const 1) (i32.const 1024) (i32.const 16) (i32.const 1536)))
    (call $show (call $path_readlink (i32.const 3) (i32.const 2048) (i32.const 7) (i32.const 1024) (i32.const 16) (i32.const 1536)))
    (call $show (call $path_readlink (i32.const 3) (i32.const 2264) (i32.const 2) (i32.const 1024) (i32.const 16) (i32.const 1536)))
    (call $show (call $path_open (i32.const 3) (i32.const 0) (i32.const 2216) (i32.const 1) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2240) (i32.const 3) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2256) (i32.const 4) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_open (i32.const 3) (i32.const 1) (i32.const 2264) (i32.const 2) (i32.const 0) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2240) (i32.const 3) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 2240) (i32.const 3) (i32.const 1024)))
    (call $show (call $path_filestat_get (i32.const 3) (i32.const 1) (i32.const 2256) (i32.const 4) (i32.const 1024)))
    (call $show (call $path_filestat_set_times (i32.const 3) (i32.const 1) (i32.const 2048) (i32.const 7) (i64.const 1) (i64.const 1) (i32.const 5)))
    (call $show (call $path_filestat_set_times (i32.const 3) (i32.const 1) (i32.const 2056) (i32.const 1) (i64.const 1) (i64.const 1) (i32.const 3)))
    (call $show (call $path_filestat_set_times (i32.const 3) (i32.const 0) (i32.const 2216) (i32.const 1) (i64.const 1) (i64.const 1) (i32.const 5)))
    (call $show (call $path_filestat_set_times (i32.const 3) (i32.const 1) (i32.const 2240) (i32.const 3) (i64.const 1) (i64.const 1) (i32.const 5)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2048) (i32.const 7) (i32.const 3) (i32.const 2152) (i32.const 1)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2192) (i32.const 1) (i32.const 3) (i32.const 2128) (i32.const 1)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2128) (i32.const 1) (i32.const 3) (i32.const 2192) (i32.const 1)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2128) (i32.const 1) (i32.const 3) (i32.const 2272) (i32.const 3)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2192) (i32.const 1) (i32.const 3) (i32.const 2208) (i32.const 2)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2192) (i32.const 1) (i32.const 3) (i32.const 2160) (i32.const 4)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2192) (i32.const 1) (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_rename (i32.const 3) (i32.const 2200) (i32.const 1) (i32.const 4) (i32.const 2152) (i32.const 1)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2128) (i32.const 1)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2048) (i32.const 7)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2096) (i32.const 2)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2136) (i32.const 2)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2064) (i32.const 1)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2088) (i32.const 4)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2216) (i32.const 1)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2200) (i32.const 1)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2240) (i32.const 3)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2256) (i32.const 4)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2056) (i32.const 1)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2048) (i32.const 7)))
    (call $show (call $path_create_directory (i32.const 3) (i32.const 2280) (i32.const 3)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2128) (i32.const 1)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2280) (i32.const 3)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2064) (i32.const 1)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2136) (i32.const 2)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2144) (i32.const 2)))
    (call $show (call $path_remove_directory (i32.const 3) (i32.const 2176) (i32.const 2)))
    (call $show (call $path_unlink_file (i32.const 3) (i32.const 2056) (i32.const 1)))
    ;; The rest.
    (call $show (call $clock_res_get (i32.const 0) (i32.const 1024)))
    (call $show (call $clock_res_get (i32.const 2) (i32.const 1024)))
    (call $show (call $clock_time_get (i32.const 3) (i64.const 0) (i32.const 1024)))
    (call $show (call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 1024)))
    (call $show (call $clock_time_get (i32.const -1) (i64.const 0) (i32.const 1024)))
    (call $show (call $poll_oneoff (i32.const 0) (i32.const 1024) (i32.const 0) (i32.const 1024)))
    (call $show (call $proc_raise (i32.const 6)))
    (call $show (call $proc_raise (i32.const 31)))
    (call $show (call $proc_raise (i32.const 256)))
    (call $show (call $sched_yield ))
    (call $show (call $random_get (i32.const 1024) (i32.const 0)))
    (call $show (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 1024)))
    (call $show (call $sock_accept (i32.const 9) (i32.const 0) (i32.const 1024)))
    (call $show (call $sock_accept (i32.const 3) (i32.const 64) (i32.const 1024)))
    (call $show (call $sock_recv (i32.const 1) (i32.const 520) (i32.const 1) (i32.const 0) (i32.const 1024) (i32.const 1028)))
    (call $show (call $sock_recv (i32.const 1) (i32.const 520) (i32.const 1) (i32.const 4) (i32.const 1024) (i32.const 1028)))
    (call $show (call $sock_send (i32.const 9) (i32.const 520) (i32.const 1) (i32.const 0) (i32.const 1024)))
    (call $show (call $sock_send (i32.const 1) (i32.const 520) (i32.const 1) (i32.const 1) (i32.const 1024)))
    (call $show (call $sock_send (i32.const 1) (i32.const 520) (i32.const 1) (i32.const 65536) (i32.const 1024)))
    (call $show (call $sock_shutdown (i32.const 1) (i32.const 1)))
    (call $show (call $sock_shutdown (i32.const 1) (i32.const 4)))
    (call $show (call $sock_shutdown (i32.const 1) (i32.const 0)))
    (call $show (call $sock_shutdown (i32.const 9) (i32.const 3)))
    (call $show (call $sock_shutdown (i32.const 9) (i32.const 256)))
    (call $show (call $fd_close (i32.const 3)))
    (call $show (call $fd_close (i32.const 3)))
    (call $show (call $fd_prestat_get (i32.const 3) (i32.const 1024)))
    (call $show (call $path_open (i32.const 5) (i32.const 1) (i32.const 2056) (i32.const 1) (i32.const 1) (i64.const 66) (i64.const 536870911) (i32.const 0) (i32.const 1024)))  ;; 3
    (call $show (call $fd_close (i32.const 4)))
    (call $show (call $fd_renumber (i32.const 3) (i32.const 4)))
    (call $show (call $fd_tell (i32.const 3) (i32.const 1024)))
    (call $show (call $fd_tell (i32.const 4) (i32.const 1024)))
    (call $show (call $fd_close (i32.const 0)))
    (call $show (call $fd_fdstat_get (i32.const 0) (i32.const 1024)))
    (call $show (call $path_unlink_file (i32.const 5) (i32.const 2056) (i32.const 1)))))
