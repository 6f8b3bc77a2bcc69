//! A plan of a large archive: how much memory it takes.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use support::{
    Lab,
    large::{Large, plan},
};

#[test]
fn thirty_thousand_movies_are_planned_in_150_mib() {
    let (lab, large) = (Lab::of(0), Large { days: 3_750 });
    large.fill(&lab);
    large.fill_ledger(&lab, "full");
    for (output, done) in [("empty", 0), ("full", large.movies())] {
        let planned = plan(&lab, output, 1);
        assert_eq!(planned.items, (large.movies(), done, 0, 0), "{output}");
        assert!(planned.mib < 150, "{output}: {} MiB", planned.mib);
    }
}
