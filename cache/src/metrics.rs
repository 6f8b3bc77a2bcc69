//! What happened, counted: by stage, by tier, by gate. `GET /metrics` prints it.

use std::{fmt, sync::atomic::AtomicU64, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::tier::What;

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// The word in metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
                self.as_str().encode(encoder)
            }
        }
    };
}

words! {
    /// The stages of an answer.
    Stage {
        /// Reading a movie's index from the origin.
        Index = "index",
        /// Reading a frame's bytes from the origin.
        Fetch = "fetch",
        /// Decoding and colours.
        Decode = "decode",
        /// Scaling and encoding.
        Encode = "encode",
    }
}

words! {
    /// Where something may be kept.
    Tier {
        /// In memory.
        Memory = "memory",
        /// On disk.
        Disk = "disk",
    }
}

words! {
    /// What is bounded.
    GateName {
        /// Requests to one origin.
        Origin = "origin",
        /// Frames decoded at once.
        Decode = "decode",
        /// Bytes held for answers under way.
        Bytes = "bytes",
    }
}

words! {
    /// Why something is not kept on disk, or not found there.
    DiskTrouble {
        /// It could not be written: not writable, full.
        Write = "write",
        /// It could not be read.
        Read = "read",
        /// It was damaged.
        Damaged = "damaged",
        /// Writing cannot keep up.
        Behind = "behind",
        /// Writing failed a moment ago and is left alone.
        Paused = "paused",
    }
}

impl EncodeLabelValue for What {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        self.as_str().encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabel {
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WhatLabel {
    what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LookupLabel {
    tier: Tier,
    what: What,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GateLabel {
    gate: GateName,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DiskLabel {
    trouble: DiskTrouble,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TierLabel {
    tier: Tier,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// What is counted. One for a process, or for a test.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    stages: Family<StageLabel, Histogram, fn() -> Histogram>,
    runs: Family<StageLabel, Counter>,
    failures: Family<KindLabel, Counter>,
    lookups: Family<LookupLabel, Counter>,
    joined: Family<WhatLabel, Counter>,
    refused: Family<GateLabel, Counter>,
    waiting: Family<GateLabel, Gauge>,
    taken: Family<GateLabel, Gauge>,
    held: Family<TierLabel, Gauge>,
    evicted: Family<WhatLabel, Counter>,
    disk: Family<DiskLabel, Counter>,
    origin_requests: Counter,
    origin_retries: Counter,
    origin_bytes: Counter<u64, AtomicU64>,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.0, 16))
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("lazycache"),
            stages: Family::new_with_constructor(seconds),
            runs: Family::default(),
            failures: Family::default(),
            lookups: Family::default(),
            joined: Family::default(),
            refused: Family::default(),
            waiting: Family::default(),
            taken: Family::default(),
            held: Family::default(),
            evicted: Family::default(),
            disk: Family::default(),
            origin_requests: Counter::default(),
            origin_retries: Counter::default(),
            origin_bytes: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let stages = self.stages.clone();
        registry.register_with_unit(
            "stage",
            "How long the stages of answers took, where they ran",
            Unit::Seconds,
            stages,
        );
        registry.register("stage_runs", "How often the stages of answers ran", self.runs.clone());
        registry.register("failures", "Answers that failed, by kind of error", self.failures.clone());
        registry.register("lookups", "What was looked for in a tier, and whether it was there", self.lookups.clone());
        registry.register("joined", "Requests that shared the work of another one", self.joined.clone());
        registry.register("refused", "Requests sent away because too many waited", self.refused.clone());
        registry.register("waiting", "Requests waiting at a gate", self.waiting.clone());
        registry.register("taken", "Places taken behind a gate", self.taken.clone());
        registry.register_with_unit("tier_held", "Bytes a tier holds", Unit::Bytes, self.held.clone());
        registry.register("disk_evictions", "Entries removed from the disk to make room", self.evicted.clone());
        registry.register("disk_trouble", "Entries not kept on disk, or not found there, and why", self.disk.clone());
        registry.register("origin_requests", "Requests to origins", self.origin_requests.clone());
        registry.register("origin_retries", "Requests to origins that were tried again", self.origin_retries.clone());
        registry.register_with_unit("origin_read", "Bytes read from origins", Unit::Bytes, self.origin_bytes.clone());
    }

    /// A stage ran for so long.
    pub fn ran(&self, stage: Stage, took: Duration) {
        self.stages.get_or_create(&StageLabel { stage }).observe(took.as_secs_f64());
        self.runs.get_or_create(&StageLabel { stage }).inc();
    }

    /// How often a stage ran.
    pub fn runs(&self, stage: Stage) -> u64 {
        self.runs.get_or_create(&StageLabel { stage }).get()
    }

    /// An answer failed.
    pub fn failed(&self, kind: &'static str) {
        self.failures.get_or_create(&KindLabel { kind }).inc();
    }

    pub(crate) fn looked_up(&self, tier: Tier, what: What, found: bool) {
        let result = if found { "hit" } else { "miss" };
        self.lookups.get_or_create(&LookupLabel { tier, what, result }).inc();
    }

    /// How often something was found in a tier.
    pub fn hits(&self, tier: Tier, what: What) -> u64 {
        self.lookups.get_or_create(&LookupLabel { tier, what, result: "hit" }).get()
    }

    pub(crate) fn joined(&self, what: What) {
        self.joined.get_or_create(&WhatLabel { what }).inc();
    }

    pub(crate) fn refused(&self, gate: GateName) {
        self.refused.get_or_create(&GateLabel { gate }).inc();
    }

    /// How many were sent away at a gate.
    pub fn refusals(&self, gate: GateName) -> u64 {
        self.refused.get_or_create(&GateLabel { gate }).get()
    }

    pub(crate) fn gate(&self, gate: GateName, waiting: usize, taken: usize) {
        self.waiting.get_or_create(&GateLabel { gate }).set(waiting as i64);
        self.taken.get_or_create(&GateLabel { gate }).set(taken as i64);
    }

    pub(crate) fn holds(&self, tier: Tier, bytes: u64) {
        self.held.get_or_create(&TierLabel { tier }).set(bytes as i64);
    }

    pub(crate) fn evicted(&self, what: What) {
        self.evicted.get_or_create(&WhatLabel { what }).inc();
    }

    pub(crate) fn disk_trouble(&self, trouble: DiskTrouble) {
        self.disk.get_or_create(&DiskLabel { trouble }).inc();
    }

    /// How often the disk gave trouble of this kind.
    pub fn disk_troubles(&self, trouble: DiskTrouble) -> u64 {
        self.disk.get_or_create(&DiskLabel { trouble }).get()
    }

    pub(crate) fn asked_origin(&self, again: bool) {
        self.origin_requests.inc();
        if again {
            self.origin_retries.inc();
        }
    }

    pub(crate) fn read_from_origin(&self, bytes: u64) {
        self.origin_bytes.inc_by(bytes);
    }

    /// All of it, as `OpenMetrics` text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_printed() {
        let metrics = Metrics::default();
        metrics.ran(Stage::Decode, Duration::from_millis(30));
        metrics.looked_up(Tier::Disk, What::Packet, true);
        metrics.disk_trouble(DiskTrouble::Write);
        let text = metrics.text();
        for line in [
            "lazycache_stage_seconds_count{stage=\"decode\"} 1",
            "lazycache_lookups_total{tier=\"disk\",what=\"packet\",result=\"hit\"} 1",
            "lazycache_disk_trouble_total{trouble=\"write\"} 1",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
    }
}
