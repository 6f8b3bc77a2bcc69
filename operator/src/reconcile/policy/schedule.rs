//! When a standing job looks for new movies: cron in a time zone.

use analysisjob::Rescan;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};
use jiff::{
    SignedDuration, Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};

/// A parsed `spec.rescan`.
#[derive(Clone, Debug)]
pub struct Schedule {
    cron: Cron,
    zone: TimeZone,
    /// A scan later than this after its time is left out.
    starting_deadline: Option<SignedDuration>,
}

impl Schedule {
    /// Reads cron and time zone; the message says what is wrong.
    pub fn parse(rescan: &Rescan) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser
            .parse(spelled_out(&rescan.schedule))
            .map_err(|error| format!("{:?} is no cron schedule: {error}", rescan.schedule))?;
        let zone = TimeZoneDatabase::bundled()
            .get(&rescan.time_zone)
            .map_err(|_| format!("{:?} is no IANA time zone, such as Etc/UTC", rescan.time_zone))?;
        let starting_deadline =
            rescan.starting_deadline_seconds.map(|seconds| SignedDuration::from_secs(seconds.into()));
        Ok(Self { cron, zone, starting_deadline })
    }

    /// The first scheduled time after `time`; none when the schedule never comes again (30 February).
    pub fn next_after(&self, time: Timestamp) -> Option<Timestamp> {
        let next = self.cron.find_next_occurrence(&time.to_zoned(self.zone.clone()), false).ok()?;
        Some(next.timestamp())
    }

    /// The scan that is due at `now` when the last one was at `last`: the latest scheduled time that has come, unless
    /// it is too late for it. Several missed scans are one.
    pub fn due(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let latest = self.cron.find_previous_occurrence(&now.to_zoned(self.zone.clone()), true).ok()?.timestamp();
        let late = self.starting_deadline.is_some_and(|deadline| latest.duration_until(now) > deadline);
        (latest > last && !late).then_some(latest)
    }

    /// The next scan: the one that is due, else the next scheduled time.
    pub fn upcoming(&self, last: Timestamp, now: Timestamp) -> Option<Timestamp> {
        self.due(last, now).or_else(|| self.next_after(now.max(last)))
    }
}

/// The nicknames of cron, in five fields.
fn spelled_out(schedule: &str) -> &str {
    match schedule {
        "@hourly" => "0 * * * *",
        "@daily" | "@midnight" => "0 0 * * *",
        "@weekly" => "0 0 * * 0",
        "@monthly" => "0 0 1 * *",
        "@yearly" | "@annually" => "0 0 1 1 *",
        fields => fields,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(cron: &str, zone: &str, deadline: Option<u32>) -> Schedule {
        let rescan = Rescan { schedule: cron.into(), time_zone: zone.into(), starting_deadline_seconds: deadline };
        Schedule::parse(&rescan).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_daily_scan_is_due_once_a_day() {
        let daily = schedule("15 4 * * *", "Etc/UTC", None);
        let last = at("2026-03-01T04:15:00Z");
        assert_eq!(daily.due(last, at("2026-03-02T04:14:59Z")), None);
        assert_eq!(daily.due(last, at("2026-03-02T04:15:00Z")), Some(at("2026-03-02T04:15:00Z")));
        assert_eq!(daily.upcoming(last, at("2026-03-01T05:00:00Z")), Some(at("2026-03-02T04:15:00Z")));
    }

    #[test]
    fn missed_scans_are_one_scan() {
        let daily = schedule("@daily", "Etc/UTC", None);
        assert_eq!(daily.due(at("2026-03-01T00:00:00Z"), at("2026-03-09T11:00:00Z")), Some(at("2026-03-09T00:00:00Z")));
    }

    #[test]
    fn a_scan_that_is_too_late_is_left_out() {
        let daily = schedule("@daily", "Etc/UTC", Some(60));
        let last = at("2026-03-01T00:00:00Z");
        assert_eq!(daily.due(last, at("2026-03-02T00:00:59Z")), Some(at("2026-03-02T00:00:00Z")));
        assert_eq!(daily.due(last, at("2026-03-02T00:01:01Z")), None);
        assert_eq!(daily.upcoming(last, at("2026-03-02T00:01:01Z")), Some(at("2026-03-03T00:00:00Z")));
    }

    #[test]
    fn the_time_zone_moves_with_daylight_saving() {
        let berlin = schedule("0 4 * * *", "Europe/Berlin", None);
        assert_eq!(berlin.next_after(at("2026-03-28T00:00:00Z")), Some(at("2026-03-28T03:00:00Z")));
        assert_eq!(berlin.next_after(at("2026-03-29T00:00:00Z")), Some(at("2026-03-29T02:00:00Z")));
    }

    #[test]
    fn every_nickname_is_a_schedule() {
        for name in ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"] {
            assert!(schedule(name, "Etc/UTC", None).next_after(at("2026-01-01T00:00:00Z")).is_some(), "{name}");
        }
    }
}
