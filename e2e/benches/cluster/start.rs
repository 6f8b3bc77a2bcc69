//! From apply to the first worker that runs.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    figures::Figure,
    support::{Job, Space, Stand, job::phase},
};

const LOOK: Duration = Duration::from_millis(50);

/// So many jobs one after the other, each with its own cache, plan and one movie to compute.
pub async fn first_worker(times: usize) -> Figure {
    let space = Space::new("first-worker").await;
    let stand = Stand::with(&space, 1).await;
    let mut seconds = Vec::new();
    for time in 0..times {
        let start = Instant::now();
        let name = format!("start-{time}");
        let job = Job::start(&space, &stand, &name, |spec| spec["output"]["overwritePolicy"] = json!("Always")).await;
        while !job.pods("work").await.iter().any(|pod| ["Running", "Succeeded"].contains(&phase(pod).as_str())) {
            tokio::time::sleep(LOOK).await;
        }
        seconds.push(start.elapsed().as_secs_f64());
        job.until_complete().await;
    }
    seconds.sort_by(f64::total_cmp);
    let what = format!("from apply to the first worker running (cache and plan between), median of {times}");
    let (median, longest) = (seconds[times / 2], seconds[times - 1]);
    Figure::aside(what, format!("{median:.1} s (longest {longest:.1} s)"))
}
