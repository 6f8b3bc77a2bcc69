//! The plan: a header line and one line per item, written once by the plan step and read by every worker.

use frame::MoviePath;
use serde::{Deserialize, Serialize};

use crate::{
    document::{Items, header_and_lines, parse_item},
    ledger::sha256,
};

/// The longest name of a run, as a Kubernetes label's value may be.
const MAX_RUN_ID: usize = 63;

/// Names a run: the AnalysisJob's generation and eight hex digits of what the work depends on, such as `4-7c9f03ab`: few enough for the
/// name of a Job, and enough that a job which scans every day for ten years does not meet an old run's papers.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunId(String);

impl RunId {
    /// The run of `generation` whose work is described by `document` (the spec as canonical JSON).
    pub fn new(generation: u64, document: &str) -> Self {
        let digest = sha256(document.as_bytes());
        Self(format!("{generation}-{}", digest.get(7..15).unwrap_or_default()))
    }

    /// A run named elsewhere: lower-case letters, digits and dashes, as names of Kubernetes objects have them. `None` for
    /// anything else: the name becomes a folder's.
    pub fn named(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ((1..=MAX_RUN_ID).contains(&text.len()) && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The run's folder below the output, without a slash at its end.
    pub fn folder(&self) -> String {
        format!("{}/{}", crate::names::RUNS_FOLDER, self.0)
    }

    /// Where the plan stands, relative to the output.
    pub fn plan_file(&self) -> String {
        format!("{}/plan.jsonl", self.folder())
    }

    /// The folder of the indexes' failures, relative to the output.
    pub fn index_failures_folder(&self) -> String {
        format!("{}/failures", self.folder())
    }

    /// Where the failures of index `index` stand, relative to the output.
    pub fn index_failures_file(&self, index: u32) -> String {
        format!("{}/{index}.jsonl", self.index_failures_folder())
    }

    /// Where the failures of the whole run stand, relative to the output.
    pub fn failures_file(&self) -> String {
        format!("{}/failures.jsonl", self.folder())
    }
}

impl std::fmt::Display for RunId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The items a run has to do, in the order of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What stands in the header line.
    pub header: PlanHeader,
    /// The movies to do, at most one line each.
    pub items: Vec<MoviePath>,
}

/// The first line of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanHeader {
    /// The run.
    pub run: RunId,
    /// Movies the AnalysisJob selects.
    pub discovered: u64,
    /// Movies whose results already stand.
    pub up_to_date: u64,
    /// Items one index does, at least 1.
    pub items_per_index: u32,
    /// How many items follow: a plan that holds another number is not whole.
    pub items: u64,
}

/// A plan that could not be read back.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The document has no header line.
    #[error("the plan is empty")]
    Empty,
    /// A line is not what it should be.
    #[error("line {line} of the plan is not valid")]
    Line {
        /// 1-based.
        line: usize,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The items do not add up.
    #[error("the plan holds {found} items instead of {wanted}: it is not whole")]
    Items {
        /// As the header says.
        wanted: u64,
        /// What is there.
        found: u64,
    },
    /// A line names no movie.
    #[error("line {line} of the plan names no movie")]
    Item {
        /// 1-based.
        line: usize,
        /// The cause.
        #[source]
        source: frame::PathError,
    },
}

impl PlanHeader {
    /// How many indexes the work has.
    pub fn indexes(&self) -> u32 {
        self.items.div_ceil(u64::from(self.items_per_index.max(1))) as u32
    }
}

impl Plan {
    /// As JSON lines: the header, then the items.
    pub fn to_json_lines(&self) -> Result<String, serde_json::Error> {
        let mut items = Items::default();
        self.items.iter().try_for_each(|movie| items.push(movie))?;
        Ok(items.under(self.header.clone())?.into_text())
    }

    /// Reads what [`Plan::to_json_lines`] wrote, if it is whole.
    pub fn from_json_lines(text: &str) -> Result<Self, PlanError> {
        let (header, lines) = header_and_lines(text)?;
        let items: Vec<_> = lines.map(|(number, line)| parse_item(number, line)).collect::<Result<_, _>>()?;
        let (wanted, found) = (header.items, items.len() as u64);
        if wanted == found { Ok(Self { header, items }) } else { Err(PlanError::Items { wanted, found }) }
    }

