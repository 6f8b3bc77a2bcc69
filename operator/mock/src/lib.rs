//! A Kubernetes API server and cluster in memory: what the operator's promises are proved on.
//!
//! ```text
//!   kube::Client ─▶ Connection ─▶ faults, log (Process) ─▶ Call ─▶ Store: objects, owners of fields, every change
//!                                                                    ▲          │
//!   the test ─▶ MockApi: put, edit, get, clock, gc ──────────────────┤          └─▶ watches; Snapshot ─▶ reflector stores
//!   Cluster::step ─▶ garbage, Deployments, Jobs, pods ───────────────┘
//!                                                    └─▶ Script: what pods do; DataPods is the ready one, with Ledgers
//! ```
//!
//! In: the requests of kube clients, and the hand of a test. Out: what a real server would answer, and at the n-th write
//! nothing at all. Time stands still unless it is moved; the same seed gives the same cluster, object for object.
//!
//! ```
//! use k8s_openapi::api::core::v1::ConfigMap;
//! use kube::api::{Api, Patch, PatchParams};
//! use mockapi::{Cluster, DataPods, MockApi};
//!
//! // An operator that wants two ConfigMaps.
//! async fn reconcile(client: kube::Client) -> kube::Result<()> {
//!     let maps: Api<ConfigMap> = Api::namespaced(client, "science");
//!     for name in ["a", "b"] {
//!         let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
//!         maps.patch(name, &PatchParams::apply("operator").force(), &Patch::Apply(map)).await?;
//!     }
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // Killed before any write it makes, its next life ends the work, and the one after writes nothing.
//! for n in 1.. {
//!     let api = MockApi::new();
//!     api.operator().crash_before(n);
//!     let survived = reconcile(api.client()).await.is_ok();
//!     api.operator().restart();
//!     reconcile(api.client()).await.unwrap();
//!     assert_eq!(api.count::<ConfigMap>(), 2);
//!     let revision = api.revision();
//!     reconcile(api.client()).await.unwrap();
//!     assert_eq!(api.revision(), revision);
//!     if survived {
//!         break;
//!     }
//! }
//! // A cluster whose data pods work on an archive of 100 movies.
//! let (api, data) = (MockApi::new(), DataPods::new(100));
//! let mut cluster = Cluster::new(&api, 7, data.clone());
//! cluster.steps(10); // with the operator's reconciles between them
//! assert_eq!(data.ledger("science", "my-job").computed_twice(), 0);
//! # }
//! ```
//!
//! Where the mock is stricter or laxer than a server: no admission by the schema of a CustomResourceDefinition (ranges,
//! defaults, CEL), no namespaces, no RBAC, no `managedFields` in answers (ask [`MockApi::owners`]), `events` of the two
//! groups are not the same objects, continue tokens do not pin a revision, JSON and strategic merge patches are refused.
//!
//! Read [`MockApi`] first, then [`Process`] (faults), [`cluster`], [`DataPods`].

// Words of Kubernetes are names of the trade here; backticks around each would be noise.
#![allow(clippy::doc_markdown)]

mod api;
mod process;
mod service;
mod snapshot;

mod answer;
mod kinds;
mod object;
mod route;
mod selector;

mod clock;
mod store;
mod watch;

mod apply;
mod delete;
mod fields;
mod gc;
mod merge;
mod rules;
mod strict;
mod write;

pub mod cluster;
mod datapods;
mod ledger;

pub use answer::Refusal;
pub use api::{Kind, MockApi};
pub use cluster::Cluster;
pub use datapods::DataPods;
pub use ledger::{Hand, Item, Ledger, Run};
pub use process::{Entry, Fault, Process, When};
pub use route::{Call, Verb};
pub use service::{Connection, Lost};
pub use snapshot::Snapshot;
