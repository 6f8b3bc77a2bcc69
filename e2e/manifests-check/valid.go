package check

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	kustomization "github.com/fluxcd/kustomize-controller/api/v1"
	source "github.com/fluxcd/source-controller/api/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/yaml"
)

// foreign are kinds of other projects: decoded strictly into those projects' own Go types.
var foreign = map[string]func() any{
	"monitoring.coreos.com/v1/ServiceMonitor":      func() any { return new(monitoring.ServiceMonitor) },
	"monitoring.coreos.com/v1/PodMonitor":          func() any { return new(monitoring.PodMonitor) },
	"monitoring.coreos.com/v1/PrometheusRule":      func() any { return new(monitoring.PrometheusRule) },
	"kustomize.toolkit.fluxcd.io/v1/Kustomization": func() any { return new(kustomization.Kustomization) },
	"source.toolkit.fluxcd.io/v1/GitRepository":    func() any { return new(source.GitRepository) },
	"argoproj.io/v1alpha1/Application":             func() any { return new(application) },
}

// EveryObjectFitsItsSchema holds all that users apply against the schemas of Kubernetes and of our CRD, strictly.
func EveryObjectFitsItsSchema(tree Tree) error {
	all, err := tree.Everything()
	if err != nil {
		return err
	}
	conform, remove, err := newValidator(tree)
	if err != nil {
		return err
	}
	defer remove()
	var problems []error
	for from, objects := range all {
		for _, object := range objects {
			if err := validate(conform, object); err != nil {
				problems = append(problems, fmt.Errorf("%s: %s: %w", from, object.Name(), err))
			}
		}
	}
	return errors.Join(problems...)
}

func newValidator(tree Tree) (validator.Validator, func(), error) {
	kubernetes, err := Schemas()
	if err != nil {
		return nil, nil, err
	}
	ours, err := os.MkdirTemp("", "crd-schemas-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { os.RemoveAll(ours) }
	if err := tree.CRDSchemas(ours); err != nil {
		remove()
		return nil, nil, err
	}
	const name = "{{.ResourceKind}}{{.KindSuffix}}.json"
	conform, err := validator.New([]string{filepath.Join(kubernetes, name), filepath.Join(ours, name)}, validator.Opts{Strict: true})
	return conform, remove, err
}

func validate(conform validator.Validator, object Object) error {
	if target, ok := foreign[object.GetAPIVersion()+"/"+object.GetKind()]; ok {
		return object.Into(target())
	}
	text, err := yaml.Marshal(object.Object)
	if err != nil {
		return err
	}
	result := conform.ValidateResource(resource.Resource{Bytes: text})
	if result.Status != validator.Valid && result.Err == nil {
		return fmt.Errorf("not validated: status %d", result.Status)
	}
	return result.Err
}
