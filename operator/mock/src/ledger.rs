//! The output of one AnalysisJob as a table: which item is done, computed how often, and what killed pods cost.

use std::collections::{BTreeMap, BTreeSet};

use plan::{Counts, Failure, Summary};

use crate::{
    cluster::Stuck,
    datapods::{Hands, failure},
};

/// One movie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item {
    /// Whether its result stands.
    pub done: bool,
    /// How often it was computed to the end.
    pub computed: u32,
    /// How often a pod began with it.
    pub begun: u32,
    /// How often its source has changed after it was done.
    pub touched: u32,
    /// Why it cannot be computed.
    pub broken: Option<String>,
}

/// What one run is about.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// The items of its plan, in order.
    pub selected: Vec<usize>,
    /// Items that were done before.
    pub up_to_date: usize,
    /// How often it was planned.
    pub planned: u32,
    /// Items it gave up.
    pub failed: BTreeMap<usize, String>,
}

/// What a work pod has in hand.
#[derive(Clone, Debug, Default)]
pub struct Hand {
    /// The item, and the steps it still takes.
    pub item: Option<(usize, u32)>,
    pub(crate) up_to_date: u64,
    pub(crate) succeeded: u64,
    pub(crate) failures: Vec<Failure>,
    seen: BTreeSet<usize>,
}

/// The output of one AnalysisJob.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The archive.
    pub items: Vec<Item>,
    /// Items of one index.
    pub items_per_index: usize,
    /// Steps an item takes.
    pub steps_per_item: u32,
    /// Steps a plan takes.
    pub steps_to_plan: u32,
    /// Every data pod exits 78 with this reason and message.
    pub misconfigured: Option<(String, String)>,
    /// The archive is down: data pods wait.
    pub outage: bool,
    /// Pods of these roles do not get to run.
    pub held: BTreeMap<String, Stuck>,
    /// The runs, by id.
    pub runs: BTreeMap<String, Run>,
    /// Items that were in hand when a pod ended without finishing them.
    pub lost_in_hand: u32,
    /// Times two pods had the same item in hand.
    pub collisions: u32,
    /// Work pods that ran before there was a plan of their run.
    pub workers_without_plan: u32,
    /// Collect pods that ended.
    pub collected: u32,
    pub(crate) hands: Hands,
}

impl Ledger {
    /// An archive of so many items, none done; one item an index, one step an item.
    pub fn new(items: usize) -> Self {
        Self {
            items: vec![Item::default(); items],
            items_per_index: 1,
            steps_per_item: 1,
            steps_to_plan: 1,
            misconfigured: None,
            outage: false,
            held: BTreeMap::new(),
            runs: BTreeMap::new(),
            lost_in_hand: 0,
            collisions: 0,
            workers_without_plan: 0,
            collected: 0,
            hands: Hands::new(),
        }
    }

    /// The path of an item.
    pub fn name(item: usize) -> String {
        format!("RS03ASHS/PN03B/06-CAMHDA301/CAMHDA301-{item:06}.mov")
    }

    /// Items that are neither done nor broken.
    pub fn missing(&self) -> usize {
        self.items.iter().filter(|item| !item.done && item.broken.is_none()).count()
    }

    /// Items done.
    pub fn done(&self) -> usize {
        self.items.iter().filter(|item| item.done).count()
    }

    /// Computations whose result stood already.
    pub fn computed_twice(&self) -> u32 {
        self.items.iter().map(|item| item.computed.saturating_sub(1 + item.touched)).sum()
    }

    /// Beginnings that neither led to a result nor were in the hand of a pod that was killed; broken items aside.
    pub fn unexplained(&self) -> i64 {
        let sound = || self.items.iter().filter(|item| item.broken.is_none());
        let (begun, computed): (u32, u32) =
            (sound().map(|item| item.begun).sum(), sound().map(|item| item.computed).sum());
        let in_hand = self.hands.values().filter(|hand| hand.item.is_some()).count() as i64;
        i64::from(begun) - i64::from(computed) - i64::from(self.lost_in_hand) - in_hand
    }

