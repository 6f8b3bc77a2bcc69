//! `spec.source`: the archive, and which of its movies count.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    pod::{KeyRef, LocalObjectRef},
    rule::{Rule, rules},
};

/// Where the movies are and which of them count: at most one of prefixes, items and itemsFrom names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(SOURCE_RULES)))]
pub struct Source {
    /// The archive's HTTP server.
    pub http: HttpArchive,
    /// Folders below rootURL in which movies are looked for, such as `RS03ASHS/PN03B/06-CAMHDA301/`; at most 100, each
    /// at most 512 characters, without a leading slash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 100),
        inner(length(min = 1, max = 512), regex(pattern = r"^[^/\s][^\s]*$")),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub prefixes: Option<Vec<String>>,
    /// The movies themselves, as paths below rootURL; at most 1,000, each at most 1,024 characters. More belong into
    /// itemsFrom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 1000),
        inner(length(min = 1, max = 1024), regex(pattern = r"^[^/\s][^\s]*$")),
        extend("x-kubernetes-list-type" = "set")
    )]
    pub items: Option<Vec<String>>,
    /// The movies as a list kept elsewhere: one path below rootURL per line; empty lines and lines starting with `#`
    /// do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_from: Option<ItemsFrom>,
    /// Globs on the path below rootURL; a movie counts when one of them fits. `**` crosses folders, `*` does not. At
    /// most 64, each at most 256 characters. Default: `**/*.mov`.
    #[serde(default = "every_mov")]
    #[schemars(
        length(min = 1, max = 64),
        inner(length(min = 1, max = 256)),
        // Atomic, for a set would be merged with the default, which belongs to nobody.
        extend("x-kubernetes-list-type" = "atomic")
    )]
    pub include: Vec<String>,
    /// Globs on the path below rootURL; a movie does not count when one of them fits, whatever include says. At most
    /// 64, each at most 256 characters. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(min = 1, max = 256)), extend("x-kubernetes-list-type" = "set"))]
    pub exclude: Vec<String>,
    /// Only movies of these days (UTC), with prefixes. Without dateLayout the day is read from the movie's name
    /// (`CAMHDA301-20180701T000000Z.mov`). Default: every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_range: Option<DateRange>,
    /// The folders below each prefix by day, such as `{yyyy}/{mm}/{dd}/`: only the days of dateRange are listed, which
    /// spares the archive a crawl. Tokens: `{yyyy}`, `{mm}`, `{dd}`. At most 128 characters. Default: every folder
    /// below the prefix is looked into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128), regex(pattern = r"^[^/\s][^\s]*$"))]
    pub date_layout: Option<String>,
    /// At most so many movies, the first in the order of their paths; 1 to 10,000,000. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub limit: Option<u32>,
}

const SOURCE_RULES: &[Rule] = &[
    Rule(
        "[has(self.prefixes), has(self.items), has(self.itemsFrom)].filter(x, x).size() <= 1",
        "set exactly one of prefixes, items and itemsFrom",
        "",
    ),
    Rule(
        "!has(self.dateRange) || !(has(self.items) || has(self.itemsFrom))",
        "dateRange chooses among the movies below prefixes: remove it, or name prefixes instead of items",
        ".dateRange",
    ),
    Rule(
        "!has(self.dateLayout) || has(self.dateRange)",
        "dateLayout lists the days of dateRange: set dateRange, or remove dateLayout",
        ".dateLayout",
    ),
];

fn every_mov() -> Vec<String> {
    vec!["**/*.mov".to_owned()]
}

/// An archive reached by HTTP, with range requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpArchive {
    /// The address all paths are below, such as `https://rawdata.oceanobservatories.org/files/`; http or https, at most
    /// 1,024 characters, without query, fragment and password.
    #[serde(rename = "rootURL")]
    #[schemars(length(min = 8, max = 1024), regex(pattern = r"^https?://[^\s?#]+$"))]
    pub root_url: String,
    /// The most requests the whole job has under way at the archive at a time, shared by the cache's pods; 1 to 1,000.
    /// Default: 64.
    #[serde(default = "polite_ceiling")]
    #[schemars(range(min = 1, max = 1000))]
    pub max_concurrent_requests: u32,
    /// A Secret in the job's namespace with the key `token` (sent as bearer token), or `username` and `password`.
    /// Default: requests carry no credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_secret_ref: Option<LocalObjectRef>,
}

fn polite_ceiling() -> u32 {
    64
}

/// A list of movies kept outside the AnalysisJob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ItemsFrom {
    /// The key of a ConfigMap in the job's namespace that holds the list.
    pub config_map_key_ref: KeyRef,
}

/// Days, UTC: either from (and to), or lastDays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("x-kubernetes-validations" = rules(DATE_RANGE_RULES)))]
pub struct DateRange {
    /// The first day, as yyyy-mm-dd.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 10, max = 10), regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub from: Option<String>,
    /// The last day, as yyyy-mm-dd; it counts too. Default: until today, at every scan.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 10, max = 10), regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub to: Option<String>,
    /// Today and the days before it, so many in all; 1 to 36,500.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36_500))]
    pub last_days: Option<u32>,
}

const DATE_RANGE_RULES: &[Rule] = &[
    Rule("has(self.from) != has(self.lastDays)", "set exactly one of from and lastDays", ""),
    Rule("!has(self.to) || has(self.from)", "to ends what from begins: set from, or remove to", ".to"),
    Rule("!has(self.to) || !has(self.from) || self.from <= self.to", "to is before from: exchange them", ".to"),
];
