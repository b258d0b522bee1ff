(component
  (import "./cycle-a.wasm" (component $A))
  (instance $a (instantiate $A)))
