//! The pages in a real browser, with and without JavaScript, wide and narrow. Run by `make test-browser`.
//!
//! With `LAZYCACHE_SCREENSHOTS=FOLDER`, pictures of the pages are left there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)] // a test may

#[path = "browser/chromium.rs"]
mod chromium;

use std::{path::Path, process::Command, time::Duration};

use archive::Movie;
use chromium::Chromium;
use lazycache::{
    Lazycache,
    server::{Served, run},
};
use serde_json::{Value, json};

const FOLDER: &str = "v1/org/oceanobservatories/rawdata/files/RS03ASHS/2018/07/24";
const MOVIE: &str = "CAMHDA301-20180724T030000Z.mov";
const FRAMES: u32 = 60;

/// A server over a small archive, on a thread of its own.
struct Site {
    root: String,
    _folder: tempfile::TempDir,
    _stop: tokio::sync::oneshot::Sender<()>,
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("RS03ASHS/2018/07/24");
    Movie { frames: FRAMES, size: (640, 360), ..Movie::default() }.render(&below.join(MOVIE)).unwrap();
    std::fs::create_dir_all(below.join("a folder & more")).unwrap();
    std::fs::write(below.join("<notes>.txt"), "").unwrap();
    for hour in 4..20 {
        std::fs::write(below.join(format!("CAMHDA301-20180724T{hour:02}0000Z.mov")), "no movie").unwrap();
    }
    let cache = Lazycache::open(folder.path().to_str().unwrap()).unwrap();
    let served = Served::new(&[], 2).unwrap().with_folder("org/oceanobservatories/rawdata/files", cache);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let (sender, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let stopped = async { stopped.await.unwrap_or_default() };
            run(listener, served, stopped, Duration::from_secs(1)).await.unwrap();
        });
    });
    Site { root: format!("http://{}/", address.recv().unwrap()), _folder: folder, _stop: stop }
}

impl Site {
    fn movie(&self) -> String {
        format!("{}{FOLDER}/{MOVIE}", self.root)
    }
}

/// Where pictures go, if they are wanted.
fn shot(browser: &mut Chromium, name: &str) {
    let Some(folder) = std::env::var_os("LAZYCACHE_SCREENSHOTS") else { return };
    let path = Path::new(&folder).join(format!("{name}.png"));
    let mut base64 = Command::new("base64")
        .arg("-d")
        .stdin(std::process::Stdio::piped())
        .stdout(std::fs::File::create(path).unwrap())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut base64.stdin.take().unwrap(), browser.screenshot().as_bytes()).unwrap();
    assert!(base64.wait().unwrap().success());
}

const LOADED: &str =
    "document.images.length > 0 && [...document.images].every((i) => i.complete && i.naturalWidth > 0)";

