//! `lazycache`: see `lazycache --help`.

fn main() -> std::process::ExitCode {
    lazycache::cli::main()
}
