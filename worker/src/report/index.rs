//! The list of all movies: what the page searches and sorts by, a line of a few dozen bytes each.

use plan::Failure;
use serde::Serialize;

use super::overview::Overview;

/// Every movie that has a result, in the order of the pages, and then those that have none.
#[derive(Debug, Default, Serialize)]
pub struct Index {
    folders: Vec<String>,
    movies: Vec<Entry>,
}

/// Folder, name, the shares static, moving and undetermined in tenths of a percent, and why the last run failed at it.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Entry {
    Done(usize, String, u16, u16, u16, u8),
    FailedAgain(usize, String, u16, u16, u16, String),
    Failed(usize, String, i8, i8, i8, String, String),
}

impl Index {
    /// Adds a movie with a result. They come sorted by path.
    pub fn add(&mut self, overview: &Overview, failure: Option<&Failure>) {
        let (folder, name) = self.place(&overview.path);
        let shares = &overview.shares;
        let [still, moving, doubt] =
            [shares.still, shares.moving, shares.undetermined].map(|share| (share * 1000.0).round() as u16);
        self.movies.push(match failure {
            None => Entry::Done(folder, name, still, moving, doubt, 0),
            Some(failure) => Entry::FailedAgain(folder, name, still, moving, doubt, failure.reason.clone()),
        });
    }

    /// Adds a movie without a result. In every order by share it comes last.
    pub fn add_failed(&mut self, failure: &Failure) {
        let (folder, name) = self.place(&failure.item);
        self.movies.push(Entry::Failed(folder, name, -1, -1, -1, failure.reason.clone(), failure.message.clone()));
    }

    /// As a script that hands it to the page; safe within one, too.
    pub fn script(&self) -> Result<String, serde_json::Error> {
        Ok(format!("report.index({});\n", for_script(self)?))
    }

    fn place(&mut self, path: &str) -> (usize, String) {
        let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (&path[..=folder.len()], name));
        if self.folders.last().is_none_or(|last| last != folder) {
            self.folders.push(folder.to_owned());
        }
        (self.folders.len() - 1, name.to_owned())
    }
}

/// Some movies of a page, as a script that hands them to it.
pub fn page_script(page: usize, articles: &[String]) -> Result<String, serde_json::Error> {
    Ok(format!("report.page({page},{});\n", for_script(&articles)?))
}

/// JSON that may also stand in a script element: nothing in it ends that.
pub fn for_script(value: &impl Serialize) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(value)?.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_cannot_be_ended_by_a_name() {
        let item = "A/</script><b>.mov".to_owned();
        let failure = Failure { item, reason: "NotFound".into(), attempts: 1, message: "<!--".into() };
        let mut index = Index::default();
        index.add_failed(&failure);
        let script = index.script().unwrap();
        assert!(!script.contains('<'), "{script}");
        let json = script.trim_start_matches("report.index(").trim_end_matches(");\n");
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["folders"][0], "A/</");
        assert_eq!(value["movies"][0][1], "script><b>.mov");
    }
}
