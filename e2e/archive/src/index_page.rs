//! A folder as Apache's `mod_autoindex` shows it (`FancyIndexing`, HTMLTable): what clients of the real archive read.

use std::{fmt::Write, fs, path::Path};

/// The page of `folder`, which is served under `url_path`.
pub fn page(folder: &Path, url_path: &str) -> std::io::Result<String> {
    let mut entries: Vec<(String, fs::Metadata)> = fs::read_dir(folder)?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().into_string().ok()?, entry.metadata().ok()?))
        })
        .filter(|(name, _)| !name.starts_with('.'))
        .collect();
    entries.sort_by(|a, b| (!a.1.is_dir(), &a.0).cmp(&(!b.1.is_dir(), &b.0)));
    let title = escape(url_path.trim_end_matches('/'));
    let mut html = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 3.2 Final//EN\">\n<html>\n <head>\n  <title>Index of {title}</title>\n </head>\n <body>\n\
         <h1>Index of {title}</h1>\n  <table>\n   <tr><th valign=\"top\"><img src=\"/icons/blank.gif\" alt=\"[ICO]\"></th>\
         <th><a href=\"?C=N;O=D\">Name</a></th><th><a href=\"?C=M;O=A\">Last modified</a></th><th><a href=\"?C=S;O=A\">Size</a></th>\
         <th><a href=\"?C=D;O=A\">Description</a></th></tr>\n   <tr><th colspan=\"5\"><hr></th></tr>\n"
    );
    let parent = url_path.trim_end_matches('/').rsplit_once('/').map_or("/", |(parent, _)| parent);
    let _ = writeln!(
        html,
        "<tr><td valign=\"top\"><img src=\"/icons/back.gif\" alt=\"[PARENTDIR]\"></td><td><a href=\"{}/\">Parent Directory</a></td>\
         <td>&nbsp;</td><td align=\"right\">  - </td><td>&nbsp;</td></tr>",
        escape(parent.trim_end_matches('/'))
    );
    for (name, metadata) in entries {
        row(&mut html, &name, &metadata);
    }
    html.push_str("   <tr><th colspan=\"5\"><hr></th></tr>\n</table>\n</body></html>\n");
    Ok(html)
}

fn row(html: &mut String, name: &str, metadata: &fs::Metadata) {
    let (slash, icon, size) = if metadata.is_dir() {
        ("/", "folder.gif\" alt=\"[DIR]", "  - ".to_owned())
    } else {
        ("", "movie.gif\" alt=\"[VID]", short_size(metadata.len()))
    };
    let time = metadata.modified().map(httpdate::fmt_http_date).unwrap_or_default();
    let _ = writeln!(
        html,
        "<tr><td valign=\"top\"><img src=\"/icons/{icon}\"></td><td><a href=\"{}{slash}\">{}{slash}</a></td>\
         <td align=\"right\">{time}  </td><td align=\"right\">{size}</td><td>&nbsp;</td></tr>",
        href(name),
        escape(name)
    );
}

fn short_size(bytes: u64) -> String {
    match bytes {
        0..1024 => bytes.to_string(),
        1024..1_048_576 => format!("{:.1}K", bytes as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.0}M", bytes as f64 / 1_048_576.0),
        _ => format!("{:.0}G", bytes as f64 / 1_073_741_824.0),
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
