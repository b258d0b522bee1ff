(component
  (core module $M
