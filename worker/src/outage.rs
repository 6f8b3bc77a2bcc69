//! Waiting out an archive that does not answer: no attempt is counted, and when the whole archive is gone the items
//! behind the first do not each wait their own full patience.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Shared by all items of a run: since when nothing has come from the archive.
#[derive(Debug, Clone)]
pub struct Outage {
    patience: Duration,
    since: Arc<Mutex<Option<Instant>>>,
}

/// One item's own waiting.
#[derive(Debug, Default)]
pub struct Waiting {
    since: Option<Instant>,
    waits: u32,
}

impl Outage {
    /// How long an archive may be silent before items are given up.
    pub fn new(patience: Duration) -> Self {
        Self { patience, since: Arc::default() }
    }

    /// Something came from the archive: the outage, if there was one, is over.
    pub fn answered(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The archive did not answer at `now`: how long to wait before the next try; `None` = give up, because this item or
    /// the whole archive has been silent for longer than the patience.
    pub fn silent(&self, item: &mut Waiting, now: Instant) -> Option<Duration> {
        let shared = *self.since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        let first = shared.min(*item.since.get_or_insert(now));
        let left = self.patience.checked_sub(now.saturating_duration_since(first)).filter(|left| !left.is_zero())?;
        let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(item.waits)).min(LONGEST_WAIT);
        item.waits += 1;
        Some(wait.min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    #[test]
    fn waits_double_and_end_with_the_patience() {
        let (outage, start) = (Outage::new(seconds(3)), Instant::now());
        let mut item = Waiting::default();
        assert_eq!(outage.silent(&mut item, start), Some(FIRST_WAIT));
        assert_eq!(outage.silent(&mut item, start + FIRST_WAIT), Some(2 * FIRST_WAIT));
        assert_eq!(
            outage.silent(&mut item, start + 3 * FIRST_WAIT),
            Some(seconds(3).checked_sub(3 * FIRST_WAIT).unwrap())
        );
        assert_eq!(outage.silent(&mut item, start + seconds(3)), None);
    }

    #[test]
    fn when_the_archive_is_gone_later_items_give_up_at_once() {
        let (outage, start) = (Outage::new(seconds(3)), Instant::now());
        assert!(outage.silent(&mut Waiting::default(), start).is_some());
        assert_eq!(outage.silent(&mut Waiting::default(), start + seconds(4)), None);
    }

    #[test]
    fn an_answer_ends_the_outage_for_all_but_a_sick_item() {
        let (outage, start) = (Outage::new(seconds(3)), Instant::now());
        let mut sick = Waiting::default();
        assert!(outage.silent(&mut sick, start).is_some());
        outage.answered();
        assert!(outage.silent(&mut Waiting::default(), start + seconds(4)).is_some());
        outage.answered();
        assert_eq!(outage.silent(&mut sick, start + seconds(4)), None);
    }
}
