//! A plan as text. Pure.

use analysisjob::status::PlanStatus;

use crate::plugin::{table::table, words::printable};

/// What a run of `name` would do.
pub fn render(name: &str, namespace: &str, plan: &PlanStatus) -> String {
    let row = |what: &str, number: u32, meaning: &str| vec![what.to_owned(), number.to_string(), meaning.to_owned()];
    let rows = [
        row("discovered", plan.discovered, "movies found that the source admits"),
        row("up to date", plan.up_to_date, "have their result and stay as they are"),
        row("selected", plan.selected, "would be analysed"),
        row("indexes", plan.indexes, "of the Indexed Job"),
    ];
    let mut text = format!("{name} in {namespace}: a run would do this; nothing was done\n\n{}", table(&rows, &[1]));
    if let Some(hint) = hint(plan) {
        text.push_str(&format!("\n{hint}\n"));
    }
    if !plan.sample.is_empty() {
        text.push_str(&format!("\nthe first {} of the selected\n", plan.sample.len()));
        plan.sample.iter().for_each(|path| text.push_str(&format!("  {}\n", printable(path))));
    }
    text
}

fn hint(plan: &PlanStatus) -> Option<&'static str> {
    if plan.discovered == 0 {
        Some("no movie was found: look at prefixes, include, exclude and dateRange of the source")
    } else if plan.selected == 0 {
        Some("there is nothing to do; overwritePolicy: Always would analyse them once more")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(discovered: u32, selected: u32, sample: &[&str]) -> PlanStatus {
        PlanStatus {
            discovered,
            up_to_date: discovered - selected,
            selected,
            indexes: selected,
            sample: sample.iter().map(|path| (*path).to_owned()).collect(),
            ..PlanStatus::default()
        }
    }

    #[test]
    fn a_plan_says_what_is_done_and_what_is_not() {
        let expected = "\
ashes-2018 in science: a run would do this; nothing was done

discovered  248  movies found that the source admits
up to date   12  have their result and stay as they are
selected    236  would be analysed
indexes     236  of the Indexed Job

the first 2 of the selected
  RS03/a.mov
  RS03/b.mov
";
        assert_eq!(render("ashes-2018", "science", &plan(248, 236, &["RS03/a.mov", "RS03/b.mov"])), expected);
    }

    #[test]
    fn a_plan_that_does_nothing_says_why() {
        assert!(render("x", "y", &plan(0, 0, &[])).contains("no movie was found"));
        assert!(render("x", "y", &plan(8, 0, &[])).contains("there is nothing to do"));
    }
}
