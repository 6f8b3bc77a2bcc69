# shellcheck shell=bash
# The configuration files of the node's daemons. Sourced by up.sh.

CNI_PLUGINS=${CNI_PLUGINS:-/usr/lib/cni}
# Built here: nothing is pulled from anywhere.
PAUSE_IMAGE=localhost/pause:1

write_configuration() {
    write_containerd
    write_cni
    write_kubelet
    write_kube_proxy
    write_dns
}

# write_kubeconfig FILE USER TOKEN_FILE
write_kubeconfig() {
    (umask 077; cat >"$1" <<EOF
apiVersion: v1
kind: Config
clusters:
- {name: node, cluster: {server: "https://$NODE_ADDRESS:6443", certificate-authority: $STATE/apiserver.crt}}
users:
- {name: $2, user: {token: $(cat "$3")}}
contexts:
- {name: node, context: {cluster: node, user: $2}}
current-context: node
EOF
    )
}

write_containerd() {
    # restrict_oom_score_adj and no AppArmor: nodes within containers may not do either.
    cat >"$STATE/containerd.toml" <<EOF
version = 2
root = "$STATE/containerd/root"
state = "$STATE/containerd/state"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "$SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "$CNI_PLUGINS"
    conf_dir = "$STATE/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$STATE/registries"
EOF
    # The registry that a test starts on the node speaks plain HTTP.
    mkdir -p "$STATE/registries/$NODE_ADDRESS:5000"
    # As a host: containerd 1.6 asks a mere `server` by HTTPS, whatever is written there.
    printf '[host."http://%s:5000"]\n  capabilities = ["pull", "resolve"]\n' "$NODE_ADDRESS" \
        >"$STATE/registries/$NODE_ADDRESS:5000/hosts.toml"
}

write_cni() {
    cat >"$STATE/cni/10-pods.conflist" <<EOF
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods0", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "dataDir": "$STATE/cni-addresses", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
EOF
}

write_kubelet() {
    : >"$STATE/resolv.conf"
    # No image is ever collected: there is no registry it could be pulled from again.
    cat >"$STATE/kubelet.yaml" <<EOF
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_ADDRESS
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: $STATE/kubelet-ca.crt}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$SOCKET
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failSwapOn: false
oomScoreAdj: 0
enforceNodeAllocatable: []
clusterDomain: cluster.local
clusterDNS: [$NODE_ADDRESS]
resolvConf: $STATE/resolv.conf
podLogsDir: $STATE/pod-logs
volumePluginDir: $STATE/volume-plugins
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%, nodefs.inodesFree: 1%}
serializeImagePulls: false
maxPods: 200
EOF
}

write_kube_proxy() {
    cat >"$STATE/kube-proxy.yaml" <<EOF
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: $PODS
hostnameOverride: node
clientConnection: {kubeconfig: $STATE/kubeconfig}
conntrack: {maxPerCore: 0, min: 0}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
EOF
}

write_dns() {
    cat >"$STATE/Corefile" <<EOF
.:53 {
    bind $NODE_ADDRESS
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig $STATE/kubeconfig
        pods insecure
        ttl 2
    }
}
EOF
}
