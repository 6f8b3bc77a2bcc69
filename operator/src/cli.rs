//! The command line of `analysis-operator`, and what each subcommand does.

// Doc comments are the text of `--help`, where backticks would be noise.
#![allow(clippy::doc_markdown)]

use std::{
    io::{self, Write},
    process::ExitCode,
};

use analysisjob::yaml::{PrintError, print_crd};
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// The configuration, or this build itself, is wrong: a retry cannot help (`EX_CONFIG` of sysexits.h).
pub const CONFIGURATION: u8 = 78;

/// Turns AnalysisJobs into pods.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  analysis-operator crd | kubectl apply --server-side -f -
  analysis-operator completions bash > /etc/bash_completion.d/analysis-operator

Exit codes: 0 done, 2 command line not understood, 78 configuration wrong";

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the CustomResourceDefinition of AnalysisJob as YAML
    Crd,
    /// Print the completion script of a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// What can go wrong in a subcommand.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The definition could not be made.
    #[error("failed to print the CustomResourceDefinition")]
    Crd(#[from] PrintError),
    /// Standard output could not be written.
    #[error("failed to write to standard output")]
    Output(#[from] io::Error),
}

/// Parses the process's arguments and does what they say.
pub fn main() -> ExitCode {
    match run(&Args::parse(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has gone (`… | head`): what it wanted it has.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(&error);
            ExitCode::from(CONFIGURATION)
        }
    }
}

/// Does what `args` say, writing to `out`.
pub fn run(args: &Args, out: &mut impl Write) -> Result<(), CliError> {
    match args.command {
        Command::Crd => out.write_all(print_crd()?.as_bytes())?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "analysis-operator", &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(out.flush()?)
}

fn report(error: &dyn std::error::Error) {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("  because: {error}");
        cause = error.source();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(args: &[&str]) -> String {
        let args = Args::try_parse_from(["analysis-operator"].iter().chain(args)).unwrap();
        let mut out = Vec::new();
        run(&args, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn crd_prints_the_definition() {
        assert_eq!(output(&["crd"]), print_crd().unwrap());
    }

    #[test]
    fn completions_know_the_subcommands() {
        for shell in ["bash", "zsh", "fish"] {
            assert!(output(&["completions", shell]).contains("crd"), "{shell}");
        }
    }
}
