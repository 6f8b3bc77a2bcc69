package check

import (
	"errors"
	"fmt"
)

// health is how an AnalysisJob with some conditions is to be seen by Argo CD and by Flux.
type health struct {
	name       string
	conditions []string // types that are True
	behind     bool     // status speaks of an older generation
	unseen     bool     // no status at all
	argo, flux string
}

// states are the lives of an AnalysisJob. Ready is True also while it runs and when it is suspended.
var states = []health{
	{name: "just created", unseen: true, argo: "Progressing", flux: "Unknown"},
	{name: "seen, nothing made yet", conditions: []string{"Reconciling"}, argo: "Progressing", flux: "InProgress"},
	{name: "no condition yet", argo: "Progressing", flux: "InProgress"},
	{name: "running", conditions: []string{"Ready", "Planned", "CacheReady"}, argo: "Healthy", flux: "Current"},
	{name: "complete", conditions: []string{"Ready", "Complete"}, argo: "Healthy", flux: "Current"},
	{name: "complete, being tidied", conditions: []string{"Reconciling", "Complete"}, argo: "Healthy", flux: "Current"},
	{name: "suspended", conditions: []string{"Ready", "Suspended"}, argo: "Suspended", flux: "Current"},
	{name: "suspended before it was ready", conditions: []string{"Suspended"}, argo: "Suspended", flux: "Current"},
	{name: "failed", conditions: []string{"Ready", "Failed"}, argo: "Degraded", flux: "Failed"},
	{name: "stalled", conditions: []string{"Stalled"}, argo: "Degraded", flux: "Failed"},
	{name: "stalled and suspended", conditions: []string{"Stalled", "Suspended"}, argo: "Degraded", flux: "Failed"},
	{name: "mended, not yet seen", conditions: []string{"Stalled"}, behind: true, argo: "Progressing", flux: "InProgress"},
	{name: "changed, not yet seen", conditions: []string{"Ready", "Complete"}, behind: true, argo: "Progressing", flux: "InProgress"},
}

// job makes the AnalysisJob of a state. Every condition that is not True is False, as the operator writes them.
func (state health) job() Object {
	job := object(map[string]any{
		"apiVersion": "camhd.science/v1alpha1", "kind": "AnalysisJob",
		"metadata": map[string]any{"name": "ashes", "namespace": "science", "generation": int64(4)},
	})
	if state.unseen {
		return job
	}
	seen, truths := int64(4), map[string]bool{}
	if state.behind {
		seen = 3
	}
	for _, kind := range state.conditions {
		truths[kind] = true
	}
	conditions := []any{}
	for _, kind := range []string{"Ready", "Reconciling", "Stalled", "Complete", "Failed", "Suspended", "CacheReady", "Planned", "OutputReady"} {
		value := "False"
		if truths[kind] {
			value = "True"
		}
		if len(state.conditions) > 0 {
			conditions = append(conditions, map[string]any{"type": kind, "status": value, "reason": kind + "Reason", "message": "about " + kind})
		}
	}
	job.Object["status"] = map[string]any{"observedGeneration": seen, "conditions": conditions}
	return job
}

// eachState asks a judge about every state.
func eachState(judge func(job Object) (string, error), expected func(state health) string) error {
	var problems []error
	for _, state := range states {
		verdict, err := judge(state.job())
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", state.name, err))
		} else if verdict != expected(state) {
			problems = append(problems, fmt.Errorf("%s: is %s, expected %s", state.name, verdict, expected(state)))
		}
	}
	return errors.Join(problems...)
}
