//! Some cases of every condition of the benchmark: sure answers are right and near, and answers are given.

#![allow(clippy::unwrap_used)] // a test may

mod scene;

use motion::{Method, Prepared, Reason, Row, Settings, Status, doubts, estimate};
use scene::{
    cases::{Case, Class, Condition, conditions},
    tally::Tally,
};

/// Seeds of their own: neither those the guards were tuned on nor the benchmark's.
const SET: u64 = 0x5407;
/// Of a condition; the next condition goes on with the kinds of motion where this one ends.
const CASES: usize = 2;

fn answered(condition: &Condition, case: &Case, method: Method, tally: &mut Tally, wrong: &mut Vec<String>) {
    let [first, second] = [0.0, 1.0].map(|time| Prepared::new(case.scene.picture(time)));
    let settings = Settings { method };
    let mut found = estimate(&first, &second, 0.25, &settings).unwrap();
    if case.frozen {
        let moved = Row { frame: 1, similarity: found.similarity.to_array(), valid: found.valid, status: found.status };
        found = estimate(&second, &Prepared::new(second.grey().clone()), 0.25, &settings).unwrap();
        let row = Row { similarity: found.similarity.to_array(), status: found.status, ..moved };
        assert_eq!(doubts(&[moved, row]), [None, Some(Reason::Duplicate)]);
        found.status = Status::Undetermined;
        found.reasons.push(Reason::Duplicate);
    }
    assert_eq!(found.reasons.is_empty(), found.status != Status::Undetermined, "{found:?}");
    if tally.count(case, condition.class, &found.similarity, found.status, 0.0) {
        wrong.push(format!("{} by {method:?}: {case:?} {found:?}", condition.name));
    }
}

#[test]
fn sure_answers_are_right_and_near_and_clear_pictures_get_one() {
    let conditions = conditions();
    let half = |odd: usize| {
        let (mut wrong, mut tallies) = (Vec::new(), Vec::new());
        for (at, condition) in conditions.iter().enumerate().skip(odd).step_by(2) {
            let mut tally = Tally::default();
            for number in at * CASES..(at + 1) * CASES {
                answered(condition, &condition.case(SET, number), Method::Auto, &mut tally, &mut wrong);
            }
            tallies.push((condition.class, tally));
        }
        (wrong, tallies)
    };
    let [(mut wrong, mut tallies), (more_wrong, more)] = std::thread::scope(|scope| {
        let other = scope.spawn(|| half(1));
        [half(0), other.join().unwrap()]
    });
    wrong.extend(more_wrong);
    tallies.extend(more);
    assert!(wrong.is_empty(), "{wrong:#?}");
    let sum = |counts: &dyn Fn(Class) -> bool| {
        let mut sum = Tally::default();
        tallies.iter().filter(|(class, _)| counts(*class)).for_each(|(_, tally)| sum.add(tally));
        sum
    };
    let upto40 = sum(&|class| matches!(class, Class::Clean | Class::Fair));
    let [median, most] = [0.5, 0.95].map(|share| upto40.quantile(share).unwrap());
    assert!(median <= 0.15 && most <= 0.5, "median {median} px, 95 % within {most} px");
    let clear = sum(&|class| class == Class::Clean).undetermined_share();
    assert!(clear <= 0.05, "{clear} of the answers to clear pictures are left open");
    let blind = sum(&|class| class == Class::Blind);
    assert_eq!(blind.undetermined, blind.pairs);
}
