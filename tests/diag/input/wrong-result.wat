;; `answer` results in another type.
(component
  (import "./answer.wasm" (component $Answer (export "answer" (func (result string)))))
  (instance $it (instantiate $Answer)))
