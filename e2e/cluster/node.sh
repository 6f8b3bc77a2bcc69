# shellcheck shell=bash
# What up.sh and down.sh share: where the node keeps what, its network, its daemons. Sourced, never run.

# Everything the node makes is below here; `down.sh` removes it.
STATE=${ANALYSIS_NODE_DIR:-/var/lib/video-analysis-node}
NETNS=analysis-node
# The node's address, on a bridge in a network namespace of its own; the machine reaches it by a pair of links.
NODE_ADDRESS=10.250.0.1
MACHINE_ADDRESS=10.250.0.254
NODE_LINK=analysis-n
MACHINE_LINK=analysis-m
PODS=10.244.0.0/24
SERVICES=10.96.0.0/16
SOCKET=$STATE/containerd/containerd.sock
# Pods' cgroups are below one of our own: the machine may be a node of another cluster itself.
CGROUP=analysis-node

fail() {
    echo "cluster: $*" >&2
    exit 1
}

say() {
    echo "cluster: $*" >&2
}

in_node() {
    # `ip netns exec` would hide /sys/fs/cgroup.
    nsenter --net="/run/netns/$NETNS" "$@"
}

ctr() {
    command ctr --address "$SOCKET" --namespace k8s.io "$@"
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds; a wait has a name and a bound.
wait_for() {
    local seconds=$1 what=$2 end=$((SECONDS + $1))
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || fail "waited $seconds s in vain for $what; logs are in $STATE/logs"
        sleep 0.3
    done
}

# start NAME COMMAND…: a daemon in the node's network, with its log and its pid. It outlives the shell that started it.
start() {
    local name=$1
    shift
    setsid nsenter --net="/run/netns/$NETNS" "$@" </dev/null >>"$STATE/logs/$name.log" 2>&1 &
    echo "$!" >"$STATE/pids/$name"
}

# Only what was recorded is ever killed, and only while it is still that program.
is_running() {
    local pid
    pid=$(cat "$STATE/pids/$1" 2>/dev/null) || return 1
    # Its environment goes with the process, perhaps just now.
    { tr '\0' '\n' <"/proc/$pid/environ"; } 2>/dev/null | grep -qx "ANALYSIS_NODE=$STATE"
}

stop() {
    local name=$1 signal=${2:-TERM} pid end=$((SECONDS + 10))
    is_running "$name" || { rm -f "$STATE/pids/$name"; return 0; }
    pid=$(cat "$STATE/pids/$name")
    kill "-$signal" "$pid" 2>/dev/null || true
    while [ "$SECONDS" -lt "$end" ] && is_running "$name"; do sleep 0.1; done
    is_running "$name" && kill -KILL "$pid" 2>/dev/null
    rm -f "$STATE/pids/$name"
}
