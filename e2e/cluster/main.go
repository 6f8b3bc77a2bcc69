// One binary with all of Kubernetes that the tests of this project start: the control plane, a node and kubectl.
//
//	kube etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|kube-proxy|coredns|kubectl [flags]
//	kube keys FOLDER
//
// A link to it that has a component's name is that component, so that kubectl finds its plugins and plugins find
// kubectl. Every component is its own command constructor, unchanged: what the tests see is what a cluster runs.
//
//	main.go        which component, and when it ends
//	components.go  the components
//	dns.go         cluster DNS
//	keys.go        the secrets a cluster needs before it starts
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // the time zones of CronJobs, whatever the machine has

	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

// lifeline, when it is set in the environment, ends the process as soon as its standard input does.
const lifeline = "KUBE_ENDS_WITH_STDIN"

func main() {
	name, args := chosen(os.Args)
	run, known := components[name]
	if !known {
		fmt.Fprintf(os.Stderr, "usage: kube %s [flags]\n", strings.Join(names(), "|"))
		os.Exit(2)
	}
	if os.Getenv(lifeline) != "" {
		go endWithStdin()
	}
	// Each constructor reads os.Args for itself.
	os.Args = append([]string{name}, args...)
	os.Exit(run())
}

// chosen is the component asked for, by the name of the link or by the first argument, and its arguments.
func chosen(argv []string) (string, []string) {
	base := filepath.Base(argv[0])
	if _, known := components[base]; known {
		return base, argv[1:]
	}
	if len(argv) < 2 {
		return "", nil
	}
	return argv[1], argv[2:]
}

// endWithStdin holds the other end of a pipe of whoever started this process. However that one ends, killed even, the
// pipe closes: no daemon outlives its tests.
func endWithStdin() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(0)
}

func names() []string {
	var all []string
	for name := range components {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
