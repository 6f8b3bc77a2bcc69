package check

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The checksum of k8s.io/kubernetes at Kubernetes, as go.sum has it; only its OpenAPI is read, nothing of it is built.
const kubernetesSum = "h1:WQdDvYJazkmkwSncgNwGvVtaCt4TYXIU3wSMRgvp3MI="

// schemaFormat goes up when what is written from the OpenAPI changes, so that no older cache is read.
const schemaFormat = "1"

const reference = "#/definitions/"

// Cache is where what is slow to make is kept between runs.
func Cache() (string, error) {
	base := os.Getenv("XDG_CACHE_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(home, ".cache")
	}
	return filepath.Join(base, "video-analysis"), nil
}

// Schemas gives the folder of JSON schemas of Kubernetes' own kinds, named as kubeconform asks for them.
func Schemas() (string, error) {
	cache, err := Cache()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, "schemas-"+Kubernetes+"-"+schemaFormat)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	definitions, err := openAPI()
	if err != nil {
		return "", fmt.Errorf("failed to read the OpenAPI of Kubernetes: %w", err)
	}
	return folder, writeSchemas(folder, definitions)
}

// openAPI reads the definitions of the API server's OpenAPI document, which is part of the module k8s.io/kubernetes.
func openAPI() (map[string]map[string]any, error) {
	out, err := exec.Command("go", "mod", "download", "-json", "k8s.io/kubernetes@"+Kubernetes).Output()
	if err != nil {
		return nil, fmt.Errorf("failed to download the module: %w: %s", err, out)
	}
	var module struct{ Dir, Sum string }
	if err := json.Unmarshal(out, &module); err != nil {
		return nil, err
	}
	if module.Sum != kubernetesSum {
		return nil, fmt.Errorf("the module's checksum is %s, expected %s", module.Sum, kubernetesSum)
	}
	text, err := os.ReadFile(filepath.Join(module.Dir, "api", "openapi-spec", "swagger.json"))
	if err != nil {
		return nil, err
	}
	var document struct{ Definitions map[string]map[string]any }
	return document.Definitions, json.Unmarshal(text, &document)
}

// writeSchemas writes one self-contained schema per kind: complete, or not at all.
func writeSchemas(folder string, definitions map[string]map[string]any) error {
	for name, definition := range definitions {
		definitions[name] = tighten(name, definition).(map[string]any)
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	next, err := os.MkdirTemp(filepath.Dir(folder), "schemas-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(next)
	for name, definition := range definitions {
		kinds, _ := definition["x-kubernetes-group-version-kind"].([]any)
		for _, kind := range kinds {
			kind := kind.(map[string]any)
			schema := map[string]any{"$ref": reference + name, "definitions": reachable(definitions, name)}
			file := schemaFile(kind["group"].(string), kind["version"].(string), kind["kind"].(string))
			if err := writeJSON(filepath.Join(next, file), schema); err != nil {
				return err
			}
		}
	}
	return os.Rename(next, folder)
}

// schemaFile is kubeconform's name for a kind: `deployment-apps-v1.json`, `service-v1.json`.
func schemaFile(group, version, kind string) string {
	suffix := version
	if group != "" {
		suffix = strings.Split(group, ".")[0] + "-" + version
	}
	return strings.ToLower(kind) + "-" + suffix + ".json"
}

func writeJSON(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// tighten turns an OpenAPI definition into a strict JSON schema: a field that is not named is an error.
func tighten(name string, schema any) any {
	node, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	for key, value := range node {
		if key != "properties" {
			node[key] = tightenAny(value)
		}
	}
	if properties, ok := node["properties"].(map[string]any); ok {
		for key, value := range properties {
			properties[key] = tighten("", value)
		}
		if _, open := node["additionalProperties"]; !open && node["x-kubernetes-preserve-unknown-fields"] != true {
			node["additionalProperties"] = false
		}
	}
	quantity := name == "io.k8s.apimachinery.pkg.api.resource.Quantity"
	if node["format"] == "int-or-string" || node["x-kubernetes-int-or-string"] == true || quantity {
		delete(node, "format")
		node["type"] = []any{"string", "number"}
	}
	return node
}

func tightenAny(value any) any {
	if list, ok := value.([]any); ok {
		for i, item := range list {
			list[i] = tighten("", item)
		}
		return list
	}
	return tighten("", value)
}

// reachable gives the definitions that one refers to, itself among them.
func reachable(definitions map[string]map[string]any, name string) map[string]any {
	found := map[string]any{}
	var visit func(value any)
	visit = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				visit(item)
			}
		case map[string]any:
			if ref, ok := value["$ref"].(string); ok {
				visit(ref)
			}
			for key, item := range value {
				if key != "$ref" {
					visit(item)
				}
			}
		case string:
			target, isRef := strings.CutPrefix(value, reference)
			if definition, ok := definitions[target]; isRef && ok && found[target] == nil {
				found[target] = definition
				visit(map[string]any(definition))
			}
		}
	}
	visit(reference + name)
	return found
}

// CRDSchemas writes the schema of each version in our CRD to a folder.
func (t Tree) CRDSchemas(folder string) error {
	text, err := t.Read("crds", "analysisjobs.camhd.science.yaml")
	if err != nil {
		return err
	}
	objects, err := Parse(text)
	if err != nil || len(objects) != 1 {
		return fmt.Errorf("failed to read the CRD: %d objects: %v", len(objects), err)
	}
	versions, _ := objects[0].At("spec", "versions").([]any)
	for _, version := range versions {
		version := object(version)
		schema, _ := version.At("schema", "openAPIV3Schema").(map[string]any)
		tighten("", schema)
		properties := schema["properties"].(map[string]any)
		properties["apiVersion"] = map[string]any{"type": "string"}
		properties["kind"] = map[string]any{"type": "string"}
		// Labels, annotations and namespace are the API server's to check; the name is the CRD's.
		delete(properties["metadata"].(map[string]any), "additionalProperties")
		file := schemaFile("camhd.science", version.At("name").(string), "AnalysisJob")
		if err := writeJSON(filepath.Join(folder, file), schema); err != nil {
			return err
		}
	}
	return nil
}
