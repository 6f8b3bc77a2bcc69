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
/// The folder of what a report on many movies does not hold itself.
const FOLDER: &str = "report";

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
    let movies = movies(&bytes);
    if let Some(Movies { here, all }) = movies.filter(|movies| movies.here < movies.all) {
        let folder = place.path(FOLDER);
        console.note(&format!(
            "it shows {here} of {all} movies; copy the folder {folder} of {} beside it to read them all",
            place.name()
        ));
    }
    match args.output {
        Format::Text => console.print(&format!("{}\n", file.display()))?,
        Format::Json => {
            let movies = movies.map(|Movies { here, all }| json!({"here": here, "all": all}));
            console.print_json(&json!({"file": file, "bytes": bytes.len(), "movies": movies}))?;
        }
    }
    Ok(exit::DONE)
}

/// How many movies a report holds itself, and of how many it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Movies {
    here: u64,
    all: u64,
}

/// As its head says: `<meta name="movies" content="25/30000">`. Reports of earlier releases do not.
fn movies(html: &[u8]) -> Option<Movies> {
    let head = String::from_utf8_lossy(&html[..html.len().min(4096)]);
    let (_, rest) = head.split_once("<meta name=\"movies\" content=\"")?;
    let (here, all) = rest.split_once('"')?.0.split_once('/')?;
    Some(Movies { here: here.parse().ok()?, all: all.parse().ok()? })
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
    fn a_report_says_how_many_movies_it_holds() {
        let html = |content: &str| format!("<!DOCTYPE html><head><meta name=\"movies\" content=\"{content}\"><title>");
        assert_eq!(movies(html("25/30000").as_bytes()), Some(Movies { here: 25, all: 30_000 }));
        assert_eq!(movies(html("a/b").as_bytes()), None);
        assert_eq!(movies(b"<!DOCTYPE html><head><title>of an earlier release"), None);
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
