//! `report`: where report.html stands, and bringing it here.
//!
//! ```text
//!   spec.output ─▶ place ─┬─ claim ──▶ a pod prints the file, piece by piece, into its log ─▶ DIR/report.html
//!                         └─ bucket ─▶ the command of the store's own tool
//! ```

mod answer;
pub mod place;
pub mod pod;
pub mod reader;

use std::{fs, io::Write, path::Path};

use analysisjob::AnalysisJob;
use plan::exit;
use serde_json::json;

use self::{place::Place, reader::Reader};
use super::{
    args::{Format, ReportArgs},
    connect::Session,
    console::Console,
    error::PluginError,
    jobs,
    view::{Outcome, outcome},
};

/// The report's name in the output.
const REPORT: &str = "report.html";

/// Says where the report is, or copies it. `stop` ends the copying; the pod is deleted all the same.
pub async fn run(
    args: &ReportArgs,
    session: &Session,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<u8, PluginError> {
    let job = jobs::get(session, &args.name).await?;
    let place = Place::of(&job)?;
    let Some(folder) = &args.to else {
        say(args, &job, &place, session, console).await?;
        return Ok(exit::DONE);
    };
    let reader = Reader::new(&job, &place, REPORT, &args.reader, session).await?;
    let bytes = reader.read(console, stop).await?;
    let file = folder.join(REPORT);
    write(&file, &bytes).map_err(|source| PluginError::File { doing: "write", path: file.clone(), source })?;
    match args.output {
        Format::Text => console.print(&format!("{}\n", file.display()))?,
        Format::Json => console.print_json(&json!({"file": file, "bytes": bytes.len()}))?,
    }
    Ok(exit::DONE)
}

/// Whole or not at all: a report that was there stays until the new one is complete.
fn write(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let partial = file.with_extension("html.part");
    let written = fs::File::create(&partial).and_then(|mut open| open.write_all(bytes));
    let renamed = written.and_then(|()| fs::rename(&partial, file));
    renamed.inspect_err(|_| drop(fs::remove_file(&partial)))
}

async fn say(
    args: &ReportArgs,
    job: &AnalysisJob,
    place: &Place,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), PluginError> {
    let by_hand = match place {
        Place::Claim { .. } => Reader::new(job, place, REPORT, &args.reader, session).await?.by_hand()?,
        Place::Bucket { .. } => format!("  {}\n", place.fetch(REPORT)),
    };
    match args.output {
        Format::Text => console.print(&text(args, job, place, session, &by_hand)),
        Format::Json => {
            let (path, output) = (place.path(REPORT), place.name());
            console.print_json(&json!({"output": output, "path": path, "outcome": outcome(job), "commands": by_hand}))
        }
    }
}

fn text(args: &ReportArgs, job: &AnalysisJob, place: &Place, session: &Session, by_hand: &str) -> String {
    let mut text = format!("{}: {REPORT} stands in {}, at {}\n", args.name, place.name(), place.path(REPORT));
    if outcome(job) == Outcome::UnderWay {
        text.push_str("it is written when a run ends; until then it is that of the run before, if there was one\n");
    }
    match place {
        Place::Bucket { .. } => text + "to bring it here:\n" + by_hand,
        Place::Claim { .. } => {
            let to = session.kubectl(&format!("analysis report {} --to .", args.name));
            text + &format!("to bring it here:\n  {to}\nor by hand, with a pod that mounts the claim:\n{by_hand}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{
        args::ReaderArgs,
        testing::{Desk, object, server},
    };
    use serde_json::Value;

    fn args() -> ReportArgs {
        let reader = ReaderArgs { image: Some("worker:1".to_owned()), timeout: 60 };
        ReportArgs { name: "ashes-2018".to_owned(), to: None, reader, output: Format::Text }
    }

    async fn said(change: impl FnOnce(&mut Value)) -> String {
        let mut object = object();
        change(&mut object);
        let (session, calls) = server(move |_| (200, object.clone()));
        let mut desk = Desk::default();
        run(&args(), &session, &mut desk.console(), std::future::pending()).await.unwrap();
        assert_eq!(calls.lines().len(), 1, "saying where it is makes nothing");
        desk.out()
    }

    #[tokio::test]
    async fn a_report_in_a_claim_comes_with_the_commands_that_copy_it() {
        let text = said(|_| {}).await;
        let start = "\
ashes-2018: report.html stands in claim results, at motion/report.html
it is written when a run ends; until then it is that of the run before, if there was one
to bring it here:
  kubectl analysis report ashes-2018 --to . -n science
or by hand, with a pod that mounts the claim:
  kubectl create -f - -n science <<'EOF'
";
        assert!(text.starts_with(start), "{text}");
        let end = "
EOF
  kubectl wait pod/ashes-2018-read --for=jsonpath={.status.phase}=Succeeded --timeout=5m -n science
  kubectl logs ashes-2018-read -n science > report.html
  kubectl delete pod ashes-2018-read -n science
";
        assert!(text.ends_with(end), "{text}");
    }

    #[tokio::test]
    async fn a_report_in_a_bucket_comes_with_the_command_of_the_stores_tool() {
        let output = json!({"s3": {"bucket": "results", "prefix": "motion", "endpoint": "https://minio:9000"}});
        let text = said(|job| {
            job["spec"]["output"] = output;
            job["status"]["conditions"][0]["reason"] = json!("Complete");
        });
        let expected = "\
ashes-2018: report.html stands in bucket results, at motion/report.html
to bring it here:
  aws s3 cp s3://results/motion/report.html . --region us-east-1 --endpoint-url https://minio:9000
";
        assert_eq!(text.await, expected);
    }

    #[test]
    fn a_report_is_written_whole_into_a_new_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a/b").join(REPORT);
        write(&file, b"<html>").unwrap();
        write(&file, b"<html>2").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"<html>2");
        assert_eq!(fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1);
    }
}
