//! `report`: where report.html stands, and bringing it here.
//!
//! ```text
//!   spec.output ─▶ place ─┬─ claim ──▶ pods print the files, piece by piece, into their logs ─▶ unpack ─▶ DIR/report.html, report/
//!                         └─ bucket ─▶ the command of the store's own tool
//! ```

mod answer;
pub mod place;
pub mod pod;
pub mod reader;
pub mod unpack;

use std::path::Path;

use analysisjob::AnalysisJob;
use plan::exit;
use serde_json::json;

use self::{
    place::Place,
    pod::Files,
    reader::Reader,
    unpack::{Folder, UnpackError},
};
use super::{
    args::{Format, ReportArgs},
    connect::Session,
    console::Console,
    error::PluginError,
    jobs,
    view::{Outcome, outcome},
};

/// Movies whose pictures are within the page.
const FIRST_PAGE: u64 = 25;
/// The report's name in the output.
const REPORT: &str = "report.html";
/// The folder of what a report on many movies does not hold itself, and the tables the page links to.
const BESIDE: [&str; 5] = ["report", "regions.csv", "movie_metadata.csv", "datapackage.json", "failures.jsonl"];

/// What is copied, so that the page reads as it does where it is.
fn files(args: &ReportArgs) -> Files {
    let also = BESIDE.map(ToOwned::to_owned).to_vec();
    Files { file: REPORT.to_owned(), also, pictures: args.pictures }
}

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
    let reader = Reader::new(&job, &place, files(args), &args.reader, session).await?;
    copy(args, folder, &reader, console, stop).await?;
    Ok(exit::DONE)
}

/// Whole or not at all: a report that was there stays until the new one is complete.
async fn copy(
    args: &ReportArgs,
    folder: &Path,
    reader: &Reader<'_>,
    console: &mut Console<'_>,
    stop: impl Future<Output = ()>,
) -> Result<(), PluginError> {
    let mut target = Folder::new(folder).map_err(not_written)?;
    let bytes = reader.read_into(&mut target, console, stop).await?;
    let (count, movies) = (target.files(), movies(&target.read(REPORT).map_err(not_written)?));
    target.finish().map_err(not_written)?;
    if !args.pictures && movies.is_some_and(|movies| movies.all > FIRST_PAGE) {
        console.note(&format!(
            "pictures of the movies after the first {FIRST_PAGE} were not copied; --pictures brings them"
        ));
    }
    let file = folder.join(REPORT);
    match args.output {
        Format::Text => console.print(&format!("{}\n", file.display())),
        Format::Json => {
            let movies = movies.map(|Movies { here, all }| json!({"here": here, "all": all}));
            console.print_json(&json!({"file": file, "files": count, "bytes": bytes, "movies": movies}))
        }
    }
}

fn not_written(error: UnpackError) -> PluginError {
    match error {
        UnpackError::Write { path, source } => PluginError::File { doing: "write", path, source },
        UnpackError::Broken(message) => PluginError::Unfit { message, mend: String::new() },
    }
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

async fn say(
    args: &ReportArgs,
    job: &AnalysisJob,
    place: &Place,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<(), PluginError> {
    let by_hand = match place {
        Place::Claim { .. } => Reader::new(job, place, files(args), &args.reader, session).await?.by_hand()?,
        Place::Bucket { .. } => format!("  {}\n", place.fetch(&files(args))),
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
        testing::{Call, Desk, object, parcel, server},
    };
    use serde_json::Value;
    use std::fs;

    fn args() -> ReportArgs {
        let reader = ReaderArgs { image: Some("worker:1".to_owned()), timeout: 60 };
        ReportArgs { name: "ashes-2018".to_owned(), to: None, pictures: false, reader, output: Format::Text }
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
  aws s3 cp s3://results/motion/ . --recursive --exclude '*' --include 'report/*' --include regions.csv --include movie_metadata.csv --include datapackage.json --include failures.jsonl --include report.html --region us-east-1 --endpoint-url https://minio:9000
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

    /// A cluster whose pods succeed and print this.
    fn cluster(log: String) -> Session {
        let container = json!({"name": "reader", "image": "", "imageID": "", "ready": false, "restartCount": 0,
                               "state": {"terminated": {"exitCode": 0}}});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"},
                         "status": {"phase": "Succeeded", "containerStatuses": [container]}});
        let answer = move |call: &Call| match call.line.as_str() {
            line if line.ends_with("/log") => (200, Value::String(log.clone())),
            line if line.contains("/analysisjobs/") => (200, object()),
            _ => (200, pod.clone()),
        };
        server(answer).0
    }

    async fn copied(folder: &Path, log: String) -> (Result<u8, PluginError>, Desk) {
        let mut desk = Desk::default();
        let args = ReportArgs { to: Some(folder.to_owned()), ..args() };
        let code = run(&args, &cluster(log), &mut desk.console(), std::future::pending()).await;
        (code, desk)
    }

    #[tokio::test]
    async fn a_report_comes_with_its_pages_and_tables_and_says_what_does_not() {
        let html = "<meta name=\"movies\" content=\"25/280\">";
        let log = parcel(&[("report/0002.js", "p"), ("report/index.js", "i"), ("regions.csv", "r"), (REPORT, html)]);
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("a/b");
        let (code, desk) = copied(&to, log).await;
        assert_eq!(code.unwrap(), 0);
        for (name, content) in [("report/0002.js", "p"), ("report/index.js", "i"), ("regions.csv", "r"), (REPORT, html)]
        {
            assert_eq!(fs::read_to_string(to.join(name)).unwrap(), content, "{name}");
        }
        assert_eq!(fs::read_dir(&to).unwrap().count(), 3, "nothing half is left");
        assert_eq!(desk.out(), format!("{}\n", to.join(REPORT).display()));
        assert!(desk.err().contains("--pictures brings them"), "{}", desk.err());
    }

    #[tokio::test]
    async fn a_copy_that_breaks_leaves_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(REPORT), "old").unwrap();
        let log = parcel(&[("report/0002.js", "p"), (REPORT, "<html>")]);
        let (code, _) = copied(folder.path(), log[..log.len() - 8].to_owned()).await;
        assert_eq!(code.unwrap_err().exit_code(), 69);
        assert_eq!(fs::read_to_string(folder.path().join(REPORT)).unwrap(), "old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
