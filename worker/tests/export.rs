//! `analysis-worker export`: files of an output through a pod's log.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{
    io::Read,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::read::GzDecoder;
use plan::parcel::Head;

fn export(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_analysis-worker")).arg("export").arg(folder).args(words).output().unwrap()
}

/// One piece: its head, and its bytes.
fn piece(folder: &Path, words: &[&str], from: u64, limit: &str) -> (Head, Vec<u8>) {
    let output = export(folder, &[words, &["--from", &from.to_string(), "--limit", limit]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (head, lines) = text.split_once('\n').unwrap();
    let (packed, mut bytes) = (STANDARD.decode(lines.replace('\n', "")).unwrap(), Vec::new());
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    (Head::parse(head).unwrap(), bytes)
}

/// All pieces, one after the other, and how many.
fn all(folder: &Path, words: &[&str], limit: &str) -> (String, usize) {
    let (mut bytes, mut pieces) = (Vec::new(), 0);
    loop {
        let (head, more) = piece(folder, words, bytes.len() as u64, limit);
        assert_eq!((head.from, head.end), (bytes.len() as u64, (bytes.len() + more.len()) as u64));
        bytes.extend(more);
        pieces += 1;
        if head.end == head.total {
            return (String::from_utf8(bytes).unwrap(), pieces);
        }
    }
}

fn results() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    write("report.html", "<html>");
    write("report/index.js", "index\n");
    write("report/0002.js", "page");
    write("report/0003.js#1", "half");
    write("A/X_frames.jpg", "jpeg");
    write("A/X_optical_flow.json", "{}");
    write("failures.jsonl", "");
    folder
}

const WANTED: [&str; 8] =
    ["--file", "report.html", "--also", "report", "--also", "failures.jsonl", "--also", "not there"];

#[test]
fn files_come_one_after_the_other_and_the_report_last() {
    let folder = results();
    let expected = "{\"name\":\"report/0002.js\",\"size\":4}\npage{\"name\":\"report/index.js\",\"size\":6}\nindex\n\
                    {\"name\":\"failures.jsonl\",\"size\":0}\n{\"name\":\"report.html\",\"size\":6}\n<html>";
    assert_eq!(all(folder.path(), &WANTED, "5242880"), (expected.to_owned(), 1));
    let with_pictures = [&WANTED[..], &["--pictures"]].concat();
    let pictures = "{\"name\":\"A/X_frames.jpg\",\"size\":4}\njpeg";
    assert_eq!(all(folder.path(), &with_pictures, "5242880").0, pictures.to_owned() + expected);
}

#[test]
fn what_is_big_comes_in_pieces_that_make_the_same() {
    let folder = results();
    // Nothing that could be compressed to less than a few pieces.
    let mut seed = 1_u64;
    let mut digits = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:08x}", seed >> 32)
    };
    let noise: String = (0..100_000).map(|_| digits()).collect();
    std::fs::write(folder.path().join("report/0004.js"), noise).unwrap();
    let (whole, one) = all(folder.path(), &WANTED, "5242880");
    let (joined, pieces) = all(folder.path(), &WANTED, "100000");
    assert!(one == 1 && pieces > 2, "{pieces}");
    assert!(whole == joined);
}

#[test]
fn a_change_is_another_version() {
    let folder = results();
    let version = || piece(folder.path(), &WANTED, 0, "5242880").0.version;
    let before = version();
    assert_eq!(version(), before);
    let page = std::fs::File::options().write(true).open(folder.path().join("report/0002.js")).unwrap();
    page.set_modified(std::time::UNIX_EPOCH).unwrap();
    assert_ne!(version(), before);
}

#[test]
fn a_file_that_is_not_there_and_a_place_beyond_the_end_are_told() {
    let folder = results();
    let told = |words: &[&str], code: i32, text: &str| {
        let output = export(folder.path(), words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && said.contains(text), "{said}");
        assert!(output.stdout.is_empty());
    };
    told(&["--file", "nothing.html"], 66, "there is no file nothing.html in ");
    told(&["--file", "report.html", "--from", "999"], 69, "byte 999 is beyond the end");
    told(&[], 2, "--file");
}

#[test]
fn plain_is_the_file_as_it_is() {
    let folder = results();
    assert_eq!(export(folder.path(), &["--file", "report.html", "--plain"]).stdout, b"<html>");
}