fn frame_is(browser: &mut Chromium, number: u32) {
    browser.wait(&format!("document.getElementById('number').value === '{number}'"));
    browser.wait(&format!("location.search === '?frame={number}'"));
    browser.wait(&format!("document.getElementById('frame').src.endsWith('/frame/{number}.jpg')"));
    browser.wait(LOADED);
    assert_eq!(browser.eval("document.getElementById('scrub').value"), number.to_string());
    assert!(
        browser
            .eval("document.getElementById('place').textContent")
            .as_str()
            .unwrap()
            .starts_with(&format!("Frame {number} of {FRAMES}"))
    );
    assert!(
        browser
            .eval("document.getElementById('address').value")
            .as_str()
            .unwrap()
            .ends_with(&format!("/frame/{number}.png"))
    );
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn one_walks_from_the_archives_down_to_a_frame() {
    let site = site();
    let mut browser = Chromium::start();
    browser.size(1280, 900, false);
    browser.open(&site.root);
    shot(&mut browser, "archives");
    browser.click("main .folder");
    browser.wait("document.querySelector('h1').textContent === 'files/'");
    for folder in ["RS03ASHS", "2018", "07", "24"] {
        browser.click("main .folder");
        browser.wait(&format!("document.querySelector('h1').textContent === '{folder}/'"));
    }
    shot(&mut browser, "folder");
    assert_eq!(browser.eval("document.querySelectorAll('.movie').length"), 17);
    browser.click("main .movie");
    browser.wait(&format!("document.querySelector('h1').textContent === '{MOVIE}'"));
    browser.wait(LOADED);
    browser.eval("document.querySelector('.storyboard').scrollIntoView()");
    browser.wait("document.querySelector('.storyboard img').naturalWidth === 1440");
    browser.click("nav li:nth-last-child(2) a");
    browser.wait("document.querySelector('h1').textContent === '24/'");
    assert_eq!(browser.complaints, Vec::<Value>::new());
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn keys_the_bar_the_form_and_the_storyboard_lead_to_frames() {
    let site = site();
    let mut browser = Chromium::start();
    browser.size(1280, 900, false);
    browser.open(&site.movie());
    browser.wait(LOADED);
    browser.eval("document.activeElement.blur()");
    for (key, shift, number) in [
        ("ArrowRight", false, 2),
        ("ArrowRight", true, 12),
        ("ArrowLeft", false, 11),
        ("End", false, FRAMES),
        ("ArrowRight", false, FRAMES),
        ("Home", false, 1),
        ("ArrowLeft", true, 1),
    ] {
        browser.press(key, shift);
        frame_is(&mut browser, number);
    }
    browser.eval("(() => { const bar = document.getElementById('scrub'); bar.value = 33; bar.dispatchEvent(new Event('input')); })()");
    frame_is(&mut browser, 33);
    browser.click("[data-step='10']");
    frame_is(&mut browser, 43);
    browser.eval("document.getElementById('number').value = 7");
    browser.click("button[type=submit]");
    frame_is(&mut browser, 7);
    browser.click("[data-frame='14']");
    frame_is(&mut browser, 14);
    let before = browser.eval("document.getElementById('frame').src");
    browser.open(&format!("{}?frame=14", site.movie()));
    browser.wait(LOADED);
    assert_eq!(browser.eval("document.getElementById('frame').src"), before, "the address of a frame leads back to it");
    assert_eq!(browser.complaints, Vec::<Value>::new());
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn without_scripts_links_and_the_form_do_it() {
    let site = site();
    let mut browser = Chromium::start();
    browser.scripts(false);
    browser.size(1280, 900, false);
    browser.open(&site.movie());
    browser.wait(LOADED);
    assert_eq!(browser.eval("document.getElementById('copy').hidden"), true);
    browser.click("[data-step='10']");
    browser.wait("location.search === '?frame=11' && document.getElementById('frame').src.endsWith('/frame/11.jpg')");
    browser.wait(LOADED);
    browser.eval("document.getElementById('number').value = 5");
    browser.eval("document.getElementById('scrub').value = 5");
    browser.click("button[type=submit]");
    browser.wait("location.search === '?frame=5' && document.getElementById('frame').src.endsWith('/frame/5.jpg')");
    browser.click("[data-frame='14']");
    browser.wait("location.search === '?frame=14' && document.getElementById('frame').src.endsWith('/frame/14.jpg')");
}

#[test]
#[ignore = "needs a browser: make test-browser"]
fn pages_fit_a_phone_and_a_desk_in_light_and_dark_and_name_their_parts() {
    let site = site();
    let mut browser = Chromium::start();
    let missing = format!("{}{FOLDER}/CAMHDA301-20180724T040000Z.mov", site.root);
    for (page, address) in [
        ("folder", format!("{}{FOLDER}/", site.root)),
        ("movie", format!("{}?frame=14", site.movie())),
        ("damaged", missing),
    ] {
        for (width, mobile) in [(1280, false), (360, true)] {
            for dark in [false, true] {
                browser.size(width, 800, mobile);
                browser.dark(dark);
                browser.open(&address);
                if page == "movie" {
                    browser.eval("document.querySelector('.storyboard').scrollIntoView()");
                    browser.wait(LOADED);
                    browser.eval("window.scrollTo(0, 0)");
                }
                let wide = browser.eval("[document.documentElement.scrollWidth, window.innerWidth]");
                assert!(wide[0].as_u64() <= wide[1].as_u64(), "{page} at {width}: {wide}");
                let unnamed = "[...document.querySelectorAll('input, img, a, button')].filter((e) => !(e.labels?.length || \
                               e.alt || e.ariaLabel || e.textContent.trim())).map((e) => e.outerHTML)";
                assert_eq!(browser.eval(unnamed), json!([]), "{page}");
                assert_eq!(
                    browser.eval("[document.documentElement.lang, document.querySelectorAll('h1').length]"),
                    json!(["en", 1])
                );
                let luminance = "(() => { const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\\d+/g); return Number(r) + Number(g) + Number(b); })()";
                assert_eq!(browser.eval(luminance).as_f64().unwrap() < 384.0, dark, "{page}");
                shot(&mut browser, &format!("{page}-{width}-{}", if dark { "dark" } else { "light" }));
            }
        }
    }
    // The damaged movie's status is a complaint of the browser's; nothing else is.
    assert!(
        browser.complaints.iter().all(|complaint| complaint.to_string().contains("502")),
        "{:?}",
        browser.complaints
    );
}
