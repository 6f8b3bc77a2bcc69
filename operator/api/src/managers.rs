//! Field managers of server-side apply. Fields of others (a person, Kueue, an autoscaler) stay theirs.

/// The operator, on the objects it makes.
pub const CHILDREN: &str = "analysis-operator";
/// The operator, on `status`.
pub const STATUS: &str = "analysis-operator-status";
/// The kubectl plugin, on AnalysisJobs.
pub const PLUGIN: &str = "kubectl-analysis";
