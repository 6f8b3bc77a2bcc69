//! `spec.rescan`: the schedule and its time zone.

use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZoneDatabase;

use super::{Problem, add};
use crate::{Rescan, reasons};

pub(super) fn check(rescan: &Rescan, problems: &mut Vec<Problem>) {
    add(problems, "spec.rescan.schedule", reasons::INVALID_SCHEDULE, schedule(&rescan.schedule));
    add(problems, "spec.rescan.timeZone", reasons::UNKNOWN_TIME_ZONE, time_zone(&rescan.time_zone));
}

const NICKNAMES: [&str; 6] = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly"];

/// Five fields as Kubernetes' CronJobs take them, or a nickname.
fn schedule(text: &str) -> Result<(), String> {
    let refuse = |why: &str| {
        format!(
            "{text:?} is no schedule: {why}; write minute, hour, day of month, month and day of week, such as \"15 4 * * *\" (every day at 4:15)"
        )
    };
    if text.starts_with('@') {
        let known = NICKNAMES.contains(&text) || text == "@annually";
        return if known { Ok(()) } else { Err(format!("{text:?} is none of {}", NICKNAMES.join(", "))) };
    }
    let fields = text.split_whitespace().count();
    if fields != 5 {
        return Err(refuse(&format!("it has {fields} fields and not 5")));
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map(drop).map_err(|error| refuse(&error.to_string()))
}

/// A name of the IANA database, as bundled: the answer does not depend on the machine.
fn time_zone(name: &str) -> Result<(), String> {
    let database = TimeZoneDatabase::bundled();
    let refuse = |_| format!("{name:?} is no IANA time zone; write one such as Etc/UTC or America/Los_Angeles");
    database.get(name).map(drop).map_err(refuse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_of_cron_jobs_are_taken() {
        for good in
            ["15 4 * * *", "*/10 * * * *", "0 0 1 1 *", "0 9-17 * * MON-FRI", "0 0 * JAN SUN", "@daily", "@annually"]
        {
            assert_eq!(schedule(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn other_schedules_are_refused() {
        for bad in
            ["", "* * * *", "0 15 4 * * *", "61 * * * *", "* 24 * * *", "x * * * *", "@reboot", "every day at four"]
        {
            assert!(schedule(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn time_zones_come_from_the_bundled_database() {
        for good in ["Etc/UTC", "UTC", "Europe/Berlin", "America/Los_Angeles"] {
            assert_eq!(time_zone(good), Ok(()), "{good}");
        }
        for bad in ["", "Local", "Mars/Olympus", "CET+1"] {
            assert!(time_zone(bad).is_err(), "{bad}");
        }
    }
}
