//! The data pods, in a few lines each: plan, work and collect on an output that is a table in memory.
//!
//! They keep the contract of the real ones: exit codes, termination messages, what SIGTERM does; a plan of the same run
//! is written anew, and a work pod does the slice of the plan it finds. What they did is told by [`Ledger`]: which item
//! was computed how often, and what was in hand when a pod was killed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use plan::{Counts, Failure, Summary, exit};
use serde_json::{Value, json};

use crate::{
    cluster::{PodInfo, Script, Stuck, Turn},
    ledger::{Hand, Ledger},
};

type Ledgers = BTreeMap<(String, String), Ledger>;

/// A script for all pods the operator makes. Clones share their ledgers: keep one to ask, give one to the cluster.
#[derive(Clone)]
pub struct DataPods {
    ledgers: Arc<Mutex<Ledgers>>,
    items: usize,
}

impl DataPods {
    /// Data pods of archives with so many items, unless [`DataPods::with`] says otherwise for an AnalysisJob.
    pub fn new(items: usize) -> Self {
        Self { ledgers: Arc::default(), items }
    }

    /// Looks at, or changes, the ledger of one AnalysisJob.
    pub fn with<T>(&self, namespace: &str, name: &str, look: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledgers = self.ledgers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_owned(), name.to_owned());
        look(ledgers.entry(key).or_insert_with(|| Ledger::new(self.items)))
    }

    /// A copy of the ledger of one AnalysisJob.
    pub fn ledger(&self, namespace: &str, name: &str) -> Ledger {
        self.with(namespace, name, |ledger| ledger.clone())
    }

    fn of<T>(&self, pod: &PodInfo, look: impl FnOnce(&mut Ledger) -> T) -> T {
        self.with(&pod.namespace, &pod.analysis_job, look)
    }
}

impl Script for DataPods {
    fn held(&mut self, pod: &PodInfo) -> Option<Stuck> {
        self.of(pod, |ledger| ledger.held.get(&pod.role).cloned())
    }

    fn step(&mut self, pod: &PodInfo) -> Turn {
        self.of(pod, |ledger| match (pod.role.as_str(), &ledger.misconfigured) {
            ("cache", _) => Turn::Goes,
            // A queue's workers, who are told their items by the list: here those who feed it do them.
            ("work", _) if pod.job.is_empty() => Turn::Goes,
            (_, Some((reason, message))) => misconfigured(reason, message),
            _ if ledger.outage => Turn::Goes,
            ("plan", _) if pod.ran >= ledger.steps_to_plan => plan_ends(ledger, pod),
            ("collect", _) => collect_ends(ledger, pod),
            ("work" | "feed", _) => work(ledger, pod),
            _ => Turn::Goes,
        })
    }

    fn asked_to_end(&mut self, pod: &PodInfo) -> Turn {
        self.of(pod, |ledger| match pod.role.as_str() {
            "work" if pod.job.is_empty() => Turn::ends(0, ""),
            "work" | "feed" => drain(ledger, pod),
            "cache" => Turn::ends(0, ""),
            _ => Turn::ends(i32::from(exit::INTERRUPTED), ""),
        })
    }

    fn killed(&mut self, pod: &PodInfo) {
        self.of(pod, |ledger| ledger.lose_hand(pod.uid()));
    }
}

fn run_of(pod: &PodInfo) -> String {
    pod.env("ANALYSIS_RUN").unwrap_or(&pod.run).to_owned()
}

fn misconfigured(reason: &str, message: &str) -> Turn {
    Turn::ends(i32::from(exit::CONFIGURATION), json!({"error": {"reason": reason, "message": message}}).to_string())
}

fn plan_ends(ledger: &mut Ledger, pod: &PodInfo) -> Turn {
    let run = ledger.plan(&run_of(pod));
    let (selected, up_to_date) = (run.selected.len(), run.up_to_date);
    let sample: Vec<String> = run.selected.iter().take(5).map(|item| Ledger::name(*item)).collect();
    let counts = Counts { total: (selected + up_to_date) as u64, up_to_date: up_to_date as u64, ..Counts::default() };
    let mut message = said(&Summary { items: counts, failures: Vec::new() });
    message["plan"] = json!({
        "selected": selected, "indexes": selected.div_ceil(ledger.items_per_index), "itemsPerIndex": ledger.items_per_index,
        "digest": format!("sha256:{:064x}", selected), "sample": sample,
    });
    Turn::ends(i32::from(exit::DONE), message.to_string())
}

fn said(summary: &Summary) -> Value {
    serde_json::from_str(&summary.termination_message()).unwrap_or_default()
}

fn collect_ends(ledger: &mut Ledger, pod: &PodInfo) -> Turn {
    let run = run_of(pod);
    let summary = ledger.truth(&run);
    let mut message = said(&summary);
    if summary.items.failed > 0 {
        message["report"] = json!(format!(".analysis/{run}/failures.jsonl"));
    }
    ledger.collected += 1;
    Turn::ends(i32::from(exit::DONE), message.to_string())
}

/// The items of this pod's index.
fn slice(ledger: &Ledger, pod: &PodInfo) -> Option<Vec<usize>> {
    let first: usize = pod.env("ANALYSIS_FIRST_INDEX").and_then(|text| text.parse().ok()).unwrap_or(0);
    let index = first + pod.index.unwrap_or(0) as usize;
    let run = ledger.runs.get(&run_of(pod))?;
    Some(run.selected.chunks(ledger.items_per_index).nth(index).unwrap_or_default().to_vec())
}

fn work(ledger: &mut Ledger, pod: &PodInfo) -> Turn {
    let Some(items) = slice(ledger, pod) else {
        ledger.workers_without_plan += 1;
        return misconfigured("PlanMissing", "there is no plan of this run");
    };
    if !ledger.go_on(pod.uid(), &run_of(pod), &items) {
        return Turn::Goes;
    }
    let hand = ledger.hands.remove(pod.uid()).unwrap_or_default();
    Turn::ends(i32::from(exit::DONE), said(&summary_of(&hand, items.len())).to_string())
}

fn summary_of(hand: &Hand, total: usize) -> Summary {
    let items = Counts {
        total: total as u64,
        up_to_date: hand.up_to_date,
        succeeded: hand.succeeded,
        failed: hand.failures.len() as u64,
    };
    Summary { items, failures: hand.failures.clone() }
}

/// After SIGTERM: the item in hand is ended when the grace allows, no other is taken.
fn drain(ledger: &mut Ledger, pod: &PodInfo) -> Turn {
    let in_hand = ledger.hands.get(pod.uid()).is_some_and(|hand| hand.item.is_some());
    if in_hand && pod.grace_left.is_none_or(|left| left > 10) {
        ledger.compute(pod.uid(), &run_of(pod));
        if ledger.hands.get(pod.uid()).is_some_and(|hand| hand.item.is_some()) {
            return Turn::Goes;
        }
    }
    ledger.lose_hand(pod.uid());
    Turn::ends(i32::from(exit::INTERRUPTED), "")
}

/// A failure as the real workers word it.
pub(crate) fn failure(item: usize, reason: &str) -> Failure {
    Failure {
        item: Ledger::name(item),
        reason: reason.to_owned(),
        attempts: 1,
        message: format!("{reason} of a movie that is broken on purpose"),
    }
}

/// Hands by pod.
pub(crate) type Hands = HashMap<String, Hand>;
