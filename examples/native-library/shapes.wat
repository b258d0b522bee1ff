;; A component that is a library for C: records, variants, lists, strings, options, results, a
;; resource, and an import that the C program supplies. `main.c` calls everything.
;;
;;     interface log { line: func(text: string) -> u32; }
;;     interface shapes {
;;         record point { x: f64, y: f64 }
;;         enum colour { red, green, blue }
;;         variant shape { empty, circle(f64), rectangle(tuple<f64, f64>) }
;;         resource canvas {
;;             constructor(title: string);
;;             add: func(shape: shape, colour: colour) -> f64;
;;             title: func() -> string;
;;         }
;;         translate: func(p: point, by: point) -> point;
;;         centre: func(points: list<point>) -> option<point>;
;;         divide: func(a: s32, b: s32) -> result<s32, string>;
;;         numbers: func(count: u32) -> list<u32>;
;;     }
(component
  (import "my:shapes/log" (instance $log
    (export "line" (func (param "text" string) (result u32)))))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    ;; It forgets what it gave out as soon as a result has been copied.
    (func (export "reset") (param i32) (global.set $next (i32.const 1024)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (block $enough
        (br_if $enough (i32.le_u (global.get $next) (i32.shl (memory.size) (i32.const 16))))
        (drop (memory.grow (i32.add (i32.const 1) (i32.shr_u (local.get 3) (i32.const 16))))))
      (local.get $at)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
  (alias core export $libc "reset" (core func $reset))
  (core func $line (canon lower (func $log "line") (memory $memory)))

  (core module $resources
    (import "" "line" (func $line (param i32 i32) (result i32)))
    (import "" "memory" (memory 1))
    (data (i32.const 0) "canvas dropped")
    (func (export "dtor") (param i32) (drop (call $line (i32.const 0) (i32.const 14)))))
  (core instance $resources (instantiate $resources (with "" (instance
    (export "line" (func $line)) (export "memory" (memory $memory))))))
  (alias core export $resources "dtor" (core func $dtor))
  (type $canvas (resource (rep i32) (dtor (func $dtor))))
  (core func $new-canvas (canon resource.new $canvas))

  (core module $m
    (import "" "memory" (memory 1))
    (import "" "new" (func $new (param i32) (result i32)))
    (data (i32.const 16) "division by zero")
    ;; The result's place is at 64; the one canvas's title at 128, its length at 120, its area at 112.
    (func (export "translate") (param f64 f64 f64 f64) (result i32)
      (f64.store (i32.const 64) (f64.add (local.get 0) (local.get 2)))
      (f64.store (i32.const 72) (f64.add (local.get 1) (local.get 3)))
      (i32.const 64))
    (func (export "centre") (param $at i32) (param $count i32) (result i32)
      (local $end i32) (local $x f64) (local $y f64)
      (i32.store8 (i32.const 64) (i32.const 0))
      (if (local.get $count) (then
        (local.set $end (i32.add (local.get $at) (i32.shl (local.get $count) (i32.const 4))))
        (loop $next
          (local.set $x (f64.add (local.get $x) (f64.load (local.get $at))))
          (local.set $y (f64.add (local.get $y) (f64.load offset=8 (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 16)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
        (i32.store8 (i32.const 64) (i32.const 1))
        (f64.store (i32.const 72)
          (f64.div (local.get $x) (f64.convert_i32_u (local.get $count))))
        (f64.store (i32.const 80)
          (f64.div (local.get $y) (f64.convert_i32_u (local.get $count))))))
      (i32.const 64))
    (func (export "divide") (param i32 i32) (result i32)
      (i32.store8 (i32.const 64) (i32.eqz (local.get 1)))
      (if (local.get 1)
        (then (i32.store (i32.const 68) (i32.div_s (local.get 0) (local.get 1))))
        (else
          (i32.store (i32.const 68) (i32.const 16))
          (i32.store (i32.const 72) (i32.const 16))))
      (i32.const 64))
    (func (export "numbers") (param $count i32) (result i32)
      (local $at i32)
      (loop $next
        (if (i32.lt_u (local.get $at) (local.get $count)) (then
          (i32.store (i32.add (i32.const 1024) (i32.shl (local.get $at) (i32.const 2)))
            (i32.mul (local.get $at) (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $next))))
      (i32.store (i32.const 64) (i32.const 1024))
      (i32.store (i32.const 68) (local.get $count))
      (i32.const 64))
    (func (export "canvas") (param $at i32) (param $len i32) (result i32)
      (memory.copy (i32.const 128) (local.get $at) (local.get $len))
      (i32.store (i32.const 120) (local.get $len))
      (f64.store (i32.const 112) (f64.const 0))
      (call $new (i32.const 7)))
    (func (export "add") (param $canvas i32) (param $shape i32) (param $a f64) (param $b f64)
      (param $colour i32) (result f64)
      (if (i32.ne (local.get $canvas) (i32.const 7)) (then (unreachable)))
      (if (i32.eq (local.get $shape) (i32.const 1)) (then
        (f64.store (i32.const 112) (f64.add (f64.load (i32.const 112))
          (f64.mul (f64.const 3) (f64.mul (local.get $a) (local.get $a)))))))
      (if (i32.eq (local.get $shape) (i32.const 2)) (then
        (f64.store (i32.const 112) (f64.add (f64.load (i32.const 112))
          (f64.mul (local.get $a) (local.get $b))))))
      (f64.add (f64.load (i32.const 112)) (f64.convert_i32_u (local.get $colour))))
    (func (export "title") (param $canvas i32) (result i32)
      (i32.store (i32.const 64) (i32.const 128))
      (i32.store (i32.const 68) (i32.load (i32.const 120)))
      (i32.const 64)))
  (core instance $m (instantiate $m (with "" (instance
    (export "memory" (memory $memory)) (export "new" (func $new-canvas))))))

  (type $point (record (field "x" f64) (field "y" f64)))
  (type $colour (enum "red" "green" "blue"))
  (type $shape (variant
    (case "empty") (case "circle" f64) (case "rectangle" (tuple f64 f64))))
  (func $translate (param "p" $point) (param "by" $point) (result $point)
    (canon lift (core func $m "translate") (memory $memory)))
  (func $centre (param "points" (list $point)) (result (option $point))
    (canon lift (core func $m "centre") (memory $memory) (realloc $realloc) (post-return $reset)))
  (func $divide (param "a" s32) (param "b" s32) (result (result s32 (error string)))
    (canon lift (core func $m "divide") (memory $memory) (post-return $reset)))
  (func $numbers (param "count" u32) (result (list u32))
    (canon lift (core func $m "numbers") (memory $memory) (post-return $reset)))
  (func $canvas-new (param "title" string) (result (own $canvas))
    (canon lift (core func $m "canvas") (memory $memory) (realloc $realloc)))
  (func $canvas-add
    (param "self" (borrow $canvas)) (param "shape" $shape) (param "colour" $colour) (result f64)
    (canon lift (core func $m "add") (memory $memory)))
  (func $canvas-title (param "self" (borrow $canvas)) (result string)
    (canon lift (core func $m "title") (memory $memory)))

  ;; An interface names its types; this gives the functions those names.
  (component $interface
    (type $point' (record (field "x" f64) (field "y" f64)))
    (import "point" (type $point (eq $point')))
    (type $colour' (enum "red" "green" "blue"))
    (import "colour" (type $colour (eq $colour')))
    (type $shape' (variant
      (case "empty") (case "circle" f64) (case "rectangle" (tuple f64 f64))))
    (import "shape" (type $shape (eq $shape')))
    (import "canvas" (type $canvas (sub resource)))
    (import "translate" (func $translate
      (param "p" $point) (param "by" $point) (result $point)))
    (import "centre" (func $centre (param "points" (list $point)) (result (option $point))))
    (import "divide" (func $divide
      (param "a" s32) (param "b" s32) (result (result s32 (error string)))))
    (import "numbers" (func $numbers (param "count" u32) (result (list u32))))
    (import "new" (func $new (param "title" string) (result (own $canvas))))
    (import "add" (func $add
      (param "self" (borrow $canvas)) (param "shape" $shape) (param "colour" $colour) (result f64)))
    (import "title" (func $title (param "self" (borrow $canvas)) (result string)))
    (export $point2 "point" (type $point))
    (export $colour2 "colour" (type $colour))
    (export $shape2 "shape" (type $shape))
    (export $canvas2 "canvas" (type $canvas))
    (export "translate" (func $translate)
      (func (param "p" $point2) (param "by" $point2) (result $point2)))
    (export "centre" (func $centre)
      (func (param "points" (list $point2)) (result (option $point2))))
    (export "divide" (func $divide))
    (export "numbers" (func $numbers))
    (export "[constructor]canvas" (func $new) (func (param "title" string) (result (own $canvas2))))
    (export "[method]canvas.add" (func $add) (func
      (param "self" (borrow $canvas2)) (param "shape" $shape2) (param "colour" $colour2)
      (result f64)))
    (export "[method]canvas.title" (func $title)
      (func (param "self" (borrow $canvas2)) (result string))))
  (instance $shapes (instantiate $interface
    (with "point" (type $point))
    (with "colour" (type $colour))
    (with "shape" (type $shape))
    (with "canvas" (type $canvas))
    (with "translate" (func $translate))
    (with "centre" (func $centre))
    (with "divide" (func $divide))
    (with "numbers" (func $numbers))
    (with "new" (func $canvas-new))
    (with "add" (func $canvas-add))
    (with "title" (func $canvas-title))))
  (export "my:shapes/shapes@1.0.0" (instance $shapes)))
