//! What an object is, by its name: a bucket hands it to browsers, which show a page only if they are told that it is one.

/// The content type of an object; `None` for what only programs of ours read.
pub(super) fn of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "jsonl" => "application/x-ndjson",
        "csv" => "text/csv; charset=utf-8",
        "jpg" => "image/jpeg",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_decides_and_not_a_dot_before_it() {
        assert_eq!(of("report.html"), Some("text/html; charset=utf-8"));
        assert_eq!(of("report/0002.js"), Some("text/javascript; charset=utf-8"));
        assert_eq!((of("A.js/lock"), of("lock")), (None, None));
    }
}
