//! `status`: how far a job is, once or until its end.
//!
//! ```text
//!   AnalysisJob ─▶ View ─▶ status/text.rs ─▶ block (terminal) | line (elsewhere) | JSON
//! ```

pub mod text;

use std::time::{Duration, Instant};

use analysisjob::{AnalysisJob, AnalysisJobStatus};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use k8s_openapi::jiff::Timestamp;
use plan::exit;
use serde::Serialize;

use super::{
    args::{Format, StatusArgs},
    connect::Session,
    console::Console,
    error::{JOB_FAILED, PluginError, UNDER_WAY},
    jobs,
    view::{Outcome, View},
};

/// Without a change, a line is written this often, so that whoever reads a log sees that the job lives.
const SIGN_OF_LIFE: Duration = Duration::from_mins(1);

/// What `-o json` writes.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    view: View,
    status: Option<&'a AnalysisJobStatus>,
}

/// Shows the job; with --watch until its end.
pub async fn run(args: &StatusArgs, session: &Session, console: &mut Console<'_>) -> Result<u8, PluginError> {
    if args.watch {
        return watch(args, session, console).await;
    }
    let job = jobs::get(session, &args.name).await?;
    let now = console.now();
    match args.output {
        Format::Text => console.print(&text::block(&job, session, now))?,
        Format::Json => console.print_json(&Document { view: View::new(&job, now), status: job.status.as_ref() })?,
    }
    Ok(exit_code(View::new(&job, now).outcome))
}

fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Complete => exit::DONE,
        Outcome::Failed | Outcome::Stalled => JOB_FAILED,
        Outcome::UnderWay => UNDER_WAY,
    }
}

async fn watch(args: &StatusArgs, session: &Session, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let live = console.live && args.output == Format::Text;
    let mut screen = if live { Screen::Live(screen()) } else { Screen::Lines(args.output, None) };
    // A server that is away from the start is an error; one that goes away later is waited for.
    let mut job = jobs::get(session, &args.name).await?;
    loop {
        screen.show(&job, session, console)?;
        if View::new(&job, console.now()).outcome != Outcome::UnderWay {
            break;
        }
        tokio::time::sleep(console.every).await;
        job = jobs::get_patiently(session, console, &args.name).await.inspect_err(|_| screen.clear())?;
    }
    screen.clear();
    if live {
        console.print(&text::block(&job, session, console.now()))?;
    }
    Ok(exit_code(View::new(&job, console.now()).outcome))
}

/// What is watched on.
enum Screen {
    /// A terminal: a block drawn over and over.
    Live(ProgressBar),
    /// Anything else: lines, with what the last one said and when.
    Lines(Format, Option<Box<(View, Instant)>>),
}

impl Screen {
    fn show(&mut self, job: &AnalysisJob, session: &Session, console: &mut Console<'_>) -> Result<(), PluginError> {
        let now = console.now();
        match self {
            Self::Live(bar) => bar.set_message(text::block(job, session, now).trim_end().to_owned()),
            Self::Lines(format, last) => {
                let view = View::new(job, now);
                if last.as_deref().is_none_or(|(said, at)| changed(said, &view) || at.elapsed() >= SIGN_OF_LIFE) {
                    *last = Some(Box::new((view.clone(), Instant::now())));
                    print_line(*format, view, job, now, console)?;
                }
            }
        }
        Ok(())
    }

    fn clear(&self) {
        if let Self::Live(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn print_line(
    format: Format,
    view: View,
    job: &AnalysisJob,
    now: Timestamp,
    console: &mut Console<'_>,
) -> Result<(), PluginError> {
    match format {
        Format::Text => console.print(&text::line(job, now)),
        Format::Json => console.print_json_line(&Document { view, status: job.status.as_ref() }),
    }
}

/// Whether anything but the time changed.
fn changed(before: &View, after: &View) -> bool {
    let facts = |view: &View| View { items_per_hour: None, eta_seconds: None, ..view.clone() };
    facts(before) != facts(after)
}

fn screen() -> ProgressBar {
    let style = ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
    ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout()).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, condition, no_job, object, server};
    use serde_json::{Value, json};

    fn args(watch: bool, output: Format) -> StatusArgs {
        StatusArgs { name: "ashes-2018".to_owned(), watch, output }
    }

    fn with(change: impl FnOnce(&mut Value)) -> Value {
        let mut object = object();
        change(&mut object["status"]);
        object
    }

    fn ended(kind: &str) -> Value {
        with(|status| {
            status["conditions"] = json!([condition("Ready", "True", kind, ""), condition(kind, "True", kind, "")]);
        })
    }

    async fn code(object: Value) -> u8 {
        let (session, _) = server(move |_| (200, object.clone()));
        run(&args(false, Format::Text), &session, &mut Desk::default().console()).await.unwrap()
    }

    #[tokio::test]
    async fn the_exit_code_tells_complete_from_failed_from_under_way() {
        let codes = [code(ended("Complete")).await, code(ended("Failed")).await, code(ended("Stalled")).await];
        assert_eq!(codes, [0, 1, 1]);
        assert_eq!(code(object()).await, 3);
    }

    #[tokio::test]
    async fn watching_writes_a_line_for_every_change_and_ends_with_the_run() {
        let more = with(|status| status["items"]["succeeded"] = json!(144));
        let mut answers = vec![ended("Complete"), more.clone(), more, object(), object()];
        let (session, _) = server(move |_| (200, answers.pop().unwrap()));
        let mut desk = Desk::default();
        let code = run(&args(true, Format::Text), &session, &mut desk.console()).await.unwrap();
        assert_eq!(code, 0);
        assert_eq!(
            desk.out(),
            "12:00:00 ashes-2018 Running 155/248 (62 %), 60 active, 32 pending, 1 failed, 72/h, ETA 1 h 16 min\n\
             12:00:00 ashes-2018 Running 156/248 (62 %), 60 active, 32 pending, 1 failed, 72/h, ETA 1 h 16 min\n\
             12:00:00 ashes-2018 Complete 155/248 (62 %), 60 active, 32 pending, 1 failed, 72/h\n"
        );
    }

    #[tokio::test]
    async fn a_job_deleted_while_it_is_watched_ends_the_watch() {
        let mut answers = vec![object()];
        let (session, _) = server(move |_| answers.pop().map_or_else(|| no_job("ashes-2018"), |job| (200, job)));
        let error = run(&args(true, Format::Text), &session, &mut Desk::default().console()).await.unwrap_err();
        assert_eq!(error.exit_code(), 66);
    }

    #[tokio::test]
    async fn json_holds_what_is_derived_beside_the_status() {
        let (session, _) = server(|_| (200, object()));
        let mut desk = Desk::default();
        run(&args(false, Format::Json), &session, &mut desk.console()).await.unwrap();
        let said: Value = serde_json::from_str(&desk.out()).unwrap();
        assert_eq!((&said["etaSeconds"], &said["outcome"]), (&json!(4600), &json!("underWay")));
        assert_eq!(said["status"]["run"]["id"], "4-7c9f");
    }
}
