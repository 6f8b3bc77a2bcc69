//! The pages that are tables: words, metrics, flags, exit codes.

use analysis_operator::{
    cli::{Args, EXIT_CODES},
    metrics::TABLE as METRICS,
};
use analysisjob::{Word, conditions, labels, reasons};
use clap::{Arg, CommandFactory};

use crate::page::{Page, code};

/// Condition types and reasons.
pub fn conditions() -> String {
    let mut page = Page::new(
        "Conditions and reasons",
        "What `status.conditions` of an AnalysisJob say. A reason is one word for programs; the message beside it is for people, \
         and where something must be mended it says how.\n\n```\nkubectl wait --for=condition=Complete aj/NAME\n```",
    );
    page.section("Conditions", "");
    page.table(["type", "says"], conditions::TABLE.iter().map(|word| row(word, conditions::TABLE)));
    page.section("Reasons", "A condition named before a colon is the one the reason belongs to.");
    page.table(["reason", "says"], reasons::TABLE.iter().map(|word| row(word, reasons::TABLE)));
    page.text()
}

/// Labels and annotations.
pub fn labels() -> String {
    let mut page = Page::new(
        "Labels and annotations",
        "What the objects of an AnalysisJob carry. Selectors (`kubectl get pods -l camhd.science/analysisjob=NAME`), network \
         policies and dashboards can rely on them.",
    );
    let (values, keys): (Vec<&Word>, Vec<&Word>) = labels::TABLE.iter().partition(|word| !word.word.contains('/'));
    let (annotations, keys): (Vec<&Word>, Vec<&Word>) =
        keys.into_iter().partition(|word| word.doc.trim_start().starts_with("Annotation"));
    page.section("Labels", "");
    page.table(["label", "says"], keys.into_iter().map(|word| row(word, labels::TABLE)));
    page.section("Values", "");
    page.table(["value", "says"], values.into_iter().map(|word| row(word, labels::TABLE)));
    page.section("Annotations", "");
    page.table(["annotation", "says"], annotations.into_iter().map(|word| row(word, labels::TABLE)));
    page.text()
}

fn row(word: &Word, table: &[Word]) -> [String; 2] {
    [code(word.word), resolved(word.doc, table)]
}

/// Where the documentation names another constant, its word.
fn resolved(doc: &str, table: &[Word]) -> String {
    let link = |word: &Word| format!("[`{}`]", word.name);
    table.iter().fold(doc.to_owned(), |text, word| text.replace(&link(word), &code(word.word)))
}

/// What the operator counts.
pub fn metrics() -> String {
    let mut page = Page::new(
        "Metrics of the operator",
        "`/metrics` on port 8080, in OpenMetrics. Alerts and the dashboard use nothing that is not in this table, and a check \
         (`make manifests-check`) holds them to it. Names are as they are exposed: counters end in `_total`, infos in `_info`, \
         a histogram has the series `_bucket`, `_sum` and `_count`.\n\n\
         Counts of AnalysisJobs come from the operator that leads; a query takes `max by (…)` over them, because around a \
         failover two operators may be scraped. `namespace` and `name` are the AnalysisJob's: scrape with `honorLabels: true`, \
         as the ServiceMonitor in `manifests/` does.",
    );
    let exposed = |name: &str, kind: &str| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    };
    page.table(
        ["metric", "type", "labels", "what it says"],
        METRICS.iter().map(|(name, kind, labels, help)| {
            [code(&exposed(name, kind)), (*kind).to_owned(), (*labels).to_owned(), (*help).to_owned()]
        }),
    );
    page.text()
}

/// The command line of the operator.
pub fn operator() -> String {
    let mut command = Args::command();
    command.build();
    let mut page = Page::new(
        "analysis-operator",
        "Every flag of `analysis-operator run` has an environment variable; a flag that is given wins over it.",
    );
    page.section("Subcommands", "");
    let subcommands = command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help");
    let about = |one: &clap::Command| one.get_about().map(ToString::to_string).unwrap_or_default();
    page.table(["subcommand", "does"], subcommands.map(|one| [code(one.get_name()), about(one)]));
    page.section("Flags of run", "");
    let run = command.find_subcommand("run").unwrap();
    let flags = run.get_arguments().filter(|flag| !flag.is_hide_set() && flag.get_id() != "help");
    page.table(["flag", "environment", "default", "says"], flags.map(flag));
    page.section("Exit codes", "");
    page.table(["code", "says"], EXIT_CODES.iter().map(|(number, says)| [number.to_string(), (*says).to_owned()]));
    page.text()
}

/// A default that depends on the surroundings stands in the help text, between brackets.
fn flag(flag: &Arg) -> [String; 4] {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let (says, told) = help.split_once(" [default: ").unwrap_or((&help, ""));
    let fixed: Vec<String> = flag.get_default_values().iter().map(|value| code(&value.to_string_lossy())).collect();
    let default = if fixed.is_empty() { told.trim_end_matches(']').to_owned() } else { fixed.join(", ") };
    // The images' tags follow the release; the page does not have to.
    let default = default.replace(concat!(":", env!("CARGO_PKG_VERSION")), ":VERSION");
    let values: Vec<String> = flag.get_possible_values().iter().map(|value| code(value.get_name())).collect();
    let says = if values.is_empty() { says.to_owned() } else { format!("{says}: {}", values.join(", ")) };
    let environment = flag.get_env().map(|name| code(&name.to_string_lossy())).unwrap_or_default();
    [code(&format!("--{}", flag.get_long().unwrap_or_default())), environment, default, says]
}

/// Exit codes of the data programs.
pub fn exit_codes() -> String {
    let mut page = Page::new(
        "Exit codes of analysis-worker",
        "Of the pods of a run (`plan`, `work`, `collect`) and of a run on one machine (`analysis-worker run`). The operator's \
         are in [operator.md](operator.md).",
    );
    page.table(
        ["code", "says", "what the operator makes of it"],
        plan::exit::TABLE.iter().map(|(number, says)| [number.to_string(), (*says).to_owned(), reaction(*number)]),
    );
    page.section(
        "Other codes",
        "Everything else (a crash, a kill by the kernel for want of memory) counts towards `retry.limitPerItem`.",
    );
    page.text()
}

/// The pod failure policy of work Jobs, in words.
fn reaction(number: u8) -> String {
    let text = match number {
        plan::exit::DONE => "the index is done",
        plan::exit::ITEMS_FAILED => "no pod ends with it",
        plan::exit::BAD_INPUT => "the index is given up (FailIndex)",
        plan::exit::INTERRUPTED => "tried again, without counting (Ignore)",
        plan::exit::CONFIGURATION => "the Job ends (FailJob); the pod's message goes to Stalled",
        _ => "counts towards `retry.limitPerItem`",
    };
    text.to_owned()
}
