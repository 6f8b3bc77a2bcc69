#!/usr/bin/env bash
# Stops the node that up.sh started and leaves the machine as it was: pods, daemons, mounts, cgroups, links, kernel
# settings, files. Safe to run at any time, also after a crash.
set -uo pipefail
cd "$(dirname "$0")"
. ./node.sh

stop_containers() {
    local pid
    # kubelet first, or it starts them anew; then every process whose cgroup is a pod's.
    stop kubelet KILL
    for pid in $(pod_processes); do kill -KILL "$pid" 2>/dev/null; done
    local end=$((SECONDS + 10))
    while [ "$SECONDS" -lt "$end" ] && [ -n "$(pod_processes)" ]; do sleep 0.1; done
}

pod_processes() {
    find /sys/fs/cgroup -path "*/$CGROUP/*" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u
}

stop_shims() {
    # A shim's command line names the socket of its containerd.
    local folder
    for folder in /proc/[0-9]*; do
        { tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null | grep -q "^[^ ]*containerd-shim.* -address $SOCKET" &&
            kill -KILL "${folder#/proc/}" 2>/dev/null
    done
}

unmount_all() {
    # The deepest first; lazily, because a dying process may still hold one.
    local point
    awk -v state="$STATE/" 'index($2, state) == 1 {print $2}' /proc/mounts | sort -r | while read -r point; do
        umount -l "$(printf '%b' "$point")" 2>/dev/null
    done
}

remove_cgroups() {
    find /sys/fs/cgroup -depth -type d \( -path "*/$CGROUP" -o -path "*/$CGROUP/*" \) -exec rmdir {} \; 2>/dev/null
}

remove_network() {
    ip link delete "$MACHINE_LINK" 2>/dev/null
    # Pods' own namespaces are bound here by containerd.
    local name
    for name in $(ip netns list 2>/dev/null | awk '/^cni-/ {print $1}'); do ip netns delete "$name" 2>/dev/null; done
    ip netns delete "$NETNS" 2>/dev/null
}

restore_kernel() {
    [ -r "$STATE/sysctl" ] && sysctl -q -p "$STATE/sysctl" >/dev/null
}

remove_traces() {
    find /var/log/containers -type l -lname "$STATE/*" -delete 2>/dev/null
    rmdir /var/log/containers 2>/dev/null
    # What the CNI plugins remember of each pod.
    rm -f /var/lib/cni/results/pods-*
    rmdir /var/lib/cni/results /var/lib/cni 2>/dev/null
}

[ -d "$STATE" ] || [ -e "/run/netns/$NETNS" ] || exit 0
[ "$(id -u)" -eq 0 ] || fail "stopping the node needs root. Mend: sudo $0"
say "stopping the node in $STATE"
stop_containers
for name in docker-registry coredns kube-proxy kube-scheduler kube-controller-manager containerd; do stop "$name"; done
stop_shims
for name in kube-apiserver etcd; do stop "$name" KILL; done
unmount_all
remove_cgroups
remove_network
restore_kernel
remove_traces
rm -rf --one-file-system "$STATE"
[ ! -d "$STATE" ] || fail "$STATE could not be removed whole; see what is mounted below it"
