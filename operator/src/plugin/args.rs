//! The command line. Its doc comments are the manual.

mod help;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Plan, watch and mend AnalysisJobs: what would a run do, how far is it, what failed, where is the report.
#[derive(Debug, Parser)]
#[command(
    name = "kubectl-analysis",
    bin_name = "kubectl analysis",
    version,
    arg_required_else_help = true,
    max_term_width = 110,
    after_help = help::AFTER_HELP
)]
pub struct Args {
    /// Which cluster.
    #[command(flatten)]
    pub cluster: ClusterArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The cluster and namespace, as with kubectl.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct ClusterArgs {
    /// The namespace [default: that of the context, else default]
    #[arg(long, short, global = true, value_name = "NAMESPACE")]
    pub namespace: Option<String>,
    /// The context of the kubeconfig [default: the current one]
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// The kubeconfig [default: KUBECONFIG, else ~/.kube/config]
    #[arg(long, global = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what a run of FILE would do: movies found, up to date, to be analysed. Nothing is computed.
    ///
    /// FILE is read strictly, with every problem named at once; the API server is asked whether it would admit it
    /// (a dry run); then a temporary AnalysisJob NAME-plan-xxxx with dryRun makes the plan in the cluster, next to the
    /// archive and the output. It is deleted again, also after Ctrl-C.
    #[command(after_help = help::PLAN_HELP)]
    Plan(PlanArgs),
    /// Say how far an AnalysisJob is, and what keeps it.
    #[command(after_help = help::STATUS_HELP)]
    Status(StatusArgs),
    /// List the movies that failed, and why.
    ///
    /// The status holds at most ten. --all reads the full list from the output: from a claim, through a small pod that
    /// lives for a moment; from a bucket, the command for it is printed.
    #[command(after_help = help::FAILURES_HELP)]
    Failures(FailuresArgs),
    /// Analyse the movies that failed once more. What is done stays done.
    #[command(after_help = help::RETRY_HELP)]
    Retry(RetryArgs),
    /// List all AnalysisJobs by activity.
    #[command(after_help = help::TOP_HELP)]
    Top(TopArgs),
    /// Say where the report is, and how to bring it here.
    ///
    /// --to copies it from a claim: a restricted pod mounts the claim read-only, prints the files, and is deleted
    /// whatever happens. That needs the rights to create and delete pods and to read their logs, not exec.
    #[command(after_help = help::REPORT_HELP)]
    Report(ReportArgs),
    /// Print the completion script of a shell, or of kubectl.
    #[command(after_help = help::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// What kubectl asks through kubectl_complete-analysis: the words so far, the last one unfinished
    #[command(name = "__complete", hide = true, disable_help_flag = true)]
    Complete(CompleteArgs),
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

/// `plan`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The AnalysisJob as YAML; - is standard input
    pub file: PathBuf,
    /// Read the file and ask the API server whether it admits it; make no plan
    #[arg(long, conflicts_with = "offline")]
    pub check: bool,
    /// Read the file only; needs no cluster
    #[arg(long)]
    pub offline: bool,
    /// Seconds the plan may take
    #[arg(long, default_value_t = 900, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub timeout: u32,
    /// How the answer is written
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The AnalysisJob
    pub name: String,
    /// Go on until the run ends: a live view on a terminal, elsewhere a line whenever something changes
    #[arg(long, short)]
    pub watch: bool,
    /// How the answer is written; with --watch one JSON document a line
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `failures`.
#[derive(Debug, clap::Args)]
pub struct FailuresArgs {
    /// The AnalysisJob
    pub name: String,
    /// Read the full list from the output
    #[arg(long)]
    pub all: bool,
    /// How a claim is read
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// How the answer is written; JSON is one document a line
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `retry`.
#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    /// The AnalysisJob
    pub name: String,
}

/// `top`.
#[derive(Debug, clap::Args)]
pub struct TopArgs {
    /// In all namespaces
    #[arg(long, short = 'A')]
    pub all_namespaces: bool,
    /// How the answer is written
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `report`.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The AnalysisJob
    pub name: String,
    /// Copy report.html, its pages and the tables into this folder; made if missing
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// With --to: the movies' pictures too, some 50 KB each; those of the first page are in report.html
    #[arg(long, requires = "to")]
    pub pictures: bool,
    /// How a claim is read
    #[command(flatten)]
    pub reader: ReaderArgs,
    /// How the answer is written
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// How a file of a claim is read: by a pod.
#[derive(Debug, clap::Args)]
pub struct ReaderArgs {
    /// Image of the pod that reads a claim: one of the worker [default: the image of the job's workers]
    #[arg(long, value_name = "IMAGE")]
    pub image: Option<String>,
    /// Seconds that pod may take to start and end
    #[arg(long, default_value_t = 180, value_name = "SECONDS")]
    pub timeout: u32,
}

/// `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell; kubectl: the helper for `kubectl analysis <TAB>`
    pub shell: Target,
}

/// What a completion script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// bash, for kubectl-analysis.
    Bash,
    /// zsh, for kubectl-analysis.
    Zsh,
    /// fish, for kubectl-analysis.
    Fish,
    /// elvish, for kubectl-analysis.
    Elvish,
    /// PowerShell, for kubectl-analysis.
    #[value(name = "powershell")]
    PowerShell,
    /// Whatever shell kubectl's own completion is installed for, for `kubectl analysis`.
    Kubectl,
}

impl Target {
    /// The shell; none for kubectl.
    pub fn shell(self) -> Option<Shell> {
        match self {
            Self::Bash => Some(Shell::Bash),
            Self::Zsh => Some(Shell::Zsh),
            Self::Fish => Some(Shell::Fish),
            Self::Elvish => Some(Shell::Elvish),
            Self::PowerShell => Some(Shell::PowerShell),
            Self::Kubectl => None,
        }
    }
}

/// `__complete`.
#[derive(Debug, clap::Args)]
pub struct CompleteArgs {
    /// The words after `kubectl analysis`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub words: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn the_cluster_may_be_named_after_the_subcommand() {
        let args = Args::try_parse_from(["kubectl-analysis", "status", "x", "-n", "science", "--context=prod", "-w"]);
        let Args { cluster, command } = args.unwrap();
        assert_eq!((cluster.namespace.as_deref(), cluster.context.as_deref()), (Some("science"), Some("prod")));
        assert!(matches!(command, Command::Status(StatusArgs { watch: true, output: Format::Text, .. })));
    }

    #[test]
    fn every_subcommand_has_an_example_and_says_its_exit_codes() {
        for command in Args::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.clone().render_long_help().to_string();
            assert!(help.contains("Example"), "{}", command.get_name());
            let scripted = command.get_name() != "completions";
            assert_eq!(help.contains("Exit codes:"), scripted, "{}", command.get_name());
        }
    }
}
