//! A job as text: a block, or a line. Pure.

use analysisjob::{
    AnalysisJob, AnalysisJobStatus, QueueRole, conditions,
    status::{ChildJobKind, FailureSample, RunStatus},
};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::Timestamp,
};

use crate::plugin::{
    connect::Session,
    table::table,
    view::{Outcome, View, seconds, started},
    words::{bar, duration, minute, printable, rate},
};

/// The progress bar's width.
const BAR: usize = 32;
/// Failures shown here; `failures` shows more.
const FAILURES: usize = 3;

/// Everything there is to say about the job.
pub fn block(job: &AnalysisJob, session: &Session, now: Timestamp) -> String {
    let view = View::new(job, now);
    let none = AnalysisJobStatus::default();
    let status = job.status.as_ref().unwrap_or(&none);
    let mut text = format!("{} in {}: {}{}\n", view.name, view.namespace, view.state, stale(job));
    if view.percent.is_some() {
        text.push_str(&progress(&view));
    }
    text.push_str(&notable(status));
    text.push_str(&facts(&view, status, queue(job), now));
    text.push_str(&children(status.run.as_ref()));
    text.push_str(&failures(&view, status, session));
    text
}

/// The most important of it, on one line.
pub fn line(job: &AnalysisJob, now: Timestamp) -> String {
    let view = View::new(job, now);
    let mut text = format!("{} {} {}", now.strftime("%H:%M:%S"), view.name, view.state);
    if let Some(percent) = view.percent {
        let items = &view.items;
        let (active, pending, failed) = (items.active, items.pending, items.failed);
        text.push_str(&format!(" {}/{} ({percent} %)", view.done(), items.total));
        text.push_str(&format!(", {active} active, {pending} pending, {failed} failed"));
        text.push_str(&pace(&view, ", ", "/h"));
    }
    let trouble = job.status.iter().flat_map(|status| status.conditions.iter()).filter(|c| is_trouble(c));
    trouble.for_each(|c| text.push_str(&format!("; {} {}: {}", c.type_, c.reason, printable(&c.message))));
    text + "\n"
}

/// Says that the operator has not caught up with the spec.
fn stale(job: &AnalysisJob) -> &'static str {
    match &job.status {
        None => " (no operator has seen it yet)",
        Some(status) if status.observed_generation != job.metadata.generation => " (the spec has changed since)",
        Some(_) => "",
    }
}

fn progress(view: &View) -> String {
    let bar = bar(view.done(), view.items.total, BAR);
    let percent = view.percent.unwrap_or(0);
    format!("{bar} {}/{}  {percent} %{}\n", view.done(), view.items.total, pace(view, "  ", " movies/h"))
}

fn pace(view: &View, between: &str, unit: &str) -> String {
    let rate = view.items_per_hour.map(|per_hour| format!("{between}{}{unit}", rate(per_hour)));
    let eta = view.eta_seconds.map(|left| format!("{between}ETA {}", duration(left)));
    [rate, eta].into_iter().flatten().collect()
}

/// Stalled and failed: what someone must read even when one line is all there is.
fn is_trouble(condition: &Condition) -> bool {
    [conditions::STALLED, conditions::FAILED].contains(&condition.type_.as_str()) && condition.status == "True"
}

/// The conditions that say something is at its end, or not as it should be.
fn notable(status: &AnalysisJobStatus) -> String {
    let matters = |c: &&Condition| match c.type_.as_str() {
        conditions::STALLED | conditions::FAILED | conditions::SUSPENDED | conditions::COMPLETE => c.status == "True",
        conditions::READY | conditions::CACHE_READY | conditions::OUTPUT_READY => c.status == "False",
        _ => false,
    };
    let row = |c: &Condition| {
        let name = if c.status == "False" { format!("not {}", c.type_) } else { c.type_.clone() };
        vec![name, c.reason.clone(), printable(&c.message)]
    };
    section("", &status.conditions.iter().filter(matters).map(row).collect::<Vec<_>>())
}

