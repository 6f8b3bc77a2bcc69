//! Files out of a parcel (`plan::parcel`) as its bytes come.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use plan::parcel::Entry;

/// The longest line before a file's bytes: a name, at most.
const LONGEST_LINE: usize = 8192;

/// Why the files cannot be had.
#[derive(Debug)]
pub enum UnpackError {
    /// What came is no parcel.
    Broken(String),
    /// A file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Where files go, one after the other.
pub trait Target {
    /// A file begins.
    fn begin(&mut self, entry: &Entry) -> Result<(), UnpackError>;

    /// Some of its bytes.
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), UnpackError>;
}

/// One file, held; of several the last.
#[derive(Debug, Default)]
pub struct Memory(pub Vec<u8>);

impl Target for Memory {
    fn begin(&mut self, _: &Entry) -> Result<(), UnpackError> {
        self.0.clear();
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A parcel on its way into a target.
pub struct Unpacking<'a, T> {
    target: &'a mut T,
    /// Of a line that has not ended.
    line: Vec<u8>,
    /// Of the file in hand.
    left: u64,
}

impl<'a, T: Target> Unpacking<'a, T> {
    /// Nothing yet.
    pub fn new(target: &'a mut T) -> Self {
        Self { target, line: Vec::new(), left: 0 }
    }

    /// Takes the next bytes.
    pub fn take(&mut self, mut bytes: &[u8]) -> Result<(), UnpackError> {
        while !bytes.is_empty() {
            if self.left > 0 {
                let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len());
                let (now, later) = bytes.split_at(most);
                self.target.bytes(now)?;
                (self.left, bytes) = (self.left - now.len() as u64, later);
            } else if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
                self.line.extend_from_slice(&bytes[..end]);
                bytes = &bytes[end + 1..];
                self.begin()?;
            } else {
                self.line.extend_from_slice(bytes);
                bytes = &[];
            }
            if self.line.len() > LONGEST_LINE {
                return Err(UnpackError::Broken("it prints something else than files".to_owned()));
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Result<(), UnpackError> {
        let entry: Entry = serde_json::from_slice(&std::mem::take(&mut self.line))
            .map_err(|error| UnpackError::Broken(format!("it prints something else than files ({error})")))?;
        if !entry.stays_below() {
            return Err(UnpackError::Broken(format!("it names a file that is not below its folder: {:?}", entry.name)));
        }
        self.left = entry.size;
        self.target.begin(&entry)
    }

    /// Nothing more comes.
    pub fn end(self) -> Result<(), UnpackError> {
        if self.left > 0 || !self.line.is_empty() {
            return Err(UnpackError::Broken("the files are not whole".to_owned()));
        }
        Ok(())
    }
}

/// Files on their way into a folder: they are written beside it, and moved when all are there. Dropped before, they leave
/// what was there as it was.
#[derive(Debug)]
pub struct Folder {
    place: PathBuf,
    partial: PathBuf,
    names: Vec<String>,
    file: Option<fs::File>,
}

impl Folder {
    /// Into `folder`, which is made if missing. What a killed process left beside it is swept.
    pub fn new(folder: &Path) -> Result<Self, UnpackError> {
        let partial = folder.join(".kubectl-analysis.part");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(write(&partial))?;
        }
        fs::create_dir_all(&partial).map_err(write(&partial))?;
        Ok(Self { place: folder.to_owned(), partial, names: Vec::new(), file: None })
    }

    /// How many files came.
    pub fn files(&self) -> usize {
        self.names.len()
    }

    /// A file that came, before it is moved.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, UnpackError> {
        let path = self.partial.join(name);
        fs::read(&path).map_err(write(&path))
    }

    /// Moves all files to their places, in the order they came: a page after what it shows.
    pub fn finish(mut self) -> Result<(), UnpackError> {
        self.file = None;
        for name in &self.names {
            let path = self.place.join(name);
            let above = path.parent().unwrap_or(&self.place);
            fs::create_dir_all(above).map_err(write(above))?;
            fs::rename(self.partial.join(name), &path).map_err(write(&path))?;
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.partial);
    }
}

impl Target for Folder {
    fn begin(&mut self, entry: &Entry) -> Result<(), UnpackError> {
        let path = self.partial.join(&entry.name);
        let above = path.parent().unwrap_or(&self.partial);
        fs::create_dir_all(above).map_err(write(above))?;
        self.file = Some(fs::File::create(&path).map_err(write(&path))?);
        self.names.push(entry.name.clone());
        Ok(())
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<(), UnpackError> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let name = self.names.last().map(String::as_str).unwrap_or_default();
        file.write_all(bytes).map_err(write(&self.partial.join(name)))
    }
}

fn write(path: &Path) -> impl FnOnce(io::Error) -> UnpackError {
    let path = path.to_owned();
    move |source| UnpackError::Write { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(files: &[(&str, &str)]) -> Vec<u8> {
        let part =
            |(name, content): &(&str, &str)| format!("{{\"name\":\"{name}\",\"size\":{}}}\n{content}", content.len());
        files.iter().map(part).collect::<String>().into_bytes()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn files_come_whole_however_their_bytes_are_cut() {
        let text = text(&[("report/0002.js", "a\nb"), ("empty.csv", ""), ("report.html", "<html>")]);
        for cut in 0..=text.len() {
            let folder = tempfile::tempdir().unwrap();
            let mut target = Folder::new(folder.path()).unwrap();
            let mut unpacking = Unpacking::new(&mut target);
            unpacking.take(&text[..cut]).unwrap();
            unpacking.take(&text[cut..]).unwrap();
            unpacking.end().unwrap();
            assert_eq!(target.files(), 3);
            target.finish().unwrap();
            assert_eq!(names(folder.path()), ["empty.csv", "report", "report.html"]);
            assert_eq!(fs::read_to_string(folder.path().join("report/0002.js")).unwrap(), "a\nb");
            assert_eq!(fs::read_to_string(folder.path().join("report.html")).unwrap(), "<html>");
        }
    }

    #[test]
    fn what_is_interrupted_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("report.html"), "old").unwrap();
        let text = text(&[("report/0002.js", "ab"), ("report.html", "<html>")]);
        let mut target = Folder::new(folder.path()).unwrap();
        let mut unpacking = Unpacking::new(&mut target);
        unpacking.take(&text[..text.len() - 1]).unwrap();
        assert!(matches!(unpacking.end(), Err(UnpackError::Broken(_))));
        drop(target);
        assert_eq!(names(folder.path()), ["report.html"]);
        assert_eq!(fs::read_to_string(folder.path().join("report.html")).unwrap(), "old");
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_is_refused() {
        for name in ["../x", "/tmp/x", "a/../../x"] {
            let mut memory = Memory::default();
            let error = Unpacking::new(&mut memory).take(&text(&[(name, "x")])).unwrap_err();
            assert!(matches!(&error, UnpackError::Broken(message) if message.contains(name)), "{error:?}");
        }
    }
}
