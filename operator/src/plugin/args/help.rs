//! What stands below the options in `--help`: examples, rights, exit codes.

pub(super) const AFTER_HELP: &str = "\
Examples:
  kubectl analysis plan job.yaml                 # what would a run do? Computes nothing
  kubectl analysis status ashes-2018 --watch     # a live view, until the end
  kubectl analysis failures ashes-2018 -o json   # what failed and why, as JSON lines
  kubectl analysis retry ashes-2018              # the failed movies once more
  kubectl analysis top -A                        # everything that is going on
  kubectl analysis report ashes-2018 --to .      # bring the report here
  kubectl analysis completions kubectl           # completion of `kubectl analysis <TAB>`

Exit codes:
  0   done; status: the AnalysisJob is complete
  1   the AnalysisJob has failed, or is stalled: someone must act
  2   the command line was not understood, or asks for what cannot be
  3   status without --watch: the run is under way
  65  the file is no valid AnalysisJob, or the API server refuses it
  66  there is no such AnalysisJob, namespace or file
  69  the API server could not be reached, or something took too long
  75  interrupted
  77  not allowed, or not logged in
  78  no usable kubeconfig, or the cluster does not know AnalysisJobs";

pub(super) const PLAN_HELP: &str = "\
Examples:
  kubectl analysis plan job.yaml
  kubectl analysis plan job.yaml -n science -o json | jq .plan.selected
  kubectl analysis plan job.yaml --check         # admitted? Makes nothing
  kubectl analysis plan job.yaml --offline       # every problem of the file, without a cluster

With a claimTemplate the claim NAME-results is looked at if it is there; otherwise an empty one is made and deleted again.
Rights: analysisjobs create, get, patch, delete; with a claimTemplate persistentvolumeclaims get, delete.
Exit codes: 0 planned, 1 the plan failed, 65 refused, 66 no such file; all others: kubectl analysis --help";

pub(super) const STATUS_HELP: &str = "\
Examples:
  kubectl analysis status ashes-2018
  kubectl analysis status ashes-2018 --watch && kubectl analysis report ashes-2018 --to .
  kubectl analysis status ashes-2018 -o json | jq .etaSeconds

Exit codes: 0 complete (or waiting for the next scan), 1 failed or stalled, 3 under way (not with --watch);
all others: kubectl analysis --help";

pub(super) const FAILURES_HELP: &str = "\
Examples:
  kubectl analysis failures ashes-2018
  kubectl analysis failures ashes-2018 --all -o json | jq -r 'select(.reason == \"NotFound\").item'

Exit codes: 0 listed (also when nothing failed), 66 no such AnalysisJob or no list yet; all others: kubectl analysis --help";

pub(super) const RETRY_HELP: &str = "\
Example:
  kubectl analysis retry ashes-2018 && kubectl analysis status ashes-2018 --watch

It gives the annotation camhd.science/retry a new value, which needs the right to patch analysisjobs.
Exit codes: 0 asked for; all others: kubectl analysis --help";

pub(super) const TOP_HELP: &str = "\
Examples:
  kubectl analysis top -A
  watch kubectl analysis top -n science
  kubectl analysis top -A -o json | jq '.[] | select(.outcome == \"stalled\").name'

RATE/H: movies ended per hour since the run's start. ACTIVE/WANTED: worker pods.
Exit codes: 0 listed; all others: kubectl analysis --help";

pub(super) const REPORT_HELP: &str = "\
Examples:
  kubectl analysis report ashes-2018
  kubectl analysis report ashes-2018 --to results/
  kubectl analysis report ashes-2018 --to . --image registry.example.org/analysis-worker:1.0

Exit codes: 0 said or copied, 66 no such AnalysisJob or no report yet, 69 the pod did not run; all others: kubectl
analysis --help";

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  source <(kubectl-analysis completions bash)

`kubectl analysis <TAB>` is completed by kubectl's own completion, which asks a program named kubectl_complete-analysis
in PATH. This makes it:
  kubectl-analysis completions kubectl > ~/.local/bin/kubectl_complete-analysis
  chmod +x ~/.local/bin/kubectl_complete-analysis

It reads:
  #!/bin/sh
  exec kubectl-analysis __complete \"$@\"";
