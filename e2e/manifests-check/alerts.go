package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"sigs.k8s.io/yaml"
)

const component = "manifests/components/monitoring"

// promtool is built by run.sh, which says where.
func promtool() (string, error) {
	if path := os.Getenv("PROMTOOL"); path != "" {
		return path, nil
	}
	path, err := exec.LookPath("promtool")
	if err != nil {
		return "", fmt.Errorf("failed to find promtool, which run.sh builds (make manifests-check): %w", err)
	}
	return path, nil
}

// EveryAlertFiresWhenItShould has promtool check the rules and run their unit tests, of which each alert has one.
func EveryAlertFiresWhenItShould(tree Tree) error {
	tool, err := promtool()
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "alerts-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	rule, err := rules(tree)
	if err != nil {
		return err
	}
	spec, err := yaml.Marshal(rule.Spec)
	if err != nil {
		return err
	}
	tests, err := tree.Read(component, "tests", "alerts.yaml")
	if err != nil {
		return err
	}
	files := map[string]string{"rules.yaml": string(spec), "alerts.yaml": tests}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	for _, args := range [][]string{{"check", "rules", "--lint=all", "--lint-fatal", "rules.yaml"}, {"test", "rules", "alerts.yaml"}} {
		command := exec.Command(tool, args...)
		command.Dir = folder
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("promtool %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return tested(rule, tests)
}

func rules(tree Tree) (rule monitoring.PrometheusRule, err error) {
	text, err := tree.Read(component, "prometheus-rule.yaml")
	if err != nil {
		return rule, err
	}
	return rule, yaml.UnmarshalStrict([]byte(text), &rule)
}

func tested(rule monitoring.PrometheusRule, tests string) error {
	for _, group := range rule.Spec.Groups {
		for _, one := range group.Rules {
			if !strings.Contains(tests, "alertname: "+one.Alert+"\n") {
				return fmt.Errorf("no test in which %s fires", one.Alert)
			}
		}
	}
	return nil
}

// EveryAlertHasARunbook asks that each alert's page is there and says the three things.
func EveryAlertHasARunbook(tree Tree) error {
	rule, err := rules(tree)
	if err != nil {
		return err
	}
	pages, err := filepath.Glob(tree.Path("docs", "runbooks", "*.md"))
	if err != nil {
		return err
	}
	alerts := 0
	for _, group := range rule.Spec.Groups {
		for _, one := range group.Rules {
			alerts++
			file := "docs/runbooks/" + one.Alert + ".md"
			if !strings.HasSuffix(one.Annotations["runbook_url"], "/"+file) {
				return fmt.Errorf("%s points to %q, not to %s", one.Alert, one.Annotations["runbook_url"], file)
			}
			page, err := tree.Read(file)
			if err != nil {
				return err
			}
			for _, part := range []string{"# " + one.Alert, "**What it means.**", "**How to look.**", "**How to mend.**"} {
				if !strings.Contains(page, part) {
					return fmt.Errorf("%s lacks %q", file, part)
				}
			}
		}
	}
	if alerts != len(pages) {
		return fmt.Errorf("%d alerts, %d runbooks", alerts, len(pages))
	}
	return nil
}

var (
	documented = regexp.MustCompile("(?m)^\\| `(analysis_[a-z_]+)` \\| (counter|gauge|histogram|info) \\|")
	used       = regexp.MustCompile(`\banalysis_[a-z_]+\b`)
	series     = regexp.MustCompile(`^(analysis_[a-z_]+?)(_bucket|_sum|_count)?$`)
)

// EveryMetricIsDocumented asks that rules, their tests, runbooks and dashboard use only metrics of docs/reference/metrics.md, and
// that the dashboard's queries are ones.
func EveryMetricIsDocumented(tree Tree) error {
	table, err := tree.Read("docs", "reference", "metrics.md")
	if err != nil {
		return err
	}
	kinds := map[string]string{}
	for _, match := range documented.FindAllStringSubmatch(table, -1) {
		kinds[match[1]] = match[2]
	}
	if len(kinds) == 0 {
		return errors.New("docs/reference/metrics.md has no table of metrics")
	}
	var problems []error
	files := []string{component + "/prometheus-rule.yaml", component + "/tests/alerts.yaml", component + "/dashboards/analysis-jobs.json"}
	pages, _ := filepath.Glob(tree.Path("docs", "runbooks", "*.md"))
	for _, page := range pages {
		files = append(files, "docs/runbooks/"+filepath.Base(page))
	}
	for _, file := range files {
		text, err := tree.Read(file)
		if err != nil {
			return err
		}
		for _, name := range used.FindAllString(text, -1) {
			match := series.FindStringSubmatch(name)
			whole := kinds[name] == "counter" || kinds[name] == "gauge" || kinds[name] == "info"
			part := kinds[match[1]] == "histogram" && match[2] != ""
			if !whole && !part && name != "analysis_operator" {
				problems = append(problems, fmt.Errorf("%s: %s is not in docs/reference/metrics.md", file, name))
			}
		}
	}
	return errors.Join(append(problems, queries(tree)...)...)
}

var variable = regexp.MustCompile(`\$\{?[a-z]+\}?`)

// queries has promtool parse each query of the dashboard.
func queries(tree Tree) (problems []error) {
	text, err := tree.Read(component, "dashboards", "analysis-jobs.json")
	if err != nil {
		return []error{err}
	}
	var dashboard struct {
		UID, Title string
		Panels     []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		return []error{fmt.Errorf("failed to read the dashboard: %w", err)}
	}
	tool, err := promtool()
	if err != nil {
		return []error{err}
	}
	var all []map[string]string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			query := variable.ReplaceAllString(target.Expr, "x")
			all = append(all, map[string]string{"record": fmt.Sprintf("panel:%d", len(all)), "expr": query})
		}
	}
	if dashboard.UID == "" || len(all) < 10 {
		return []error{fmt.Errorf("the dashboard has %d queries, uid %q", len(all), dashboard.UID)}
	}
	rules, err := json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": all}}})
	if err != nil {
		return []error{err}
	}
	command := exec.Command(tool, "check", "rules")
	command.Stdin = strings.NewReader(string(rules))
	if out, err := command.CombinedOutput(); err != nil {
		problems = append(problems, fmt.Errorf("a query of the dashboard is wrong: %s", out))
	}
	return problems
}
