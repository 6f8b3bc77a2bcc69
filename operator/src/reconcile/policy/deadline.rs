//! Times at which something happens by itself: the end of a run's deadline, the end of a finished job's life.

use jiff::{SignedDuration, Timestamp};

/// When a run that began at `start` and was held for `held` seconds so far has used up its deadline.
pub fn run_deadline(start: Timestamp, held: u64, deadline_seconds: u32) -> Timestamp {
    later(start, held.saturating_add(deadline_seconds.into()))
}

/// When an AnalysisJob that ended at `completion` goes.
pub fn expiry(completion: Timestamp, ttl_seconds: u32) -> Timestamp {
    later(completion, ttl_seconds.into())
}

/// Seconds from `from` to `to`, not negative.
pub fn seconds_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(from.duration_until(to).as_secs()).unwrap_or(0)
}

/// `time` and so many seconds; the end of time when there are too many.
pub fn later(time: Timestamp, seconds: u64) -> Timestamp {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_which_a_run_was_held_does_not_count() {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        assert_eq!(run_deadline(start, 0, 60).to_string(), "2026-01-01T00:01:00Z");
        assert_eq!(run_deadline(start, 3600, 60).to_string(), "2026-01-01T01:01:00Z");
        assert_eq!(run_deadline(start, u64::MAX, 60), Timestamp::MAX);
    }
}
