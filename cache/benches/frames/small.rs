//! Small frames, as pages and clients with little room for them ask for them: of the lowest frequencies, beside the same answers
//! of the whole frame.

use frame::{Format, OutputSize, Rendition, RenditionQuery};

use crate::{
    cold::{Least, Library, PASSES, taken},
    figures::Figure,
    lab::Lab,
};

/// What is asked for, by its words in the query.
struct Small {
    format: Format,
    width: Option<&'static str>,
    height: Option<&'static str>,
    scale: Option<&'static str>,
    grey: Option<&'static str>,
}

const NOTHING: Small = Small { format: Format::Jpeg, width: None, height: None, scale: None, grey: None };
const SMALL: [Small; 6] = [
    Small { scale: Some("8"), ..NOTHING },
    Small { scale: Some("4"), ..NOTHING },
    Small { scale: Some("2"), ..NOTHING },
    Small { width: Some("480"), height: Some("270"), ..NOTHING },
    Small { width: Some("240"), height: Some("135"), ..NOTHING },
    Small { scale: Some("4"), grey: Some("1"), format: Format::Raw, ..NOTHING },
];

pub fn figures(lab: &Lab) -> Vec<Figure> {
    let library = Library::new(lab);
    SMALL.iter().map(|small| figure(lab, &library, small)).collect()
}

fn figure(lab: &Lab, library: &Library, small: &Small) -> Figure {
    let [mut reduced, mut full] = [Least::NONE; 2];
    for _ in 0..PASSES {
        for (least, decoder) in [(&mut reduced, "reduced"), (&mut full, "full")] {
            let rendition = small.rendition(decoder);
            let took = taken("self", || library.answer_all(small.format, rendition));
            least.see(took, lab.packets.len());
        }
    }
    let rendition = small.rendition("reduced");
    let OutputSize { width, height } = rendition.output_size(1920, 1080).unwrap();
    let query = rendition.to_string().replace("&decoder=reduced", "");
    let format = format!("{:?}", small.format).to_ascii_lowercase();
    Figure::aside(
        format!("a cold {format} of {width}x{height} ({query}), beside the same of the whole frame ({:.1} ms)", full.0),
        format!("{:.1} ms, {:.1}x", reduced.0, full.0 / reduced.0),
    )
}

impl Small {
    fn rendition(&self, decoder: &str) -> Rendition {
        let Self { width, height, scale, grey, .. } = *self;
        let decoder = Some(decoder);
        Rendition::from_query(&RenditionQuery { width, height, scale, grey, decoder, ..RenditionQuery::default() })
            .unwrap()
    }
}
