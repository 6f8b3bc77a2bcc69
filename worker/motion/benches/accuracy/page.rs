//! The tables as a page.

use std::fmt::Write;

use crate::{
    CASES, HELD_OUT, TUNED_ON,
    measure::{Answers, By},
    movies::Movies,
    scene::{
        cases::{Class, Condition},
        tally::Tally,
    },
};

const HEAD: &str = "\
# Accuracy

Written by `make accuracy` (`cargo bench -p motion --bench accuracy -- --write`); not edited by hand.

Scenes are rendered with a known motion: rock, a plume that rises over it by itself (sheer, rigid and hiding the rock, or
boiling), drifting particles, noise, lamps, focus, burned-in text. Pictures are 480x270, a quarter of full size; errors are in
pixels of full size, as the mean distance between found and true motion over the centre and the corners of the picture. They
are taken over the answers that are sure (`moved` or `still`). An answer is *wrong* when it is sure and off by more than a pixel,
or `still` where the camera moved, or the reverse; in the last four conditions, whose pictures do not show how the camera moved,
every sure answer is wrong. Each kind of camera motion (rest, creep, pan, tilt, zoom, roll, all at once) is in every condition
that does not name its own.

What no pair of pictures can tell, and no table holds: a plume that fills the whole picture, moves as one and does not change.
";

pub fn page(tables: &[(Condition, Answers)], tuned: &Answers, movies: &[Movies]) -> String {
    let mut page = String::from(HEAD);
    let pairs: usize = tables.iter().map(|(_, answers)| answers.of(By::Auto).pairs).sum();
    let _ = writeln!(
        page,
        "\nThe tables hold {pairs} pairs: {} conditions, {CASES} cases each, of the set of seeds {HELD_OUT:#x}. The guards were \
         tuned on the sets 1 and 2; set {} ({} pairs) has a line below, beside the tables', whose pairs no guard has seen. DualTVL1 \
         takes seconds a pair, so it gets one case of each condition. Times are processor time, a remark: the earlier picture is prepared, as in a movie.\n",
        tables.len(),
        TUNED_ON.0,
        tuned.of(By::Auto).pairs,
    );
    summary(&mut page, tables, tuned);
    reasons(&mut page, tables);
    regions(&mut page, movies);
    for by in By::all() {
        let _ = write!(page, "\n## {}\n\n", by.name());
        page.push_str(
            "| condition | pairs | median px | p95 px | undetermined | wrong | ms |\n|---|---|---|---|---|---|---|\n",
        );
        for (condition, answers) in tables {
            line(&mut page, condition.name, &answers.of(by));
        }
    }
    page
}

fn line(page: &mut String, name: &str, tally: &Tally) {
    let pixels = |share: f64| tally.quantile(share).map_or_else(|| "–".to_owned(), |error| format!("{error:.3}"));
    let (median, most) = (pixels(0.5), pixels(0.95));
    let open = 100.0 * tally.undetermined_share();
    let time = tally.milliseconds / tally.pairs.max(1) as f64;
    let _ =
        writeln!(page, "| {name} | {} | {median} | {most} | {open:.0} % | {} | {time:.1} |", tally.pairs, tally.wrong);
}

fn summary(page: &mut String, tables: &[(Condition, Answers)], tuned: &Answers) {
    page.push_str("## In all\n\nGoals: wrong 0; where plumes cover 40 % or less, median 0.15 px and p95 0.5 px.\n\n");
    page.push_str("| | pairs | median px | p95 px | undetermined | wrong | ms |\n|---|---|---|---|---|---|---|\n");
    let sum = |by: By, counts: &dyn Fn(Class) -> bool| {
        let mut tally = Tally::default();
        let these = tables.iter().filter(|(condition, _)| counts(condition.class));
        these.for_each(|(_, answers)| tally.add(&answers.of(by)));
        tally
    };
    for by in By::all() {
        line(page, by.name(), &sum(by, &|_| true));
        line(page, "— clear pictures", &sum(by, &|class| class == Class::Clean));
        line(page, "— plume up to 40 %", &sum(by, &|class| matches!(class, Class::Clean | Class::Fair)));
        if By::OURS.contains(&by) {
            line(page, "— the set the guards were tuned on", &tuned.of(by));
        }
    }
}

fn reasons(page: &mut String, tables: &[(Condition, Answers)]) {
    page.push_str("\n## Why Auto left answers open\n\nAn answer may have several reasons.\n\n| condition | undetermined | reasons |\n|---|---|---|\n");
    for (condition, answers) in tables {
        let tally = answers.of(By::Auto);
        if tally.undetermined > 0 {
            let words: Vec<_> = answers.reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
            let _ = writeln!(page, "| {} | {} | {} |", condition.name, tally.undetermined, words.join(", "));
        }
    }
}

fn regions(page: &mut String, movies: &[Movies]) {
    page.push_str(
        "\n## Regions\n\nTwo movies of 640 frames each, a row every ten frames. A region is found when one of its kind begins and ends \
         within 20 frames of it: a row is ten frames wide, and a move takes eight to come to speed.\n\n\
         | plume | method | regions | recall | found | precision | rows | undetermined | wrong |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    let share = |(all, right): (usize, usize)| 100.0 * right as f64 / all.max(1) as f64;
    for Movies { plume, by, regions, found, rows, undetermined, wrong } in movies {
        let _ = writeln!(
            page,
            "| {:.0} % | {} | {} | {:.0} % | {} | {:.0} % | {rows} | {undetermined} | {wrong} |",
            100.0 * plume,
            by.name(),
            regions.0,
            share(*regions),
            found.0,
            share(*found),
        );
    }
}
