package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
)

// TheChartIsClean runs `helm lint --strict` with each set of values.
func TheChartIsClean(tree Tree) error {
	var problems []error
	for name, values := range Values {
		kube := &common.KubeVersion{Version: Kubernetes, Major: "1", Minor: "34"}
		result := lint.RunAll(tree.Path("chart"), values, "video-analysis", lint.WithKubeVersion(kube))
		for _, message := range result.Messages {
			if message.Severity >= support.WarningSev {
				problems = append(problems, fmt.Errorf("values %q: %w", name, message))
			}
		}
	}
	return errors.Join(problems...)
}

// WrongValuesAreRefused asks that the chart's schema refuses what is misspelled or out of range.
func WrongValuesAreRefused(tree Tree) error {
	for _, values := range []map[string]any{
		{"replica": 2},
		{"replicas": "two"},
		{"settings": map[string]any{"logFormat": "xml"}},
		{"image": map[string]any{"digest": "sha256:1"}},
		{"watch": map[string]any{"namespaces": "science"}},
		{"monitoring": map[string]any{"intervall": "1m"}},
	} {
		if _, err := tree.Template(values); err == nil {
			return fmt.Errorf("the chart takes %v", values)
		}
	}
	return nil
}

// shared are the files that the chart has copies of.
var shared = []string{
	"crds/analysisjobs.camhd.science.yaml", "manifests/components/api/user-roles.yaml", "manifests/components/operator/role.yaml",
	"manifests/components/workspace/network-policies.yaml", "manifests/components/monitoring/prometheus-rule.yaml",
	"manifests/components/monitoring/dashboards/analysis-jobs.json",
}

// TheChartsCopiesAreFresh compares chart/files with what they are copies of.
func TheChartsCopiesAreFresh(tree Tree) error {
	for _, file := range shared {
		original, err := tree.Read(file)
		if err != nil {
			return err
		}
		copied, err := tree.Read("chart", "files", file[strings.LastIndex(file, "/")+1:])
		if err != nil || copied != original {
			return fmt.Errorf("chart/files differs from %s; run: make chart-files", file)
		}
	}
	return nil
}

// TheCRDIsUpgradedAndKept asks that the definition comes as a template (so an upgrade of the release upgrades it), stays
// when the release goes, and is not in crds/ too.
func TheCRDIsUpgradedAndKept(tree Tree) error {
	objects, err := tree.Template(nil)
	if err != nil {
		return err
	}
	crd, err := objects.One("CustomResourceDefinition", "analysisjobs.camhd.science")
	if err != nil {
		return err
	}
	if crd.GetAnnotations()["helm.sh/resource-policy"] != "keep" {
		return errors.New("uninstalling the release deletes every AnalysisJob")
	}
	without, err := tree.Template(Values["namespaced"])
	if err != nil {
		return err
	}
	if len(without.Of("CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding")) > 0 {
		return errors.New("a release for one namespace needs cluster rights")
	}
	if _, err := tree.Read("chart", "crds", "analysisjobs.camhd.science.yaml"); err == nil {
		return errors.New("the definition is in chart/crds too")
	}
	return nil
}

// TheChartMakesWhatKustomizeMakes compares the two object by object: by default without monitoring and data
// namespaces, and with both.
func TheChartMakesWhatKustomizeMakes(tree Tree) error {
	overlay, err := tree.Kustomize("overlays/production")
	if err != nil {
		return err
	}
	registry := map[string]any{"registry": "registry.example.org/video-analysis"}
	full, err := tree.Template(map[string]any{
		"image": registry, "monitoring": map[string]any{"enabled": true},
		"networkPolicy": map[string]any{"dataNamespaces": []any{"science"}},
	})
	if err != nil {
		return err
	}
	plain, err := tree.Template(nil)
	if err != nil {
		return err
	}
	optional := func(object Object) bool {
		return object.GetLabels()["app.kubernetes.io/component"] == "monitoring" || object.GetNamespace() == "science"
	}
	return errors.Join(
		differences("with everything", substance(overlay), substance(full)),
		differences("by default", substance(slices.DeleteFunc(slices.Clone(overlay), optional)), substance(plain)),
		sameNamespacedRole(tree),
	)
}

