(component
  (import "./cycle-b.wasm" (component $B))
  (instance $b (instantiate $B)))
