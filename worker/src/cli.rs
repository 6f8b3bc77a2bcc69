//! The command line: flags, what is printed, exit codes, signals.

use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use plan::{Message, exit};

use crate::{
    export::{self, ExportArguments, ExportError},
    item_error::chain,
    pods::{
        self, Step,
        arguments::{
            COLLECT_EXAMPLES, Common, DRAIN_EXAMPLES, ENDINGS, FEED_EXAMPLES, PLAN_EXAMPLES, TERMINATION_LOG,
            WORK_EXAMPLES, WorkArguments,
        },
        drain::DrainArguments,
        feed::FeedArguments,
    },
    progress::{Progress, Style, clock},
    report::command::{self as report, ReportArguments},
    run::{RunOptions, RunSummary, run},
    show::{
        ShowError, Shown,
        command::{self as show, ShowArguments},
    },
    signal::terminated,
};

const RUN_EXAMPLES: &str = "\
Examples:
  analysis-worker run quickstart.yaml
  analysis-worker run job.yaml --output results/ashes
  analysis-worker run job.yaml --source-root https://archive.example.org/files/
  analysis-worker run job.yaml --source-root /mnt/movies --threads 4
  analysis-worker run job.yaml --json --progress none > summary.json

Exit codes:
  0   every movie is done, or was already
  1   the run ended, but some movies failed: see failures.jsonl in the output
  2   the command line was not understood
  69  the archive or the output could not be reached
  75  interrupted; finished results are kept, run again to go on
  78  the AnalysisJob, the output or the marker file is not as it should be";

/// How long an interrupted run waits for a write under way.
const LAST_WRITE: Duration = Duration::from_secs(5);

/// Plans, computes and collects the results of an AnalysisJob.
#[derive(Debug, Parser)]
#[command(name = "analysis-worker", version, about, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an AnalysisJob file on this machine: no cluster, lazycache in process, results to a folder.
    ///
    /// Movies whose results already stand in the output are not done again. Fields that only mean something on a
    /// cluster are accepted and said to be unused.
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArguments>),
    /// A pod's first step: list the archive, drop what the output already holds, write the plan of the run.
    #[command(after_help = concat_examples(PLAN_EXAMPLES))]
    Plan(Box<Common>),
    /// A pod's share: do the items of one index of the plan.
    #[command(after_help = concat_examples(WORK_EXAMPLES))]
    Work(Box<WorkArguments>),
    /// A pod's last step: gather failures, regions.csv and report.html, and count what is true of the run.
    #[command(after_help = concat_examples(COLLECT_EXAMPLES))]
    Collect(Box<Common>),
    /// Strategy Queue: put the movies of a run's plan on a list in Redis, and stay until they are done.
    #[command(after_help = concat_examples(FEED_EXAMPLES))]
    Feed(Box<FeedArguments>),
    /// Strategy Queue: do movies of a list in Redis, beside any number of other workers, here or elsewhere.
    ///
    /// All of them write to the same output. A worker can be stopped or killed at any time; others go on with its movies.
    #[command(after_help = concat_examples(DRAIN_EXAMPLES))]
    Drain(Box<DrainArguments>),
    /// Write report.html and the tables of a folder of results anew, e.g. of one that was copied or put together.
    #[command(after_help = report::EXAMPLES)]
    Report(ReportArguments),
    /// Print files of an output as text: how `kubectl analysis report` reads a volume, through a pod's log.
    #[command(after_help = export::EXAMPLES)]
    Export(ExportArguments),
    /// Draw why two frames of a movie gave the motion they gave: points that agree and that do not, cells, the fitted motion.
    #[command(after_help = show::EXAMPLES)]
    Show(ShowArguments),
    /// Print the completions of a shell, e.g. `source <(analysis-worker completions bash)`.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, clap::Args)]
struct RunArguments {
    /// The AnalysisJob, as YAML.
    file: PathBuf,
    /// Folder the results go to; made if missing [default: results/<name of the AnalysisJob>].
    #[arg(long, short, env = "ANALYSIS_OUTPUT", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Read the movies from this address or folder instead of spec.source.http.rootURL.
    #[arg(long, env = "ANALYSIS_SOURCE_ROOT", value_name = "URL|DIR")]
    source_root: Option<String>,
    /// Cores to use at most; 0 = all.
    #[arg(long, short, env = "ANALYSIS_THREADS", default_value_t = 0)]
    threads: usize,
    /// Seconds the archive may be silent before movies are given up.
    #[arg(long, env = "ANALYSIS_PATIENCE", default_value_t = 300, value_name = "SECONDS")]
    patience: u64,
    /// How progress is shown, on standard error.
    #[arg(long, env = "ANALYSIS_PROGRESS", value_enum, default_value_t = Style::Auto)]
    progress: Style,
    /// Print the summary as JSON on standard output.
    #[arg(long, env = "ANALYSIS_JSON")]
    json: bool,
}

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("ANALYSIS_LOG").unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    if matches!(arguments.command, Command::Run(_) | Command::Work(_) | Command::Drain(_)) {
        lazycache::allocator::keep_freed_blocks();
    }
    match arguments.command {
        Command::Run(arguments) => run_command(&arguments),
        Command::Plan(arguments) => pods::run(Step::Plan(*arguments)),
        Command::Work(arguments) => pods::run(Step::Work(*arguments)),
        Command::Collect(arguments) => pods::run(Step::Collect(*arguments)),
        Command::Feed(arguments) => pods::run(Step::Feed(*arguments)),
        Command::Drain(arguments) => pods::run(Step::Drain(*arguments)),
        Command::Report(arguments) => report_command(&arguments),
        Command::Export(arguments) => export_command(&arguments),
        Command::Show(arguments) => show_command(&arguments),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "analysis-worker", &mut std::io::stdout());
            ExitCode::from(exit::DONE)
        }
    }
}