func sameNamespacedRole(tree Tree) error {
	overlay, err := tree.Kustomize("overlays/namespaced")
	if err != nil {
		return err
	}
	chart, err := tree.Template(map[string]any{
		"replicas": 2, "watch": map[string]any{"namespaces": []any{"video-analysis"}}, "settings": map[string]any{"concurrency": 4},
		"podDisruptionBudget": map[string]any{"enabled": false}, "crds": map[string]any{"install": false},
		"rbac": map[string]any{"userRoles": false}, "networkPolicy": map[string]any{"dataNamespaces": []any{"video-analysis"}},
	})
	if err != nil {
		return err
	}
	return differences("in one namespace", substance(overlay), substance(chart))
}

var hash = regexp.MustCompile(`(analysis-operator-settings)-[a-z0-9]{10}\b`)

// substance is what objects say, less names' hashes, the tools' own labels and annotations, a site's own objects
// (namespaces, settings of workers, the Redis) and where images are.
func substance(objects Objects) map[string]string {
	result := map[string]string{}
	for _, original := range objects {
		if original.GetKind() == "Namespace" || original.GetName() == "site-settings" || original.GetName() == "redis" {
			continue
		}
		object := Object{*original.DeepCopy()}
		clean(object.Object["metadata"])
		if template, ok := object.At("spec", "template").(map[string]any); ok {
			clean(template["metadata"])
			pod := template["spec"].(map[string]any)
			if object.GetKind() == "Deployment" && pod["topologySpreadConstraints"] != nil {
				delete(pod, "topologySpreadConstraints") // production's own; ProductionSurvivesADrain looks at them
			}
		}
		text, err := json.MarshalIndent(object.Object, "", " ")
		if err != nil {
			text = []byte(err.Error())
		}
		words := hash.ReplaceAllString(string(text), "$1")
		words = strings.ReplaceAll(words, "registry.example.org/video-analysis/", "")
		words = strings.ReplaceAll(words, "$(POD_NAMESPACE)", "video-analysis")
		result[hash.ReplaceAllString(original.Name(), "$1")] = words
	}
	return result
}

func clean(metadata any) {
	fields, _ := metadata.(map[string]any)
	labels, _ := fields["labels"].(map[string]any)
	for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/instance", "app.kubernetes.io/version", "app.kubernetes.io/managed-by"} {
		delete(labels, label)
	}
	annotations, _ := fields["annotations"].(map[string]any)
	delete(annotations, "checksum/settings")
	delete(annotations, "helm.sh/resource-policy")
	if len(annotations) == 0 {
		delete(fields, "annotations")
	}
	if len(labels) == 0 {
		delete(fields, "labels")
	}
}

func differences(name string, kustomize, chart map[string]string) error {
	var problems []error
	for key, one := range kustomize {
		other, ok := chart[key]
		if !ok {
			problems = append(problems, fmt.Errorf("%s: the chart lacks %s", name, key))
		} else if one != other {
			problems = append(problems, fmt.Errorf("%s: %s differs at %s", name, key, firstDifference(one, other)))
		}
	}
	for key := range chart {
		if _, ok := kustomize[key]; !ok {
			problems = append(problems, fmt.Errorf("%s: kustomize lacks %s", name, key))
		}
	}
	return errors.Join(problems...)
}

func firstDifference(one, other string) string {
	ours, theirs := strings.Split(one, "\n"), strings.Split(other, "\n")
	for i := range min(len(ours), len(theirs)) {
		if ours[i] != theirs[i] {
			return fmt.Sprintf("line %d: kustomize %q, chart %q", i+1, ours[i], theirs[i])
		}
	}
	return "the end"
}
