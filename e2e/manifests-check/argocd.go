package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	lua "github.com/yuin/gopher-lua"
	luajson "layeh.com/gopher-json"
)

// healthKey is where Argo CD looks for the script.
const healthKey = "resource.customizations.health.camhd.science_AnalysisJob"

// application is as much of Argo CD's Application as the examples use; its own types would bring in Argo CD whole.
type application struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Project string `json:"project"`
		Source  struct {
			RepoURL        string `json:"repoURL"`
			TargetRevision string `json:"targetRevision"`
			Path           string `json:"path"`
		} `json:"source"`
		Destination struct {
			Server    string `json:"server"`
			Namespace string `json:"namespace"`
		} `json:"destination"`
		IgnoreDifferences []struct {
			Group        string   `json:"group"`
			Kind         string   `json:"kind"`
			JSONPointers []string `json:"jsonPointers"`
		} `json:"ignoreDifferences"`
		SyncPolicy struct {
			Automated struct {
				Prune    bool `json:"prune"`
				SelfHeal bool `json:"selfHeal"`
			} `json:"automated"`
			SyncOptions []string `json:"syncOptions"`
			Retry       struct {
				Limit   int64 `json:"limit"`
				Backoff struct {
					Duration    string `json:"duration"`
					Factor      int64  `json:"factor"`
					MaxDuration string `json:"maxDuration"`
				} `json:"backoff"`
			} `json:"retry"`
		} `json:"syncPolicy"`
	} `json:"spec"`
}

// ArgoSeesTheHealth runs the script, as it stands in the ConfigMap, on every state.
func ArgoSeesTheHealth(tree Tree) error {
	objects, err := tree.Kustomize("gitops/argocd")
	if err != nil {
		return err
	}
	settings, err := objects.One("ConfigMap", "argocd-cm")
	if err != nil {
		return err
	}
	script, _ := settings.At("data", healthKey).(string)
	if script == "" {
		return fmt.Errorf("argocd-cm has no %s", healthKey)
	}
	judge := func(job Object) (string, error) { return runHealth(script, job) }
	return eachState(judge, func(state health) string { return state.argo })
}

// runHealth does as Argo CD's util/lua does: a VM with package, base and table only, one second, a table as answer.
func runHealth(script string, job Object) (string, error) {
	vm := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer vm.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := vm.CallByParam(lua.P{Fn: vm.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	vm.SetContext(ctx)
	vm.SetGlobal("obj", luaValue(vm, job.Object))
	if err := vm.DoString(script); err != nil {
		return "", err
	}
	return answer(vm.Get(-1))
}

func answer(value lua.LValue) (string, error) {
	text, err := luajson.Encode(value)
	if err != nil {
		return "", err
	}
	var health struct{ Status, Message string }
	if err := json.Unmarshal(text, &health); err != nil {
		return "", err
	}
	if !slices.Contains([]string{"Healthy", "Progressing", "Degraded", "Suspended"}, health.Status) {
		return "", fmt.Errorf("%q is no health of Argo CD", health.Status)
	}
	if health.Message == "" {
		return "", errors.New("says nothing")
	}
	return health.Status, nil
}

func luaValue(vm *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case int64:
		return lua.LNumber(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := vm.NewTable()
		for _, item := range value {
			table.Append(luaValue(vm, item))
		}
		return table
	case map[string]any:
		table := vm.NewTable()
		for key, item := range value {
			table.RawSetH(lua.LString(key), luaValue(vm, item))
		}
		return table
	default:
		return lua.LNil
	}
}
