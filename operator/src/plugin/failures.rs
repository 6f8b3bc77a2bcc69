//! `failures`: the movies given up, a few from the status or all from the output.

use analysisjob::{AnalysisJob, status::FailuresStatus};
use plan::{Failure, exit};

use super::{
    args::{FailuresArgs, Format},
    connect::Session,
    console::Console,
    error::PluginError,
    jobs,
    report::{place::Place, pod::Files, reader::Reader},
    table::table,
    words::{count, printable},
};

/// Lists the failures. `stop` ends the reading of a claim; the pod is deleted all the same.
pub async fn run(
    args: &FailuresArgs,
    session: &Session,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<u8, PluginError> {
    let job = jobs::get(session, &args.name).await?;
    if args.all {
        all(args, &job, session, console, stop).await?;
    } else {
        samples(args, &job, session, console)?;
    }
    Ok(exit::DONE)
}

fn samples(
    args: &FailuresArgs,
    job: &AnalysisJob,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), PluginError> {
    let failures = job.status.as_ref().and_then(|status| status.failures.clone()).unwrap_or_default();
    if args.output == Format::Text {
        return console.print(&text(job, &failures, session));
    }
    let missing = (failures.count as usize).saturating_sub(failures.samples.len());
    failures.samples.iter().try_for_each(|sample| console.print_json_line(sample))?;
    if missing > 0 {
        console.note(&format!("{missing} more are not in the status; --all reads them from the output"));
    }
    Ok(())
}

fn text(job: &AnalysisJob, failures: &FailuresStatus, session: &Session) -> String {
    let name = job.metadata.name.as_deref().unwrap_or_default();
    if failures.count == 0 {
        return format!("{name}: no movie has failed\n");
    }
    let mut rows = vec![["ITEM", "REASON", "MESSAGE"].map(ToOwned::to_owned).to_vec()];
    rows.extend(failures.samples.iter().map(|s| [&s.item, &s.reason, &s.message].map(|text| printable(text)).to_vec()));
    let mut text = format!("{name}: {} failed\n\n{}\n", count(failures.count, "movie"), table(&rows, &[]));
    let more = failures.count as usize > failures.samples.len();
    match (&failures.report, Place::of(job)) {
        (Some(report), Ok(place)) => {
            let all = session.kubectl(&format!("analysis failures {name} --all"));
            let path = format!("{}, {}", place.name(), place.path(report));
            text.push_str(&format!("all of them: {path}\n  {all}\n"));
        }
        (None, _) if more => text.push_str("the full list is written when the run ends\n"),
        _ => {}
    }
    text + &format!("once more: {}\n", session.kubectl(&format!("analysis retry {name}")))
}

async fn all(
    args: &FailuresArgs,
    job: &AnalysisJob,
    session: &Session,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<(), PluginError> {
    let failures = job.status.as_ref().and_then(|status| status.failures.clone()).unwrap_or_default();
    let Some(report) = failures.report else {
        if failures.count == 0 {
            console.note(&format!("{}: no movie has failed", args.name));
            return Ok(());
        }
        return Err(PluginError::NotInOutput {
            message: format!("the full list of {} failed movies is not written yet", failures.count),
            mend: "it is written when the run ends; without --all the status is shown".to_owned(),
        });
    };
    let place = Place::of(job)?;
    let reader = Reader::new(job, &place, Files::one(&report), &args.reader, session).await?;
    let bytes = reader.read(console, stop).await?;
    show(&String::from_utf8_lossy(&bytes), args.output, console)
}

/// JSON as it stands in the output; for people, a table. A line that cannot be read is shown as it is.
fn show(lines: &str, format: Format, console: &mut Console<'_>) -> Result<(), PluginError> {
    if format == Format::Json {
        return console.print(lines);
    }
    let mut rows = vec![["ITEM", "REASON", "ATTEMPTS", "MESSAGE"].map(ToOwned::to_owned).to_vec()];
    rows.extend(lines.lines().map(|line| match serde_json::from_str::<Failure>(line) {
        Ok(failure) => {
            let Failure { item, reason, attempts, message } = failure;
            [item, reason, attempts.to_string(), message].map(|text| printable(&text)).to_vec()
        }
        Err(_) => vec![printable(line)],
    }));
    console.print(&table(&rows, &[]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, object, server};
    use serde_json::{Value, json};

    fn args(all: bool, output: Format) -> FailuresArgs {
        let reader = crate::plugin::args::ReaderArgs { image: Some("worker:1".to_owned()), timeout: 60 };
        FailuresArgs { name: "ashes-2018".to_owned(), all, reader, output }
    }

    async fn shown(args: &FailuresArgs, change: impl FnOnce(&mut Value)) -> (Result<u8, PluginError>, Desk) {
        let mut object = object();
        change(&mut object);
        let (session, _) = server(move |_| (200, object.clone()));
        let mut desk = Desk::default();
        let code = run(args, &session, &mut desk.console(), std::future::pending()).await;
        (code, desk)
    }

    #[tokio::test]
    async fn samples_come_with_the_place_of_the_full_list() {
        let (_, desk) = shown(&args(false, Format::Text), |_| {}).await;
        let expected = "\
ashes-2018: 1 movie failed

ITEM        REASON       MESSAGE
RS03/a.mov  DecodeError  frame 12 cannot be decoded

all of them: claim results, motion/.analysis/4-7c9f/failures.jsonl
  kubectl analysis failures ashes-2018 --all -n science
once more: kubectl analysis retry ashes-2018 -n science
";
        assert_eq!(desk.out(), expected);
    }

    #[tokio::test]
    async fn json_is_a_line_for_each_and_says_aside_that_there_are_more() {
        let (_, desk) = shown(&args(false, Format::Json), |job| job["status"]["failures"]["count"] = json!(12)).await;
        let line = "{\"item\":\"RS03/a.mov\",\"reason\":\"DecodeError\",\"message\":\"frame 12 cannot be decoded\"}\n";
        assert_eq!(desk.out(), line);
        assert_eq!(desk.err(), "11 more are not in the status; --all reads them from the output\n");
    }

    #[tokio::test]
    async fn no_failure_is_no_error() {
        let none = |job: &mut Value| drop(job["status"].as_object_mut().unwrap().remove("failures"));
        let (code, desk) = shown(&args(false, Format::Text), none).await;
        assert_eq!((code.unwrap(), desk.out().as_str()), (0, "ashes-2018: no movie has failed\n"));
        assert_eq!(shown(&args(true, Format::Json), none).await.0.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_list_not_written_yet_is_said_to_be_so() {
        let early = |job: &mut Value| drop(job["status"]["failures"].as_object_mut().unwrap().remove("report"));
        assert_eq!(shown(&args(true, Format::Text), early).await.0.unwrap_err().exit_code(), 66);
    }

    #[tokio::test]
    async fn a_list_in_a_bucket_is_fetched_with_the_command_that_is_said() {
        let (error, _) = shown(&args(true, Format::Text), |job| {
            job["spec"]["output"] = json!({"s3": {"bucket": "results", "prefix": "motion/"}});
        })
        .await;
        let text = error.unwrap_err().text();
        let command = "aws s3 cp s3://results/motion/.analysis/4-7c9f/failures.jsonl . --region us-east-1";
        assert!(text.contains(command), "{text}");
    }

    #[test]
    fn the_full_list_is_a_table_for_people_and_untouched_for_scripts() {
        let lines = "{\"item\":\"a.mov\",\"reason\":\"NotFound\",\"attempts\":3,\"message\":\"404\"}\nbroken\n";
        let mut desk = Desk::default();
        show(lines, Format::Text, &mut desk.console()).unwrap();
        assert_eq!(desk.out(), "ITEM    REASON    ATTEMPTS  MESSAGE\na.mov   NotFound  3         404\nbroken\n");
        let mut desk = Desk::default();
        show(lines, Format::Json, &mut desk.console()).unwrap();
        assert_eq!(desk.out(), lines);
    }
}
