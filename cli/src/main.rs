//! The command `wasmelt`.

use std::process::ExitCode;

fn main() -> ExitCode {
    wasmelt::run_command_line(std::env::args_os())
}
