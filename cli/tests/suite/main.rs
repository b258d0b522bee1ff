//! Tests of the whole compiler, most of them files below `tests/`: see `CONTRIBUTING.md`.

mod authority;
mod calls;
mod clif;
mod command;
mod diagnostics;
mod faults;
mod foreign;
mod guests;
mod invoke;
mod isolation;
mod library;
mod manners;
mod natives;
mod processor;
mod run;
mod sockets;
mod support;
mod unwind;
mod versions;
