//! What must hold for any bytes, as functions that panic when it does not: the fuzz targets and the tests that replay their
//! corpus call these. Nothing else does.

#![allow(clippy::missing_panics_doc)] // to panic is what they are for

use frame::{DirectoryPath, FrameAddress, MirrorRoot, Moment, MoviePath, OutputSize, Rendition, RenditionQuery, Span};
use quicktime::{Probe, Step};

use crate::{decode, identity::Identity, listing, movie::Movie};

/// More reads than a server makes for one index.
const MAX_READS: usize = 64;
/// Codecs and configurations of the packets that are decoded.
const CODECS: [&[u8; 4]; 8] = [b"apcn", b"ap4h", b"jpeg", b"AVdh", b"v210", b"avc1", b"hvc1", b"none"];

/// Any bytes are a movie, all of whose frames lie in the file, or an error.
pub fn quicktime(bytes: &[u8]) {
    let mut probe = Probe::new(bytes.len() as u64);
    for _ in 0..MAX_READS {
        let range = match probe.step() {
            Ok(Step::Need(range)) => range,
            Ok(Step::Done(movie)) => return check_movie(&movie, bytes.len() as u64),
            Err(_) => return,
        };
        assert!(range.start < range.end && range.end <= bytes.len() as u64, "{range:?} is not in the file");
        probe.supply(range.start, bytes.get(range.start as usize..range.end as usize).unwrap_or_default().to_vec());
    }
}

fn check_movie(movie: &quicktime::Movie, size: u64) {
    let frames = movie.num_frames();
    for index in (0..frames).take(1000).chain(frames.saturating_sub(8)..frames) {
        let range = movie.sample(index).filter(|range| range.start <= range.end && range.end <= size);
        assert!(range.is_some(), "frame {index} is not in the file");
        if let Some(group) = movie.group(index) {
            let ordered = group.is_sorted_by_key(|needed| needed.sample) && group.len() > 1;
            assert!(ordered && group.iter().all(|needed| needed.sample < movie.samples.len()), "{group:?}");
            let start = group.iter().position(|needed| !needed.passing);
            assert!(start.is_some_and(|start| start + 1 < group.len()) && !group[group.len() - 1].passing);
        }
        assert!(movie.seconds(index).is_some(), "frame {index} has no time");
    }
    assert!(movie.sample(frames).is_none() && movie.seconds(frames).is_none());
    for seconds in [0.0, 0.1, 1.0, movie.duration_seconds(), f64::MAX, f64::NAN] {
        assert!(movie.frame_at(seconds).is_none_or(|index| index < frames));
    }
}

/// Any text is a name or an error; what was read is written so that it reads back.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.split('\n');
    let mut part = || parts.next();
    let (movie, name) = (part().unwrap_or_default(), part().unwrap_or_default());
    if let Ok(root) = MirrorRoot::parse(movie) {
        assert!(root.api_path().starts_with("/v1/") && root.api_path().ends_with('/'));
    }
    if let Ok(folder) = DirectoryPath::parse(movie) {
        assert!(folder.as_str().split('/').all(|part| part != ".."));
    }
    let words = RenditionQuery {
        width: part(),
        height: part(),
        scale: part(),
        grey: part(),
        decoder: part(),
        crop: part(),
        depth: part(),
        q: part(),
    };
    let rendition = Rendition::from_query(&words).unwrap_or_default();
    if let Ok(OutputSize { width, height }) = rendition.output_size(1920, 1080) {
        assert!(width > 0 && height > 0);
    }
    if let Ok(address) = FrameAddress::parse(movie, name, rendition) {
        let again = FrameAddress::parse(address.movie.as_str(), &address.to_string(), rendition);
        assert_eq!(again.as_ref(), Ok(&address));
    }
    let spans = [Span::parse(name), Span::listed(name)];
    assert!(spans.iter().flatten().all(|span| (1..=frame::MAX_FRAMES).contains(&span.numbers().len())));
    assert!(name.parse::<Moment>().is_ok_and(|moment| moment.seconds >= 0.0) || name.parse::<Moment>().is_err());
}

