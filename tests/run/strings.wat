;; Strings between guests of all encodings: what arrives, and which `realloc` calls the receiver
;; sees on the way. The receiver keeps a log of numbers that the sender asks for one by one.
(component
  (component $Receiver
    (core module $Code
      (memory (export "memory") 1)
      (global $heap (mut i32) (i32.const 4096))
      ;; The log lies between these two; it starts at 16.
      (global $read (mut i32) (i32.const 16))
      (global $written (mut i32) (i32.const 16))
      (func $log (param $number i32)
        (i32.store (global.get $written) (local.get $number))
        (global.set $written (i32.add (global.get $written) (i32.const 4))))
      (func (export "next") (result i32)
        ;; Nothing is left to read: one side expects more than there was.
        (if (i32.eq (global.get $read) (global.get $written)) (then unreachable))
        (global.set $read (i32.add (global.get $read) (i32.const 4)))
        (i32.load (i32.sub (global.get $read) (i32.const 4))))
      (func (export "end")
        (if (i32.ne (global.get $read) (global.get $written)) (then unreachable))
        (global.set $read (i32.const 16))
        (global.set $written (i32.const 16)))
      (func (export "realloc") (param $old i32) (param $old-size i32) (param $align i32)
        (param $new-size i32) (result i32)
        (local $new i32)
        (call $log (local.get $old-size))
        (call $log (local.get $align))
        (call $log (local.get $new-size))
        ;; Always somewhere else, so that contents that were not carried along are missed.
        (local.set $new (global.get $heap))
        (global.set $heap (i32.and
          (i32.add (i32.add (local.get $new) (local.get $new-size)) (i32.const 15))
          (i32.const -8)))
        (memory.copy (local.get $new) (local.get $old)
          (select (local.get $old-size) (local.get $new-size)
            (i32.lt_u (local.get $old-size) (local.get $new-size))))
        (local.get $new))
      (func $receive (param $at i32) (param $len i32) (param $tag i32) (param $is-wide i32)
        (local $position i32) (local $sum i32)
        (call $log (local.get $len))
        (call $log (local.get $tag))
        (block $done
          (loop $unit
            (br_if $done (i32.eq (local.get $position) (local.get $len)))
            (local.set $position (i32.add (local.get $position) (i32.const 1)))
            (local.set $sum (i32.add (local.get $sum) (i32.mul (local.get $position)
              (if (result i32) (local.get $is-wide)
                (then (i32.load16_u (local.get $at)))
                (else (i32.load8_u (local.get $at)))))))
            (local.set $at
              (i32.add (local.get $at) (i32.add (local.get $is-wide) (i32.const 1))))
            (br $unit)))
        (call $log (local.get $sum)))
      (func (export "utf8") (param $at i32) (param $len i32)
        (call $receive (local.get $at) (local.get $len) (i32.const 0) (i32.const 0)))
      (func (export "utf16") (param $at i32) (param $len i32)
        (call $receive (local.get $at) (local.get $len) (i32.const 0) (i32.const 1)))
      (func (export "latin1") (param $at i32) (param $len i32)
        (local $tag i32)
        (local.set $tag (i32.shr_u (local.get $len) (i32.const 31)))
        (call $receive (local.get $at) (i32.and (local.get $len) (i32.const 0x7fff_ffff))
          (local.get $tag) (local.get $tag))))
    (core instance $code (instantiate $Code))
    (func (export "utf8") (param "text" string)
      (canon lift (core func $code "utf8") string-encoding=utf8
        (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
    (func (export "utf16") (param "text" string)
      (canon lift (core func $code "utf16") string-encoding=utf16
        (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
    (func (export "latin1") (param "text" string)
      (canon lift (core func $code "latin1") string-encoding=latin1+utf16
        (memory (core memory $code "memory")) (realloc (core func $code "realloc"))))
    (func (export "next") (result u32) (canon lift (core func $code "next")))
    (func (export "end") (canon lift (core func $code "end"))))
  (instance $receiver (instantiate $Receiver))

  (component $Sender
    (import "utf8" (func $utf8 (param "text" string)))
    (import "utf16" (func $utf16 (param "text" string)))
    (import "latin1" (func $latin1 (param "text" string)))
    (import "next" (func $next (result u32)))
    (import "end" (func $end))
    (core module $Memory (memory (export "memory") 1))
    (core instance $memory (instantiate $Memory))
    (core func $next-number (canon lower (func $next)))
    (core func $end-of-log (canon lower (func $end)))
    (core func $utf8-utf8 (canon lower (func $utf8) string-encoding=utf8
      (memory (core memory $memory "memory"))))
    (core func $utf8-utf16 (canon lower (func $utf16) string-encoding=utf8
      (memory (core memory $memory "memory"))))
    (core func $utf8-latin1 (canon lower (func $latin1) string-encoding=utf8
      (memory (core memory $memory "memory"))))
    (core func $utf16-utf8 (canon lower (func $utf8) string-encoding=utf16
      (memory (core memory $memory "memory"))))
    (core func $utf16-utf16 (canon lower (func $utf16) string-encoding=utf16
      (memory (core memory $memory "memory"))))
    (core func $utf16-latin1 (canon lower (func $latin1) string-encoding=utf16
      (memory (core memory $memory "memory"))))
    (core func $latin1-utf8 (canon lower (func $utf8) string-encoding=latin1+utf16
      (memory (core memory $memory "memory"))))
    (core func $latin1-utf16 (canon lower (func $utf16) string-encoding=latin1+utf16
      (memory (core memory $memory "memory"))))
    (core func $latin1-latin1 (canon lower (func $latin1) string-encoding=latin1+utf16
      (memory (core memory $memory "memory"))))
    (core module $Code
      (import "receiver" "memory" (memory 1))
      (import "receiver" "next" (func $next (result i32)))
      (import "receiver" "end" (func $end))
      (import "receiver" "utf8-utf8" (func $utf8-utf8 (param i32 i32)))
      (import "receiver" "utf8-utf16" (func $utf8-utf16 (param i32 i32)))
      (import "receiver" "utf8-latin1" (func $utf8-latin1 (param i32 i32)))
      (import "receiver" "utf16-utf8" (func $utf16-utf8 (param i32 i32)))
      (import "receiver" "utf16-utf16" (func $utf16-utf16 (param i32 i32)))
      (import "receiver" "utf16-latin1" (func $utf16-latin1 (param i32 i32)))
      (import "receiver" "latin1-utf8" (func $latin1-utf8 (param i32 i32)))
      (import "receiver" "latin1-utf16" (func $latin1-utf16 (param i32 i32)))
      (import "receiver" "latin1-latin1" (func $latin1-latin1 (param i32 i32)))
      (data (i32.const 16) "")  ;; utf8: empty
      (data (i32.const 16) "plain text")  ;; utf8: ascii
      (data (i32.const 26) "na\c3\afve")  ;; utf8: latin1
      (data (i32.const 32) "a\c3\a9 \e2\82\ac \f0\9f\98\80")  ;; utf8: mixed
      (data (i32.const 44) "abc\e2\82\ac")  ;; utf8: late
      (data (i32.const 50) "")  ;; utf16: empty
      (data (i32.const 50) "p\00l\00a\00i\00n\00 \00t\00e\00x\00t\00")  ;; utf16: ascii
      (data (i32.const 70) "n\00a\00\ef\00v\00e\00")  ;; utf16: latin1
      (data (i32.const 80) "a\00\e9\00 \00\ac  \00=\d8\00\de")  ;; utf16: mixed
      (data (i32.const 94) "a\00b\00c\00\ac ")  ;; utf16: late
      (data (i32.const 102) "")  ;; latin1: empty
      (data (i32.const 102) "plain text")  ;; latin1: ascii
      (data (i32.const 112) "na\efve")  ;; latin1: latin1
      (data (i32.const 118) "a\00\e9\00 \00\ac  \00=\d8\00\de")  ;; latin1: mixed
      (data (i32.const 132) "a\00b\00c\00\ac ")  ;; latin1: late
      (data (i32.const 140) "t\00a\00g\00g\00e\00d\00 \00\fc\00")  ;; latin1: tagged but simple
      (data (i32.const 156) "")  ;; latin1: tagged but empty
      (func $expect (param $number i32)
        (if (i32.ne (call $next) (local.get $number)) (then unreachable)))
      (func $reallocated (param $old-size i32) (param $align i32) (param $new-size i32)
        (call $expect (local.get $old-size))
        (call $expect (local.get $align))
        (call $expect (local.get $new-size)))
      ;; Code units, the tag of latin1+utf16, and the sum of the units times their positions.
      (func $received (param $len i32) (param $tag i32) (param $sum i32)
        (call $expect (local.get $len))
        (call $expect (local.get $tag))
        (call $expect (local.get $sum))
        (call $end))
      (func (export "run") (result i32)
        ;; empty, from utf8 to utf8
        (call $utf8-utf8 (i32.const 16) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from utf8 to utf16
        (call $utf8-utf16 (i32.const 16) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from utf8 to latin1
        (call $utf8-latin1 (i32.const 16) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; ascii, from utf8 to utf8
        (call $utf8-utf8 (i32.const 16) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from utf8 to utf16
        (call $utf8-utf16 (i32.const 16) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 20))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from utf8 to latin1
        (call $utf8-latin1 (i32.const 16) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; latin1, from utf8 to utf8
        (call $utf8-utf8 (i32.const 26) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 2785))
        ;; latin1, from utf8 to utf16
        (call $utf8-utf16 (i32.const 26) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 2) (i32.const 10))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; latin1, from utf8 to latin1
        (call $utf8-latin1 (i32.const 26) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 6))
        (call $reallocated (i32.const 6) (i32.const 2) (i32.const 5))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; mixed, from utf8 to utf8
        (call $utf8-utf8 (i32.const 32) (i32.const 12))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 12))
        (call $received (i32.const 12) (i32.const 0) (i32.const 11450))
        ;; mixed, from utf8 to utf16
        (call $utf8-utf16 (i32.const 32) (i32.const 12))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 24))
        (call $reallocated (i32.const 24) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 0) (i32.const 764241))
        ;; mixed, from utf8 to latin1
        (call $utf8-latin1 (i32.const 32) (i32.const 12))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 2) (i32.const 24))
        (call $reallocated (i32.const 24) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 1) (i32.const 764241))
        ;; late, from utf8 to utf8
        (call $utf8-utf8 (i32.const 44) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 3176))
        ;; late, from utf8 to utf16
        (call $utf8-utf16 (i32.const 44) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 0) (i32.const 34046))
        ;; late, from utf8 to latin1
        (call $utf8-latin1 (i32.const 44) (i32.const 6))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 6))
        (call $reallocated (i32.const 6) (i32.const 2) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 1) (i32.const 34046))
        ;; empty, from utf16 to utf8
        (call $utf16-utf8 (i32.const 50) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from utf16 to utf16
        (call $utf16-utf16 (i32.const 50) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from utf16 to latin1
        (call $utf16-latin1 (i32.const 50) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; ascii, from utf16 to utf8
        (call $utf16-utf8 (i32.const 50) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from utf16 to utf16
        (call $utf16-utf16 (i32.const 50) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 20))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from utf16 to latin1
        (call $utf16-latin1 (i32.const 50) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; latin1, from utf16 to utf8
        (call $utf16-utf8 (i32.const 70) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 5))
        (call $reallocated (i32.const 5) (i32.const 1) (i32.const 15))
        (call $reallocated (i32.const 15) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 2785))
        ;; latin1, from utf16 to utf16
        (call $utf16-utf16 (i32.const 70) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 10))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; latin1, from utf16 to latin1
        (call $utf16-latin1 (i32.const 70) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 5))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; mixed, from utf16 to utf8
        (call $utf16-utf8 (i32.const 80) (i32.const 7))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 7))
        (call $reallocated (i32.const 7) (i32.const 1) (i32.const 21))
        (call $reallocated (i32.const 21) (i32.const 1) (i32.const 12))
        (call $received (i32.const 12) (i32.const 0) (i32.const 11450))
        ;; mixed, from utf16 to utf16
        (call $utf16-utf16 (i32.const 80) (i32.const 7))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 0) (i32.const 764241))
        ;; mixed, from utf16 to latin1
        (call $utf16-latin1 (i32.const 80) (i32.const 7))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 7))
        (call $reallocated (i32.const 7) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 1) (i32.const 764241))
        ;; late, from utf16 to utf8
        (call $utf16-utf8 (i32.const 94) (i32.const 4))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 4))
        (call $reallocated (i32.const 4) (i32.const 1) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 3176))
        ;; late, from utf16 to utf16
        (call $utf16-utf16 (i32.const 94) (i32.const 4))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 0) (i32.const 34046))
        ;; late, from utf16 to latin1
        (call $utf16-latin1 (i32.const 94) (i32.const 4))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 4))
        (call $reallocated (i32.const 4) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 1) (i32.const 34046))
        ;; empty, from latin1 to utf8
        (call $latin1-utf8 (i32.const 102) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from latin1 to utf16
        (call $latin1-utf16 (i32.const 102) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; empty, from latin1 to latin1
        (call $latin1-latin1 (i32.const 102) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; ascii, from latin1 to utf8
        (call $latin1-utf8 (i32.const 102) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from latin1 to utf16
        (call $latin1-utf16 (i32.const 102) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 20))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; ascii, from latin1 to latin1
        (call $latin1-latin1 (i32.const 102) (i32.const 10))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 10))
        (call $received (i32.const 10) (i32.const 0) (i32.const 5641))
        ;; latin1, from latin1 to utf8
        (call $latin1-utf8 (i32.const 112) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 5))
        (call $reallocated (i32.const 5) (i32.const 1) (i32.const 10))
        (call $reallocated (i32.const 10) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 2785))
        ;; latin1, from latin1 to utf16
        (call $latin1-utf16 (i32.const 112) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 10))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; latin1, from latin1 to latin1
        (call $latin1-latin1 (i32.const 112) (i32.const 5))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 5))
        (call $received (i32.const 5) (i32.const 0) (i32.const 1998))
        ;; mixed, from latin1 to utf8
        (call $latin1-utf8 (i32.const 118) (i32.const 0x80000007))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 7))
        (call $reallocated (i32.const 7) (i32.const 1) (i32.const 21))
        (call $reallocated (i32.const 21) (i32.const 1) (i32.const 12))
        (call $received (i32.const 12) (i32.const 0) (i32.const 11450))
        ;; mixed, from latin1 to utf16
        (call $latin1-utf16 (i32.const 118) (i32.const 0x80000007))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 0) (i32.const 764241))
        ;; mixed, from latin1 to latin1
        (call $latin1-latin1 (i32.const 118) (i32.const 0x80000007))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 14))
        (call $received (i32.const 7) (i32.const 1) (i32.const 764241))
        ;; late, from latin1 to utf8
        (call $latin1-utf8 (i32.const 132) (i32.const 0x80000004))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 4))
        (call $reallocated (i32.const 4) (i32.const 1) (i32.const 12))
        (call $reallocated (i32.const 12) (i32.const 1) (i32.const 6))
        (call $received (i32.const 6) (i32.const 0) (i32.const 3176))
        ;; late, from latin1 to utf16
        (call $latin1-utf16 (i32.const 132) (i32.const 0x80000004))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 0) (i32.const 34046))
        ;; late, from latin1 to latin1
        (call $latin1-latin1 (i32.const 132) (i32.const 0x80000004))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 8))
        (call $received (i32.const 4) (i32.const 1) (i32.const 34046))
        ;; tagged but simple, from latin1 to utf8
        (call $latin1-utf8 (i32.const 140) (i32.const 0x80000008))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 8))
        (call $reallocated (i32.const 8) (i32.const 1) (i32.const 24))
        (call $reallocated (i32.const 24) (i32.const 1) (i32.const 9))
        (call $received (i32.const 9) (i32.const 0) (i32.const 5612))
        ;; tagged but simple, from latin1 to utf16
        (call $latin1-utf16 (i32.const 140) (i32.const 0x80000008))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 16))
        (call $received (i32.const 8) (i32.const 0) (i32.const 4376))
        ;; tagged but simple, from latin1 to latin1
        (call $latin1-latin1 (i32.const 140) (i32.const 0x80000008))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 16))
        (call $reallocated (i32.const 16) (i32.const 2) (i32.const 8))
        (call $received (i32.const 8) (i32.const 0) (i32.const 4376))
        ;; tagged but empty, from latin1 to utf8
        (call $latin1-utf8 (i32.const 156) (i32.const 0x80000000))
        (call $reallocated (i32.const 0) (i32.const 1) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; tagged but empty, from latin1 to utf16
        (call $latin1-utf16 (i32.const 156) (i32.const 0x80000000))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        ;; tagged but empty, from latin1 to latin1
        (call $latin1-latin1 (i32.const 156) (i32.const 0x80000000))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $reallocated (i32.const 0) (i32.const 2) (i32.const 0))
        (call $received (i32.const 0) (i32.const 0) (i32.const 0))
        (i32.const 0)))
    (core instance $code (instantiate $Code (with "receiver" (instance
      (export "memory" (memory $memory "memory"))
      (export "next" (func $next-number))
      (export "end" (func $end-of-log))
      (export "utf8-utf8" (func $utf8-utf8))
      (export "utf8-utf16" (func $utf8-utf16))
      (export "utf8-latin1" (func $utf8-latin1))
      (export "utf16-utf8" (func $utf16-utf8))
      (export "utf16-utf16" (func $utf16-utf16))
      (export "utf16-latin1" (func $utf16-latin1))
      (export "latin1-utf8" (func $latin1-utf8))
      (export "latin1-utf16" (func $latin1-utf16))
      (export "latin1-latin1" (func $latin1-latin1))))))
    (func (export "run") (result (result)) (canon lift (core func $code "run"))))
  (instance $sender (instantiate $Sender
    (with "utf8" (func $receiver "utf8"))
    (with "utf16" (func $receiver "utf16"))
    (with "latin1" (func $receiver "latin1"))
    (with "next" (func $receiver "next"))
    (with "end" (func $receiver "end"))))
  (instance $wasi-run (export "run" (func $sender "run")))
  (export "wasi:cli/run@0.2.0" (instance $wasi-run)))
