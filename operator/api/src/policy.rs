//! `spec.retry`, `spec.rescan` and `spec.updatePolicy`: how a run behaves over time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::number::MaxFailedItems;

/// What happens when movies fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Retry {
    /// How often a movie that failed is tried again before it is given up; 0 to 20. An eviction or an outage of the
    /// archive does not count. Default: 3.
    #[schemars(range(min = 0, max = 20))]
    pub limit_per_item: u32,
    /// How many movies may be given up before the run fails: a number, or a share of the selected movies such as
    /// "1%", rounded up. Default: "1%".
    pub max_failed_items: MaxFailedItems,
    /// The longest one movie may take, in seconds; then it has failed. 1 to 604,800. Default: 14,400 (4 hours).
    #[schemars(range(min = 1, max = 604_800))]
    pub item_deadline_seconds: u32,
}

impl Default for Retry {
    fn default() -> Self {
        Self { limit_per_item: 3, max_failed_items: MaxFailedItems::default(), item_deadline_seconds: 14_400 }
    }
}

/// When a standing job looks for new movies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rescan {
    /// A cron schedule of five fields (minute, hour, day of month, month, day of week), or one of @hourly, @daily,
    /// @weekly, @monthly and @yearly. A scan that falls into a run waits for its end.
    #[schemars(length(min = 1, max = 128))]
    pub schedule: String,
    /// The IANA time zone the schedule is read in. Default: Etc/UTC.
    #[serde(default = "utc")]
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[-+_/a-zA-Z0-9]+$"))]
    pub time_zone: String,
    /// A scan that could not start for so many seconds after its time (the operator was down, a run took longer) is
    /// left out, and the next one is waited for. At least 10. Default: it starts late, however late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 10, max = 31_536_000))]
    pub starting_deadline_seconds: Option<u32>,
}

fn utc() -> String {
    "Etc/UTC".to_owned()
}

/// What happens to a run when the spec changes its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum UpdatePolicy {
    /// Workers end the movies they hold.
    #[default]
    Drain,
    /// Workers stop at once.
    Replace,
}
