#!/usr/bin/env bash
# Starts a real one-node Kubernetes on this machine (control plane, kubelet, kube-proxy, containerd, DNS), in a network
# namespace of its own, and prints the path of its KUBECONFIG. Does nothing but that where it runs already.
#   e2e/cluster/up.sh [--with-registry]
# Needs root, Linux, containerd, runc, the CNI plugins and iptables (Debian: setup.sh test-cluster installs them).
set -euo pipefail
cd "$(dirname "$0")"
. ./node.sh
. ./configuration.sh

check_tools() {
    [ "$(id -u)" -eq 0 ] || fail "a node needs root. Mend: sudo $0, or set KUBECONFIG to a cluster you have (kind, minikube)"
    [ "$(uname -s)" = Linux ] || fail "a node needs Linux. Mend: set KUBECONFIG to a cluster you have (kind, minikube)"
    local tool
    for tool in containerd runc iptables nsenter ip conntrack; do
        command -v "$tool" >/dev/null || fail "$tool is missing. Mend: ./setup.sh test-cluster (Debian), or install it"
    done
    [ -x "$CNI_PLUGINS/bridge" ] || fail "there are no CNI plugins in $CNI_PLUGINS. Mend: apt-get install containernetworking-plugins"
}

# kubelet changes them for good; down.sh puts them back.
KERNEL_SETTINGS="kernel.panic kernel.panic_on_oops vm.panic_on_oom vm.overcommit_memory"

remember_kernel() {
    local key
    for key in $KERNEL_SETTINGS; do echo "$key=$(sysctl -n "$key")"; done >"$STATE/sysctl"
}

# kubelet makes every cgroup but the one all the others are below.
make_cgroups() {
    local controller
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        mkdir -p "/sys/fs/cgroup/$CGROUP"
        return 0
    fi
    for controller in /sys/fs/cgroup/*/; do
        mkdir -p "$controller$CGROUP"
        [ ! -e "${controller}cpuset.cpus" ] || {
            cat "${controller}cpuset.cpus" >"$controller$CGROUP/cpuset.cpus"
            cat "${controller}cpuset.mems" >"$controller$CGROUP/cpuset.mems"
        }
    done
}

make_network() {
    ip netns add "$NETNS"
    ip link add "$MACHINE_LINK" type veth peer name "$NODE_LINK" netns "$NETNS"
    in_node ip link set lo up
    in_node ip link add node0 type bridge
    in_node ip link set "$NODE_LINK" master node0
    in_node ip link set "$NODE_LINK" up
    in_node ip address add "$NODE_ADDRESS/24" dev node0
    in_node ip link set node0 up
    in_node ip route add default via "$MACHINE_ADDRESS"
    in_node sysctl -q -w net.ipv4.ip_forward=1
    # Without it a Service's answer from a pod on the same bridge would not come back by the Service's address.
    in_node sysctl -q -w net.bridge.bridge-nf-call-iptables=1 2>/dev/null || true
    ip address add "$MACHINE_ADDRESS/24" dev "$MACHINE_LINK"
    ip link set "$MACHINE_LINK" up
    ip route add "$PODS" via "$NODE_ADDRESS"
    ip route add "$SERVICES" via "$NODE_ADDRESS"
}

start_control_plane() {
    start etcd "$KUBE" etcd --data-dir="$STATE/etcd" --listen-client-urls=http://127.0.0.1:2379 \
        --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380 \
        --initial-advertise-peer-urls=http://127.0.0.1:2380 --initial-cluster=default=http://127.0.0.1:2380 \
        --unsafe-no-fsync --log-level=warn
    start kube-apiserver "$KUBE" kube-apiserver --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 \
        --bind-address=0.0.0.0 --advertise-address="$NODE_ADDRESS" --cert-dir="$STATE" --token-auth-file="$STATE/tokens.csv" \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --service-cluster-ip-range="$SERVICES" \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file="$STATE/service-account.key" \
        --service-account-signing-key-file="$STATE/service-account.key" --kubelet-preferred-address-types=InternalIP \
        --kubelet-client-certificate="$STATE/kubelet-client.crt" --kubelet-client-key="$STATE/kubelet-client.key"
    wait_for 60 "the API server to write its certificate" test -s "$STATE/apiserver.crt"
    write_kubeconfig "$STATE/kubeconfig" admin "$STATE/admin.token"
    write_kubeconfig "$STATE/kubelet.kubeconfig" node "$STATE/node.token"
    wait_for 60 "the API server to be ready" kubectl get --raw /readyz
    start kube-controller-manager "$KUBE" kube-controller-manager --kubeconfig="$STATE/kubeconfig" --bind-address=127.0.0.1 \
        --leader-elect=false --cert-dir="$STATE/controllers" --root-ca-file="$STATE/apiserver.crt" \
        --service-account-private-key-file="$STATE/service-account.key" --use-service-account-credentials
    start kube-scheduler "$KUBE" kube-scheduler --kubeconfig="$STATE/kubeconfig" --bind-address=127.0.0.1 \
        --leader-elect=false --cert-dir="$STATE/scheduler"
}

start_node() {
    start containerd containerd --config "$STATE/containerd.toml"
    wait_for 30 "containerd to answer" ctr version
    [ -z "${PAUSE_ARCHIVE:-}" ] || ctr images import "$PAUSE_ARCHIVE" >/dev/null
    start kubelet "$KUBE" kubelet --config="$STATE/kubelet.yaml" --kubeconfig="$STATE/kubelet.kubeconfig" \
        --root-dir="$STATE/kubelet" --cert-dir="$STATE/kubelet-certificates" --node-ip="$NODE_ADDRESS" --hostname-override=node
    start kube-proxy "$KUBE" kube-proxy --config="$STATE/kube-proxy.yaml"
    start coredns "$KUBE" coredns -conf "$STATE/Corefile" -quiet
    wait_for 90 "the node to be ready" node_is_ready
    wait_for 60 "the default service account" kubectl get serviceaccount default
}

node_is_ready() {
    kubectl get node node --output='jsonpath={.status.conditions[?(@.type=="Ready")].status}' | grep -qx True
}

kubectl() {
    KUBECONFIG=$STATE/kubeconfig HOME=$STATE "$KUBE" kubectl "$@"
}

is_up() {
    local name
    for name in etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy coredns; do
        is_running "$name" || return 1
    done
    node_is_ready
}

check_tools
KUBE=${ANALYSIS_KUBE_BINARY:-$(./build.sh)}
if is_up 2>/dev/null; then
    say "the node is up already"
    echo "$STATE/kubeconfig"
    exit 0
fi
# What an earlier one left, were it killed or the machine restarted.
./down.sh
say "starting a node in $STATE"
mkdir -p "$STATE"/{logs,pids,cni,containerd,controllers,scheduler,pod-logs}
chmod 700 "$STATE"
export ANALYSIS_NODE=$STATE
remember_kernel
"$KUBE" keys "$STATE"
write_configuration
make_cgroups
make_network
PAUSE_ARCHIVE=$(../../images/pause/build.sh)
start_control_plane
start_node
say "the node is up after $SECONDS s"
echo "$STATE/kubeconfig"