    /// The source of an item has changed: its result no longer stands.
    pub fn touch(&mut self, item: usize) {
        if let Some(item) = self.items.get_mut(item).filter(|item| item.done) {
            item.done = false;
            item.touched += 1;
        }
    }

    /// An item cannot be computed, for this reason, until [`Ledger::mend`].
    pub fn break_item(&mut self, item: usize, reason: &str) {
        if let Some(item) = self.items.get_mut(item) {
            item.broken = Some(reason.to_owned());
        }
    }

    /// An item can be computed again.
    pub fn mend(&mut self, item: usize) {
        if let Some(item) = self.items.get_mut(item) {
            item.broken = None;
        }
    }

    /// New items appear in the archive.
    pub fn grow(&mut self, items: usize) {
        self.items.resize(self.items.len() + items, Item::default());
    }

    /// Writes the plan of a run: what is not done. A plan of the same run is written over.
    pub(crate) fn plan(&mut self, run: &str) -> &Run {
        let selected: Vec<usize> = (0..self.items.len()).filter(|item| !self.items[*item].done).collect();
        let up_to_date = self.items.len() - selected.len();
        let run = self.runs.entry(run.to_owned()).or_default();
        *run = Run { selected, up_to_date, planned: run.planned + 1, failed: std::mem::take(&mut run.failed) };
        run
    }

    /// The truth of a run, from the output.
    pub(crate) fn truth(&self, run: &str) -> Summary {
        let nothing = Run { up_to_date: self.done(), ..Run::default() };
        let run = self.runs.get(run).unwrap_or(&nothing);
        let done = run.selected.iter().filter(|item| self.items[**item].done).count();
        let failures: Vec<Failure> = run.failed.iter().map(|(item, reason)| failure(*item, reason)).collect();
        let items = Counts {
            total: (run.selected.len() + run.up_to_date) as u64,
            up_to_date: run.up_to_date as u64,
            succeeded: done as u64,
            failed: (run.selected.len() - done) as u64,
        };
        Summary { items, failures }
    }

    /// One step of a work pod; `true` when its slice is through.
    pub(crate) fn go_on(&mut self, pod: &str, run: &str, slice: &[usize]) -> bool {
        if self.hands.get(pod).is_none_or(|hand| hand.item.is_none()) && !self.take(pod, slice) {
            return true;
        }
        self.compute(pod, run);
        false
    }

    /// Takes the next item of the slice that is not done; `false` when there is none.
    fn take(&mut self, pod: &str, slice: &[usize]) -> bool {
        let mut hand = self.hands.remove(pod).unwrap_or_default();
        for item in slice {
            if !hand.seen.insert(*item) {
                continue;
            }
            if self.items[*item].done {
                hand.up_to_date += 1;
                continue;
            }
            let others = self.hands.values().filter(|other| other.item.is_some_and(|(held, _)| held == *item));
            self.collisions += others.count() as u32;
            self.items[*item].begun += 1;
            hand.item = Some((*item, self.steps_per_item));
            break;
        }
        let taken = hand.item.is_some();
        self.hands.insert(pod.to_owned(), hand);
        taken
    }

    /// One step of the item in hand.
    pub(crate) fn compute(&mut self, pod: &str, run: &str) {
        let Some(hand) = self.hands.get_mut(pod) else { return };
        let Some((item, left)) = hand.item else { return };
        if left > 1 {
            hand.item = Some((item, left - 1));
            return;
        }
        hand.item = None;
        if let Some(reason) = self.items[item].broken.clone() {
            hand.failures.push(failure(item, &reason));
            self.runs.entry(run.to_owned()).or_default().failed.insert(item, reason);
            return;
        }
        hand.succeeded += 1;
        self.items[item].done = true;
        self.items[item].computed += 1;
    }

    /// A pod ends with whatever it has in hand.
    pub(crate) fn lose_hand(&mut self, pod: &str) {
        let hand = self.hands.remove(pod);
        if let Some((item, _)) = hand.and_then(|hand| hand.item)
            && self.items[item].broken.is_none()
        {
            self.lost_in_hand += 1;
        }
    }
}
