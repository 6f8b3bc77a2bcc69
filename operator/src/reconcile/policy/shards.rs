//! More indexes than one Job takes become several work Jobs, one after the other, so that never more pods than
//! `parallelism` are wanted at a time.

/// The most indexes of one work Job.
pub const INDEXES_PER_JOB: u32 = 10_000;

/// One work Job's share of the indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub number: u32,
    /// The first index of the run it does.
    pub first_index: u32,
    /// How many it does.
    pub completions: u32,
}

/// The shards of a run of `indexes` indexes; none for 0.
pub fn shards(indexes: u32) -> impl ExactSizeIterator<Item = Shard> {
    (0..indexes.div_ceil(INDEXES_PER_JOB)).map(move |number| {
        let first_index = number * INDEXES_PER_JOB;
        Shard { number, first_index, completions: INDEXES_PER_JOB.min(indexes - first_index) }
    })
}

/// How many pods each shard may have when `left` indexes of each are open: the first takes what it can use, the next
/// what remains. `None`: the shard's turn has not come, its Job need not exist. A shard whose turn has come keeps its
/// Job at parallelism 0 when nothing is left for it.
pub fn parallelism(total: u32, left: &[u32]) -> Vec<Option<u32>> {
    let mut free = total;
    let mut begun = true;
    left.iter()
        .enumerate()
        .map(|(number, left)| {
            if !begun && number > 0 {
                return None;
            }
            // The last shard to begin takes all that is free: a Job caps itself at its open indexes.
            let share = free;
            free = free.saturating_sub(*left);
            begun = free > 0;
            Some(share)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_has_at_most_ten_thousand_indexes() {
        let sizes = |indexes| shards(indexes).map(|shard| (shard.first_index, shard.completions)).collect::<Vec<_>>();
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(10_000), [(0, 10_000)]);
        assert_eq!(sizes(25_001), [(0, 10_000), (10_000, 10_000), (20_000, 5_001)]);
    }

    #[test]
    fn the_next_shard_begins_when_the_first_cannot_use_all_pods() {
        assert_eq!(parallelism(200, &[10_000, 10_000, 5]), [Some(200), None, None]);
        assert_eq!(parallelism(200, &[150, 10_000, 5]), [Some(200), Some(50), None]);
        assert_eq!(parallelism(200, &[0, 100, 5]), [Some(200), Some(200), Some(100)]);
        assert_eq!(parallelism(0, &[7, 7]), [Some(0), None]);
    }
}
