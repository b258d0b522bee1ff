;; The imported component needs `log`, which the declared type does not offer.
(component
  (import "./needs-log.wasm" (component $NeedsLog))
  (instance $it (instantiate $NeedsLog)))
