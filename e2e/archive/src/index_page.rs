//! A folder as Apache's `mod_autoindex` shows it (`FancyIndexing`, `HTMLTable`): what clients of the real archive read.

use std::{cmp::Ordering, fmt::Write, fs, path::Path, time::SystemTime};

/// What the page is sorted by: `?C=N;O=D`. Folders come first either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// `N` name, `M` last modified, `S` size, `D` description (which none has).
    column: char,
    falling: bool,
}

impl Order {
    /// As the query says; by name without one.
    pub fn of(query: Option<&str>) -> Self {
        let mut order = Self { column: 'N', falling: false };
        for pair in query.unwrap_or_default().split([';', '&']) {
            match pair {
                "C=N" | "C=M" | "C=S" | "C=D" => order.column = char::from(pair.as_bytes()[2]),
                "O=D" => order.falling = true,
                _ => {}
            }
        }
        order
    }

    fn compare(self, a: &Entry, b: &Entry) -> Ordering {
        let by = match self.column {
            'M' => a.modified.cmp(&b.modified),
            'S' => a.size.cmp(&b.size),
            _ => Ordering::Equal,
        };
        let by = by.then_with(|| a.name.cmp(&b.name));
        b.folder.cmp(&a.folder).then(if self.falling { by.reverse() } else { by })
    }

    /// The link in a column's head: the same column turns its order round.
    fn link(self, column: char, title: &str) -> String {
        let to = if column == self.column && !self.falling { 'D' } else { 'A' };
        format!("<a href=\"?C={column};O={to}\">{title}</a>")
    }
}

struct Entry {
    name: String,
    folder: bool,
    size: u64,
    modified: SystemTime,
}

/// The page of `folder`, which is served under `url_path`. Hidden files are not shown.
pub fn page(folder: &Path, url_path: &str, order: Order) -> std::io::Result<String> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.ok()?;
        let metadata = fs::metadata(entry.path()).ok()?;
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let name = entry.file_name().into_string().ok()?;
        Some(Entry { name, folder: metadata.is_dir(), size: metadata.len(), modified })
    };
    let mut entries: Vec<Entry> = fs::read_dir(folder)?.filter_map(entry).collect();
    entries.retain(|entry| !entry.name.starts_with('.'));
    entries.sort_by(|a, b| order.compare(a, b));
    let title = escape(url_path.trim_end_matches('/'));
    let heads = [('N', "Name"), ('M', "Last modified"), ('S', "Size"), ('D', "Description")];
    let heads: String = heads.map(|(column, name)| format!("<th>{}</th>", order.link(column, name))).concat();
    let mut html = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n \
         </head>\n <body>\n<h1>Index of {title}</h1>\n  <table>\n   <tr><th valign=\"top\">\
         <img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th>{heads}</tr>\n   <tr><th colspan=\"5\"><hr></th></tr>\n"
    );
    let parent = url_path.trim_end_matches('/').rsplit_once('/').map_or("", |(parent, _)| parent);
    let _ = writeln!(
        html,
        "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a href=\"{}/\">Parent Directory</a>\
         </td><td>&nbsp;</td><td align=\"right\">  - </td><td>&nbsp;</td></tr>",
        parent.split('/').map(href).collect::<Vec<_>>().join("/")
    );
    for entry in &entries {
        row(&mut html, entry);
    }
    html.push_str("   <tr><th colspan=\"5\"><hr></th></tr>\n</table>\n</body></html>\n");
    Ok(html)
}

fn row(html: &mut String, entry: &Entry) {
    let (slash, icon, size) = if entry.folder {
        ("/", "folder.gif\" alt=\"[DIR]", "  - ".to_owned())
    } else if entry.name.rsplit_once('.').is_some_and(|(_, ending)| ending == "mov") {
        ("", "movie.gif\" alt=\"[VID]", short_size(entry.size))
    } else {
        ("", "unknown.gif\" alt=\"[   ]", short_size(entry.size))
    };
    let _ = writeln!(
        html,
        "<tr><td valign=\"top\"><img src=\"/icons/{icon}\"></td><td><a href=\"{}{slash}\">{}{slash}</a></td>\
         <td align=\"right\">{}  </td><td align=\"right\">{size}</td><td>&nbsp;</td></tr>",
        href(&entry.name),
        escape(&entry.name),
        minute(entry.modified)
    );
}

/// `2018-07-24 03:10`, from `Tue, 24 Jul 2018 03:10:00 GMT`.
fn minute(time: SystemTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let text = httpdate::fmt_http_date(time);
    let words: Vec<&str> = text.split(' ').collect();
    let [_, day, month, year, clock, _] = words[..] else { return text };
    let month = MONTHS.find(month).map_or(0, |at| at / 3 + 1);
    format!("{year}-{month:02}-{day} {}", clock.get(..5).unwrap_or(clock))
}

/// Four characters at most, as Apache's `apr_strfsize` writes them.
fn short_size(bytes: u64) -> String {
    if bytes < 973 {
        return format!("{bytes:3} ");
    }
    let (mut size, mut units) = (bytes, "KMGTPE".chars());
    loop {
        let (rest, unit) = (size & 1023, units.next().unwrap_or('E'));
        size >>= 10;
        if size >= 973 {
            continue;
        }
        if size < 9 || (size == 9 && rest < 973) {
            let tenths = (rest * 5 + 256) / 512;
            let (size, tenths) = if tenths >= 10 { (size + 1, 0) } else { (size, tenths) };
            return format!("{size}.{tenths}{unit}");
        }
        return format!("{:3}{unit}", size + u64::from(rest >= 512));
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A name as a relative link.
fn href(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn sizes_and_times_are_written_as_apache_does() {
        let table = [
            (0, "  0 "),
            (972, "972 "),
            (1024, "1.0K"),
            (10_239, " 10K"),
            (586_000, "572K"),
            (14_000_000_000, " 13G"),
            (1_500_000, "1.4M"),
        ];
        for (bytes, text) in table {
            assert_eq!(short_size(bytes), text);
        }
        assert_eq!(minute(SystemTime::UNIX_EPOCH + Duration::from_secs(1_532_401_805)), "2018-07-24 03:10");
    }

    #[test]
    fn a_page_lists_folders_first_in_the_order_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        for (name, size) in [("b.mov", 10), ("a&.mov", 2000), (".hidden", 1)] {
            fs::write(folder.path().join(name), vec![0; size]).unwrap();
        }
        fs::create_dir(folder.path().join("z")).unwrap();
        let names = |query| {
            let html = page(folder.path(), "/files/x y/", Order::of(query)).unwrap();
            let names = html
                .lines()
                .filter(|line| line.starts_with("<tr>"))
                .filter_map(|line| line.split("<a href=\"").nth(1)?.split('"').next().map(str::to_owned));
            names.collect::<Vec<_>>()
        };
        assert_eq!(names(None), ["/files/", "z/", "a%26.mov", "b.mov"]);
        assert_eq!(names(Some("C=N;O=D")), ["/files/", "z/", "b.mov", "a%26.mov"]);
        assert_eq!(names(Some("C=S;O=A")), ["/files/", "z/", "b.mov", "a%26.mov"]);
        let html = page(folder.path(), "/files/", Order::of(Some("C=M;O=A"))).unwrap();
        assert!(
            html.contains("<a href=\"?C=M;O=D\">Last modified</a>") && html.contains("<a href=\"?C=N;O=A\">Name</a>")
        );
    }
}
