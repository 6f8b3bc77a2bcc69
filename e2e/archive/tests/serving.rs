//! The server as a plain HTTP client sees it: files, ranges, validators, indexes, every fault, the counts.

#![allow(clippy::unwrap_used)] // a test may

use std::{path::Path, sync::LazyLock, time::Duration};

use archive::{
    Server,
    fault::{Fault, Rule},
    server::{Counts, Options},
};
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use reqwest::{Client, Method, Response, StatusCode, header};

const NAME: &str = "2018/07/24/X.mov";
const SIZE: u64 = 300_007;

static RUNTIME: LazyLock<tokio::runtime::Runtime> = LazyLock::new(|| {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    tokio::runtime::Runtime::new().unwrap()
});

fn content() -> Vec<u8> {
    (0..SIZE).map(|at| (at * at % 251) as u8).collect()
}

struct Lab {
    server: Server,
    client: Client,
    folder: tempfile::TempDir,
}

impl Lab {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(NAME).parent().unwrap()).unwrap();
        std::fs::write(folder.path().join(NAME), content()).unwrap();
        let server = Server::start(folder.path()).unwrap();
        let _inside = RUNTIME.enter();
        let client = Client::builder().timeout(Duration::from_secs(10)).redirect(reqwest::redirect::Policy::none());
        Self { server, client: client.build().unwrap(), folder }
    }

    /// With a fault for the movie.
    fn sick(fault: Fault) -> Self {
        let lab = Self::new();
        lab.server.inject(Rule::on("X.mov", fault));
        lab
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)]) -> reqwest::Result<Response> {
        let mut request = self.client.request(method, self.server.url() + path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await
    }

    async fn get(&self, headers: &[(&str, &str)]) -> reqwest::Result<Response> {
        self.ask(Method::GET, NAME, headers).await
    }

    async fn range(&self, range: &str) -> reqwest::Result<Response> {
        self.get(&[("range", range)]).await
    }

    fn control(&self, path: &str) -> String {
        format!("http://{}/_control/{path}", self.server.address())
    }
}

fn text(response: &Response, name: header::HeaderName) -> String {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned()
}

/// Status, `Content-Range` and body.
async fn facts(response: Response) -> (u16, String, Vec<u8>) {
    (response.status().as_u16(), text(&response, header::CONTENT_RANGE), response.bytes().await.unwrap().to_vec())
}

fn run(test: impl Future<Output = ()>) {
    RUNTIME.block_on(test);
}

