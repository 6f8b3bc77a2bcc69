//! `top`: all jobs, the busiest first.

use std::cmp::Reverse;

use analysisjob::AnalysisJob;
use kube::{Api, api::ListParams};
use plan::exit;

use super::{
    args::{Format, TopArgs},
    connect::Session,
    console::Console,
    error::PluginError,
    jobs::{self, failed_to},
    table::table,
    view::{Outcome, View},
    words::{duration, rate},
};

/// So many jobs are asked for at a time.
const PAGE: u32 = 200;

/// Lists the jobs.
pub async fn run(args: &TopArgs, session: &Session, console: &mut Console<'_>) -> Result<u8, PluginError> {
    let api = if args.all_namespaces { Api::all(session.client.clone()) } else { jobs::api(session) };
    let now = console.now();
    let mut views: Vec<View> = list(&api).await?.iter().map(|job| View::new(job, now)).collect();
    sort(&mut views);
    match args.output {
        Format::Json => console.print_json(&views)?,
        Format::Text if views.is_empty() => console.note(&nothing(args, session)),
        Format::Text => console.print(&render(&views, args.all_namespaces))?,
    }
    Ok(exit::DONE)
}

async fn list(api: &Api<AnalysisJob>) -> Result<Vec<AnalysisJob>, PluginError> {
    let mut params = ListParams::default().limit(PAGE);
    let mut all = Vec::new();
    loop {
        let page = api.list(&params).await.map_err(failed_to("list AnalysisJobs"))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
}

fn nothing(args: &TopArgs, session: &Session) -> String {
    if args.all_namespaces {
        "there are no AnalysisJobs".to_owned()
    } else {
        format!("there are no AnalysisJobs in namespace {}; -A looks in all", session.namespace)
    }
}

/// What must be mended or is at work comes first, the most worker pods before fewer; then by name.
fn sort(views: &mut [View]) {
    views.sort_by_cached_key(|view| {
        let class = match view.outcome {
            Outcome::UnderWay => 0,
            Outcome::Stalled => 1,
            Outcome::Failed => 2,
            Outcome::Complete => 3,
        };
        (class, Reverse(view.workers.active), view.namespace.clone(), view.name.clone())
    });
}

fn render(views: &[View], namespaces: bool) -> String {
    let head = ["NAMESPACE", "NAME", "STATUS", "PROGRESS", "%", "RATE/H", "ACTIVE/WANTED", "CACHE", "ETA", "FAILED"];
    let mut rows = vec![head.map(ToOwned::to_owned).to_vec()];
    rows.extend(views.iter().map(row));
    if !namespaces {
        for row in &mut rows {
            row.remove(0);
        }
    }
    table(&rows, &[])
}

fn row(view: &View) -> Vec<String> {
    let or_dash = |text: Option<String>| text.filter(|text| !text.is_empty()).unwrap_or_else(|| "-".to_owned());
    vec![
        view.namespace.clone(),
        view.name.clone(),
        view.state.clone(),
        or_dash(view.percent.map(|_| format!("{}/{}", view.done(), view.items.total))),
        or_dash(view.percent.map(|percent| percent.to_string())),
        or_dash(view.items_per_hour.map(rate)),
        format!("{}/{}", view.workers.active, view.workers.desired),
        or_dash(Some(view.cache.clone())),
        or_dash(view.eta_seconds.map(duration)),
        view.items.failed.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::{Desk, condition, object, server};
    use serde_json::{Value, json};

    fn named(name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut object = object();
        object["metadata"]["name"] = json!(name);
        change(&mut object["status"]);
        object
    }

    fn page(items: &[Value], more: &str) -> (u16, Value) {
        let metadata = json!({"continue": more});
        (
            200,
            json!({"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJobList", "metadata": metadata, "items": items}),
        )
    }

    fn args(all_namespaces: bool) -> TopArgs {
        TopArgs { all_namespaces, output: Format::Text }
    }

    #[tokio::test]
    async fn the_busiest_job_comes_first_and_no_page_is_forgotten() {
        let complete = named("a-done", |status| {
            *status = json!({"observedGeneration": 4, "conditions": [condition("Ready", "True", "Complete", "")],
                "items": {"total": 8, "upToDate": 0, "succeeded": 7, "failed": 1}});
        });
        let new = named("new", |status| *status = Value::Null);
        let busy = named("busy", |_| {});
        let (session, calls) = server(move |call| {
            if call.line.contains("continue=") {
                page(std::slice::from_ref(&busy), "")
            } else {
                page(&[complete.clone(), new.clone()], "2")
            }
        });
        let mut desk = Desk::default();
        run(&args(true), &session, &mut desk.console()).await.unwrap();
        let expected = "\
NAMESPACE  NAME    STATUS    PROGRESS  %   RATE/H  ACTIVE/WANTED  CACHE  ETA         FAILED
science    busy    Running   155/248   62  72      60/92          3/3    1 h 16 min  1
science    new     New       -         -   -       0/0            -      -           0
science    a-done  Complete  7/8       87  -       0/0            -      -           1
";
        assert_eq!(desk.out(), expected);
        assert_eq!(
            calls.lines(),
            [
                "GET /apis/camhd.science/v1alpha1/analysisjobs?&limit=200",
                "GET /apis/camhd.science/v1alpha1/analysisjobs?&limit=200&continue=2"
            ]
        );
    }

    #[tokio::test]
    async fn an_empty_namespace_is_said_to_be_empty() {
        let (session, _) = server(|_| page(&[], ""));
        let mut desk = Desk::default();
        run(&args(false), &session, &mut desk.console()).await.unwrap();
        assert_eq!(
            (desk.out().as_str(), desk.err().as_str()),
            ("", "there are no AnalysisJobs in namespace science; -A looks in all\n")
        );
    }

    #[tokio::test]
    async fn json_is_a_list_even_of_nothing() {
        let (session, _) = server(|_| page(&[], ""));
        let mut desk = Desk::default();
        run(&TopArgs { output: Format::Json, ..args(false) }, &session, &mut desk.console()).await.unwrap();
        assert_eq!(desk.out(), "[]\n");
    }
}
