//! The operator: reconciles `AnalysisJob`s into lazycache and worker pods.
//!
//! In: the command line. Out: for now the `CustomResourceDefinition` (`crd`) and shell completions (`completions`).
//! The types and rules of the API are the crate `analysisjob`; start at [`cli`].

pub mod cli;
pub mod plugin;
