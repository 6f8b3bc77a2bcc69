//! What no schema can say.
use crate::AnalysisJob;
/// A problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path.
    pub path: String,
    /// Reason.
    pub reason: &'static str,
    /// Message.
    pub message: String,
}
/// Checks.
pub fn validate(_job: &AnalysisJob) -> Result<(), Vec<Problem>> {
    Ok(())
}
