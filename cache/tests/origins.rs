//! Archives of every kind, and what may stand before and behind them: several mirrors, a bucket, local copies, redirects,
//! credentials, an image store.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::{path::Path, process::Command, time::Duration};

use archive::{Movie, Server, movie_writer::packets};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request as AxumRequest,
    http::{HeaderMap, Request, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use frame::{DirectoryPath, FrameNumber, MirrorRoot, MoviePath};
use lazycache::{
    Copies, ErrorKind, HttpOptions, Lazycache, Listing, Resources,
    error::chain,
    image_store::{ImageStore, ImageStoreKind, ImageStoreSettings},
    object,
    origin::Credentials,
    server::{Served, app},
};
use tower::ServiceExt;

const NAME: &str = "A/X.mov";

fn render(path: &Path, frames: u32) {
    Movie { frames, size: (64, 64), plume: 0.0, ..Movie::default() }.render(path).unwrap();
}

fn archive(frames: u32) -> (tempfile::TempDir, Server) {
    let folder = tempfile::tempdir().unwrap();
    render(&folder.path().join(NAME), frames);
    let server = Server::start(folder.path()).unwrap();
    (folder, server)
}

fn open(root: &str, options: HttpOptions, copies: Option<&Copies>) -> Lazycache {
    Lazycache::open_with(root, options, copies, Resources::default()).unwrap()
}

async fn frames(cache: &Lazycache) -> Result<u32, ErrorKind> {
    let movie = cache.movie(&MoviePath::parse(NAME).unwrap()).await;
    // What is expected is checked; what is not is to be understood from the output.
    movie
        .map(|movie| movie.num_frames())
        .inspect_err(|error| println!("{}", chain(error)))
        .map_err(|error| error.kind())
}

async fn get(app: &Router, path: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    (parts.status, parts.headers, to_bytes(body, 1 << 26).await.unwrap().to_vec())
}

#[tokio::test]
async fn several_mirrors_are_served_by_one_server_and_do_not_mix() {
    let (first, second) = (archive(3), archive(5));
    let roots = [&first.1, &second.1].map(|server| MirrorRoot::parse(&server.url()).unwrap());
    let app = app(Served::new(&roots, 2).unwrap());
    for (root, frames) in roots.iter().zip([3, 5]) {
        let (_, _, body) = get(&app, &format!("{}{NAME}", root.api_path())).await;
        let told: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(told["NumFrames"], frames);
    }
}

#[tokio::test]
async fn a_local_copy_is_preferred_and_what_has_none_comes_from_the_archive() {
    let (folder, server) = archive(3);
    let copies = tempfile::tempdir().unwrap();
    for (flat, place) in [(false, NAME), (true, "X.mov")] {
        let overlay = Copies { folder: copies.path().to_owned(), flat };
        let cache = || open(&server.url(), HttpOptions::default(), Some(&overlay));
        assert_eq!(frames(&cache()).await, Ok(3), "no copy");
        render(&copies.path().join(place), 4);
        server.reset_counts();
        let known = cache();
        assert_eq!((frames(&known).await, server.counts().requests), (Ok(4), 0), "{place}");
        let packet = packets(&copies.path().join(place)).unwrap()[1].clone();
        let movie = known.movie(&MoviePath::parse(NAME).unwrap()).await.unwrap();
        let number = FrameNumber::new(2).unwrap();
        assert_eq!(known.packet(&movie, number).await.unwrap(), packet);
        // The copy goes: what was known of it is not what the archive has.
        std::fs::remove_file(copies.path().join(place)).unwrap();
        assert_eq!(known.packet(&movie, number).await.unwrap_err().kind(), ErrorKind::Changed);
        assert_eq!(frames(&known).await, Ok(3));
    }
    drop(folder);
}

/// A server that sends everyone on, as `to` says, or shows what it was asked with.
async fn redirecting(to: impl Fn(&AxumRequest) -> Option<String> + Clone + Send + Sync + 'static) -> String {
    let answer = move |request: AxumRequest| {
        let to = to(&request);
        async move {
            to.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |to| Redirect::temporary(&to).into_response())
        }
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/files/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    root
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed_and_one_on_the_same_host_is() {
    let (_folder, server) = archive(3);
    let (same, port) = (server.url(), server.address().port());
    let to_same = redirecting(move |request| Some(format!("{same}{}", &request.uri().path()["/files/".len()..]))).await;
    assert_eq!(frames(&open(&to_same, HttpOptions::default(), None)).await, Ok(3));
    let other = redirecting(move |request| Some(format!("http://localhost:{port}{}", request.uri().path()))).await;
    assert_eq!(frames(&open(&other, HttpOptions::default(), None)).await, Err(ErrorKind::OriginError));
    let for_ever = redirecting(|request| Some(format!("{}x", request.uri().path()))).await;
    assert_eq!(frames(&open(&for_ever, HttpOptions::default(), None)).await, Err(ErrorKind::OriginError));
    assert_eq!(server.counts().requests_to(NAME), 2);
}

#[tokio::test]
async fn an_archive_is_told_who_asks() {
    let answer = |headers: HeaderMap| async move {
        let known = ["Bearer secret", "Basic bWU6cGFzcw=="];
        let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let status =
            if told.is_some_and(|told| known.contains(&told)) { StatusCode::GONE } else { StatusCode::UNAUTHORIZED };
        Response::builder().status(status).body(Body::empty()).unwrap()
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let root = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let password = Credentials::Password { user: "me".into(), password: "pass".into() };
    for credentials in [Credentials::Token("secret".into()), password] {
        assert!(!format!("{credentials:?}").contains("secret"));
        let options = HttpOptions { credentials: Some(credentials), ..HttpOptions::default() };
        assert_eq!(frames(&open(&root, options, None)).await, Err(ErrorKind::NotFound), "who asks is known");
    }
    assert_eq!(frames(&open(&root, HttpOptions::default(), None)).await, Err(ErrorKind::OriginError));
}

#[tokio::test]
async fn a_frame_is_stored_and_answered_from_the_store_or_where_it_is() {
    let (folder, server) = archive(3);
    // What is written in another way in addresses, or would be by the crate of the store.
    let name = "A/a b [1]~é.mov";
    render(&folder.path().join(name), 3);
    let store = folder.path().join("images");
    let settings = ImageStoreSettings {
        kind: ImageStoreKind::Local,
        root: Some(store.display().to_string()),
        ..ImageStoreSettings::default()
    };
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let lab = |url: Option<&str>| {
        let settings = ImageStoreSettings { url: url.map(String::from), ..settings.clone() };
        let served = Served::new(std::slice::from_ref(&root), 2).unwrap();
        app(served.with_image_store(ImageStore::open(&settings).unwrap()))
    };
    let path = format!("{}{}/frame/2.jpg?width=32&height=32", root.api_path(), object::encoded(name));
    let plain = lab(None);
    let (_, _, made) = get(&plain, &path).await;
    let stored = async {
        loop {
            server.reset_counts();
            let (_, headers, body) = get(&plain, &path).await;
            assert_eq!((headers["content-type"].to_str().unwrap(), &body), ("image/jpeg", &made));
            if server.counts().requests == 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), stored).await.unwrap();
    let (status, headers, _) = get(&lab(Some("https://images.example.org/camhd/")), &path).await;
    let place = headers["location"].to_str().unwrap();
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    let below = place.strip_prefix("https://images.example.org/camhd/").unwrap();
    let below = percent_encoding::percent_decode_str(below).decode_utf8().unwrap();
    assert_eq!(std::fs::read(store.join(&*below)).unwrap(), made, "{place}");
    assert!(below.contains(&format!("{name}/")) && below.ends_with("/000002-width=32&height=32.jpeg"), "{below}");
    // An exchanged movie has other names.
    render(&folder.path().join(name), 4);
    assert_eq!(get(&lab(Some("https://images.example.org/")), &path).await.0, StatusCode::OK);
}

#[test]
fn an_image_store_that_lacks_something_says_what() {
    let open = |kind| ImageStore::open(&ImageStoreSettings { kind, ..ImageStoreSettings::default() });
    assert!(open(ImageStoreKind::None).unwrap().is_none());
    assert!(open(ImageStoreKind::Local).unwrap_err().to_string().contains("--image-store-root"));
    assert!(open(ImageStoreKind::S3).unwrap_err().to_string().contains("--image-store-bucket"));
}

/// The tests in a bucket need variables of their own: they run in a process of their own.
#[test]
fn an_archive_in_a_bucket_is_as_good_as_one_on_the_web() {
    let (folder, _server) = archive(4);
    std::fs::create_dir_all(folder.path().join("s3/videos/camhd")).unwrap();
    std::fs::rename(folder.path().join("A"), folder.path().join("s3/videos/camhd/A")).unwrap();
    let bucket = support::Bucket::start(&folder.path().join("s3"));
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "in_a_bucket", "--nocapture"]);
    command.env("AWS_ENDPOINT_URL", &bucket.endpoint).env("AWS_REGION", "eu-west-1");
    command.env("AWS_ACCESS_KEY_ID", support::KEY).env("AWS_SECRET_ACCESS_KEY", support::SECRET);
    command.env("BUCKET_FOLDER", folder.path().join("s3/videos/camhd"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
#[ignore = "run by an_archive_in_a_bucket_is_as_good_as_one_on_the_web, with its variables"]
async fn in_a_bucket() {
    let file = Path::new(&std::env::var("BUCKET_FOLDER").unwrap()).join(NAME);
    let cache = open("s3://videos/camhd", HttpOptions { at_once: 4, waiting: 16, ..HttpOptions::default() }, None);
    assert_eq!(frames(&cache).await, Ok(4));
    let movie = cache.movie(&MoviePath::parse(NAME).unwrap()).await.unwrap();
    assert_eq!(movie.url(), "s3://videos/camhd/A/X.mov");
    for (number, packet) in (1..).zip(packets(&file).unwrap()) {
        assert_eq!(cache.packet(&movie, FrameNumber::new(number).unwrap()).await.unwrap(), packet);
    }
    let listed = async |path: &str| cache.list(&DirectoryPath::parse(path).unwrap()).await;
    let listing = async |path: &str| listed(path).await.unwrap();
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(listing("").await, Listing { files: vec![], directories: names(&["A"]) });
    assert_eq!(listing("A").await, Listing { files: names(&["X.mov", "X_truth.csv"]), directories: vec![] });
    // Letters that a store writes in another way.
    let strange = "A/é [1] {2}~^.mov";
    std::fs::hard_link(&file, file.with_file_name(&strange[2..])).unwrap();
    assert_eq!(listing("A").await.files, names(&["X.mov", "X_truth.csv", &strange[2..]]));
    assert_eq!(cache.movie(&MoviePath::parse(strange).unwrap()).await.unwrap().num_frames(), 4);
    std::fs::remove_file(file.with_file_name(&strange[2..])).unwrap();
    let missing = cache.movie(&MoviePath::parse("A/gone.mov").unwrap()).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert_eq!(listed("B").await.unwrap_err().kind(), ErrorKind::NotFound);
    render(&file, 6);
    let number = FrameNumber::new(2).unwrap();
    assert_eq!(cache.packet(&movie, number).await.unwrap_err().kind(), ErrorKind::Changed);
    assert_eq!(frames(&cache).await, Ok(6));
    std::fs::write(&file, "").unwrap();
    assert_eq!(frames(&open("s3://videos/camhd/", HttpOptions::default(), None)).await, Err(ErrorKind::NotAMovie));
}

mod support {
    //! A real S3 server in this process: signatures are checked, listings and XML are somebody else's than the client's.

    use std::path::Path;

    use hyper_util::{
        rt::{TokioExecutor, TokioIo},
        server::conn::auto::Builder,
    };
    use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};

    pub const KEY: &str = "AKEYOFTHELAB";
    pub const SECRET: &str = "a-secret-of-the-lab";

    pub struct Bucket {
        pub endpoint: String,
        _runtime: tokio::runtime::Runtime,
    }

    impl Bucket {
        pub fn start(root: &Path) -> Self {
            let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(root).unwrap());
            service.set_auth(SimpleAuth::from_single(KEY, SECRET));
            let service = service.build();
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
            let endpoint = format!("http://{}", listener.local_addr().unwrap());
            runtime.spawn(async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let service = service.clone();
                    let builder = Builder::new(TokioExecutor::new());
                    tokio::spawn(async move { drop(builder.serve_connection(TokioIo::new(stream), service).await) });
                }
            });
            Self { endpoint, _runtime: runtime }
        }
    }
}
