//! Small images from the lowest frequencies of ProRes packets, in the library and through the server.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::sync::Arc;

use archive::{Movie, Server};
use axum::{
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use bytes::Bytes;
use frame::{Decoder, FrameNumber, MirrorRoot, MoviePath, Rendition, RenditionQuery};
use lazycache::{
    HttpOptions, Lazycache, Resources, Settings,
    decode::{self, DecodeError},
    reduced,
    server::{Served, app},
};
use tower::ServiceExt;

/// A served movie of a scene, and one packet of it.
struct Lab {
    _folder: tempfile::TempDir,
    server: Server,
    movie: Arc<lazycache::Movie>,
    packet: Bytes,
}

async fn lab(size: (u32, u32)) -> Lab {
    let folder = tempfile::tempdir().unwrap();
    Movie { frames: 3, size, ..Movie::default() }.render(&folder.path().join("X.mov")).unwrap();
    let server = Server::start(folder.path()).unwrap();
    let cache = Lazycache::open(&server.url()).unwrap();
    let movie = cache.movie(&MoviePath::parse("X.mov").unwrap()).await.unwrap();
    let packet = cache.packet(&movie, FrameNumber::new(2).unwrap()).await.unwrap();
    Lab { _folder: folder, server, movie, packet }
}

fn psnr(one: &[u8], other: &[u8]) -> f64 {
    assert_eq!(one.len(), other.len());
    let squares: f64 = one.iter().zip(other).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * one.len() as f64 / squares.max(1e-9)).log10()
}

#[tokio::test]
async fn a_scene_s_lowest_frequencies_give_nearly_the_image_of_its_full_decode() {
    // A small picture of the same scene has more of what is left out, frequencies above the wanted ones: 43.8 dB at 1/4,
    // where the full size has 48.1.
    for (size, least) in [((1920, 1080), 46.0), ((726, 478), 42.0)] {
        let Lab { movie, packet, .. } = lab(size).await;
        for reduction in [2, 4, 8] {
            let full = decode::grey(&movie, &packet, reduction).unwrap();
            let (image, decoder) = reduced::grey(&movie, &packet, reduction, Decoder::Reduced).unwrap();
            assert_eq!(decoder, Decoder::Reduced);
            assert_eq!((image.width, image.height), (full.width, full.height));
            let found = psnr(&image.data, &full.data);
            println!("{size:?} 1/{reduction}: {found:.1} dB");
            assert!(found >= least, "{size:?} 1/{reduction}: {found} dB");
        }
    }
}

#[tokio::test]
async fn where_nothing_is_to_be_reduced_or_the_full_decoder_is_named_all_is_decoded() {
    let Lab { movie, packet, .. } = lab((322, 182)).await;
    for (reduction, decoder) in [(1, Decoder::Reduced), (1, Decoder::Full), (4, Decoder::Full), (8, Decoder::default())]
    {
        let expected = (decode::grey(&movie, &packet, reduction).unwrap(), Decoder::Full);
        assert_eq!(reduced::grey(&movie, &packet, reduction, decoder).unwrap(), expected);
    }
    let wrong = reduced::grey(&movie, &packet, 3, Decoder::Reduced);
    assert!(matches!(wrong, Err(DecodeError::Reduction { reduction: 3 })), "{wrong:?}");
}

#[tokio::test]
async fn what_is_not_supported_by_name_is_decoded_in_full() {
    let Lab { movie, packet, .. } = lab((322, 182)).await;
    let mut other = packet.to_vec();
    // A sampling of colours that the format does not have; FFmpeg takes it for 4:2:2.
    other[20] = other[20] & 0x3F | 0x40;
    let expected = (decode::grey(&movie, &packet, 4).unwrap(), Decoder::Full);
    assert_eq!(reduced::grey(&movie, &other, 4, Decoder::Reduced).unwrap(), expected);
}

#[tokio::test]
async fn a_damaged_packet_or_one_of_another_size_is_an_error() {
    let Lab { movie, packet, .. } = lab((322, 182)).await;
    let cut = reduced::grey(&movie, &packet[..packet.len() - 1], 4, Decoder::Reduced);
    assert!(matches!(cut, Err(DecodeError::ProRes { source: prores::Error::Truncated { .. }, .. })), "{cut:?}");
    let other = lab((64, 64)).await;
    let size = reduced::grey(&movie, &other.packet, 4, Decoder::Reduced);
    assert!(matches!(size, Err(DecodeError::Size { found_width: 64, found_height: 64, .. })), "{size:?}");
}

