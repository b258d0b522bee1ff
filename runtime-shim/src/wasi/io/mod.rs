//! `wasi:io`.

pub mod error;
pub mod input;
pub mod output;
pub mod poll;

#[cfg(test)]
mod tests;
