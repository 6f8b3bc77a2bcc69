//! `docs/reference/lazycache.md` says what the code says: it is made here from the command line, the `OpenAPI` document and
//! the kinds of errors. `make reference` writes it; without that this test holds that it is what would be written.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::fmt::Write;

use lazycache::{ErrorKind, cli, server::openapi::openapi};
use serde_json::Value;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/lazycache.md");

#[test]
fn the_reference_says_what_the_code_says() {
    let page = page();
    if std::env::var_os("WRITE_REFERENCE").is_some() {
        std::fs::write(PATH, &page).unwrap();
    }
    let there = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(there == page, "docs/reference/lazycache.md: not what the code says; `make reference` mends it");
}

fn page() -> String {
    let mut page = String::from(
        "<!-- Made by `make reference`; edit the code instead. -->\n\n# lazycache\n\nThe commands and their options, the \
         HTTP API, the errors. `lazycache COMMAND --help` has examples.\n",
    );
    commands(&mut page);
    paths(&mut page);
    parameters(&mut page);
    errors(&mut page);
    page
}

/// One line of a table: a bar within would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn commands(page: &mut String) {
    for command in cli::command().get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        writeln!(page, "\n## `lazycache {}`\n\n{about}.\n", command.get_name()).unwrap();
        page.push_str("| argument | environment | default | meaning |\n|---|---|---|---|\n");
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            let name = argument.get_long().map_or_else(
                || argument.get_value_names().map_or_else(String::new, |names| names[0].to_string()),
                |long| format!("--{long}"),
            );
            let variable = argument.get_env().map_or_else(String::new, |name| format!("`{}`", name.to_string_lossy()));
            let takes_value = argument.get_action().takes_values();
            let defaults: Vec<String> =
                argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
            let default = if takes_value { defaults.join(", ") } else { String::new() };
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(page, "| `{}` | {variable} | {default} | {} |", cell(&name), cell(&help)).unwrap();
        }
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let address = value["$ref"].as_str();
    address.map_or(value, |address| document.pointer(address.trim_start_matches('#')).unwrap())
}

fn text(value: &Value) -> String {
    cell(value.as_str().unwrap_or_default())
}

fn paths(page: &mut String) {
    let document = openapi();
    page.push_str("\n## HTTP API\n\n");
    writeln!(page, "{} `/openapi.json` is the same for programs.\n", text(&document["info"]["description"])).unwrap();
    page.push_str("| path | answer | query |\n|---|---|---|\n");
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| resolved(&document, parameter));
        let queries = parameters.filter(|parameter| parameter["in"] == "query");
        let queries: Vec<String> = queries.map(|query| format!("`{}`", query["name"].as_str().unwrap())).collect();
        writeln!(page, "| `{path}` | {} | {} |", text(&item["get"]["summary"]), queries.join(" ")).unwrap();
    }
}

/// Every parameter once, under its name.
fn parameters(page: &mut String) {
    let document = openapi();
    let operations = document["paths"].as_object().unwrap().values();
    let all = operations.flat_map(|item| item["get"]["parameters"].as_array().cloned().unwrap_or_default());
    let mut all: Vec<(String, String, String)> = all
        .map(|parameter| {
            let parameter = resolved(&document, &parameter).clone();
            let example = match &parameter["example"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            (parameter["name"].as_str().unwrap().to_owned(), example, text(&parameter["description"]))
        })
        .collect();
    all.sort();
    all.dedup();
    page.push_str("\n### Parameters\n\n| name | example | meaning |\n|---|---|---|\n");
    for (name, example, meaning) in all {
        writeln!(page, "| `{name}` | `{example}` | {meaning} |").unwrap();
    }
}

fn errors(page: &mut String) {
    page.push_str("\n### Errors\n\n| `error` | status | worth another try |\n|---|---|---|\n");
    for kind in ErrorKind::ALL {
        let again = if kind.is_transient() { "yes" } else { "" };
        writeln!(page, "| `{}` | {} | {again} |", kind.as_str(), kind.status()).unwrap();
    }
}
