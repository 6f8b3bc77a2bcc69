//! Time that stands still until it is moved.

use jiff::Timestamp;

/// 2026-01-01T00:00:00Z: where every mock begins.
const START: i64 = 1_767_225_600;

/// The clock of an API server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Timestamp);

impl Default for Clock {
    fn default() -> Self {
        Self(second(START))
    }
}

impl Clock {
    pub(crate) fn now(self) -> Timestamp {
        self.0
    }

    pub(crate) fn set(&mut self, time: Timestamp) {
        self.0 = second(time.as_second());
    }

    pub(crate) fn advance(&mut self, seconds: i64) {
        self.0 = second(self.0.as_second().saturating_add(seconds));
    }

    /// As Kubernetes writes a time.
    pub(crate) fn text(self) -> String {
        self.0.to_string()
    }
}

/// A time of Kubernetes, in seconds; 0 when there is none.
pub(crate) fn seconds(time: &serde_json::Value) -> i64 {
    time.as_str().and_then(|text| text.parse::<Timestamp>().ok()).map_or(0, Timestamp::as_second)
}

pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap_or_default()
}
