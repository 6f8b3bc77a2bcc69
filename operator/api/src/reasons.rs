//! Reasons: one word for programs. Those of Ready are the STATUS column; those of Stalled name what must be mended, and
//! are the ones [`validate`](crate::validate()) gives.

use crate::word::words;

words! {
    /// Ready: the plan is being made.
    pub const PLANNING: &str = "Planning";
    /// Ready: workers compute.
    pub const RUNNING: &str = "Running";
    /// Ready: tables and report are being gathered.
    pub const COLLECTING: &str = "Collecting";
    /// Ready: a Consumer's workers do the movies of a list that others fill.
    pub const LENDING: &str = "Lending";
    /// Ready: a queueing system has not admitted the run yet.
    pub const QUEUED: &str = "Queued";
    /// Ready: suspended.
    pub const SUSPENDED: &str = "Suspended";
    /// Ready: workers end what they hold before a new run starts.
    pub const DRAINING: &str = "Draining";
    /// Ready: a standing job waits for its next scan.
    pub const WAITING: &str = "Waiting";
    /// Ready: a dry run has its plan.
    pub const DRY_RUN: &str = "DryRun";
    /// Ready: the run has ended well.
    pub const COMPLETE: &str = "Complete";
    /// Ready: the run has failed.
    pub const FAILED: &str = "Failed";

    /// Failed: more movies were given up than retry.maxFailedItems allows.
    pub const TOO_MANY_FAILED_ITEMS: &str = "TooManyFailedItems";
    /// Failed: activeDeadlineSeconds has passed.
    pub const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";
    /// Failed: the plan cannot be made.
    pub const PLAN_FAILED: &str = "PlanFailed";
    /// Failed: the results stand, but tables and report could not be made from them.
    pub const COLLECT_FAILED: &str = "CollectFailed";

    /// Stalled: rescan.schedule is no cron schedule of five fields.
    pub const INVALID_SCHEDULE: &str = "InvalidSchedule";
    /// Stalled: rescan.timeZone is no IANA time zone.
    pub const UNKNOWN_TIME_ZONE: &str = "UnknownTimeZone";
    /// Stalled: a glob of include or exclude cannot be read.
    pub const INVALID_GLOB: &str = "InvalidGlob";
    /// Stalled: an address cannot be read, or has parts it must not have.
    pub const INVALID_URL: &str = "InvalidURL";
    /// Stalled: a day of dateRange does not exist.
    pub const INVALID_DATE: &str = "InvalidDate";
    /// Stalled: dateLayout has a token that is none, or none at all.
    pub const INVALID_DATE_LAYOUT: &str = "InvalidDateLayout";
    /// Stalled: a path leaves the folder it is relative to.
    pub const INVALID_PATH: &str = "InvalidPath";
    /// Stalled: a worker ended with exit code 78; the message is its own.
    pub const CONFIGURATION_ERROR: &str = "ConfigurationError";
    /// Stalled: a podTemplate overlay is no pod template, or the API server refuses the pods it makes.
    pub const INVALID_POD_TEMPLATE: &str = "InvalidPodTemplate";
    /// Stalled: an image cannot be pulled.
    pub const IMAGE_PULL_FAILED: &str = "ImagePullFailed";
    /// Stalled: a Secret, a ConfigMap or a key in one is missing.
    pub const MISSING_REFERENCE: &str = "MissingReference";
    /// Stalled: a claim that pods mount is missing or cannot be bound.
    pub const MISSING_CLAIM: &str = "MissingClaim";
    /// Stalled: no node takes the pods.
    pub const UNSCHEDULABLE: &str = "Unschedulable";
    /// Stalled: a quota of the namespace leaves no room for the pods.
    pub const QUOTA_EXCEEDED: &str = "QuotaExceeded";
    /// Stalled: pods are not created; the message says what the API server answers.
    pub const PODS_NOT_CREATED: &str = "PodsNotCreated";
    /// Stalled: an object with the name of a child exists and belongs to someone else.
    pub const NAME_TAKEN: &str = "NameTaken";
    /// Stalled: the API server refuses a child; the message is its answer.
    pub const REFUSED: &str = "Refused";
    /// Stalled: a child cannot be read, so nothing is decided about this AnalysisJob; the message names it.
    pub const UNREADABLE: &str = "Unreadable";
    /// Stalled: the strategy is not supported by this release.
    pub const UNSUPPORTED: &str = "Unsupported";

    /// Reconciling: the children do not match this generation yet.
    pub const PROGRESSING: &str = "Progressing";
    /// Reconciling: the API server does not answer as it should; it is tried again.
    pub const RETRYING: &str = "Retrying";
    /// A condition that is as it should be, or has nothing to say.
    pub const AS_EXPECTED: &str = "AsExpected";
    /// CacheReady: spec.cache.url is used as it is.
    pub const EXTERNAL: &str = "External";
    /// CacheReady: no run needs the cache now.
    pub const SCALED_TO_ZERO: &str = "ScaledToZero";
    /// CacheReady: cache pods are starting.
    pub const STARTING: &str = "Starting";
    /// OutputReady: nobody has looked into the output yet.
    pub const NOT_CHECKED: &str = "NotChecked";

    /// In a file: the YAML does not fit the schema of the API.
    pub const INVALID_FIELD: &str = "InvalidField";
    /// In a file: a field that does not exist.
    pub const UNKNOWN_FIELD: &str = "UnknownField";
    /// In a file: a rule of the API does not hold.
    pub const RULE_BROKEN: &str = "RuleBroken";
}
