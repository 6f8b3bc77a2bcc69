//! The kubectl plugin's program: parses the command line and hands over to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    analysis_operator::plugin::main()
}
