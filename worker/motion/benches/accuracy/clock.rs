//! The processor's clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time of this thread, so that other work on the machine does not count.
pub fn busy() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap_or_default()
}