fn concat_examples(examples: &str) -> String {
    format!("{examples}\n{ENDINGS}")
}

/// Prints help, or what is wrong; a pod says it in its termination message too.
fn not_understood(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::from(exit::DONE);
    }
    if let Some(log) = std::env::var_os(TERMINATION_LOG) {
        let text = Message::error("CommandLineInvalid", error.to_string()).to_json();
        let _ = std::fs::write(log, text);
    }
    ExitCode::from(exit::USAGE)
}

fn run_command(arguments: &RunArguments) -> ExitCode {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let options = RunOptions {
        file: arguments.file.clone(),
        output: arguments.output.clone(),
        source_root: arguments.source_root.clone(),
        threads: if arguments.threads == 0 { cores } else { arguments.threads },
        patience: Duration::from_secs(arguments.patience),
        progress: arguments.progress,
    };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("failed to start: {error}"), exit::UNAVAILABLE),
    };
    let code = runtime.block_on(run_until_signal(&options, arguments.json));
    // A write under way comes to its end, so that no temporary file is left; what has not begun does not begin.
    runtime.shutdown_timeout(LAST_WRITE);
    code
}

async fn run_until_signal(options: &RunOptions, json: bool) -> ExitCode {
    let progress = Progress::new(options.progress);
    let lines = tokio::spawn(progress.clone().print_plain_lines());
    let ended = tokio::select! {
        ended = run(options, &progress) => Some(ended),
        () = terminated() => None,
    };
    lines.abort();
    progress.end();
    match ended {
        Some(Ok(summary)) => {
            print_summary(&summary, json);
            ExitCode::from(summary.exit_code())
        }
        Some(Err(error)) => fail(&chain(&error), error.exit_code()),
        None => {
            let now = progress.snapshot();
            let kept = format!("interrupted: {} of {} movies done and kept; run again to go on", now.done, now.movies);
            fail(&kept, exit::INTERRUPTED)
        }
    }
}

fn report_command(arguments: &ReportArguments) -> ExitCode {
    let said = |(page, movies): (PathBuf, usize)| format!("{movies} movies\nreport   {}", page.display());
    told(report::report(arguments), said, report::ReportError::exit_code)
}

fn export_command(arguments: &ExportArguments) -> ExitCode {
    match export::export(arguments, &mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::from(exit::DONE),
        Err(error) => fail(&chain(&error), ExportError::exit_code(&error)),
    }
}

fn show_command(arguments: &ShowArguments) -> ExitCode {
    let said = |shown: Shown| format!("{}\npicture  {}", shown.lines.join("\n"), shown.file.display());
    told(crate::show::show(arguments), said, ShowError::exit_code)
}

/// Runs a command that ends with something to say.
fn told<T, E: std::error::Error + 'static>(
    command: impl Future<Output = Result<T, E>>,
    said: impl FnOnce(T) -> String,
    code: impl FnOnce(&E) -> u8,
) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("failed to start: {error}"), exit::UNAVAILABLE),
    };
    match runtime.block_on(command) {
        Ok(done) => {
            // A closed standard output (`| head`) is no failure.
            let _ = writeln!(std::io::stdout(), "{}", said(done));
            ExitCode::from(exit::DONE)
        }
        Err(error) => fail(&chain(&error), code(&error)),
    }
}

fn print_summary(summary: &RunSummary, json: bool) {
    let mut out = std::io::stdout().lock();
    // A closed standard output (`| head`) is no failure of the run.
    let _ = if json {
        let text = serde_json::to_string_pretty(summary).unwrap_or_default();
        writeln!(out, "{text}")
    } else {
        write!(out, "{}", summary_text(summary))
    };
}

fn summary_text(summary: &RunSummary) -> String {
    let items = &summary.items;
    if summary.dry_run {
        let pending = items.total - items.up_to_date;
        return format!("dry run: {} movies, {} up to date, {pending} to do\n", items.total, items.up_to_date);
    }
    let time = clock(Duration::from_secs_f64(summary.elapsed_seconds));
    let mut text = format!(
        "{}: {} done, {} up to date, {} failed of {} movies; {} frames in {time}\nresults  {}\nregions  {}\nreport   {}\n",
        summary.name,
        items.succeeded,
        items.up_to_date,
        items.failed,
        items.total,
        summary.frames,
        summary.output.display(),
        summary.regions.display(),
        summary.report.display(),
    );
    if items.failed > 0 {
        let line =
            format!("{} of {} movies failed: see {}\n", items.failed, items.total, summary.failures_file.display());
        text.push_str(&line);
    }
    text
}

fn fail(text: &str, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "analysis-worker: {text}");
    ExitCode::from(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
