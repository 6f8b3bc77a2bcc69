//! `analysis-worker`: see `analysis-worker --help`.

fn main() -> std::process::ExitCode {
    analysis_worker::cli::main()
}
