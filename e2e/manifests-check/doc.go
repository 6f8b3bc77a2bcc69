// Package check builds, validates and tests manifests/, chart/ and crds/ without a cluster and without a network.
//
//	tree.go        where things are; kustomize and Helm render from there
//	objects.go     rendered YAML as objects, and how to ask them
//	schemas.go     JSON schemas from the API server's OpenAPI and from our CRD
//	valid.go       every object against its schema, or its Go type
//	pods.go        pod security, probes, resources, replicas
//	permissions.go RBAC: the list, and nothing beside it
//	network.go     NetworkPolicies: every pod has one
//	settings.go    flags, versions, namespaces, Redis of test and production
//	chart.go       lint, values, CRD, and that the chart makes what kustomize makes
//	argocd.go      the health script in Argo CD's VM
//	flux.go        the health expressions in Flux's evaluator
//	alerts.go      promtool, metric names, runbooks
//
// A check is a function from a Tree to an error, so that checks_test.go can run it on the repository, and
// mutations_test.go on a copy that it has broken: a check that cannot fail is none.
package check
