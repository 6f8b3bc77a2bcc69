package check

import (
	"context"
	"fmt"

	kustomization "github.com/fluxcd/kustomize-controller/api/v1"
	"github.com/fluxcd/pkg/runtime/cel"
)

// FluxSeesTheHealth gives the expressions to Flux's own status reader, on every state.
func FluxSeesTheHealth(tree Tree) error {
	objects, err := tree.Kustomize("gitops/flux")
	if err != nil {
		return err
	}
	found, err := objects.One("Kustomization", "science-analyses")
	if err != nil {
		return err
	}
	var typed kustomization.Kustomization
	if err := found.Into(&typed); err != nil {
		return err
	}
	if !typed.Spec.Wait || len(typed.Spec.HealthCheckExprs) == 0 {
		return fmt.Errorf("%s does not wait, or has no expressions: they are never asked", found.Name())
	}
	build, err := cel.NewStatusReader(typed.Spec.HealthCheckExprs)
	if err != nil {
		return err
	}
	reader := build(nil)
	judge := func(job Object) (string, error) {
		if !reader.Supports(job.GroupVersionKind().GroupKind()) {
			return "", fmt.Errorf("no expressions for %s", job.GroupVersionKind())
		}
		result, err := reader.ReadStatusForObject(context.Background(), nil, &job.Unstructured)
		if err != nil {
			return "", err
		}
		return result.Status.String(), nil
	}
	return eachState(judge, func(state health) string { return state.flux })
}
