//! How long nobody leads when the leader dies without a word.

use std::time::{Duration, Instant};

use analysis_operator::lease::{Candidate, Leadership};
use mockapi::{MockApi, Process};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::figures::Figure;

/// The median of so many deaths, each at another moment between two renewals.
pub async fn killed(times: u32) -> Figure {
    let mut took = Vec::new();
    for time in 0..times {
        took.push(once(Duration::from_millis(u64::from(time) * 170)).await);
    }
    took.sort();
    let (median, longest) = (took[took.len() / 2].as_secs_f64(), took[took.len() - 1].as_secs_f64());
    let what = format!("failover, the leader killed: median of {times} (longest {longest:.1} s)");
    Figure::of(what, format!("{median:.1} s"), "5 s", median < 5.0)
}

async fn once(moment: Duration) -> Duration {
    let api = MockApi::new();
    let (first, leader) = candidate(&api, "first");
    leads(&first).await;
    let (second, standby) = candidate(&api, "second");
    // The standby has seen the lease and some renewals.
    tokio::time::sleep(Duration::from_secs(2) + moment).await;
    assert!(!second.is_held());
    leader.abort();
    let death = Instant::now();
    leads(&second).await;
    let took = death.elapsed();
    assert!(!first.is_held(), "two lead at once");
    standby.abort();
    took
}

fn candidate(api: &MockApi, identity: &str) -> (Leadership, JoinHandle<()>) {
    let leadership = Leadership::standby();
    let client = api.client_of(&Process::default());
    let candidate =
        Candidate::new(client, "operator", "analysis-operator".to_owned(), identity.to_owned(), leadership.clone());
    (leadership, tokio::spawn(candidate.run(CancellationToken::new())))
}

async fn leads(leadership: &Leadership) {
    let mut changes = leadership.subscribe();
    while !leadership.is_held() {
        changes.changed().await.unwrap();
    }
}
