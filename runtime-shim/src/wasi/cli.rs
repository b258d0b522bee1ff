//! `wasi:cli`: environment, exit, standard streams, terminals.

use crate::arch;
use crate::start;
use crate::wasi::abi::{List, ListBuilder, Maybe, Out, string_from};
use crate::wasi::files::{self, FileId};
use crate::wasi::grants;
use crate::wasi::io::{input, output};

/// An environment variable.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Variable {
    name: List<u8>,
    value: List<u8>,
}

/// `environment.get-environment`: what was granted, nothing else.
#[unsafe(export_name = "wasi_cli_environment__get_environment")]
pub extern "C" fn get_environment(out: Out<List<Variable>>) {
    let mut count = 0;
    grants::visit_environment(&mut |_, _| count += 1);
    let mut variables = ListBuilder::with_capacity(count);
    grants::visit_environment(&mut |name, value| {
        variables.push(Variable { name: string_from(name), value: string_from(value) });
    });
    out.write(variables.finish());
}

/// `environment.get-arguments`.
#[unsafe(export_name = "wasi_cli_environment__get_arguments")]
pub extern "C" fn get_arguments(out: Out<List<List<u8>>>) {
    let mut arguments = ListBuilder::with_capacity(start::arguments().count());
    for argument in start::arguments() {
        arguments.push(string_from(argument.to_bytes()));
    }
    out.write(arguments.finish());
}

/// `environment.initial-cwd`: none, because a guest sees granted folders and no others.
#[unsafe(export_name = "wasi_cli_environment__initial_cwd")]
pub extern "C" fn initial_cwd(out: Out<Maybe<List<u8>>>) {
    out.write(None.into());
}

/// `exit.exit`: 0 for ok, 1 for an error.
#[unsafe(export_name = "wasi_cli_exit__exit")]
pub extern "C" fn exit(status: u32) {
    arch::exit(status as i32)
}

/// `exit.exit-with-code`.
#[unsafe(export_name = "wasi_cli_exit__exit_with_code")]
pub extern "C" fn exit_with_code(code: u32) {
    arch::exit(code as i32)
}

/// `stdin.get-stdin`.
#[unsafe(export_name = "wasi_cli_stdin__get_stdin")]
pub extern "C" fn get_stdin() -> u32 {
    input::STDIN
}

/// `stdout.get-stdout`.
#[unsafe(export_name = "wasi_cli_stdout__get_stdout")]
pub extern "C" fn get_stdout() -> u32 {
    output::STDOUT
}

/// `stderr.get-stderr`.
#[unsafe(export_name = "wasi_cli_stderr__get_stderr")]
pub extern "C" fn get_stderr() -> u32 {
    output::STDERR
}

/// A terminal's representation is its file's number, if that is a terminal.
fn terminal(file: u32) -> Maybe<u32> {
    let is_terminal = files::fd(FileId(file)).is_ok_and(rustix::termios::isatty);
    is_terminal.then_some(file).into()
}

/// `terminal-stdin.get-terminal-stdin`.
#[unsafe(export_name = "wasi_cli_terminal_stdin__get_terminal_stdin")]
pub extern "C" fn get_terminal_stdin(out: Out<Maybe<u32>>) {
    out.write(terminal(0));
}

/// `terminal-stdout.get-terminal-stdout`.
#[unsafe(export_name = "wasi_cli_terminal_stdout__get_terminal_stdout")]
pub extern "C" fn get_terminal_stdout(out: Out<Maybe<u32>>) {
    out.write(terminal(1));
}

/// `terminal-stderr.get-terminal-stderr`.
#[unsafe(export_name = "wasi_cli_terminal_stderr__get_terminal_stderr")]
pub extern "C" fn get_terminal_stderr(out: Out<Maybe<u32>>) {
    out.write(terminal(2));
}

/// Drops a `terminal-input`.
#[unsafe(export_name = "wasi_cli_terminal_input__terminal_input__drop")]
pub extern "C" fn drop_terminal_input(_terminal: u32) {}

/// Drops a `terminal-output`.
#[unsafe(export_name = "wasi_cli_terminal_output__terminal_output__drop")]
pub extern "C" fn drop_terminal_output(_terminal: u32) {}
