//! `docs/reference/` says what the code says. The pages are made here from the schema, the words, the metrics and the
//! command line; `make reference` writes them, and without it this test holds that they are what would be written.

#![allow(clippy::unwrap_used)] // everything here is a test, its helpers too

mod page;
mod schema;
mod tables;

use std::{collections::BTreeSet, fs, path::PathBuf};

/// Set by `make reference`: the pages are written and not compared.
const WRITE: &str = "WRITE_REFERENCE";

fn pages() -> [(&'static str, String); 6] {
    [
        ("analysisjob.md", schema::analysisjob()),
        ("conditions.md", tables::conditions()),
        ("labels.md", tables::labels()),
        ("metrics.md", tables::metrics()),
        ("operator.md", tables::operator()),
        ("exit-codes.md", tables::exit_codes()),
    ]
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/reference")
}

#[test]
fn the_reference_says_what_the_code_says() {
    let folder = folder();
    if std::env::var_os(WRITE).is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in pages() {
            fs::write(folder.join(name), text).unwrap();
        }
    }
    let old: Vec<&str> = pages()
        .into_iter()
        .filter(|(name, text)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text))
        .map(|(name, _)| name)
        .collect();
    assert!(old.is_empty(), "docs/reference/{{{}}}: not what the code says; `make reference` mends it", old.join(","));
    // That of lazycache is made by its own test of this name.
    let made: BTreeSet<String> =
        pages().iter().map(|(name, _)| (*name).to_owned()).chain(["lazycache.md".to_owned()]).collect();
    let there = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), made, "docs/reference/ holds a page that is not made: delete it");
}

#[test]
fn every_field_has_a_sentence() {
    let silent: Vec<String> =
        schema::fields().into_iter().filter(|field| field.about.is_empty()).map(|field| field.path).collect();
    assert_eq!(silent, Vec::<String>::new());
}

#[test]
fn every_exit_code_of_the_help_text_is_in_the_table() {
    use clap::CommandFactory;
    let help = analysis_operator::cli::Args::command().get_after_help().unwrap().to_string();
    let said = help.split_once("Exit codes: ").unwrap().1;
    let said: Vec<u8> = said.split(", ").map(|one| one.split_once(' ').unwrap().0.parse().unwrap()).collect();
    let table: Vec<u8> = analysis_operator::cli::EXIT_CODES.iter().map(|(code, _)| *code).collect();
    assert_eq!(said, table);
}
