;; exit: 134
;; stderr: trap: unreachable instruction executed in component `preview1-trap`, function `fail` (wasm offset 0x..)
(module
  (memory (export "memory") 1)
  (func $fail (export "_start") unreachable))
