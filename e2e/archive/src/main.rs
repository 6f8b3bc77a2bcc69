//! `archive`: see `archive --help`.

fn main() -> std::process::ExitCode {
    archive::cli::main()
}
