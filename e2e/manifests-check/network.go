package check

import (
	"errors"
	"fmt"

	apps "k8s.io/api/apps/v1"
	network "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// EveryPodHasAPolicy asks that each Deployment of an overlay is held in both directions, and that a namespace of
// AnalysisJobs holds every kind of data pod.
func EveryPodHasAPolicy(tree Tree) error {
	var problems []error
	for _, overlay := range []string{"overlays/dev", "overlays/namespaced", "overlays/production", "overlays/lazycache"} {
		objects, err := tree.Kustomize(overlay)
		if err != nil {
			return err
		}
		policies, err := policiesOf(objects)
		if err != nil {
			return err
		}
		for _, object := range objects.Of("Deployment") {
			var deployment apps.Deployment
			if err := object.Into(&deployment); err != nil {
				return err
			}
			problems = append(problems, held(overlay, deployment.Name, deployment.Spec.Template.Labels, policies))
		}
		if overlay == "overlays/lazycache" {
			continue // no AnalysisJobs there
		}
		for _, role := range []string{"plan", "work", "collect", "cache"} {
			pod := map[string]string{"camhd.science/analysisjob": "x", "camhd.science/role": role}
			problems = append(problems, held(overlay, role, pod, policies))
		}
	}
	return errors.Join(problems...)
}

func policiesOf(objects Objects) ([]network.NetworkPolicy, error) {
	var policies []network.NetworkPolicy
	for _, object := range objects.Of("NetworkPolicy") {
		var policy network.NetworkPolicy
		if err := object.Into(&policy); err != nil {
			return nil, err
		}
		policies = append(policies, policy)
	}
	return policies, nil
}

// held says when a pod is open in a direction, reaches everything, or cannot ask for names.
func held(overlay, name string, pod map[string]string, policies []network.NetworkPolicy) error {
	types := map[network.PolicyType]bool{}
	names := name == "redis" // asks nobody
	for _, policy := range policies {
		selector, err := meta.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil {
			return err
		}
		if !selector.Matches(labels.Set(pod)) {
			continue
		}
		for _, kind := range policy.Spec.PolicyTypes {
			types[kind] = true
		}
		for _, rule := range policy.Spec.Egress {
			if len(rule.Ports) == 0 {
				return fmt.Errorf("%s: policy %s opens every port", overlay, policy.Name)
			}
			names = names || rule.Ports[0].Port.IntValue() == 53
		}
	}
	if !types[network.PolicyTypeIngress] || !types[network.PolicyTypeEgress] || !names {
		return fmt.Errorf("%s: pods of %s: held %v, may ask for names: %v", overlay, name, types, names)
	}
	return nil
}
