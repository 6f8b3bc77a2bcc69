//! A configuration file: the flags of `serve` by their long names, in TOML, YAML or JSON.
//!
//! ```toml
//! # /etc/lazycache/lazycache.toml
//! roots = ["https://archive.example.org/files/"]
//! port = 9000
//! memory = "512MiB"
//! allow-raw-output = true
//! ```
//!
//! A flag stands above its variable (`LAZYCACHE_…`), a variable above the file, the file above the defaults: what the file
//! says becomes the default of its flag. A key that is no flag is an error, so that a typing error is not passed over.

use std::path::{Path, PathBuf};

use clap::{ArgMatches, Command};
use serde_json::Value;

/// Where a file is looked for, in this order.
const FOLDERS: [&str; 2] = ["/etc/lazycache", "."];
const NAMES: [&str; 3] = ["lazycache.toml", "lazycache.yaml", "lazycache.json"];
/// Larger files are none of ours.
const LARGEST: u64 = 1 << 20;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("failed to read the configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is too large, or of no known kind.
    #[error("the configuration file {path} is not a TOML, YAML or JSON file of less than a megabyte")]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// It does not hold what it should.
    #[error("the configuration file {path} is wrong: {what}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// The file there is: `named`, else the first of the usual ones.
pub fn find(named: Option<&Path>) -> Option<PathBuf> {
    if let Some(path) = named {
        return Some(path.to_owned());
    }
    let usual = FOLDERS.iter().flat_map(|folder| NAMES.map(|name| Path::new(folder).join(name)));
    usual.into_iter().find(|path| path.is_file())
}

/// Reads `path` and makes what it says the defaults of the flags of `command`.
pub fn apply(mut command: Command, path: &Path) -> Result<Command, ConfigError> {
    let wrong = |what: String| ConfigError::Content { path: path.to_owned(), what };
    for (key, values) in read(path)? {
        let name = key.replace('_', "-");
        let is_it =
            |arg: &&clap::Arg| arg.get_long() == Some(&name) || (arg.is_positional() && arg.get_id().as_str() == name);
        let Some(id) = command.get_arguments().find(is_it).map(|arg| arg.get_id().clone()) else {
            return Err(wrong(format!("{key:?} is no option; lazycache serve --help names them")));
        };
        if matches!(name.as_str(), "help" | "version" | "config") {
            return Err(wrong(format!("{key:?} cannot stand in a file")));
        }
        // A program reads its configuration once: what is leaked is as long as the file.
        let values: Vec<&'static str> = values.into_iter().map(|value| &*value.leak()).collect();
        command = command.mut_arg(id, |arg| arg.default_values(values));
    }
    Ok(command)
}

/// The file named on the command line or by `LAZYCACHE_CONFIG`, before all else is read.
pub fn named(matches: &ArgMatches) -> Option<PathBuf> {
    matches.subcommand_matches("serve")?.try_get_one::<PathBuf>("config").ok().flatten().cloned()
}

fn read(path: &Path) -> Result<Vec<(String, Vec<String>)>, ConfigError> {
    let fail = |source| ConfigError::Read { path: path.to_owned(), source };
    let size = std::fs::metadata(path).map_err(fail)?.len();
    let wrong = |what: String| ConfigError::Content { path: path.to_owned(), what };
    let text = if size <= LARGEST { std::fs::read_to_string(path).map_err(fail)? } else { String::new() };
    let value = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") if size <= LARGEST => toml(&text).map_err(wrong)?,
        Some("yaml" | "yml") if size <= LARGEST => {
            serde_yaml::from_str(&text).map_err(|error| wrong(error.to_string()))?
        }
        Some("json") if size <= LARGEST => serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?,
        _ => return Err(ConfigError::Kind { path: path.to_owned() }),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Object(entries) => entries.into_iter().map(|(key, value)| values(&key, value).map_err(wrong)).collect(),
        _ => Err(wrong("it is no map of options".to_owned())),
    }
}

