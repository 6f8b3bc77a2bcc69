//! `analysis-worker feed`: puts the items of a run's plan on its list, and stays until none is left there.
//!
//! What is done, the output says; the list only says what is still to do. So a Redis that lost all or a part of it is
//! filled again, and nothing else is needed.

use std::{collections::BTreeSet, time::Duration};

use plan::{Message, Plan, PlanHeader, Summary};
use queue::List;

use super::{
    Pod,
    arguments::Common,
    ending::Ending,
    error::PodError,
    queue::{ListArguments, open, patiently},
    unless_told_to_stop,
};
use crate::steps::collect::truth::{NOT_DONE, truth};

/// How often the list is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// An item that vanished from the list so often without a trace is no accident of Redis any more.
const FILLS: u32 = 5;

/// What the pod is told.
#[derive(Debug, Clone, clap::Args)]
pub struct FeedArguments {
    /// What every step is told.
    #[command(flatten)]
    pub common: Common,
    /// Which list.
    #[command(flatten)]
    pub list: ListArguments,
    /// Only the items of this index of the plan, from 0 [default: all items].
    #[arg(long, env = "JOB_COMPLETION_INDEX", value_name = "N")]
    pub index: Option<u32>,
    /// What is added to the index: the Job's first, where a run is divided into several Jobs.
    #[arg(long, env = "ANALYSIS_FIRST_INDEX", default_value_t = 0, value_name = "N")]
    pub first_index: u32,
}

/// Feeds. Can be killed at any instruction and started again.
pub async fn run(arguments: &FeedArguments) -> Result<Ending, PodError> {
    unless_told_to_stop(async { fed(&Pod::open(&arguments.common).await?, arguments).await }).await
}

async fn fed(pod: &Pod, arguments: &FeedArguments) -> Result<Message, PodError> {
    let list = open(&arguments.list, &pod.job)?;
    let plan = part(pod.plan().await?, arguments);
    let (mut fills, mut before) = (0, usize::MAX);
    loop {
        let summary = truth(&pod.job, &pod.store, &plan).await?;
        let open = open_items(&summary);
        if open.is_empty() || fills == FILLS {
            return Ok(Message { items: Some(summary.items), ..summary.into() });
        }
        // Only what does not get ahead at all counts: Redis may be lost as often as it likes.
        fills = if open.len() < before { 1 } else { fills + 1 };
        before = open.len();
        let run = pod.job.run.to_string();
        let added = patiently(&pod.progress, async || list.fill(&run, &open).await).await?;
        pod.progress.say(&format!("{}: {} of {} items put on {}", pod.job.name, added, open.len(), list.name()));
        wait_for(pod, &list, open, plan.header.items).await?;
    }
}

/// The part of the plan that this pod looks after.
fn part(plan: Plan, arguments: &FeedArguments) -> Plan {
    let Some(index) = arguments.index else { return plan };
    let items = plan.slice(arguments.first_index.saturating_add(index)).to_vec();
    let count = items.len() as u64;
    Plan { header: PlanHeader { discovered: count, up_to_date: 0, items: count, ..plan.header }, items }
}

/// Items that have neither a result nor a reason why there is none.
fn open_items(summary: &Summary) -> Vec<String> {
    let open = summary.failures.iter().filter(|failure| failure.reason == NOT_DONE);
    open.map(|failure| failure.item.clone()).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Until none of `items` is on the list.
async fn wait_for(pod: &Pod, list: &List, mut items: Vec<String>, total: u64) -> Result<(), PodError> {
    let mut said = usize::MAX;
    while !items.is_empty() {
        tokio::time::sleep(LOOK_EVERY).await;
        let held = patiently(&pod.progress, async || list.holds(&items).await).await?;
        let mut held = held.into_iter();
        items.retain(|_| held.next().unwrap_or(false));
        if items.len() < said {
            said = items.len();
            pod.progress.say(&format!("{said} of {total} items left on {}", list.name()));
        }
    }
    Ok(())
}
