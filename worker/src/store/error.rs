//! What can go wrong at the output, and what follows from it.

use std::{error::Error, io, path::PathBuf};

use object_store::Error as ObjectError;

/// What went wrong at the output. Every variant names the output.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder could not be made or opened.
    #[error("failed to open the output folder {folder}")]
    Open {
        /// The folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The folder is not there, and is not ours to make.
    #[error("the output folder {folder} is not there: is the volume mounted?")]
    Missing {
        /// The folder.
        folder: PathBuf,
    },
    /// The bucket's settings make no sense.
    #[error("failed to set up the output {place} (spec.output.s3)")]
    Bucket {
        /// The bucket.
        place: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// Another run holds this output.
    #[error("another run is writing to {folder}; wait for it to end, or choose another --output")]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
    /// The marker file is missing: probably not the right volume.
    #[error(
        "the marker file {marker} is missing in {folder}: is the right folder mounted there? (spec.output.markerFile)"
    )]
    Marker {
        /// Its name.
        marker: String,
        /// The output.
        folder: String,
    },
    /// A read failed.
    #[error("failed to read {name} in {folder}")]
    Read {
        /// The object.
        name: String,
        /// The output.
        folder: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
    /// A write failed; what was there before is untouched.
    #[error(
        "failed to write {name} in {folder}: make room or mend the folder, then run again; finished results are kept"
    )]
    Write {
        /// The object.
        name: String,
        /// The output.
        folder: String,
        /// Why.
        #[source]
        source: ObjectError,
    },
}

impl StoreError {
    /// Whether somebody must mend the output or its settings: trying again as it is cannot help.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Open { .. }
            | Self::Missing { .. }
            | Self::Bucket { .. }
            | Self::Locked { .. }
            | Self::Marker { .. } => true,
            Self::Read { source, .. } => is_refusal(source) || is_no_bucket(source),
            // What is written need not exist: it is the bucket that was not found.
            Self::Write { source, .. } => is_refusal(source) || matches!(source, ObjectError::NotFound { .. }),
        }
    }

    /// A stable word for the operator's status.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Marker { .. } => "MarkerMissing",
            Self::Locked { .. } => "OutputLocked",
            Self::Missing { .. } | Self::Write { source: ObjectError::NotFound { .. }, .. } => "OutputMissing",
            Self::Read { source, .. } if is_no_bucket(source) => "OutputMissing",
            Self::Open { .. } | Self::Bucket { .. } => "OutputInvalid",
            Self::Read { source, .. } | Self::Write { source, .. } if is_refusal(source) => "OutputRefused",
            Self::Read { .. } | Self::Write { .. } => "OutputUnavailable",
        }
    }
}

/// A listing of a bucket that does not exist is a plain failure to the client; only the server's words tell it apart.
fn is_no_bucket(error: &ObjectError) -> bool {
    error.to_string().contains("<Code>NoSuchBucket</Code>")
}

/// Wrong or missing credentials, a folder of another user, a volume mounted read-only.
fn is_refusal(error: &ObjectError) -> bool {
    if matches!(error, ObjectError::PermissionDenied { .. } | ObjectError::Unauthenticated { .. }) {
        return true;
    }
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let refused = |kind| matches!(kind, io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem);
        if error.downcast_ref::<io::Error>().is_some_and(|error| refused(error.kind())) {
            return true;
        }
        cause = error.source();
    }
    false
}
