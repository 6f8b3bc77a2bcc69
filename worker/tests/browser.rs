//! The report in a real browser: few movies and 30,000, with and without scripts, wide and narrow, opened from a folder and
//! from a bucket. Run by `make test-browser`.
//!
//! With `REPORT_SCREENSHOTS=FOLDER`, pictures of the pages are left there. `--nocapture` shows how long 10 and 30,000 movies
//! take to open, and in how much memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)] // a test may

#[path = "support/bucket.rs"]
#[allow(dead_code)] // another test looks into it
mod bucket;
#[allow(dead_code)] // another test uses the rest
#[path = "../../cache/tests/browser/chromium.rs"]
mod chromium;
#[path = "browser/memory.rs"]
mod memory;

use std::{path::Path, time::Instant};

use analysis_worker::{
    pictures::{self, Pictures},
    report::{
        File, Report,
        overview::{Doubt, Overview, Point, Shares},
        timeline,
    },
    store::Store,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bucket::{Bucket, KEY, SECRET};
use chromium::Chromium;
use futures::{StreamExt, TryStreamExt, stream};
use motion::{Grey, Region, RegionKind, RegionStats};
use plan::Failure;
use serde_json::{Value, json};

const FRAMES: u32 = 25_150;
/// In MiB, for all processes: the browser itself takes two thirds of it.
const MOST_MEMORY: f64 = 600.0;
const KINDS: [RegionKind; 6] =
    [RegionKind::Static, RegionKind::N, RegionKind::Static, RegionKind::ZoomIn, RegionKind::Static, RegionKind::Short];

fn name(number: usize) -> String {
    let (year, month, day) = (2010 + number / 2976, number / 248 % 12 + 1, number / 8 % 31 + 1);
    format!("A/{year}/{month:02}/{day:02}/M-{year}{month:02}{day:02}T{:02}0000Z.mov", number % 8 * 3)
}

/// Thirty regions, a curve, a doubt; movie 7 is the one most in doubt.
fn movie(number: usize) -> Overview {
    let stats = RegionStats { scale_mean: 1.0, tx_mean: 0.1, ty_mean: 0.2, size: 40 };
    let region = |at: u32| Region {
        start_frame: at * 800 + 1,
        end_frame: at * 800 + if at.is_multiple_of(2) { 560 } else { 790 },
        kind: KINDS[(at as usize + number) % KINDS.len()],
        stats,
    };
    let height = |at: u32| f64::from((at * 7 + number as u32) % 40) - 20.0;
    let point = |at: u32| Point {
        frame: at * 104 + 1,
        values: (!(at / 9).is_multiple_of(5)).then(|| [height(at), height(at + 3), 0.0]),
    };
    Overview {
        path: name(number),
        num_frames: FRAMES,
        duration: 839.2,
        file_size: Some(14_000_000_000),
        regions: (0..30).map(region).collect(),
        doubts: vec![Doubt {
            start_frame: 4001,
            end_frame: 4801,
            reasons: vec!["rival".into(), "few <points>".into()],
        }],
        curve: (0..240).map(point).collect(),
        shares: Shares {
            still: (number % 90) as f64 / 100.0,
            moving: 0.1,
            undetermined: if number == 7 { 0.5 } else { 0.03 },
        },
    }
}

/// A sheet whose tiles are told apart by their brightness.
fn sheet() -> Vec<u8> {
    let pictures = Pictures::of(FRAMES);
    for frame in (1..=FRAMES).step_by(10) {
        let shade = (frame / 101) as u8;
        let data =
            (0..480 * 270).map(|at: u32| if (at / 480 / 20).is_multiple_of(2) { shade } else { 255 - shade }).collect();
        pictures.see(frame, &Grey { width: 480, height: 270, data });
    }
    pictures.sheet().unwrap().unwrap()
}

/// A report on movies, whose pictures all are one, and two failures: of a movie with an old result, and of one without.
fn written(sheet: &[u8], sheet_name: &str, movies: usize) -> Vec<File> {
    let failure =
        |item: String, message: &str| Failure { item, reason: "NotFound".into(), attempts: 3, message: message.into() };
    let failures = [failure(name(3), "404"), failure("A/lost.mov".into(), "<b>the archive says 404</b>")];
    let mut report = Report::new("ashes-2018", movies, &failures);
    let mut files = Vec::new();
    for number in 0..movies {
        let address = if report.is_on_first_page() {
            format!("data:image/jpeg;base64,{}", STANDARD.encode(sheet))
        } else {
            sheet_name.to_owned()
        };
        let pictures = timeline::Pictures { address, tiles: pictures::tiles(FRAMES), columns: pictures::COLUMNS };
        // One movie has none.
        files.extend(report.add(&movie(number), (number != 1).then_some(&pictures)).unwrap());
    }
    files.extend(report.finish(jiff::Timestamp::UNIX_EPOCH).unwrap());
    files
}

/// A report where a browser can open it; it goes with what holds it.
struct Site {
    folder: tempfile::TempDir,
    bucket: Option<Bucket>,
}

impl Site {
    fn of_folder(movies: usize) -> Self {
        let (folder, sheet) = (tempfile::tempdir().unwrap(), sheet());
        std::fs::create_dir_all(folder.path().join("report")).unwrap();
        let sheet_name = format!("a b#1{}", pictures::ENDING);
        for (name, content) in written(&sheet, &sheet_name, movies) {
            std::fs::write(folder.path().join(name), content).unwrap();
        }
        std::fs::write(folder.path().join(sheet_name), &sheet).unwrap();
        Self { folder, bucket: None }
    }

    /// Uploaded as a worker does, and read as a static site.
    fn of_bucket(movies: usize) -> Self {
        let (folder, sheet) = (tempfile::tempdir().unwrap(), sheet());
        let bucket = Bucket::in_folder(folder.path());
        let settings = json!({"bucket": "results", "prefix": "motion/2018/", "endpoint": bucket.endpoint});
        let store = Store::open_bucket_as(&serde_json::from_value(settings).unwrap(), KEY, SECRET).unwrap();
        let sheet_name = format!("a b+&1{}", pictures::ENDING);
        let mut objects: Vec<(String, Vec<u8>)> = written(&sheet, &sheet_name, movies)
            .into_iter()
            .map(|(name, content)| (name, content.into_bytes()))
            .collect();
        objects.push((sheet_name, sheet));
        let writes = stream::iter(objects).map(|(name, content)| {
            let store = &store;
            async move { store.write(&name, content).await }
        });
        let all = writes.buffer_unordered(8).try_collect::<()>();
        tokio::runtime::Runtime::new().unwrap().block_on(all).unwrap();
        Self { folder, bucket: Some(bucket) }
    }

    fn address(&self) -> String {
        match &self.bucket {
            Some(bucket) => bucket.address("motion/2018/report.html"),
            None => format!("file://{}/report.html", self.folder.path().display()),
        }
    }

    /// In words.
    fn kind(&self) -> &str {
        if self.bucket.is_some() { "a bucket" } else { "a folder" }
    }

    /// Opens it, waits until the list says so, and says what that took.
    fn open(&self, browser: &mut Chromium, movies: &str, place: &str) {
        let start = Instant::now();
        browser.open(&self.address());
        browser.wait(&format!("document.getElementById('place').textContent === {}", json!(place)));
        let (took, heap) = (start.elapsed(), browser.call("Runtime.getHeapUsage", &json!({})));
        let heap = heap["usedSize"].as_f64().unwrap() / f64::from(1 << 20);
        let whole = memory::of_children();
        println!(
            "{movies} movies from {}: open in {:.2} s; JavaScript's heap {heap:.1} MiB, all processes of the browser {whole:.0} MiB",
            self.kind(),
            took.as_secs_f64(),
        );
        assert!(whole > heap && whole < MOST_MEMORY, "{whole} MiB");
        assert_eq!(browser.eval("document.contentType"), "text/html");
    }
}

fn shot(browser: &mut Chromium, name: &str) {
    let Some(folder) = std::env::var_os("REPORT_SCREENSHOTS") else { return };
    let picture = STANDARD.decode(browser.screenshot()).unwrap();
    std::fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
}

/// Moves the pointer over the first timeline of the list, to this share of its width.
fn point_at(browser: &mut Chromium, article: u32, share: f64) {
    let place = browser.eval(&format!(
        "(() => {{ const s = document.querySelector('article:nth-of-type({article}) svg'); s.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
         const b = s.getBoundingClientRect(); return [b.x + b.width * {share}, b.y + 8]; }})()"
    ));
    browser.call("Input.dispatchMouseEvent", &json!({"type": "mouseMoved", "x": place[0], "y": place[1]}));
}

