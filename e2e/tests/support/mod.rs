//! What the tests on real pods share.
//!
//! ```text
//!  cluster()  the cluster of the run, one operator installed from manifests/          cluster.rs
//!     │
//!  Space      a namespace of one test, PodSecurity restricted; dumped on failure      space.rs
//!     ├─ Stand    a pod: an archive that can be made sick, an S3 store, a window      stand.rs
//!     │           onto the results
//!     └─ Job      an AnalysisJob: its waits, its pods                                 job.rs
//!  expected() what one machine makes of the same movies                              machine.rs
//! ```
//!
//! | variable | |
//! |---|---|
//! | `E2E_KUBECONFIG` | the cluster; its user must be administrator |
//! | `E2E_TAG` | the tag of the images, which the nodes must have or be able to pull |
//! | `E2E_REGISTRY` | where they are from; absent: docker.io/library |
//!
//! Claims are bound by the cluster's default storage class; where there is none, by folders of this machine, which must
//! then be the node.
#![allow(dead_code, unused_imports)] // every test binary uses its own part

pub mod cluster;
pub mod job;
pub mod machine;
pub mod movies;
pub mod results;
pub mod space;
pub mod stand;

pub use cluster::{Cluster, cluster};
pub use job::Job;
pub use space::Space;
pub use stand::Stand;
