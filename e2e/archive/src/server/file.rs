//! One file's answer, as HTTP/1.1 wants it (RFC 9110, sections 13 and 14): unless a fault says otherwise.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::FileExt,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;

use super::{
    Shared, lock,
    range::{Wanted, wanted},
};
use crate::fault::Fault;

const CHUNK: u64 = 64 << 10;

/// A file that was asked for.
pub struct Asked {
    pub shared: Arc<Shared>,
    /// Below the root, for the counts.
    pub path: String,
    pub file: PathBuf,
    pub metadata: fs::Metadata,
    pub method: Method,
    pub headers: HeaderMap,
    pub fault: Option<Fault>,
}

impl Asked {
    pub fn answer(self) -> Response {
        let size = self.metadata.len();
        let (tag, modified) = self.identity();
        let date = httpdate::fmt_http_date(modified);
        let identity = [
            (header::ETAG, tag.clone()),
            (header::LAST_MODIFIED, date.clone()),
            (header::ACCEPT_RANGES, "bytes".to_owned()),
            (header::CONTENT_TYPE, content_type(&self.path).to_owned()),
        ];
        if self.is_known(&tag, modified) {
            return (StatusCode::NOT_MODIFIED, identity).into_response();
        }
        let same = self.text(header::IF_RANGE).is_none_or(|known| known == tag || known == date);
        let obeyed = same && self.fault != Some(Fault::IgnoreRange) && self.method == Method::GET;
        let range = wanted(self.text(header::RANGE).filter(|_| obeyed), size);
        let (start, end) = match range {
            Wanted::Whole => self.shifted(0, size),
            Wanted::Part(start, end) => self.shifted(start, end),
            Wanted::Beyond => {
                let range = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
                return (StatusCode::RANGE_NOT_SATISFIABLE, identity, range).into_response();
            }
        };
        let length = [(header::CONTENT_LENGTH, (end - start).to_string())];
        let body = if self.method == Method::HEAD { Body::empty() } else { self.body(start, end) };
        let mut response = (identity, length, body).into_response();
        if range != Wanted::Whole {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            if let Ok(range) = HeaderValue::try_from(format!("bytes {start}-{}/{size}", end.saturating_sub(1))) {
                response.headers_mut().insert(header::CONTENT_RANGE, range);
            }
        }
        response
    }

    fn text(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Entity tag and date; other ones when the file was exchanged.
    fn identity(&self) -> (String, SystemTime) {
        let modified = self.metadata.modified().unwrap_or(UNIX_EPOCH);
        let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let tag = format!("{:x}-{age:x}", self.metadata.len());
        match self.fault {
            Some(Fault::Swapped) => (format!("\"{tag}-other\""), modified + Duration::from_hours(1)),
            _ => (format!("\"{tag}\""), modified),
        }
    }

    /// Whether the client has this version: `If-None-Match`, or without it `If-Modified-Since`.
    fn is_known(&self, tag: &str, modified: SystemTime) -> bool {
        if let Some(tags) = self.text(header::IF_NONE_MATCH) {
            return tags.split(',').map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag);
        }
        let since = self.text(header::IF_MODIFIED_SINCE).and_then(|date| httpdate::parse_http_date(date).ok());
        let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        since.is_some_and(|since| seconds(modified) <= seconds(since))
    }

    /// What is sent instead of the bytes from `start` to before `end`.
    fn shifted(&self, start: u64, end: u64) -> (u64, u64) {
        match self.fault {
            Some(Fault::Short { missing }) if start < end => (start, end.saturating_sub(missing).max(start + 1)),
            Some(Fault::WrongRange { shift }) if self.headers.contains_key(header::RANGE) => {
                if end.saturating_add(shift) <= self.metadata.len() {
                    return (start + shift, end + shift);
                }
                let shift = shift.min(start);
                (start - shift, end - shift)
            }
            _ => (start, end),
        }
    }

    /// Sends a part of the file in pieces, and stops as the fault says.
    fn body(self, start: u64, end: u64) -> Body {
        let stop = match self.fault {
            Some(Fault::Stall { after } | Fault::Drop { after }) => start.saturating_add(after).min(end),
            _ => end,
        };
        let sending = Sending { asked: Arc::new(self), file: None, at: start, stop, end };
        Body::from_stream(stream::unfold(sending, Sending::next))
    }
}

/// A body under way.
struct Sending {
    asked: Arc<Asked>,
    file: Option<Arc<File>>,
    at: u64,
    stop: u64,
    end: u64,
}

impl Sending {
    async fn next(mut self) -> Option<(io::Result<Bytes>, Self)> {
        if self.at < self.stop {
            let piece = self.piece().await;
            // After an error the stream is not asked again; a place at the end makes sure of it.
            self.at = piece.as_ref().map_or(self.end, |piece| self.at + piece.len() as u64);
            return Some((piece, self));
        }
        match self.asked.fault {
            Some(Fault::Stall { .. }) if self.at < self.end => std::future::pending().await,
            Some(Fault::Drop { .. }) if self.at < self.end => {
                // Enough time for what was sent to arrive: the client is to see a broken body, not a broken header.
                tokio::time::sleep(Duration::from_millis(20)).await;
                (self.at, self.stop) = (self.end, self.end);
                Some((Err(io::Error::other("dropped on request")), self))
            }
            _ => None,
        }
    }

    async fn piece(&mut self) -> io::Result<Bytes> {
        let length = (self.stop - self.at).min(CHUNK) as usize;
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(File::open(&self.asked.file)?))),
        };
        let at = self.at;
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; length];
            file.read_exact_at(&mut piece, at).map(|()| piece)
        });
        let mut piece = read.await.map_err(io::Error::other)??;
        if self.asked.fault == Some(Fault::Swapped) {
            for byte in &mut piece {
                *byte = !*byte;
            }
        }
        lock(&self.asked.shared.counts).sent(&self.asked.path, piece.len() as u64);
        Ok(piece.into())
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("mov") => "video/quicktime",
        Some("mp4") => "video/mp4",
        Some("csv") => "text/csv",
        Some("txt" | "md") => "text/plain",
        _ => "application/octet-stream",
    }
}
