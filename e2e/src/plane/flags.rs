//! The flags of each component. All of them listen on this machine only, and their working folder is the control
//! plane's.

use super::{Controllers, Ports};

pub(super) fn etcd(ports: Ports) -> Vec<String> {
    let client = format!("http://127.0.0.1:{}", ports.etcd);
    let peer = format!("http://127.0.0.1:{}", ports.etcd_peers);
    vec![
        "--data-dir=etcd".into(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=default={peer}"),
        // What is lost with the machine is thrown away anyway.
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ]
}

pub(super) fn apiserver(ports: Ports, controllers: Controllers) -> Vec<String> {
    let mut flags = vec![
        format!("--etcd-servers=http://127.0.0.1:{}", ports.etcd),
        format!("--secure-port={}", ports.apiserver),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        // An endpoint must not be a loopback address; there are no pods that could use it.
        "--endpoint-reconciler-type=none".into(),
        "--cert-dir=.".into(),
        "--token-auth-file=tokens.csv".into(),
        "--authorization-mode=Node,RBAC".into(),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--service-account-key-file=service-account.key".into(),
        "--service-account-signing-key-file=service-account.key".into(),
    ];
    if controllers == Controllers::None {
        // Nobody makes the service account each pod needs.
        flags.push("--disable-admission-plugins=ServiceAccount".into());
    }
    flags
}

/// What an AnalysisJob leans on: Jobs, Deployments, garbage, namespaces and what pods and claims need.
const CONTROLLERS: &str = "deployment-controller,endpointslice-controller,garbage-collector-controller,\
job-controller,namespace-controller,persistentvolumeclaim-protection-controller,pod-garbage-collector-controller,\
replicaset-controller,resourcequota-controller,root-ca-certificate-publisher-controller,serviceaccount-controller,\
ttl-after-finished-controller";

pub(super) fn controllers(ports: Ports) -> Vec<String> {
    vec![
        "--kubeconfig=kubeconfig".into(),
        format!("--secure-port={}", ports.controllers),
        "--bind-address=127.0.0.1".into(),
        "--cert-dir=controllers".into(),
        "--leader-elect=false".into(),
        "--service-account-private-key-file=service-account.key".into(),
        "--root-ca-file=apiserver.crt".into(),
        format!("--controllers={CONTROLLERS}"),
    ]
}
