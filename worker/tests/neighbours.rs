//! What rows say of each other: a pair of images cannot show that its motion comes and goes in a fifth of a second, the
//! movie can.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod support;

use archive::{Movie, Script, Spell};
use motion::{Reason, Similarity, Status};
use support::{Lab, movie, read_json};

/// A row's frame, status and reasons.
type Answer = (u64, Status, Vec<Reason>);

#[test]
fn a_leap_between_two_rests_is_left_open_though_its_pair_is_clear() {
    let lab = Lab::of(0);
    // Row 21 compares 16 with 26: the move begins and ends between them.
    let spells = vec![Spell::rest(16), Spell::moving("W", 8), Spell::rest(22)];
    let script = Script { spells, ramp: 1 };
    let leaping = Movie { frames: 46, size: (960, 540), plume: 0.0, script: Some(script), ..Movie::default() };
    let truth = leaping.render(&lab.root().join(movie(1))).unwrap();
    let there = Similarity::from(truth.motion(16, 26).unwrap());
    assert!(there.mean_displacement(960.0, 540.0) > 10.0, "{there:?}");

    let ended = lab.run_plain("out");
    assert_eq!((ended.code, ended.items()), (Some(0), (1, 0, 0)), "{}", ended.stderr);
    let file = read_json(&lab.output("out").join(movie(1).replace(".mov", "_optical_flow.json")));
    let rows = file["frameStats"].as_array().unwrap();
    let answer = |row: &serde_json::Value| -> Answer {
        let flow = &row["opticalFlow"];
        let status = serde_json::from_value(flow["status"].clone()).unwrap();
        (row["frameNumber"].as_u64().unwrap(), status, serde_json::from_value(flow["reasons"].clone()).unwrap())
    };
    let answers: Vec<Answer> = rows.iter().map(answer).collect();
    let still = |frame| (frame, Status::Still, vec![]);
    let open = (21, Status::Undetermined, vec![Reason::Jump]);
    assert_eq!(answers, [still(1), still(11), open, still(31), still(41)]);
    // The pair itself was followed well: it is the neighbours alone that leave it open.
    let found: Similarity = serde_json::from_value(rows[2]["opticalFlow"]["similarity"].clone()).unwrap();
    assert!(found.mean_difference(&there, 960.0, 540.0) < 0.5, "{found:?} for {there:?}");
}
