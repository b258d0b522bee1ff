(component
  (import "./not-there.wasm" (component $NotThere (export "answer" (func (result u32)))))
  (instance $it (instantiate $NotThere)))