/// Any page is an index or none; its names are those of children.
pub fn listing(bytes: &[u8]) {
    let Some(found) = listing::parse(bytes) else { return };
    for name in found.files.iter().chain(&found.directories) {
        let path = MoviePath::parse(name);
        assert!(path.is_ok_and(|path| path.file_name() == name), "{name:?} is no name of a child");
    }
}

/// The first byte chooses the codec, the second the shape; the third says how long the decoder's configuration is, which
/// comes next where the codec has one. The rest is the packet: it is a picture of the movie's size or an error.
pub fn packet(bytes: &[u8]) {
    let Some(([codec, shape, config], bytes)) = bytes.split_first_chunk() else { return };
    let codec = CODECS[usize::from(*codec) % CODECS.len()];
    let builds = matches!(codec, b"avc1" | b"hvc1");
    let config = if builds { bytes.len().min(usize::from(*config)) } else { 0 };
    let (config, packet) = bytes.split_at(config);
    let (width, height) = [(64, 48), (320, 180), (63, 47), (16, 16)][usize::from(*shape) % 4];
    let Some(movie) = Movie::with_codec(*codec, (width, height), config, builds) else { return };
    for reduction in [1, 4] {
        if let Ok(image) = decode::grey(&movie, packet, reduction) {
            assert_eq!(image.data.len(), (width / reduction) as usize * (height / reduction) as usize);
        }
    }
    assert!(decode::agrees_with_ffmpeg(&movie, packet), "FFmpeg has other samples");
    if let Ok(picture) = decode::rgb(&movie, packet) {
        assert_eq!(picture.rgb.len(), width as usize * height as usize * 3);
    }
    if let Ok(deep) = decode::deep_rgb(&movie, packet) {
        assert_eq!(deep.data.len(), width as usize * height as usize * 3);
    }
}

impl Movie {
    /// A movie of two frames that is in no file: only what decoding needs of it is true.
    fn with_codec(codec: [u8; 4], size: (u32, u32), config: &[u8], builds: bool) -> Option<Self> {
        let mut probe = Probe::new(1 << 20);
        let file = index(codec, size, config, builds);
        probe.supply(0, file);
        let Ok(Step::Done(track)) = probe.step() else { return None };
        let path = MoviePath::parse("X.mov").ok()?;
        Some(Self { url: path.to_string(), path, identity: Identity::default(), track: *track })
    }
}

/// The start of a file with such an index.
fn index(codec: [u8; 4], (width, height): (u32, u32), config: &[u8], builds: bool) -> Vec<u8> {
    let mut entry = [0_u8; 78].to_vec();
    entry[24..26].copy_from_slice(&(width as u16).to_be_bytes());
    entry[26..28].copy_from_slice(&(height as u16).to_be_bytes());
    if !config.is_empty() {
        entry.extend(atom(if codec == *b"hvc1" { *b"hvcC" } else { *b"avcC" }, config));
    }
    let words = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
    let mut tables = atom(*b"stsd", &[words(&[0, 1]), atom(codec, &entry)].concat());
    tables.extend(atom(*b"stts", &words(&[0, 1, 2, 1])));
    tables.extend(atom(*b"stsz", &words(&[0, 1, 2])));
    tables.extend(atom(*b"stsc", &words(&[0, 1, 1, 2, 1])));
    tables.extend(atom(*b"stco", &words(&[0, 1, 8])));
    if builds {
        tables.extend(atom(*b"stss", &words(&[0, 1, 1])));
    }
    let media = [
        atom(*b"mdhd", &words(&[0, 0, 0, 30, 2, 0])),
        atom(*b"hdlr", &[words(&[0, 0]), b"vide".to_vec(), vec![0; 13]].concat()),
        atom(*b"minf", &atom(*b"stbl", &tables)),
    ];
    let track = [atom(*b"tkhd", &words(&[1])), atom(*b"mdia", &media.concat())];
    atom(*b"moov", &atom(*b"trak", &track.concat()))
}

fn atom(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u32 + 8).to_be_bytes();
    [&size[..], &kind, body].concat()
}
