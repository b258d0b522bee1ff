;; library
;; One component, instantiated twice: two resource types. Both instances of the user get handles
;; of their own one; the definer gets the bare representation of a borrowed one.
(component $root
  (component $Files
    (core module $m
      (memory (export "memory") 1)
      (func (export "drop") (param i32) local.get 0 i32.const 1 i32.store8)
      (func (export "read") (param i32) (result i32) local.get 0 i32.load8_u)
      (func (export "open") (result i32) i32.const 4)
    )
    (core instance $base (instantiate $m))
    (type $file' (resource (rep i32) (dtor (core func $base "drop"))))
    (core func $new (canon resource.new $file'))
    (core module $user
      (import "" "new" (func $new (param i32) (result i32)))
      (import "" "open" (func $open (result i32)))
      (func (export "open") (result i32) (call $new (call $open)))
    )
    (core instance $user (instantiate $user (with "" (instance
      (export "new" (func $new))
      (export "open" (func $base "open"))
    ))))
    (export $file "file" (type $file'))
    (func (export "open") (result (own $file)) (canon lift (core func $user "open")))
    (func (export "[method]file.read") (param "self" (borrow $file)) (result u32)
      (canon lift (core func $base "read")))
  )
  (component $User
    (import "files" (instance $files
      (export "file" (type $file (sub resource)))
      (export "open" (func (result (own $file))))
      (export "[method]file.read" (func (param "self" (borrow $file)) (result u32)))
    ))
    (alias export $files "file" (type $file))
    (core func $open (canon lower (func $files "open")))
    (core func $read (canon lower (func $files "[method]file.read")))
    (core func $drop (canon resource.drop $file))
    (core module $m
      (import "" "open" (func $open (result i32)))
      (import "" "read" (func $read (param i32) (result i32)))
      (import "" "drop" (func $drop (param i32)))
      (func (export "run") (result i32) (local i32)
        (local.set 0 (call $open))
        (call $read (local.get 0))
        (call $drop (local.get 0)))
    )
    (core instance $i (instantiate $m (with "" (instance
      (export "open" (func $open)) (export "read" (func $read)) (export "drop" (func $drop))
    ))))
    (func (export "run") (result u32) (canon lift (core func $i "run")))
  )
  (instance $files-a (instantiate $Files))
  (instance $files-b (instantiate $Files))
  (instance $user-a (instantiate $User (with "files" (instance $files-a))))
  (instance $user-b (instantiate $User (with "files" (instance $files-b))))
  (func (export "a") (alias export $user-a "run"))
  (func (export "b") (alias export $user-b "run"))
)
