package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// Object is one Kubernetes object.
type Object struct{ unstructured.Unstructured }

// Objects are those of one file or one rendering.
type Objects []Object

var separator = regexp.MustCompile(`(?m)^---\s*$`)

// Parse reads YAML documents; empty ones and mere comments are left out.
func Parse(text string) (Objects, error) {
	var all Objects
	for _, document := range separator.Split(text, -1) {
		json, err := yaml.YAMLToJSONStrict([]byte(document))
		if err != nil {
			return nil, err
		}
		if string(json) == "null" {
			continue
		}
		var object Object
		if err := object.UnmarshalJSON(json); err != nil {
			return nil, fmt.Errorf("%w in: %.80s", err, strings.TrimSpace(document))
		}
		all = append(all, object)
	}
	return all, nil
}

// Name of an object, for messages and as its key.
func (o Object) Name() string {
	return fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName())
}

// At gives the value at a path of keys; nil where there is none.
func (o Object) At(path ...string) any {
	value, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...)
	return value
}

// Into decodes the object into a Go type, refusing what the type does not have.
func (o Object) Into(target any) error {
	text, err := yaml.Marshal(o.Object)
	if err != nil {
		return err
	}
	return yaml.UnmarshalStrict(text, target)
}

// Part decodes what is at a path into a Go type.
func (o Object) Part(target any, path ...string) error {
	part, ok := o.At(path...).(map[string]any)
	if !ok {
		return fmt.Errorf("%s has no %s", o.Name(), strings.Join(path, "."))
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(part, target, true)
}

// Of gives the objects of some kinds.
func (all Objects) Of(kinds ...string) Objects {
	var some Objects
	for _, object := range all {
		if slices.Contains(kinds, object.GetKind()) {
			some = append(some, object)
		}
	}
	return some
}

// One gives the only object of a kind and name.
func (all Objects) One(kind, name string) (Object, error) {
	var found Objects
	for _, object := range all.Of(kind) {
		if object.GetName() == name {
			found = append(found, object)
		}
	}
	if len(found) != 1 {
		return Object{}, fmt.Errorf("expected one %s %s, found %d", kind, name, len(found))
	}
	return found[0], nil
}

// object wraps a part of an object, to ask it with At.
func object(content any) Object {
	fields, _ := content.(map[string]any)
	return Object{unstructured.Unstructured{Object: fields}}
}
