;; Counts the lines of standard input, 64 KiB at a time, and prints the number. Blocks of 2 KiB are
;; counted lane by lane, so that no lane exceeds 255.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 3)
  (func (export "_start") (local $lines i64) (local $at i32) (local $end i32)
    (local $block_end i32) (local $sums v128)
    loop $more
      (i32.store (i32.const 0) (i32.const 65536))
      (i32.store (i32.const 4) (i32.const 65536))
      (if (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8))
        (then (call $exit (i32.const 1))))
      (local.set $at (i32.const 65536))
      (local.set $end (i32.add (i32.const 65536) (i32.load (i32.const 8))))
      (if (i32.ne (local.get $at) (local.get $end))
        (then
          ;; What an earlier read left behind the end must not be counted.
          (v128.store (local.get $end) (v128.const i64x2 0 0))
          (v128.store offset=16 (local.get $end) (v128.const i64x2 0 0))
          loop $block
            (local.set $block_end (i32.add (local.get $at) (i32.const 2048)))
            (if (i32.gt_u (local.get $block_end) (local.get $end))
              (then (local.set $block_end (local.get $end))))
            (local.set $sums (v128.const i64x2 0 0))
            loop $lanes
              (local.set $sums (i8x16.sub (local.get $sums)
                (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 10)))))
              (local.set $sums (i8x16.sub (local.get $sums)
                (i8x16.eq (v128.load offset=16 (local.get $at)) (i8x16.splat (i32.const 10)))))
              (local.set $at (i32.add (local.get $at) (i32.const 32)))
              (br_if $lanes (i32.lt_u (local.get $at) (local.get $block_end)))
            end
            (local.set $sums (i32x4.extadd_pairwise_i16x8_u
              (i16x8.extadd_pairwise_i8x16_u (local.get $sums))))
            (local.set $lines (i64.add (local.get $lines) (i64.extend_i32_u (i32.add
              (i32.add (i32x4.extract_lane 0 (local.get $sums)) (i32x4.extract_lane 1 (local.get $sums)))
              (i32.add (i32x4.extract_lane 2 (local.get $sums)) (i32x4.extract_lane 3 (local.get $sums)))))))
            (br_if $block (i32.lt_u (local.get $at) (local.get $end)))
          end
          br $more))
    end
    (call $print (local.get $lines)))
  (func $print (param $number i64) (local $at i32)
    (local.set $at (i32.const 63))
    (i32.store8 (i32.const 63) (i32.const 10))
    loop $digit
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i64.store8 (local.get $at)
        (i64.add (i64.const 48) (i64.rem_u (local.get $number) (i64.const 10))))
      (br_if $digit (i64.ne (i64.const 0)
        (local.tee $number (i64.div_u (local.get $number) (i64.const 10)))))
    end
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 64) (local.get $at)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
