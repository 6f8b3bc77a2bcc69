package check

import (
	"errors"
	"fmt"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// EveryPodIsSafeAndWatched asks the API server's own pod security checks for level restricted, and asks for a read-only
// root, probes, requests, a memory limit, and an image that is no moving target.
func EveryPodIsSafeAndWatched(tree Tree) error {
	all, err := tree.Everything()
	if err != nil {
		return err
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		return err
	}
	var problems []error
	seen := 0
	for from, objects := range all {
		for _, object := range objects.Of("Deployment") {
			seen++
			var deployment apps.Deployment
			if err := object.Into(&deployment); err != nil {
				return fmt.Errorf("%s: %w", from, err)
			}
			for _, problem := range podProblems(evaluator, &deployment.Spec.Template) {
				problems = append(problems, fmt.Errorf("%s: %s: %s", from, object.Name(), problem))
			}
		}
	}
	if seen < len(Values)+3 {
		return fmt.Errorf("only %d Deployments were found", seen)
	}
	return errors.Join(problems...)
}

func podProblems(evaluator policy.Evaluator, pod *core.PodTemplateSpec) (problems []string) {
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &pod.ObjectMeta, &pod.Spec))
	if !result.Allowed {
		problems = append(problems, "not restricted: "+result.ForbiddenDetail())
	}
	if pod.Spec.SecurityContext == nil || pod.Spec.SecurityContext.RunAsUser == nil || *pod.Spec.SecurityContext.RunAsUser != 10001 {
		problems = append(problems, "does not run as user 10001")
	}
	for _, container := range pod.Spec.Containers {
		need := func(ok bool, what string) {
			if !ok {
				problems = append(problems, what)
			}
		}
		security := container.SecurityContext
		need(security != nil && security.ReadOnlyRootFilesystem != nil && *security.ReadOnlyRootFilesystem, "its root can be written")
		need(container.LivenessProbe != nil && container.ReadinessProbe != nil, "has not both probes")
		need(!container.Resources.Requests.Cpu().IsZero() && !container.Resources.Requests.Memory().IsZero(), "requests no cpu or memory")
		need(!container.Resources.Limits.Memory().IsZero(), "has no memory limit")
		need(pinned(container.Image), "its image "+container.Image+" has no fixed version")
	}
	return problems
}

// ProductionSurvivesADrain asks for two operators, a budget that keeps one, and a spread over nodes.
func ProductionSurvivesADrain(tree Tree) error {
	objects, err := tree.Kustomize("overlays/production")
	if err != nil {
		return err
	}
	deployment, err := objects.One("Deployment", "analysis-operator")
	if err != nil {
		return err
	}
	budget, err := objects.One("PodDisruptionBudget", "analysis-operator")
	if err != nil {
		return err
	}
	spread, _ := deployment.At("spec", "template", "spec", "topologySpreadConstraints").([]any)
	switch {
	case deployment.At("spec", "replicas") != int64(2):
		return fmt.Errorf("production has %v operators", deployment.At("spec", "replicas"))
	case budget.At("spec", "minAvailable") != int64(1):
		return fmt.Errorf("the budget keeps %v", budget.At("spec", "minAvailable"))
	case len(spread) == 0:
		return errors.New("the operators may all be on one node")
	}
	return nil
}
