package check

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// flags are those of `analysis-operator run`; each is also ANALYSIS_OPERATOR_<FLAG>.
var flags = []string{
	"namespaces", "worker-image", "cache-image", "listen", "log-format", "log", "leader-elect", "lease-name",
	"lease-namespace", "concurrency", "otlp-endpoint",
}

// EverySettingIsAFlag asks that the operator's settings and arguments are ones it knows.
func EverySettingIsAFlag(tree Tree) error {
	all, err := tree.Everything()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, flag := range flags {
		known["ANALYSIS_OPERATOR_"+strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))] = true
	}
	var problems []error
	for from, objects := range all {
		for _, settings := range objects.Of("ConfigMap") {
			if !strings.HasPrefix(settings.GetName(), "analysis-operator-settings") {
				continue
			}
			data, _ := settings.At("data").(map[string]any)
			for key := range data {
				if !known[key] {
					problems = append(problems, fmt.Errorf("%s: %s is no setting", from, key))
				}
			}
		}
		problems = append(problems, arguments(from, objects)...)
	}
	return errors.Join(problems...)
}

func arguments(from string, objects Objects) (problems []error) {
	for _, deployment := range objects.Of("Deployment") {
		if deployment.GetName() != "analysis-operator" {
			continue
		}
		args := container(deployment)["args"].([]any)
		for _, arg := range args[1:] {
			flag, _, _ := strings.Cut(strings.TrimPrefix(arg.(string), "--"), "=")
			if !slices.Contains(flags, flag) {
				problems = append(problems, fmt.Errorf("%s: %s is no flag", from, arg))
			}
		}
		only := strings.Contains(from, "namespaced")
		if args[0] != "run" || (len(args) == 2) != only {
			problems = append(problems, fmt.Errorf("%s: arguments are %v", from, args))
		}
	}
	return problems
}

func container(deployment Object) map[string]any {
	containers := deployment.At("spec", "template", "spec", "containers").([]any)
	return containers[0].(map[string]any)
}

// TestAndProductionAreApart asks that the two overlays differ in namespace, Redis and settings.
func TestAndProductionAreApart(tree Tree) error {
	urls := map[string]string{}
	for _, overlay := range []string{"overlays/dev", "overlays/production"} {
		objects, err := tree.Kustomize(overlay)
		if err != nil {
			return err
		}
		secret, err := objects.One("Secret", "redis")
		if err != nil {
			return err
		}
		if _, err := objects.One("ConfigMap", "site-settings"); err != nil {
			return err
		}
		encoded, _ := secret.At("data", "url").(string)
		url, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || !strings.HasPrefix(string(url), "redis") {
			return fmt.Errorf("%s: the Redis is %q", overlay, url)
		}
		if other, ok := urls[string(url)]; ok {
			return fmt.Errorf("%s and %s share the Redis %s", overlay, other, url)
		}
		urls[string(url)] = overlay
		for _, object := range objects {
			if object.GetNamespace() == "" && !slices.Contains(clusterScoped, object.GetKind()) {
				return fmt.Errorf("%s: %s has no namespace", overlay, object.Name())
			}
		}
	}
	return nil
}

var clusterScoped = []string{"Namespace", "CustomResourceDefinition", "ClusterRole", "ClusterRoleBinding"}

var version = regexp.MustCompile(`(?m)^version = "([^"]+)"`)

// EveryVersionIsTheProjects asks that images and chart have the version of the workspace.
func EveryVersionIsTheProjects(tree Tree) error {
	cargo, err := tree.Read("Cargo.toml")
	if err != nil {
		return err
	}
	match := version.FindStringSubmatch(cargo)
	if match == nil {
		return errors.New("failed to find the version in Cargo.toml")
	}
	chart, err := tree.Read("chart", "Chart.yaml")
	if err != nil {
		return err
	}
	if !strings.Contains(chart, "\nappVersion: "+match[1]+"\n") || !strings.Contains(chart, "\nversion: "+match[1]+"\n") {
		return fmt.Errorf("chart/Chart.yaml is not of version %s", match[1])
	}
	return versions(tree, match[1])
}

var image = regexp.MustCompile(`\b(analysis-operator|analysis-worker|lazycache):([\w.-]+)`)

func versions(tree Tree, expected string) error {
	all, err := tree.Everything()
	if err != nil {
		return err
	}
	var problems []error
	for from, objects := range all {
		for _, object := range objects.Of("Deployment", "ConfigMap") {
			text, err := object.MarshalJSON()
			if err != nil {
				return err
			}
			for _, found := range image.FindAllStringSubmatch(string(text), -1) {
				if found[2] != expected {
					problems = append(problems, fmt.Errorf("%s: %s: %s", from, object.Name(), found[0]))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// pinned says whether an image has a version or digest.
func pinned(image string) bool {
	name := image[strings.LastIndex(image, "/")+1:]
	return strings.Contains(image, "@sha256:") || (strings.Contains(name, ":") && !strings.HasSuffix(name, ":latest"))
}
