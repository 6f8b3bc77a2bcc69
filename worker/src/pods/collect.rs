//! `analysis-worker collect`: gathers the failures of all indexes, the tables and the report, and tells the truth of the
//! run.

use plan::Message;

use super::{Pod, arguments::Common, ending::Ending, error::PodError, unless_told_to_stop};
use crate::steps::collect::{collect, truth::truth, write_failures};

/// Collects. Can be killed at any instruction and started again.
pub async fn run(common: &Common) -> Result<Ending, PodError> {
    unless_told_to_stop(async { collected(&Pod::open(common).await?).await }).await
}

async fn collected(pod: &Pod) -> Result<Message, PodError> {
    let Pod { job, store, .. } = pod;
    let plan = pod.plan().await?;
    let summary = truth(job, store, &plan).await?;
    let report = job.run.failures_file();
    write_failures(store, &report, &summary.failures).await?;
    collect(job, store, &summary.failures).await?;
    Ok(Message { report: Some(report), ..summary.into() })
}
