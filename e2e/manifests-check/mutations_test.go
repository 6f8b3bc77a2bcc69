package check

import (
	"os"
	"strings"
	"testing"
)

// mutation is a mistake that a check must see: in one file, some words become others, everywhere.
type mutation struct {
	check          func(Tree) error
	file, old, new string
	says           string // part of what the check says
}

const (
	operator = "manifests/components/operator/"
	rule     = "manifests/components/monitoring/prometheus-rule.yaml"
)

var mutations = []mutation{
	{EveryObjectFitsItsSchema, operator + "deployment.yaml", "periodSeconds", "periodSecond", "periodSecond"},
	{EveryObjectFitsItsSchema, "manifests/samples/quickstart.yaml", "analysis:", "analysys:", "quickstart"},
	{EveryObjectFitsItsSchema, "manifests/components/monitoring/service-monitor.yaml", "honorLabels", "honourLabels", "honourLabels"},
	{EveryObjectFitsItsSchema, "manifests/gitops/flux/analyses.yaml", "healthCheckExprs", "healthCheckExpr", "healthCheckExpr"},
	{EveryObjectFitsItsSchema, "manifests/gitops/argocd/operator.yaml", "syncOptions", "syncOption", "syncOption"},
	{EveryObjectFitsItsSchema, "chart/templates/service.yaml", "targetPort: http", "targetPort: [http]", "Service"},
	{EveryPodIsSafeAndWatched, operator + "deployment.yaml", "drop: [ALL]", "drop: [CHOWN]", "not restricted"},
	{EveryPodIsSafeAndWatched, "manifests/components/redis/deployment.yaml", "redis:7.4", "redis:latest", "no fixed version"},
	{EveryPodIsSafeAndWatched, "chart/templates/deployment.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "root can be written"},
	{ProductionSurvivesADrain, "manifests/overlays/production/operator/kustomization.yaml", "count: 2", "count: 1", "1 operators"},
	{ThePermissionsAreTheList, operator + "role.yaml", "services, configmaps", "services, secrets, configmaps", "secrets"},
	{ThePermissionsAreTheList, "chart/files/role.yaml", "verbs: [get, patch]", "verbs: [get, patch, update]", "chart with default"},
	{ThePermissionsAreTheList, "manifests/components/namespaced/kustomization.yaml", "value: Role}", "value: ClusterRole}", "namespaced"},
	{UsersGetAnalysisJobs, "manifests/components/api/user-roles.yaml", "verbs: [get, list, watch]", "verbs: [get, list, watch, patch]", "view"},
	{EveryPodHasAPolicy, "manifests/components/redis/kustomization.yaml", "- network-policy.yaml\n", "", "redis"},
	{EveryPodHasAPolicy, "manifests/components/lazycache/kustomization.yaml", "- network-policy.yaml\n", "", "lazycache"},
	{EveryPodHasAPolicy, "manifests/components/workspace/network-policies.yaml", "operator: Exists", "operator: DoesNotExist", "pods of plan"},
	{EverySettingIsAFlag, "manifests/overlays/dev/operator.env", "LOG_FORMAT", "LOGFORMAT", "LOGFORMAT"},
	{EverySettingIsAFlag, "chart/templates/deployment.yaml", "--namespaces=", "--namespace=", "no flag"},
	{TestAndProductionAreApart, "manifests/overlays/production/science/redis.env", "redis.example.org", "redis", "share the Redis"},
	{EveryVersionIsTheProjects, operator + "settings.env", "lazycache:0.1.0", "lazycache:0.0.9", "lazycache:0.0.9"},
	{TheChartIsClean, "chart/Chart.yaml", "type: application", "type: programme", "must be application or library"},
	{WrongValuesAreRefused, "chart/values.schema.json", "\"text\"", "\"text\", \"xml\"", "logFormat"},
	{TheChartsCopiesAreFresh, "crds/analysisjobs.camhd.science.yaml", "singular: analysisjob", "singular: job", "make chart-files"},
	{TheCRDIsUpgradedAndKept, "chart/templates/crd.yaml", "keep", "delete", "deletes every AnalysisJob"},
	{TheChartMakesWhatKustomizeMakes, "chart/templates/deployment.yaml", "- run\n", "- walk\n", "walk"},
	{TheChartMakesWhatKustomizeMakes, "chart/templates/network-policy.yaml", "port: 8080", "port: 8081", "8081"},
	{ArgoSeesTheHealth, "manifests/gitops/argocd/health.lua", `condition("Stalled") or `, "", "stalled: is"},
	{ArgoSeesTheHealth, "manifests/gitops/argocd/health.lua", "~= obj.metadata.generation", "== nil", "mended, not yet seen"},
	{FluxSeesTheHealth, "manifests/gitops/flux/analyses.yaml", "'Stalled', 'Failed'", "'Stalled'", "failed: is"},
	{FluxSeesTheHealth, "manifests/gitops/flux/analyses.yaml", "wait: true", "wait: false", "does not wait"},
	{EveryAlertFiresWhenItShould, rule, "> 0.1", "> 0.5", "FAILED"},
	{EveryAlertFiresWhenItShould, rule, "for: 10m", "for: 1h", "FAILED"},
	{EveryAlertHasARunbook, rule, "runbooks/AnalysisJobFailed.md", "runbooks/Failed.md", "points to"},
	{EveryMetricIsDocumented, rule, "analysis_job_stalled", "analysis_job_stuck", "analysis_job_stuck"},
	{EveryMetricIsDocumented, "manifests/components/monitoring/dashboards/analysis-jobs.json", "sum by (", "sum of (", "query of the dashboard"},
}

func TestEveryCheckSeesItsMistakes(t *testing.T) {
	seen := map[string]bool{}
	for _, one := range mutations {
		seen[name(one.check)] = true
		t.Run(name(one.check)+"/"+one.new, func(t *testing.T) {
			tree := copied(t)
			one.apply(t, tree)
			err := one.check(tree)
			if err == nil {
				t.Fatalf("%q in place of %q in %s passes", one.new, one.old, one.file)
			}
			if !strings.Contains(err.Error(), one.says) {
				t.Errorf("said %.600s\nexpected a word of %q", err, one.says)
			}
		})
	}
	for _, check := range checks {
		if !seen[name(check)] {
			t.Errorf("nothing shows that %s can fail", name(check))
		}
	}
}

func (one mutation) apply(t *testing.T, tree Tree) {
	t.Helper()
	text, err := tree.Read(one.file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text, one.old) {
		t.Fatalf("%s has no %q", one.file, one.old)
	}
	broken := strings.ReplaceAll(text, one.old, one.new)
	if err := os.WriteFile(tree.Path(one.file), []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
}