#[tokio::test]
async fn the_server_gives_what_the_library_gives() {
    let Lab { _folder, server, movie, packet } = lab((322, 182)).await;
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    let app = app(Served::new(&[root], 2).unwrap());
    let get = async |query: &str| {
        let request =
            Request::get(format!("{api}X.mov/frame/2.raw?grey=1&scale=4{query}")).body(Body::empty()).unwrap();
        let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
        (parts.status, to_bytes(body, 1 << 20).await.unwrap())
    };
    for (query, decoder) in
        [("", Decoder::Reduced), ("&decoder=full", Decoder::Full), ("&decoder=reduced", Decoder::Reduced)]
    {
        let (image, used) = reduced::grey(&movie, &packet, 4, decoder).unwrap();
        assert_eq!(used, decoder);
        assert_eq!(get(query).await, (StatusCode::OK, Bytes::from(image.data)), "{query}");
    }
    assert_eq!(get("&decoder=fast").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn every_answer_says_which_decoder_made_it_also_when_it_was_kept() {
    let Lab { _folder, server, .. } = lab((960, 540)).await;
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    let resources = Resources::new(Settings { memory: 64 << 20, ..Settings::default() });
    let cache = Lazycache::open_with(&server.url(), HttpOptions::default(), None, resources.clone()).unwrap();
    let app = app(Served::sharing(resources).with_mirror(&root, cache));
    let ask = async |path: &str| {
        let request = Request::get(format!("{api}X.mov/{path}")).body(Body::empty()).unwrap();
        let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        let header = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
        (header("x-lazycache-decoder"), header("etag"), to_bytes(body, 1 << 24).await.unwrap())
    };
    for (path, by_default) in [
        ("frame/2.png?grey=1&scale=4", "reduced"),
        ("frame/2.png?grey=1&scale=4&crop=0,0,64,64", "full"),
        ("frame/2.png?scale=4", "reduced"),
        ("frame/2.npy?scale=4&depth=10", "full"),
        ("frame/2.jpg?width=240&height=135", "reduced"),
        ("frame/2.jpg?width=241&height=135", "full"),
        ("frame/2.jpg?", "full"),
        ("time/0.04.png?grey=1&scale=8", "reduced"),
        ("frames/1-3.npy?grey=1&scale=2", "reduced"),
        ("frames/1-3.npy?scale=8", "reduced"),
        ("storyboard.jpg?columns=2", "reduced"),
    ] {
        let named = format!("{path}&decoder=full");
        for _ in 0..2 {
            let (decoder, tag, body) = ask(path).await;
            let (other, other_tag, other_body) = ask(&named).await;
            assert_eq!((decoder.as_str(), other.as_str()), (by_default, "full"), "{path}");
            assert_eq!((body == other_body, tag == other_tag), (decoder == other, decoder == other), "{path}");
        }
    }
    let sheet = |body: &[u8]| turbojpeg::decompress(body, turbojpeg::PixelFormat::RGB).unwrap();
    let coloured = |body: &[u8]| sheet(body).pixels.chunks(3).filter(|pixel| pixel[0].abs_diff(pixel[2]) > 8).count();
    let (_, _, full) = ask("storyboard.jpg?columns=2&decoder=full").await;
    let (_, _, reduced) = ask("storyboard.jpg?columns=2").await;
    for body in [&full, &reduced] {
        assert_eq!((sheet(body).width, sheet(body).height), (480, 270));
        assert!(coloured(body) > 1000, "{}", coloured(body));
    }
    let found = psnr(&sheet(&reduced).pixels, &sheet(&full).pixels);
    assert!(found >= 34.0, "the storyboard is {found} dB beside that of the full decode");
}

#[tokio::test]
async fn small_frames_in_colour_are_nearly_those_of_the_full_decode() {
    let Lab { movie, packet, .. } = lab((1920, 1080)).await;
    for (query, least) in [
        ("scale=2", 42.0),
        ("scale=4", 42.0),
        ("scale=8", 42.0),
        ("width=480&height=270", 40.0),
        ("width=320&height=180", 40.0),
        ("width=240&height=135", 40.0),
        ("width=100&height=100", 40.0),
    ] {
        let pixels = |decoder: &str| {
            let rendition = rendition(&format!("{query}&decoder={decoder}"));
            let (pixels, by) = lazycache::render::pixels(&movie, &packet, rendition).unwrap();
            assert_eq!(by.to_string(), decoder, "{query}");
            pixels
        };
        let found = psnr(&pixels("reduced"), &pixels("full"));
        println!("{query}: {found:.1} dB");
        assert!(found >= least, "{query}: {found} dB");
    }
}

/// A reduced image leaves out a rest at the right and the bottom; a frame that is scaled to a size has it.
#[tokio::test]
async fn a_frame_of_an_odd_size_is_scaled_with_its_right_and_lower_edge() {
    let Lab { movie, packet, .. } = lab((726, 478)).await;
    // Of whole squares of 2 x 2, and of none that is larger.
    for query in ["width=90&height=59", "width=40&height=20"] {
        let pixels = |decoder: &str| {
            let rendition = rendition(&format!("{query}&decoder={decoder}"));
            lazycache::render::pixels(&movie, &packet, rendition).unwrap()
        };
        let (small, decoder) = pixels("reduced");
        assert_eq!(decoder, Decoder::Reduced, "{query}");
        let found = psnr(&small, &pixels("full").0);
        assert!(found >= 40.0, "{query}: {found} dB");
    }
}

/// What a query says.
fn rendition(query: &str) -> Rendition {
    let word = |name: &str| query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let words = RenditionQuery {
        width: word("width"),
        height: word("height"),
        scale: word("scale"),
        decoder: word("decoder"),
        ..RenditionQuery::default()
    };
    Rendition::from_query(&words).unwrap()
}

/// The server over a movie of three frames, of which the second is one that the reduced decoder leaves to the full one.
async fn mixed() -> (tempfile::TempDir, Server, axum::Router, String) {
    let Lab { _folder: folder, server, movie, .. } = lab((322, 182)).await;
    let path = folder.path().join("X.mov");
    let mut bytes = std::fs::read(&path).unwrap();
    let second = movie.sample(FrameNumber::new(2).unwrap()).unwrap().start as usize;
    // A sampling of colours that the format does not have; FFmpeg takes it for 4:2:2.
    bytes[second + 20] = bytes[second + 20] & 0x3F | 0x40;
    std::fs::write(&path, bytes).unwrap();
    let root = MirrorRoot::parse(&server.url()).unwrap();
    let api = root.api_path();
    (folder, server, app(Served::new(&[root], 2).unwrap()), api)
}

#[tokio::test]
async fn an_answer_says_which_decoder_made_it_whichever_was_asked_for() {
    let (_folder, _server, app, api) = mixed().await;
    let said = async |path: &str| {
        let request = Request::get(format!("{api}X.mov/{path}")).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.headers().get("x-lazycache-decoder").map(|value| value.to_str().unwrap().to_owned())
    };
    // Each twice: what is kept says the same.
    for _ in 0..2 {
        for (path, decoder) in [
            ("frame/1.raw?grey=1&scale=4", Some("reduced")),
            ("frame/2.raw?grey=1&scale=4", Some("full")),
            ("frame/1.raw?grey=1&scale=4&decoder=full", Some("full")),
            ("frame/1.raw?grey=1&decoder=reduced", Some("full")),
            ("frame/1.png?grey=1&scale=2&crop=0,0,8,8&decoder=reduced", Some("full")),
            ("frame/1.png?grey=1&scale=8&decoder=reduced", Some("reduced")),
            ("frame/1.png?scale=8", Some("reduced")),
            ("frame/2.png?scale=8", Some("full")),
            ("frame/1.png", Some("full")),
            ("frames/1-1.npy?grey=1&scale=4", Some("reduced")),
            ("frames/2-2.npy?grey=1&scale=4", Some("full")),
            ("frames/1-3.npy?grey=1&scale=4&decoder=full", Some("full")),
        ] {
            assert_eq!(said(path).await.as_deref(), decoder, "{path}");
        }
    }
}

#[tokio::test]
async fn an_answer_of_several_frames_never_mixes_decoders() {
    let (_folder, _server, app, api) = mixed().await;
    // Frames that came before the answer ended, if it broke off.
    let frames = async |path: &str| {
        let request = Request::get(format!("{api}X.mov/{path}")).body(Body::empty()).unwrap();
        let mut body = app.clone().oneshot(request).await.unwrap().into_body().into_data_stream();
        let mut bytes = 0;
        while let Some(part) = futures::StreamExt::next(&mut body).await {
            let Ok(part) = part else { return ((bytes - 128) / (80 * 45), true) };
            bytes += part.len();
        }
        ((bytes - 128) / (80 * 45), false)
    };
    assert_eq!(frames("frames/1-3.npy?grey=1&scale=4&decoder=full").await, (3, false));
    assert_eq!(frames("frames/1-3.npy?grey=1&scale=4").await, (1, true));
    assert_eq!(frames("frames/2-3.npy?grey=1&scale=4").await, (1, true));
    assert_eq!(frames("frames/3-3.npy?grey=1&scale=4").await, (1, false));
}
