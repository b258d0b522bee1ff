;; There is no `question`.
(component
  (import "./answer.wasm" (component $Answer
    (export "answer" (func (result u32)))
    (export "question" (func (result string)))))
  (instance $it (instantiate $Answer)))
