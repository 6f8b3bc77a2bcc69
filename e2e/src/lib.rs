//! The harness of the tests that need a real API server: no containers, no node, no root.
//!
//! ```text
//!   tests/*.rs ──▶ shared() ──▶ ControlPlane ──▶ etcd ◀── kube-apiserver (◀── kube-controller-manager)
//!                     │            │ one a test binary, ports of its own, a folder with its logs
//!                     ▼            ▼
//!                 Namespace ──▶ Client, Api<K>, kubectl          fresh for each test; dumped when the test fails
//! ```
//!
//! Without a controller manager the test plays the controllers: it completes Jobs, marks Deployments ready. With
//! [`Controllers::Real`] Jobs make pods, and deletion collects children; the test plays the kubelet only.
//!
//! Everything started here ends with the test binary, however that ends: the daemons hold the other end of a pipe.
//! Every wait has a name and a bound ([`wait::until`]). Read [`ControlPlane`] first.

pub mod binary;
pub mod daemon;
pub mod state;

pub mod plane;

pub mod crd;
pub mod namespace;
pub mod wait;

use tokio::sync::OnceCell;

pub use namespace::Namespace;
pub use plane::{ControlPlane, Controllers, StartError};

static SHARED: OnceCell<ControlPlane> = OnceCell::const_new();

/// The control plane of this test binary, with the committed CRD: etcd and kube-apiserver, started by the first test
/// that asks.
pub async fn shared() -> Result<&'static ControlPlane, StartError> {
    SHARED.get_or_try_init(|| with_crd(Controllers::None)).await
}

static SHARED_WITH_CONTROLLERS: OnceCell<ControlPlane> = OnceCell::const_new();

/// As [`shared`], with a real kube-controller-manager; a second control plane in binaries that use both.
pub async fn shared_with_controllers() -> Result<&'static ControlPlane, StartError> {
    SHARED_WITH_CONTROLLERS.get_or_try_init(|| with_crd(Controllers::Real)).await
}

async fn with_crd(controllers: Controllers) -> Result<ControlPlane, StartError> {
    let plane = ControlPlane::start(controllers).await?;
    crd::install(&plane.client()?, &crd::committed()?).await?;
    Ok(plane)
}
