//! How many cache pods: they follow the workers that are there, and none are there without a run.

use analysisjob::cache::CacheReplicas;

/// Replicas for `active` worker pods: one per `workersPerReplica`, at least min, at most max. A pod that is there stays
/// until a fifth of a replica's workers are missing, so that a worker more or less does not start and stop pods.
pub fn replicas(wanted: &CacheReplicas, active: u32, present: u32) -> u32 {
    let per_replica = wanted.workers_per_replica.max(1);
    let needed = active.div_ceil(per_replica).clamp(wanted.min, wanted.max);
    let spare = active.saturating_add(per_replica / 5).div_ceil(per_replica).clamp(wanted.min, wanted.max);
    if present > needed && present <= spare { present } else { needed }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: CacheReplicas = CacheReplicas { min: 1, max: 8, workers_per_replica: 25 };

    #[test]
    fn one_pod_serves_so_many_workers() {
        let sizes = [0, 1, 25, 26, 50, 51, 200, 3000].map(|active| replicas(&WANTED, active, 0));
        assert_eq!(sizes, [1, 1, 1, 2, 2, 3, 8, 8]);
    }

    #[test]
    fn a_worker_less_does_not_stop_a_pod() {
        assert_eq!(replicas(&WANTED, 25, 2), 2, "one worker fewer than two pods need");
        assert_eq!(replicas(&WANTED, 20, 2), 1, "a fifth fewer");
        assert_eq!(replicas(&WANTED, 25, 5), 1, "far fewer");
    }
}
