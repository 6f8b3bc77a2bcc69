package check

import (
	"fmt"
	"os"
	"path/filepath"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader"
	"helm.sh/helm/v4/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// Kubernetes is the version whose API everything is checked against.
const Kubernetes = "v1.34.2"

// Overlays are what users apply; each must build alone.
var Overlays = []string{"overlays/dev", "overlays/namespaced", "overlays/production", "overlays/lazycache", "components/api", "gitops/argocd", "gitops/flux"}

// Values are sets of chart values that must render; between them every option is used.
var Values = map[string]map[string]any{
	"default": {},
	"namespaced": {
		"watch": map[string]any{"namespaces": []any{"one", "two"}},
		"crds":  map[string]any{"install": false},
		"rbac":  map[string]any{"userRoles": false},
	},
	"everything": {
		"image":             map[string]any{"registry": "registry.example.org/video-analysis"},
		"monitoring":        map[string]any{"enabled": true},
		"networkPolicy":     map[string]any{"dataNamespaces": []any{"science"}},
		"imagePullSecrets":  []any{map[string]any{"name": "pull"}},
		"priorityClassName": "high",
		"nodeSelector":      map[string]any{"kubernetes.io/os": "linux"},
		"tolerations":       []any{map[string]any{"operator": "Exists"}},
		"settings":          map[string]any{"otlpEndpoint": "http://otel-collector.monitoring:4317"},
		"podLabels":         map[string]any{"team": "science"},
		"podAnnotations":    map[string]any{"note": "x"},
		"extraEnv":          []any{map[string]any{"name": "RUST_BACKTRACE", "value": "1"}},
	},
	"least": {
		"replicas":       1,
		"image":          map[string]any{"digest": "sha256:" + fmt.Sprintf("%064d", 0)},
		"serviceAccount": map[string]any{"create": false, "name": "given"},
		"networkPolicy":  map[string]any{"enabled": false},
		"rbac":           map[string]any{"create": false, "userRoles": false},
	},
}

// Tree is a repository's root.
type Tree string

// Path of a file below the root.
func (t Tree) Path(parts ...string) string {
	return filepath.Join(append([]string{string(t)}, parts...)...)
}

// Read gives a file below the root.
func (t Tree) Read(parts ...string) (string, error) {
	bytes, err := os.ReadFile(t.Path(parts...))
	return string(bytes), err
}

// Kustomize builds a folder below manifests/, as `kubectl kustomize` does.
func (t Tree) Kustomize(folder string) (Objects, error) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), t.Path("manifests", folder))
	if err != nil {
		return nil, fmt.Errorf("failed to build %s: %w", folder, err)
	}
	yaml, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("failed to print %s: %w", folder, err)
	}
	return Parse(string(yaml))
}

// Template renders the chart as `helm template analysis-operator --namespace video-analysis` does.
func (t Tree) Template(values map[string]any) (Objects, error) {
	files, err := t.render(values)
	if err != nil {
		return nil, err
	}
	var all Objects
	for name, text := range files {
		if filepath.Ext(name) != ".yaml" {
			continue
		}
		objects, err := Parse(text)
		if err != nil {
			return nil, fmt.Errorf("failed to read %s: %w", name, err)
		}
		all = append(all, objects...)
	}
	return all, nil
}

func (t Tree) render(values map[string]any) (map[string]string, error) {
	chart, err := loader.Load(t.Path("chart"))
	if err != nil {
		return nil, fmt.Errorf("failed to load the chart: %w", err)
	}
	release := common.ReleaseOptions{Name: "analysis-operator", Namespace: "video-analysis", Revision: 1, IsInstall: true}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = common.KubeVersion{Version: Kubernetes, Major: "1", Minor: "34"}
	all, err := util.ToRenderValues(chart, values, release, capabilities)
	if err != nil {
		return nil, fmt.Errorf("failed to take the values: %w", err)
	}
	strict := engine.Engine{Strict: true}
	files, err := strict.Render(chart, all)
	if err != nil {
		return nil, fmt.Errorf("failed to render the chart: %w", err)
	}
	return files, nil
}

// Everything that users apply, by where it comes from: overlays, charts, samples, examples.
func (t Tree) Everything() (map[string]Objects, error) {
	all := map[string]Objects{}
	for _, folder := range Overlays {
		objects, err := t.Kustomize(folder)
		if err != nil {
			return nil, err
		}
		all[folder] = objects
	}
	for name, values := range Values {
		objects, err := t.Template(values)
		if err != nil {
			return nil, fmt.Errorf("values %q: %w", name, err)
		}
		all["chart with "+name] = objects
	}
	for _, pattern := range []string{"manifests/samples/*.yaml", "manifests/gitops/argocd/[^k]*.yaml"} {
		if err := t.readInto(all, pattern); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (t Tree) readInto(all map[string]Objects, pattern string) error {
	paths, err := filepath.Glob(t.Path(pattern))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("failed to find %s", pattern)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(string(t), path)
		if all[name], err = Parse(string(text)); err != nil {
			return fmt.Errorf("failed to read %s: %w", name, err)
		}
	}
	return nil
}
