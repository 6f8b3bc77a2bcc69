//! Labels and annotations of child objects. Selectors are built from them: changing one orphans what older releases
//! made.

use crate::word::words;

words! {
    /// What the object is part of, as tools show it; always [`APP`].
    pub const APP_NAME: &str = "app.kubernetes.io/name";
    /// The value of [`APP_NAME`].
    pub const APP: &str = "video-analysis";
    /// What made the object; always [`MANAGER`].
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// The value of [`MANAGED_BY`].
    pub const MANAGER: &str = "analysis-operator";
    /// The AnalysisJob's name.
    pub const JOB: &str = "camhd.science/analysisjob";
    /// The run's id, such as `4-7c9f`; not on objects that outlive a run (cache, claim).
    pub const RUN: &str = "camhd.science/run";
    /// What the object is for: one of [`PLAN`], [`WORK`], [`FEED`], [`COLLECT`], [`CACHE`],
    /// [`RESULTS`].
    pub const ROLE: &str = "camhd.science/role";
    /// Role: lists the archive and writes the plan.
    pub const PLAN: &str = "plan";
    /// Role: computes results.
    pub const WORK: &str = "work";
    /// Role: keeps the list of strategy Queue filled, and waits until it is drained.
    pub const FEED: &str = "feed";
    /// Role: gathers tables and the report.
    pub const COLLECT: &str = "collect";
    /// Role: the frame cache.
    pub const CACHE: &str = "cache";
    /// Role: the claim results go to.
    pub const RESULTS: &str = "results";
    /// Annotation on the AnalysisJob: any new value starts a run over the movies that failed (`kubectl analysis retry`).
    pub const RETRY: &str = "camhd.science/retry";
    /// Annotation on a child: digest of what the operator applied, so that an unchanged child is not written again.
    pub const APPLIED: &str = "camhd.science/applied";
    /// Annotation on a work Job: what the plan said, as JSON. It outlives the plan's pod.
    pub const PLAN_COUNTS: &str = "camhd.science/plan";
    /// Annotation on a work Job: the first index of the run that it does (runs of more than 10,000 indexes have several).
    pub const FIRST_INDEX: &str = "camhd.science/first-index";
    /// Annotation on a collect Job: why the run fails, when it does.
    pub const END_REASON: &str = "camhd.science/end-reason";
    /// Annotation on a collect Job: why the run fails, in a sentence.
    pub const END_MESSAGE: &str = "camhd.science/end-message";
}
