package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	rbac "k8s.io/api/rbac/v1"
)

// watched is what the operator may do in the namespaces it watches, as "group/resource: verbs". Not one word more.
var watched = []string{
	"camhd.science/analysisjobs: delete get list watch",
	"camhd.science/analysisjobs/status: get patch",
	"batch/jobs: create delete get list patch watch",
	"apps/deployments: create delete get list patch watch",
	"/services: create delete get list patch watch",
	"/configmaps: create delete get list patch watch",
	"/persistentvolumeclaims: create delete get list patch watch",
	"/pods: deletecollection get list watch",
	"/events: list",
	"events.k8s.io/events: create patch",
}

// own is what it may do in its own namespace: leader election.
var own = []string{
	"coordination.k8s.io/leases: create",
	"coordination.k8s.io/leases[analysis-operator]: get patch update",
}

// ThePermissionsAreTheList compares the rules of every variant with the lists above, and sees where they are bound.
func ThePermissionsAreTheList(tree Tree) error {
	all, err := tree.Everything()
	if err != nil {
		return err
	}
	var problems []error
	for from, objects := range all {
		if _, err := objects.One("Deployment", "analysis-operator"); err != nil || from == "chart with least" {
			continue
		}
		if err := permissions(objects, !strings.Contains(from, "namespaced")); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", from, err))
		}
	}
	return errors.Join(problems...)
}

func permissions(objects Objects, clusterWide bool) error {
	var problems []error
	found := 0
	for _, role := range objects.Of("Role", "ClusterRole") {
		switch role.GetName() {
		case "analysis-operator":
			found++
			if (role.GetKind() == "ClusterRole") != clusterWide {
				problems = append(problems, fmt.Errorf("%s is not of the right kind", role.Name()))
			}
			problems = append(problems, sameRules(role, watched))
		case "analysis-operator-leader":
			found++
			problems = append(problems, sameRules(role, own))
		default:
			if role.GetKind() == "Role" {
				problems = append(problems, fmt.Errorf("%s is nobody's", role.Name()))
			}
		}
	}
	if found < 2 {
		problems = append(problems, errors.New("the operator's roles are missing"))
	}
	return errors.Join(append(problems, bindings(objects)...)...)
}

// bindings must name a role that is there, and the operator's account in the namespace where it runs.
func bindings(objects Objects) (problems []error) {
	account, err := objects.One("ServiceAccount", "analysis-operator")
	if err != nil {
		return []error{err}
	}
	for _, object := range objects.Of("RoleBinding", "ClusterRoleBinding") {
		var binding rbac.RoleBinding
		if err := object.Into(&binding); err != nil {
			return []error{err}
		}
		there := slices.ContainsFunc(objects.Of(binding.RoleRef.Kind), func(role Object) bool {
			return role.GetName() == binding.RoleRef.Name && role.GetNamespace() == object.GetNamespace()
		})
		subject := binding.Subjects[0]
		if !there || len(binding.Subjects) != 1 || subject.Name != account.GetName() || subject.Namespace != account.GetNamespace() {
			problems = append(problems, fmt.Errorf("%s binds %v to %v", object.Name(), binding.RoleRef, binding.Subjects))
		}
	}
	return problems
}

func sameRules(object Object, expected []string) error {
	var role rbac.ClusterRole
	if err := object.Into(&role); err != nil {
		return err
	}
	var actual []string
	for _, rule := range role.Rules {
		actual = append(actual, words(rule)...)
	}
	slices.Sort(actual)
	expected = slices.Sorted(slices.Values(expected))
	if !slices.Equal(actual, expected) {
		return fmt.Errorf("%s allows\n  %s\nexpected\n  %s", object.Name(), strings.Join(actual, "\n  "), strings.Join(expected, "\n  "))
	}
	return nil
}

func words(rule rbac.PolicyRule) (lines []string) {
	names := ""
	if len(rule.ResourceNames) > 0 {
		names = "[" + strings.Join(rule.ResourceNames, " ") + "]"
	}
	verbs := strings.Join(slices.Sorted(slices.Values(rule.Verbs)), " ")
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			lines = append(lines, fmt.Sprintf("%s/%s%s: %s", group, resource, names, verbs))
		}
	}
	return lines
}

// UsersGetAnalysisJobs asks that each role for people reaches AnalysisJobs only, and joins the roles it should.
func UsersGetAnalysisJobs(tree Tree) error {
	objects, err := tree.Kustomize("components/api")
	if err != nil {
		return err
	}
	joins := map[string][]string{"view": {"view", "edit", "admin"}, "edit": {"edit", "admin"}, "admin": {"admin"}}
	for level, targets := range joins {
		role, err := objects.One("ClusterRole", "analysisjobs-"+level)
		if err != nil {
			return err
		}
		for _, target := range []string{"view", "edit", "admin"} {
			joined := role.GetLabels()["rbac.authorization.k8s.io/aggregate-to-"+target] == "true"
			if joined != slices.Contains(targets, target) {
				return fmt.Errorf("%s: aggregated to %s: %v", role.Name(), target, joined)
			}
		}
		var typed rbac.ClusterRole
		if err := role.Into(&typed); err != nil {
			return err
		}
		for _, rule := range typed.Rules {
			if !slices.Equal(rule.APIGroups, []string{"camhd.science"}) || (level == "view" && !slices.Equal(rule.Verbs, []string{"get", "list", "watch"})) {
				return fmt.Errorf("%s allows %v", role.Name(), words(rule))
			}
		}
	}
	return nil
}
