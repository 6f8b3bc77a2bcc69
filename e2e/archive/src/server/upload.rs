//! Files put, taken away and listed over HTTP, for tests on a cluster: there nobody but the server reaches its folder.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use axum::{
    Json,
    body::{Bytes, to_bytes},
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{Ours, Shared};

/// The largest file that may be put, in bytes.
const LARGEST: usize = 1 << 30;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// Puts or deletes the file `path` below the root.
pub async fn change(shared: &Shared, path: &str, request: Request) -> Response {
    let file = shared.root.join(path);
    if request.method() == Method::DELETE {
        return told(fs::remove_file(&file));
    }
    let headers = request.headers().clone();
    match to_bytes(request.into_body(), LARGEST).await {
        Ok(bytes) => told(write(&shared.root, &file, &headers, &bytes)),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// Writes it under another name first: nobody is served half a movie. `Last-Modified`, when it is sent, becomes the file's
/// own, so that two servers can hold the same version.
fn write(root: &Path, file: &Path, headers: &HeaderMap, bytes: &Bytes) -> io::Result<()> {
    fs::create_dir_all(file.parent().unwrap_or(root))?;
    let partial = root.join(format!(".put-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    fs::write(&partial, bytes)?;
    let modified = headers.get(header::LAST_MODIFIED).and_then(|date| date.to_str().ok());
    if let Some(modified) = modified.and_then(|date| httpdate::parse_http_date(date).ok()) {
        fs::File::options().append(true).open(&partial)?.set_modified(modified)?;
    }
    fs::rename(&partial, file)
}

fn told(done: io::Result<()>) -> Response {
    match done {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => StatusCode::NOT_FOUND.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Every file below the root, with its size in bytes.
pub async fn files(shared: Ours) -> Response {
    let mut found = BTreeMap::new();
    match visit(&shared.root, &shared.root, &mut found) {
        Ok(()) => Json(found).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn visit(root: &Path, folder: &Path, found: &mut BTreeMap<String, u64>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // What goes away while it is looked at is not there.
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if metadata.is_dir() {
            match visit(root, &path, found) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        } else if let Ok(below) = path.strip_prefix(root) {
            found.insert(below.to_string_lossy().into_owned(), metadata.len());
        }
    }
    Ok(())
}