fn values(key: &str, value: Value) -> Result<(String, Vec<String>), String> {
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(format!("{key:?} is neither text, number, yes or no, nor a list of them")),
    };
    Ok((key.to_owned(), values.into_iter().map(text).collect::<Result<_, _>>()?))
}

fn toml(text: &str) -> Result<Value, String> {
    let document = text.parse::<toml_edit::DocumentMut>().map_err(|error| error.to_string())?;
    let entries = document.iter().map(|(key, item)| {
        let value = item.as_value().ok_or_else(|| format!("{key:?} is no value"))?;
        Ok((key.to_owned(), of_toml(value).ok_or_else(|| format!("{key:?} is no value of a known kind"))?))
    });
    entries.collect::<Result<serde_json::Map<_, _>, String>>().map(Value::Object)
}

fn of_toml(value: &toml_edit::Value) -> Option<Value> {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => Some(text.value().clone().into()),
        Toml::Integer(number) => Some((*number.value()).into()),
        Toml::Float(number) => Some((*number.value()).into()),
        Toml::Boolean(yes) => Some((*yes.value()).into()),
        Toml::Array(values) => values.iter().map(of_toml).collect::<Option<Vec<_>>>().map(Value::Array),
        Toml::Datetime(_) | Toml::InlineTable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, ArgAction};

    fn command() -> Command {
        let list = Arg::new("roots").num_args(1..).value_delimiter(',').env("LAZYCACHE_TEST_ROOTS_UNSET");
        let port = Arg::new("port").long("port").default_value("8080");
        let raw = Arg::new("allow_raw_output").long("allow-raw-output").action(ArgAction::SetTrue);
        Command::new("serve").args([list, port, raw])
    }

    fn matches(name: &str, text: &str, arguments: &[&str]) -> Result<(Vec<String>, String, bool), ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let command = apply(command(), &path)?;
        let found = command.try_get_matches_from([&["serve"], arguments].concat()).unwrap();
        let roots = found.get_many::<String>("roots").unwrap_or_default().cloned().collect();
        Ok((roots, found.get_one::<String>("port").unwrap().clone(), found.get_flag("allow_raw_output")))
    }

    #[test]
    fn the_three_kinds_of_file_say_the_same() {
        for (name, text) in [
            ("c.toml", "roots = [\"a\", \"b\"]\nport = 9\nallow-raw-output = true\n"),
            ("c.yaml", "roots: [a, b]\nport: 9\nallow_raw_output: true\n"),
            ("c.json", r#"{"roots": ["a", "b"], "port": 9, "allow-raw-output": true}"#),
        ] {
            let expected = (vec!["a".to_owned(), "b".to_owned()], "9".to_owned(), true);
            assert_eq!(matches(name, text, &[]).unwrap(), expected, "{name}");
        }
    }

    #[test]
    fn a_flag_stands_above_the_file() {
        let (roots, port, raw) = matches("c.toml", "roots = \"a\"\nport = 9\n", &["c", "--port", "7"]).unwrap();
        assert_eq!((roots, port.as_str(), raw), (vec!["c".to_owned()], "7", false));
    }

    #[test]
    fn an_unknown_key_and_a_damaged_file_are_errors_that_name_them() {
        for (name, text, named) in [
            ("c.toml", "prot = 9", "prot"),
            ("c.toml", "port = ", "c.toml"),
            ("c.toml", "[port]\na = 1", "port"),
            ("c.yaml", "- a", "c.yaml"),
            ("c.yaml", "port: {a: 1}", "port"),
            ("c.json", "{", "c.json"),
            ("c.ini", "port=9", "c.ini"),
            ("c.toml", "help = true", "help"),
        ] {
            let error = matches(name, text, &[]).unwrap_err();
            assert!(error.to_string().contains(named), "{error}");
        }
        assert_eq!(matches("c.yaml", "", &[]).unwrap().1, "8080");
    }
}
