//! Which files are exported, in which order.

use std::{
    fs::{Metadata, metadata, read_dir},
    io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use plan::{names::RUNS_FOLDER, parcel::Entry};
use sha2::{Digest, Sha256};

use super::{ExportArguments, ExportError};
use crate::pictures;

/// A file, with the line before it.
#[derive(Debug)]
pub(super) struct Part {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its bytes.
    pub(super) size: u64,
    /// Its entry.
    pub(super) line: String,
    modified: u128,
}

impl Part {
    /// Of its entry and itself.
    pub(super) fn bytes(&self) -> u64 {
        self.line.len() as u64 + self.size
    }

    fn new(name: &str, path: PathBuf, metadata: &Metadata) -> Result<Self, ExportError> {
        let entry = Entry { name: name.to_owned(), size: metadata.len() };
        let line = serde_json::to_string(&entry).map_err(io::Error::from)? + "\n";
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(Self { path, size: entry.size, line, modified: modified.unwrap_or_default().as_nanos() })
    }
}

/// Changes when any of the files does.
pub(super) fn version(parts: &[Part]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(&part.line);
        digest.update(part.modified.to_le_bytes());
    }
    let first = digest.finalize().iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// What is asked for; the file that has to be there comes last, as a report comes after its pages.
pub(super) fn parts(arguments: &ExportArguments) -> Result<Vec<Part>, ExportError> {
    let folder = &arguments.folder;
    let mut parts = Vec::new();
    if arguments.pictures {
        below(folder, "", &mut parts)?;
    }
    for name in &arguments.also {
        let path = folder.join(name);
        match there(&path)? {
            Some(found) if found.is_dir() => directly_in(&path, name, &mut parts)?,
            Some(found) => parts.push(Part::new(name, path, &found)?),
            None => {}
        }
    }
    let path = folder.join(&arguments.file);
    let found = there(&path)?.filter(Metadata::is_file);
    let no_file = || ExportError::NoFile { name: arguments.file.clone(), folder: folder.clone() };
    parts.push(Part::new(&arguments.file, path, &found.ok_or_else(no_file)?)?);
    Ok(parts)
}

fn there(path: &Path) -> Result<Option<Metadata>, ExportError> {
    match metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ExportError::Read { path: path.to_owned(), source }),
    }
}

/// What a folder holds, sorted, without what is being written.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf, Metadata)>, ExportError> {
    let fail = |source| ExportError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in read_dir(folder).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(ToOwned::to_owned) else { continue };
        if let (false, Some(metadata)) = (name.contains('#'), there(&path)?) {
            found.push((name, path, metadata));
        }
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(found)
}

fn directly_in(folder: &Path, below: &str, parts: &mut Vec<Part>) -> Result<(), ExportError> {
    for (name, path, metadata) in entries(folder)? {
        if metadata.is_file() {
            parts.push(Part::new(&format!("{below}/{name}"), path, &metadata)?);
        }
    }
    Ok(())
}

/// The pictures of the movies below a folder.
fn below(folder: &Path, prefix: &str, parts: &mut Vec<Part>) -> Result<(), ExportError> {
    for (name, path, metadata) in entries(folder)? {
        let name = format!("{prefix}{name}");
        if metadata.is_dir() && name != RUNS_FOLDER {
            below(&path, &format!("{name}/"), parts)?;
        } else if metadata.is_file() && name.ends_with(pictures::ENDING) {
            parts.push(Part::new(&name, path, &metadata)?);
        }
    }
    Ok(())
}
