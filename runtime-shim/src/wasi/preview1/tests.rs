//! Host functions, called as core modules call them.
