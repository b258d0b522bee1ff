;; Needs a function that the importer does not know of.
(component
  (import "log" (func $log (param "line" string)))
  (export "log" (func $log)))
