//! The operator as it is shipped, against a real API server and real controllers. The test plays scheduler and kubelet.
//!
//! ```text
//!   Operator (a runtime, a client, a lease of its own) ──▶ kube-apiserver ◀── kube-controller-manager
//!                                                              ▲
//!                      Kubelet (binds pods, plays data pods) ──┘
//! ```
//!
//! Every test has a namespace with an operator that looks after it alone; pods in it must pass
//! `PodSecurity: restricted`. Read [`kubelet`] and [`world`] first.
#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod kubelet;
mod world;

mod apply;
mod broken;
mod changes;
mod deletion;
mod idle;
mod life;
mod mistakes;
mod two;
