//! An answer that is left open says why.

mod scene;

use motion::{Estimate, Grey, Method, Prepared, Reason, Settings, Status, estimate};
use scene::{HEIGHT, Lamps, Plume, Scene, Text, WIDTH};

const PAN: [f64; 4] = [1.0, 0.0, 24.0, 3.0];

#[allow(clippy::unwrap_used)] // a test in all but name
fn found((from, to): &(Prepared, Prepared), method: Method) -> Estimate {
    estimate(from, to, 0.25, &Settings { method }).unwrap()
}

fn flat(value: u8) -> Prepared {
    Prepared::new(Grey { width: WIDTH as u32, height: HEIGHT as u32, data: vec![value; WIDTH * HEIGHT] })
}

fn assert_open(pair: &(Prepared, Prepared), because: Reason) {
    for method in [Method::Auto, Method::Corners, Method::Dis] {
        let found = found(pair, method);
        assert_eq!(found.status, Status::Undetermined, "{method:?}: {found:?}");
        assert!(found.reasons.contains(&because), "{because} by {method:?}: {:?}", found.reasons);
    }
}

#[test]
fn dark_and_flat_images_say_so() {
    assert_open(&(flat(2), flat(2)), Reason::Dark);
    assert_open(&(flat(90), flat(90)), Reason::Texture);
}

#[test]
fn a_title_card_is_an_overlay() {
    let card = Scene { text: Text::Card, noise: 0.0, ..Scene::of(1, PAN) };
    assert_open(&card.pair(), Reason::Overlay);
    assert_open(&Scene { text: Text::Lines(1.0), ..Scene::of(2, PAN) }.pair(), Reason::Overlay);
}

#[test]
fn burned_in_text_does_not_hold_a_moving_picture() {
    let scene = Scene { text: Text::Lines(0.25), ..Scene::of(3, PAN) };
    for method in [Method::Auto, Method::Corners, Method::Dis] {
        let found = found(&scene.pair(), method);
        let far = found.similarity.mean_difference(&scene.motion, 1920.0, 1080.0);
        assert!(found.status == Status::Moved && far < 0.3 && found.reasons.is_empty(), "{method:?}: {found:?}");
    }
}

#[test]
fn a_lens_that_hunts_for_its_focus_says_so() {
    for motion in [[1.0, 0.0, 0.0, 0.0], PAN] {
        let scene = Scene { blur: [0.0, 3.0], ..Scene::of(4, motion) };
        let found = found(&scene.pair(), Method::Auto);
        assert_eq!(found.status, Status::Undetermined);
        let words = [Reason::Focus, Reason::Change];
        assert!(words.iter().any(|word| found.reasons.contains(word)), "{:?}", found.reasons);
    }
}

#[test]
fn a_plume_all_over_the_picture_changes() {
    let plume = Plume { middle: 0.0, churn: 0.3, ..Plume::of(2.5) };
    assert_open(&Scene::of(5, PAN).with_plume(plume).pair(), Reason::Change);
}

#[test]
fn a_plume_over_most_of_the_picture_is_a_rival() {
    let scene = Scene::of(6, PAN).busy(1.5, 40).with_plume(Plume::rigid(0.65));
    assert_open(&scene.pair(), Reason::Rival);
}

#[test]
fn a_fade_is_followed_in_images_freed_of_it() {
    for gain in [0.65, 1.4] {
        let scene = Scene { lamps: Lamps { gain, ..Lamps::EVEN }, ..Scene::of(7, PAN) };
        let found = found(&scene.pair(), Method::Corners);
        let far = found.similarity.mean_difference(&scene.motion, 1920.0, 1080.0);
        assert!(found.status == Status::Moved && far < 0.3, "{gain}: {found:?}");
    }
}

#[test]
fn a_reason_has_one_name_in_files_and_on_screen() {
    use Reason::{Change, Coverage, Dark, Duplicate, Focus, Jump, Light, Overlay, Precision, Rival, Texture};
    for reason in [Dark, Texture, Overlay, Coverage, Rival, Precision, Change, Light, Focus, Duplicate, Jump] {
        assert_eq!(serde_json::to_string(&reason).unwrap_or_default(), format!("\"{reason}\""));
    }
}
