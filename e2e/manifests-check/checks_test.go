package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// checks are all that this package promises.
var checks = []func(Tree) error{
	EveryObjectFitsItsSchema,
	EveryPodIsSafeAndWatched,
	ProductionSurvivesADrain,
	ThePermissionsAreTheList,
	UsersGetAnalysisJobs,
	EveryPodHasAPolicy,
	EverySettingIsAFlag,
	TestAndProductionAreApart,
	EveryVersionIsTheProjects,
	TheChartIsClean,
	WrongValuesAreRefused,
	TheChartsCopiesAreFresh,
	TheCRDIsUpgradedAndKept,
	TheChartMakesWhatKustomizeMakes,
	ArgoSeesTheHealth,
	FluxSeesTheHealth,
	EveryAlertFiresWhenItShould,
	EveryAlertHasARunbook,
	EveryMetricIsDocumented,
}

// root is the repository's.
const root = Tree("../..")

func name(check func(Tree) error) string {
	full := runtime.FuncForPC(reflect.ValueOf(check).Pointer()).Name()
	return full[strings.LastIndex(full, ".")+1:]
}

func TestRepository(t *testing.T) {
	for _, check := range checks {
		t.Run(name(check), func(t *testing.T) {
			if err := check(root); err != nil {
				t.Error(err)
			}
		})
	}
}

// copied gives a copy of what the checks read, to be broken.
func copied(t *testing.T) Tree {
	t.Helper()
	tree := Tree(t.TempDir())
	for _, part := range []string{"manifests", "chart", "crds", "docs/runbooks", "docs/reference/metrics.md", "Cargo.toml"} {
		target := tree.Path(part)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("cp", "-r", root.Path(part), target).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return tree
}
