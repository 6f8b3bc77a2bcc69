//! A process that runs as long as its value lives, with a log of its own.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// The variable that makes `kube` end with its standard input, whose other end this process holds.
const LIFELINE: &str = "KUBE_ENDS_WITH_STDIN";

/// The longest part of a log that an error shows, in bytes.
const TAIL: usize = 2000;

/// A running component of `kube`.
#[derive(Debug)]
pub struct Daemon {
    name: &'static str,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts a component; what it says goes to `<folder>/<name>.log`.
    pub fn start<A: AsRef<OsStr>>(
        kube: &Path,
        folder: &Path,
        name: &'static str,
        flags: impl IntoIterator<Item = A>,
    ) -> io::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let mut command = Command::new(kube);
        command.arg(name).args(flags).current_dir(folder).env(LIFELINE, "1");
        let child = command.stdin(Stdio::piped()).stdout(out.try_clone()?).stderr(out).spawn()?;
        Ok(Self { name, child, log })
    }

    /// The component's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, when it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The end of its log.
    pub fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(TAIL)..]).into_owned()
    }
}

impl Drop for Daemon {
    /// At once: what it holds is thrown away with it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