#[test]
fn a_file_comes_whole_with_its_validators() {
    let lab = Lab::new();
    run(async {
        let whole = lab.get(&[]).await.unwrap();
        assert_eq!(text(&whole, header::ACCEPT_RANGES), "bytes");
        assert_eq!(text(&whole, header::CONTENT_TYPE), "video/quicktime");
        assert!(text(&whole, header::LAST_MODIFIED).ends_with(" GMT"));
        let tag = text(&whole, header::ETAG);
        assert_eq!(facts(whole).await, (200, String::new(), content()));
        let head = lab.ask(Method::HEAD, NAME, &[]).await.unwrap();
        assert_eq!((text(&head, header::CONTENT_LENGTH), text(&head, header::ETAG)), (SIZE.to_string(), tag));
        assert!(head.bytes().await.unwrap().is_empty());
        let post = lab.ask(Method::POST, NAME, &[]).await.unwrap();
        assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(lab.ask(Method::GET, "nothing.mov", &[]).await.unwrap().status(), StatusCode::NOT_FOUND);
    });
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let lab = Lab::new();
    run(async {
        let head = lab.ask(Method::HEAD, NAME, &[]).await.unwrap();
        let (tag, date) = (text(&head, header::ETAG), text(&head, header::LAST_MODIFIED));
        let list = format!("\"other\", W/{tag}");
        let table = [
            (("if-none-match", tag.as_str()), 304),
            (("if-none-match", list.as_str()), 304),
            (("if-none-match", "*"), 304),
            (("if-none-match", "\"other\""), 200),
            (("if-modified-since", date.as_str()), 304),
            (("if-modified-since", "Mon, 01 Jan 2001 00:00:00 GMT"), 200),
        ];
        for (header, status) in table {
            assert_eq!(lab.get(&[header]).await.unwrap().status().as_u16(), status, "{header:?}");
        }
        for (validator, status) in [(tag.as_str(), 206), (date.as_str(), 206), ("\"other\"", 200)] {
            let headers = [("range", "bytes=0-9"), ("if-range", validator)];
            assert_eq!(lab.get(&headers).await.unwrap().status().as_u16(), status, "{validator}");
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_range_is_the_files_bytes(start in 0..SIZE + 1000, length in 1..SIZE, form in 0..3_u8, _x in any::<u8>()) {
        static LAB: LazyLock<Lab> = LazyLock::new(Lab::new);
        let (size, content) = (SIZE as usize, content());
        let (start, length) = (start as usize, length as usize);
        let (text, first, last) = match form {
            0 => (format!("bytes={start}-{}", start + length - 1), start, (start + length).min(size)),
            1 => (format!("bytes={start}-"), start, size),
            _ => (format!("bytes=-{length}"), size.saturating_sub(length), size),
        };
        let answer = RUNTIME.block_on(async { facts(LAB.range(&text).await.unwrap()).await });
        if first >= size {
            prop_assert_eq!(answer, (416, format!("bytes */{size}"), Vec::new()));
        } else {
            let range = format!("bytes {first}-{}/{size}", last - 1);
            prop_assert_eq!(answer, (206, range, content[first..last].to_vec()));
        }
    }
}

#[test]
fn folders_are_indexes_in_apaches_style() {
    let lab = Lab::new();
    run(async {
        let page = lab.ask(Method::GET, "2018/07/24/", &[]).await.unwrap();
        assert_eq!(text(&page, header::CONTENT_TYPE), "text/html;charset=UTF-8");
        let html = page.text().await.unwrap();
        assert!(html.contains("<title>Index of /files/2018/07/24</title>"), "{html}");
        assert!(html.contains("<a href=\"/files/2018/07/\">Parent Directory</a>"), "{html}");
        assert!(html.contains("<a href=\"X.mov\">X.mov</a>") && html.contains(">293K</td>"), "{html}");
        assert!(html.contains("<a href=\"?C=N;O=D\">Name</a>"), "{html}");
        let moved = lab.ask(Method::GET, "2018/07", &[]).await.unwrap();
        assert_eq!((moved.status().as_u16(), text(&moved, header::LOCATION)), (301, "/files/2018/07/".to_owned()));
        assert!(
            lab.ask(Method::GET, "", &[]).await.unwrap().text().await.unwrap().contains("<a href=\"2018/\">2018/</a>")
        );
        let below = lab.ask(Method::GET, "%2e%2e/%2e%2e/etc/passwd", &[]).await.unwrap();
        assert!(below.status().is_client_error());
    });
}

#[test]
fn a_delay_is_late_but_right() {
    let lab = Lab::sick(Fault::Delay { ms: 150 });
    run(async {
        let start = std::time::Instant::now();
        assert_eq!(facts(lab.get(&[]).await.unwrap()).await.2, content());
        assert!(start.elapsed() >= Duration::from_millis(150));
    });
}

#[test]
fn a_stall_sends_some_bytes_and_then_nothing() {
    let lab = Lab::sick(Fault::Stall { after: 70_000 });
    run(async {
        let (mut response, mut received) = (lab.get(&[]).await.unwrap(), 0);
        assert_eq!(text(&response, header::CONTENT_LENGTH), SIZE.to_string());
        while received < 70_000 {
            received += response.chunk().await.unwrap().unwrap().len();
        }
        assert_eq!(received, 70_000);
        assert!(tokio::time::timeout(Duration::from_millis(200), response.chunk()).await.is_err());
    });
}

#[test]
fn a_drop_breaks_the_body_off() {
    let lab = Lab::sick(Fault::Drop { after: 70_000 });
    run(async {
        let (mut response, mut received) = (lab.get(&[]).await.unwrap(), 0);
        let error = loop {
            match response.chunk().await {
                Ok(chunk) => received += chunk.unwrap().len(),
                Err(error) => break error,
            }
        };
        assert!(error.is_body() || error.is_decode(), "{error:?}");
        assert_eq!(received, 70_000);
    });
}

#[test]
fn a_closed_connection_gives_no_answer() {
    let lab = Lab::sick(Fault::Close);
    run(async {
        assert!(lab.get(&[]).await.unwrap_err().is_request());
        assert_eq!(lab.ask(Method::GET, "2018/", &[]).await.unwrap().status(), StatusCode::OK, "others are well");
    });
}

#[test]
fn a_short_answer_is_consistent_and_short() {
    let lab = Lab::sick(Fault::Short { missing: 10 });
    run(async {
        let short = facts(lab.range("bytes=100-199").await.unwrap()).await;
        assert_eq!(short, (206, format!("bytes 100-189/{SIZE}"), content()[100..190].to_vec()));
        let least = facts(lab.range("bytes=5-7").await.unwrap()).await;
        assert_eq!(least, (206, format!("bytes 5-5/{SIZE}"), content()[5..6].to_vec()));
    });
}

#[test]
fn a_range_can_be_ignored_or_answered_with_another() {
    let lab = Lab::sick(Fault::IgnoreRange);
    run(async { assert_eq!(facts(lab.range("bytes=0-9").await.unwrap()).await, (200, String::new(), content())) });
    let lab = Lab::sick(Fault::WrongRange { shift: 7 });
    run(async {
        let other = facts(lab.range("bytes=0-9").await.unwrap()).await;
        assert_eq!(other, (206, format!("bytes 7-16/{SIZE}"), content()[7..17].to_vec()));
        assert_eq!(facts(lab.get(&[]).await.unwrap()).await.2, content(), "a whole file has no other place");
    });
}

#[test]
fn a_status_strikes_as_often_as_it_should() {
    let lab = Lab::new();
    lab.server.inject(Rule::on("X.mov", Fault::Status { status: 503, retry_after: Some(3) }).times(2));
    lab.server.inject(Rule::on("X.mov", Fault::Status { status: 404, retry_after: None }).times(1));
    run(async {
        let mut answers = Vec::new();
        for _ in 0..4 {
            let response = lab.get(&[]).await.unwrap();
            answers.push((response.status().as_u16(), text(&response, header::RETRY_AFTER)));
        }
        let expected = [(503, "3"), (503, "3"), (404, ""), (200, "")].map(|(status, after)| (status, after.to_owned()));
        assert_eq!(answers, expected);
    });
}

#[test]
fn an_exchanged_file_has_other_validators_and_other_bytes() {
    let lab = Lab::new();
    run(async {
        let first = lab.range("bytes=0-9").await.unwrap();
        let (tag, date) = (text(&first, header::ETAG), text(&first, header::LAST_MODIFIED));
        lab.server.inject(Rule::on("X.mov", Fault::Swapped));
        let then = lab.get(&[("range", "bytes=0-9"), ("if-range", &tag)]).await.unwrap();
        assert_eq!(then.status(), StatusCode::OK, "the range is not of the file the client knows");
        assert_ne!((text(&then, header::ETAG), text(&then, header::LAST_MODIFIED)), (tag, date));
        let turned: Vec<u8> = content().iter().map(|byte| !byte).collect();
        assert_eq!(then.bytes().await.unwrap(), turned);
    });
}

#[test]
fn a_server_that_is_down_closes_every_connection_until_it_is_up() {
    let lab = Lab::new();
    run(async {
        assert!(lab.get(&[]).await.is_ok(), "this connection is kept alive");
        lab.server.set_down(true);
        assert!(lab.get(&[]).await.is_err());
        assert!(lab.ask(Method::GET, "2018/", &[]).await.is_err());
        lab.server.set_down(false);
        assert_eq!(facts(lab.get(&[]).await.unwrap()).await.2, content());
    });
}

#[test]
fn requests_and_bytes_are_counted_by_path() {
    let lab = Lab::new();
    run(async {
        lab.range("bytes=0-999").await.unwrap().bytes().await.unwrap();
        lab.range("bytes=-500").await.unwrap().bytes().await.unwrap();
        lab.ask(Method::HEAD, NAME, &[]).await.unwrap();
        let counts = lab.server.counts();
        let expected = Counts {
            requests: 3,
            bytes: 1500,
            paths: [(NAME.to_owned(), 3)].into(),
            path_bytes: [(NAME.to_owned(), 1500)].into(),
        };
        assert_eq!(counts, expected);
        assert_eq!((counts.requests_to("X.mov"), counts.bytes_of("Y.mov")), (3, 0));
        lab.server.reset_counts();
        assert_eq!(lab.server.counts(), Counts::default());
    });
}

#[test]
fn faults_and_counts_are_steered_over_http() {
    let lab = Lab::new();
    run(async {
        let add = |rule: &str| {
            lab.client
                .post(lab.control("faults"))
                .header("content-type", "application/json")
                .body(rule.to_owned())
                .send()
        };
        let rule = r#"{"path":"*.mov","fault":{"status":{"status":500}},"only_ranges":true}"#;
        assert_eq!(add(rule).await.unwrap().status(), StatusCode::NO_CONTENT);
        assert!(add(r#"{"fault":"sneeze"}"#).await.unwrap().status().is_client_error());
        assert_eq!(lab.range("bytes=0-1").await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(lab.get(&[]).await.unwrap().status(), StatusCode::OK);
        let rules = lab.client.get(lab.control("faults")).send().await.unwrap().text().await.unwrap();
        assert!(rules.contains("\"only_ranges\":true"), "{rules}");
        lab.client.delete(lab.control("faults")).send().await.unwrap();
        assert_eq!(lab.range("bytes=0-1").await.unwrap().bytes().await.unwrap(), content()[..2]);
        let counts = lab.client.get(lab.control("counts")).send().await.unwrap().bytes().await.unwrap();
        let counts: Counts = serde_json::from_slice(&counts).unwrap();
        assert_eq!((counts.requests, counts.clone()), (3, lab.server.counts()));
        lab.client.delete(lab.control("counts")).send().await.unwrap();
        assert_eq!(lab.server.counts().requests, 0);
    });
}

#[test]
fn the_root_can_stand_under_any_path_and_the_port_be_taken_again() {
    let lab = Lab::new();
    let options = |address, prefix: &str| Options { address, prefix: prefix.to_owned(), ..Options::default() };
    let free = "127.0.0.1:0".parse().unwrap();
    assert!(Server::start_with(lab.folder.path(), options(free, "no-slash")).is_err());
    assert!(Server::start(Path::new("/nowhere/at/all")).is_err());
    let server = Server::start_with(lab.folder.path(), options(free, "/a/b/")).unwrap();
    let (url, address) = (server.url(), server.address());
    assert_eq!(url, format!("http://{address}/a/b/"));
    run(async {
        let get = || lab.client.get(format!("{url}{NAME}")).send();
        assert_eq!(get().await.unwrap().bytes().await.unwrap(), content());
        server.shutdown().await;
        assert!(get().await.unwrap_err().is_connect());
        let again = Server::start_with(lab.folder.path(), options(address, "/a/b/")).unwrap();
        assert_eq!(get().await.unwrap().status(), StatusCode::OK);
        again.shutdown().await;
    });
}
