//! `analysis-worker plan`: writes the plan of a run, or finds the one that stands.

use plan::{Counts, Message};

use super::{Pod, arguments::Common, ending::Ending, error::PodError, unless_told_to_stop};
use crate::steps::plan::{keep_or_make, patiently, today};

/// Plans. Can be killed at any instruction: the plan is whole or not there.
pub async fn run(common: &Common) -> Result<Ending, PodError> {
    unless_told_to_stop(async { planned(&Pod::open(common).await?).await }).await
}

async fn planned(pod: &Pod) -> Result<Message, PodError> {
    let Pod { job, source, store, outage, progress } = pod;
    let (header, planned) =
        patiently(outage, progress, async || keep_or_make(job, source, store, today()).await).await?;
    progress.say(&format!("{}: {} movies, {} up to date", job.name, header.discovered, header.up_to_date));
    Ok(Message {
        items: Some(Counts { total: header.discovered, up_to_date: header.up_to_date, ..Counts::default() }),
        plan: Some(planned),
        ..Message::default()
    })
}