    /// The header and the items of `index` alone, read from a whole plan's document: a pod needs no more of a million.
    pub fn slice_of_json_lines(text: &str, index: u32) -> Result<(PlanHeader, Vec<MoviePath>), PlanError> {
        let (header, lines) = header_and_lines(text)?;
        let size = header.items_per_index.max(1) as usize;
        let mine = lines.skip(size.saturating_mul(index as usize)).take(size);
        let items = mine.map(|(number, line)| parse_item(number, line)).collect::<Result<_, _>>()?;
        Ok((header, items))
    }

    /// How many indexes the work has.
    pub fn indexes(&self) -> u32 {
        self.header.indexes()
    }

    /// The items of `index`; empty beyond the last. An index never splits a movie.
    pub fn slice(&self, index: u32) -> &[MoviePath] {
        let size = self.header.items_per_index.max(1) as usize;
        self.items.chunks(size).nth(index as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(items: usize, per_index: u32) -> Plan {
        let items: Vec<_> = (0..items).map(|n| MoviePath::parse(&format!("A/{n}.mov")).unwrap()).collect();
        let run = RunId::new(4, "{}");
        let count = items.len() as u64;
        let header = PlanHeader { run, discovered: 9, up_to_date: 2, items_per_index: per_index, items: count };
        Plan { header, items }
    }

    #[test]
    fn a_run_id_is_the_generation_and_eight_hex_digits() {
        assert_eq!(RunId::new(4, "{}").to_string(), "4-44136fa3");
        assert_eq!(RunId::new(4, "{}").plan_file(), ".analysis/4-44136fa3/plan.jsonl");
        assert_ne!(RunId::new(4, "{}"), RunId::new(4, "{} "));
    }

    #[test]
    fn a_run_named_elsewhere_cannot_leave_its_folder() {
        assert_eq!(RunId::named("4-7c9f").unwrap().folder(), ".analysis/4-7c9f");
        for text in ["", "..", "a/b", "4_7", "A", &"4".repeat(64)] {
            assert_eq!(RunId::named(text), None, "{text}");
        }
    }

    #[test]
    fn a_plan_that_is_cut_off_is_not_whole() {
        let text = plan(3, 1).to_json_lines().unwrap();
        let cut = text.trim_end().rsplit_once('\n').unwrap().0;
        let error = Plan::from_json_lines(cut).unwrap_err().to_string();
        assert_eq!(error, "the plan holds 2 items instead of 3: it is not whole");
    }

    #[test]
    fn a_damaged_plan_names_the_line() {
        let text = plan(2, 1).to_json_lines().unwrap();
        let error = Plan::from_json_lines(&text.replace("1.mov", "../1.mov")).unwrap_err();
        assert_eq!(error.to_string(), "line 3 of the plan names no movie");
        assert!(matches!(Plan::from_json_lines(""), Err(PlanError::Empty)));
        assert_eq!(Plan::from_json_lines("{").unwrap_err().to_string(), "line 1 of the plan is not valid");
    }

    proptest! {
        #[test]
        fn the_slices_are_the_items_in_order(items in 0usize..50, per_index in 0u32..12) {
            let plan = plan(items, per_index);
            let joined: Vec<_> = (0..plan.indexes()).flat_map(|index| plan.slice(index).to_vec()).collect();
            prop_assert_eq!(&joined, &plan.items);
            prop_assert!(plan.slice(plan.indexes()).is_empty());
        }

        #[test]
        fn a_plan_reads_back_as_written(items in 0usize..20) {
            let plan = plan(items, 3);
            let text = plan.to_json_lines().unwrap();
            for index in 0..=plan.indexes() {
                let (header, slice) = Plan::slice_of_json_lines(&text, index).unwrap();
                prop_assert_eq!((&header, &slice[..]), (&plan.header, plan.slice(index)));
            }
            prop_assert_eq!(Plan::from_json_lines(&text).unwrap(), plan);
        }
    }
}