fn names(browser: &mut Chromium) -> Vec<String> {
    let names = browser.eval("[...document.querySelectorAll('article h3')].map((h) => h.textContent)");
    names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Types into the search, and waits until the list is that of the search.
fn search(browser: &mut Chromium, words: &str, place: &str) {
    browser.eval(&format!(
        "(() => {{ const s = document.getElementById('search'); s.value = {}; s.dispatchEvent(new Event('input')); }})()",
        json!(words)
    ));
    browser.wait(&format!("document.getElementById('place').textContent === {}", json!(place)));
}

fn order(browser: &mut Chromium, by: &str, first: &str) {
    browser.eval(&format!(
        "(() => {{ const s = document.getElementById('order'); s.value = {}; s.dispatchEvent(new Event('change')); }})()",
        json!(by)
    ));
    browser.wait(&format!("document.querySelector('article h3').textContent === {}", json!(first)));
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn ten_movies_are_read_searched_and_looked_into() {
    few(&Site::of_folder(10));
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn ten_movies_in_a_bucket_are_read_searched_and_looked_into() {
    few(&Site::of_bucket(10));
}

fn few(site: &Site) {
    let mut browser = Chromium::start();
    browser.size(1280, 1000, false);
    site.open(&mut browser, "10", "1–11 of 11");
    shot(&mut browser, "ten");
    order(&mut browser, "undetermined", &name(7));
    order(&mut browser, "failed", &name(3));
    assert_eq!(names(&mut browser)[1], "A/lost.mov");
    assert_eq!(
        browser.eval(
            "document.querySelector('article.failed, article:nth-of-type(2)').textContent.includes('<b>the archive')"
        ),
        true
    );
    order(&mut browser, "name", &name(0));
    search(&mut browser, "t030000 2010", "1–2 of 2, of all 11");
    assert_eq!(names(&mut browser), [name(1), name(9)]);
    search(&mut browser, "nothing", "0 movies");
    search(&mut browser, "", "1–11 of 11");
    point_at(&mut browser, 1, 0.175);
    browser.wait("!document.getElementById('lens').hidden && document.getElementById('lens').textContent.startsWith('frame 4,40')");
    let lens = browser.eval("document.getElementById('lens').textContent");
    let lens = lens.as_str().unwrap();
    assert!(lens.contains("undetermined: frames 4001 to 4801; rival, few <points>"), "{lens}");
    assert!(lens.contains("picture of about frame 4,4"), "{lens}");
    assert_eq!(browser.eval("document.querySelector('#lens div').style.backgroundPosition"), "-480px 0px");
    shot(&mut browser, "lens");
    point_at(&mut browser, 2, 0.5);
    browser.wait("document.getElementById('lens').textContent.includes('no picture of this movie')");
    assert_eq!(browser.complaints, Vec::<Value>::new());
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn arrow_keys_walk_through_a_timeline() {
    let site = Site::of_folder(3);
    let mut browser = Chromium::start();
    browser.size(1280, 1000, false);
    browser.open(&site.address());
    browser.wait("document.getElementById('place').textContent === '1–5 of 5'");
    browser.eval("document.getElementById('next').disabled = false, document.getElementById('next').focus()");
    browser.press("Tab", false);
    browser.wait("document.activeElement.tagName === 'svg'");
    for tile in 1..4 {
        browser.press("ArrowRight", false);
        let frame = (f64::from(FRAMES) * (f64::from(tile) + 0.5) / 20.0).round();
        let text = format!("picture of about frame {},{:03}", frame as u32 / 1000, frame as u32 % 1000);
        browser.wait(&format!("document.getElementById('lens').textContent.includes({})", json!(text)));
    }
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn thirty_thousand_movies_open_and_are_searched_sorted_and_paged() {
    many(&Site::of_folder(30_000));
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn thirty_thousand_movies_in_a_bucket_open_and_are_searched_sorted_and_paged() {
    many(&Site::of_bucket(30_000));
}

fn many(site: &Site) {
    let mut browser = Chromium::start();
    browser.size(1280, 1000, false);
    site.open(&mut browser, "30,000", "1–25 of 30,001");
    shot(&mut browser, "thirty-thousand");
    assert_eq!(names(&mut browser).len(), 25);
    browser.click("#next");
    browser.wait(&format!("document.querySelector('article h3').textContent === {}", json!(name(25))));
    browser.wait("document.getElementById('place').textContent === '26–50 of 30,001'");
    point_at(&mut browser, 1, 0.5);
    browser.wait("document.getElementById('lens').textContent.includes('picture of about frame')");
    // The order takes its movies from pages all over.
    order(&mut browser, "still", &name(89));
    assert_eq!(names(&mut browser)[1], name(179));
    order(&mut browser, "failed", &name(3));
    order(&mut browser, "name", &name(0));
    search(&mut browser, &name(29_999), "1–1 of 1, of all 30,001");
    shot(&mut browser, "found");
    let here = browser.eval("location.href");
    browser.open("about:blank");
    browser.open(here.as_str().unwrap());
    browser.wait(&format!("document.querySelector('article h3').textContent === {}", json!(name(29_999))));
    assert_eq!(browser.complaints, Vec::<Value>::new());
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn without_scripts_the_first_page_is_read() {
    let site = Site::of_folder(300);
    let mut browser = Chromium::start();
    browser.scripts(false);
    browser.size(1280, 1000, false);
    browser.open(&site.address());
    assert_eq!(names(&mut browser).len(), 25);
    let shown = "(id) => getComputedStyle(document.querySelector(id)).display !== 'none'";
    assert_eq!(
        browser.eval(&format!("['.scriptless', '#tools', '#lens', '#warning'].map({shown})")),
        json!([true, false, false, false])
    );
    shot(&mut browser, "without-scripts");
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn a_page_copied_alone_says_what_is_missing() {
    let site = Site::of_folder(300);
    std::fs::remove_dir_all(site.folder.path().join("report")).unwrap();
    let mut browser = Chromium::start();
    browser.size(1280, 1000, false);
    browser.open(&site.address());
    browser.wait("document.getElementById('warning').textContent.includes('shows 25 of 300 movies')");
    assert_eq!(names(&mut browser).len(), 25);
    point_at(&mut browser, 1, 0.5);
    browser.wait("document.querySelector('#lens div').style.backgroundImage.startsWith('url')");
    shot(&mut browser, "alone");
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn the_report_fits_a_phone_and_a_desk_in_light_and_dark_and_names_its_parts() {
    let site = Site::of_folder(10);
    let mut browser = Chromium::start();
    for (width, mobile) in [(1280, false), (360, true)] {
        for dark in [false, true] {
            browser.size(width, 900, mobile);
            browser.dark(dark);
            browser.open("about:blank");
            browser.open(&site.address());
            browser.wait("document.getElementById('place').textContent === '1–11 of 11'");
            let wide = browser.eval("[document.documentElement.scrollWidth, window.innerWidth]");
            assert!(wide[0].as_u64() <= wide[1].as_u64(), "at {width}: {wide}");
            let unnamed = "[...document.querySelectorAll('input, select, button, a, [role=img], [role=region]')].filter((e) => \
                           !(e.labels?.length || e.ariaLabel || e.getAttribute('aria-labelledby') || e.textContent.trim())).map((e) => e.outerHTML)";
            assert_eq!(browser.eval(unnamed), json!([]));
            let luminance = "(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); return Number(r) + Number(g) + Number(b); })()";
            assert_eq!(browser.eval(luminance).as_f64().unwrap() < 384.0, dark);
            shot(&mut browser, &format!("report-{width}-{}", if dark { "dark" } else { "light" }));
        }
    }
    assert_eq!(browser.complaints, Vec::<Value>::new());
}
