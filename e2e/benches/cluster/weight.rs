//! What the images weigh, as a registry keeps them.

use std::{env, process::Command};

use crate::{figures::Figure, support::cluster::repository};

/// The goal for the operator, in kB.
const OPERATOR_KB: f64 = 25_000.0;

/// One figure an image, where this machine has built them.
pub fn of_the_images() -> Vec<Figure> {
    let mut command = Command::new(repository().join("images/sizes.sh"));
    command.args(["operator", "worker", "lazycache"]).env("TAG", env::var("E2E_TAG").unwrap_or_default());
    let output = command.output().unwrap();
    if !output.status.success() {
        return vec![Figure::aside("images", "not built on this machine")];
    }
    String::from_utf8_lossy(&output.stdout).lines().skip(1).filter_map(figure).collect()
}

/// `operator  10500  2000 8500`: name, kB in all, kB of each layer.
fn figure(line: &str) -> Option<Figure> {
    let mut words = line.split_whitespace();
    let (name, kilobytes) = (words.next()?, words.next()?.parse::<f64>().ok()?);
    let (what, value) = (format!("image {name}, compressed"), format!("{:.1} MB", kilobytes / 1000.0));
    Some(match name {
        "operator" => Figure::of(what, value, "25 MB", kilobytes < OPERATOR_KB),
        _ => Figure::aside(what, value),
    })
}