/// A table with an empty line before it and, where it has one, a heading; nothing without rows.
fn section(heading: &str, rows: &[Vec<String>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heading = if heading.is_empty() { String::new() } else { format!("{heading}\n") };
    format!("\n{heading}{}", table(rows, &[]))
}

fn facts(view: &View, status: &AnalysisJobStatus, queue: Option<String>, now: Timestamp) -> String {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut say = |name: &str, text: String| rows.push(vec![name.to_owned(), text]);
    if view.percent.is_some() {
        say("movies", movies(view));
    }
    if let Some(workers) = &status.workers {
        say("workers", format!("{} ready, {} active, {} wanted", workers.ready, workers.active, workers.desired));
    }
    if let Some(queue) = queue {
        say("queue", queue);
    }
    if let Some(cache) = &status.cache {
        say("cache", format!("{}  {}", view.cache, cache.url.as_deref().unwrap_or("")));
    }
    if let Some(run) = &status.run {
        say("run", format!("{}{}", run.id, since(status, now)));
    }
    if let Some(output) = &status.output {
        say("output", output.clone());
    }
    if let Some(Time(next)) = &status.next_scan_time {
        say("next scan", format!("{} (in {})", minute(*next), duration(seconds(now, *next))));
    }
    section("", &rows)
}

/// The list of strategy Queue, and what this job does with it. An address in the spec holds no password.
fn queue(job: &AnalysisJob) -> Option<String> {
    let queue = job.spec.workers.queue.as_ref()?;
    let does = match queue.role {
        QueueRole::ProducerAndConsumer => "filled and drained by this job",
        QueueRole::Consumer => "filled elsewhere, drained here too",
    };
    let server = match (&queue.redis.url, &queue.redis.url_secret_ref) {
        (Some(url), _) => url.clone(),
        (None, Some(key)) => format!("secret {}/{}", key.name, key.key),
        (None, None) => String::new(),
    };
    Some(format!("{} at {server}, {does}", queue.stream))
}

fn movies(view: &View) -> String {
    let items = &view.items;
    format!(
        "{} succeeded, {} up to date, {} active, {} pending, {} failed",
        items.succeeded, items.up_to_date, items.active, items.pending, items.failed
    )
}

fn since(status: &AnalysisJobStatus, now: Timestamp) -> String {
    let Some(start) = started(status) else { return String::new() };
    match &status.completion_time {
        Some(Time(end)) => format!(", {} to {} ({})", minute(start), minute(*end), duration(seconds(start, *end))),
        None => format!(", since {} ({})", minute(start), duration(seconds(start, now))),
    }
}

fn children(run: Option<&RunStatus>) -> String {
    let jobs = run.map(|run| run.jobs.as_slice()).unwrap_or_default();
    let rows = jobs.iter().map(|job| {
        let kind = match job.kind {
            ChildJobKind::Plan => "plan",
            ChildJobKind::Work => "work",
            ChildJobKind::Collect => "collect",
        };
        let counts = format!("{} active, {} succeeded, {} failed", job.active, job.succeeded, job.failed);
        vec![kind.to_owned(), job.name.clone(), counts]
    });
    section("jobs of the run", &rows.collect::<Vec<_>>())
}

fn failures(view: &View, status: &AnalysisJobStatus, session: &Session) -> String {
    let Some(failures) = status.failures.as_ref().filter(|failures| failures.count > 0) else {
        return String::new();
    };
    let row =
        |sample: &FailureSample| vec![printable(&sample.item), printable(&sample.reason), printable(&sample.message)];
    let rows: Vec<Vec<String>> = failures.samples.iter().take(FAILURES).map(row).collect();
    let more = session.kubectl(&format!("analysis failures {}", view.name));
    let retry = match view.outcome {
        Outcome::UnderWay => String::new(),
        _ => format!("once more: {}\n", session.kubectl(&format!("analysis retry {}", view.name))),
    };
    format!("{}all of them: {more}\n{retry}", section(&format!("failed ({})", failures.count), &rows))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{at, condition, job, job_with, server};
    use serde_json::{Value, json};

    fn block_of(job: &AnalysisJob) -> String {
        block(job, &server(|_| (200, Value::Null)).0, at("2026-01-01T12:00:00Z"))
    }

    #[tokio::test]
    async fn a_run_under_way_reads_from_the_bar_to_the_failures() {
        let expected = "\
ashes-2018 in science: Running
[===================>            ] 155/248  62 %  72 movies/h  ETA 1 h 16 min

movies   143 succeeded, 12 up to date, 60 active, 32 pending, 1 failed
workers  58 ready, 60 active, 92 wanted
cache    3/3  http://ashes-2018-cache.science.svc:8080
run      4-7c9f, since 2026-01-01 10:00 UTC (2 h)
output   pvc/results/motion

jobs of the run
plan  ashes-2018-plan-4-7c9f  0 active, 1 succeeded, 0 failed
work  ashes-2018-work-4-7c9f  60 active, 143 succeeded, 1 failed

failed (1)
RS03/a.mov  DecodeError  frame 12 cannot be decoded
all of them: kubectl analysis failures ashes-2018 -n science
";
        assert_eq!(block_of(&job()), expected);
    }

    #[tokio::test]
    async fn a_job_that_shares_a_list_names_it_and_its_part_in_it() {
        let mut job = job();
        let queue = |role: &str| json!({"redis": {"urlSecretRef": {"name": "redis", "key": "url"}}, "stream": "camhd", "role": role});
        job.spec.workers.queue = serde_json::from_value(queue("ProducerAndConsumer")).unwrap();
        let line = "queue    camhd at secret redis/url, filled and drained by this job\n";
        assert!(block_of(&job).contains(line), "{}", block_of(&job));
        job.spec.workers.queue = serde_json::from_value(queue("Consumer")).unwrap();
        assert!(block_of(&job).contains("filled elsewhere, drained here too"));
    }

    #[tokio::test]
    async fn what_keeps_a_job_stands_right_below_its_name() {
        let job = job_with(|status| {
            let marker = "the marker file README.md is missing in \u{1b}results";
            *status = json!({"observedGeneration": 4, "output": "pvc/results/motion", "conditions": [
                condition("Ready", "False", "Stalled", "see Stalled"),
                condition("Stalled", "True", "MarkerMissing", marker),
                condition("Planned", "False", "Planning", ""),
                condition("CacheReady", "Unknown", "Starting", ""),
            ]});
        });
        let expected = "\
ashes-2018 in science: Stalled

not Ready  Stalled        see Stalled
Stalled    MarkerMissing  the marker file README.md is missing in  results

output  pvc/results/motion
";
        assert_eq!(block_of(&job), expected);
    }

    #[tokio::test]
    async fn a_standing_job_says_when_it_looks_again() {
        let job = job_with(|status| {
            *status = json!({"observedGeneration": 4, "conditions": [condition("Ready", "True", "Waiting", "")],
                "run": {"id": "4-7c9f", "startTime": "2026-01-01T04:15:00Z"}, "completionTime": "2026-01-01T05:15:00Z",
                "nextScanTime": "2026-01-02T04:15:00Z"});
        });
        let expected = "\
ashes-2018 in science: Waiting

run        4-7c9f, 2026-01-01 04:15 UTC to 2026-01-01 05:15 UTC (1 h)
next scan  2026-01-02 04:15 UTC (in 16 h 15 min)
";
        assert_eq!(block_of(&job), expected);
    }

    #[tokio::test]
    async fn what_the_operator_has_not_seen_is_said_to_be_so() {
        let new = AnalysisJob { status: None, ..job() };
        assert_eq!(block_of(&new), "ashes-2018 in science: New (no operator has seen it yet)\n");
        let mut changed = job();
        changed.metadata.generation = Some(5);
        assert!(block_of(&changed).starts_with("ashes-2018 in science: Running (the spec has changed since)\n"));
    }

    #[test]
    fn a_line_ends_with_what_must_be_mended() {
        let job = job_with(|status| {
            let stalled = condition("Stalled", "True", "InvalidGlob", "include[0]: unclosed [");
            *status = json!({"conditions": [condition("Ready", "False", "Stalled", ""), stalled]});
        });
        let expected = "12:00:00 ashes-2018 Stalled; Stalled InvalidGlob: include[0]: unclosed [\n";
        assert_eq!(line(&job, at("2026-01-01T12:00:00Z")), expected);
    }
}
