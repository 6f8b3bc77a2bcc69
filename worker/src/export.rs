//! `analysis-worker export DIR`: files of an output as text, a piece at a time, for who can read a pod's log and no more.
//! Its form is [`plan::parcel`]. Nothing is held but the piece in hand.

mod files;

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use plan::{
    exit,
    parcel::{Head, NO_ACCESS, NO_FILE},
};

use files::{Part, parts, version};

/// Shown below the help of `export`.
pub const EXAMPLES: &str = "\
Examples:
  analysis-worker export /results --file report.html --also report
  analysis-worker export /results --file report.html --plain > report.html

Exit codes:
  0   printed
  2   the command line was not understood
  66  a file that was asked for is not there
  69  a file could not be read, or changed meanwhile
  77  a file may not be read";

/// Bytes read at once.
const CHUNK: usize = 64 << 10;
/// Bytes of a line, a multiple of three: 4096 characters.
const LINE: usize = 3072;

/// What it is told.
#[derive(Debug, Clone, clap::Args)]
pub struct ExportArguments {
    /// The folder the output is mounted at.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A file that has to be there; it comes last.
    #[arg(long, value_name = "NAME", required = true)]
    pub file: String,
    /// A file, or a folder's files, that come too where they are there. May be repeated.
    #[arg(long, value_name = "NAME")]
    pub also: Vec<String>,
    /// The pictures of all movies, too.
    #[arg(long)]
    pub pictures: bool,
    /// The first byte of the piece, as the piece before it says.
    #[arg(long, default_value_t = 0, value_name = "BYTE")]
    pub from: u64,
    /// About how many bytes the piece has when compressed.
    #[arg(long, default_value_t = 5 << 20, value_name = "BYTES")]
    pub limit: usize,
    /// Print --file as it is, whole, and nothing else.
    #[arg(long, conflicts_with_all = ["also", "pictures", "from"])]
    pub plain: bool,
}

/// Why nothing, or not all, was printed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// It is not there.
    #[error("there is no file {name} in {}", folder.display())]
    NoFile {
        /// As asked for.
        name: String,
        /// The output.
        folder: PathBuf,
    },
    /// It could not be read.
    #[error("failed to read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is shorter than it was a moment ago.
    #[error("{} changed while it was read", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// There is no such byte.
    #[error("byte {from} is beyond the end, {total}: the files have changed, begin anew")]
    Beyond {
        /// As asked for.
        from: u64,
        /// Bytes there are.
        total: u64,
    },
    /// Nobody takes what is printed.
    #[error("failed to write to standard output")]
    Write(#[from] io::Error),
}

impl ExportError {
    /// The exit code (see [`plan::parcel`] and `plan::exit`).
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NoFile { .. } => NO_FILE,
            Self::Read { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => NO_ACCESS,
            Self::Read { .. } | Self::Changed { .. } | Self::Beyond { .. } | Self::Write(_) => exit::UNAVAILABLE,
        }
    }
}

/// Prints what is asked for to `out`.
pub fn export(arguments: &ExportArguments, out: &mut impl Write) -> Result<(), ExportError> {
    let parts = parts(arguments)?;
    if arguments.plain {
        return parts.iter().try_for_each(|part| plain(part, out));
    }
    let total = parts.iter().map(Part::bytes).sum();
    if arguments.from > total {
        return Err(ExportError::Beyond { from: arguments.from, total });
    }
    let (packed, end) = piece(&parts, arguments.from, arguments.limit)?;
    writeln!(out, "{}", Head { total, version: version(&parts), from: arguments.from, end })?;
    for line in packed.chunks(LINE) {
        writeln!(out, "{}", STANDARD.encode(line))?;
    }
    Ok(out.flush()?)
}

fn plain(part: &Part, out: &mut impl Write) -> Result<(), ExportError> {
    let fail = |source| ExportError::Read { path: part.path.clone(), source };
    let mut file = File::open(&part.path).map_err(fail)?;
    let mut chunk = vec![0; CHUNK];
    loop {
        // A reader that fails is another trouble than a writer that does.
        let read = file.read(&mut chunk).map_err(fail)?;
        if read == 0 {
            return Ok(out.flush()?);
        }
        out.write_all(&chunk[..read])?;
    }
}

/// From byte `from` on, compressed, until it has `limit` bytes or the files end; and where that is.
fn piece(parts: &[Part], from: u64, limit: usize) -> Result<(Vec<u8>, u64), ExportError> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let (mut start, mut at) = (0, from);
    for part in parts {
        let end = start + part.bytes();
        while at < end && packed.get_ref().len() < limit {
            let (line, inside) = (part.line.as_bytes(), at - start);
            if let Some(rest) =
                usize::try_from(inside).ok().and_then(|inside| line.get(inside..)).filter(|rest| !rest.is_empty())
            {
                packed.write_all(rest)?;
                at += rest.len() as u64;
            } else {
                at += copy(part, inside - line.len() as u64, &mut packed, limit)?;
            }
        }
        start = end;
    }
    Ok((packed.finish()?, at))
}

/// A file from byte `from` on; gives how many bytes were taken.
fn copy(part: &Part, from: u64, packed: &mut GzEncoder<Vec<u8>>, limit: usize) -> Result<u64, ExportError> {
    let fail = |source| ExportError::Read { path: part.path.clone(), source };
    let mut file = File::open(&part.path).map_err(fail)?;
    file.seek(SeekFrom::Start(from)).map_err(fail)?;
    let (mut left, mut chunk) = (part.size - from, vec![0; CHUNK]);
    while left > 0 && packed.get_ref().len() < limit {
        let most = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let read = file.read(&mut chunk[..most]).map_err(fail)?;
        if read == 0 {
            return Err(ExportError::Changed { path: part.path.clone() });
        }
        packed.write_all(&chunk[..read])?;
        left -= read as u64;
    }
    Ok(part.size - from - left)
}
