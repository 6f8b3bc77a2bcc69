//! Condition types of `status.conditions`.

use crate::word::words;

words! {
    /// True: the children match this generation, also while running and when suspended. Its reason is the STATUS column.
    pub const READY: &str = "Ready";
    /// True: the operator is at work to make the children match.
    pub const RECONCILING: &str = "Reconciling";
    /// True: nothing goes on until someone acts; reason and message say what to do.
    pub const STALLED: &str = "Stalled";
    /// True: the run has ended and enough movies have a result.
    pub const COMPLETE: &str = "Complete";
    /// True: the run has ended without success: maxFailedItems, activeDeadlineSeconds, or a plan that fails for good.
    pub const FAILED: &str = "Failed";
    /// True: suspended by spec.suspend or by a queueing system.
    pub const SUSPENDED: &str = "Suspended";
    /// True: enough cache pods answer, or cache.url is used.
    pub const CACHE_READY: &str = "CacheReady";
    /// True: the plan of the run is made.
    pub const PLANNED: &str = "Planned";
    /// True: the output exists, can be written, and has its marker file.
    pub const OUTPUT_READY: &str = "OutputReady";
}
