//! Whole movies: the camera scripts of the synthetic archive, rendered at a quarter of the full size, to rows and regions.

use archive::{Script, Truth};
use motion::{Prepared, RegionKind, Row, Settings, Status, doubts, estimate, regions};

use crate::{
    measure::{self, By},
    scene::{Plume, Scene},
};

const FRAMES: u32 = 640;
const STRIDE: u32 = 10;
/// The two pictures of a row are so many frames before and after its own.
const REACH: u32 = 5;
/// A region is found when one of its kind begins and ends within so many frames of it.
const NEAR: u32 = 2 * STRIDE;

/// What became of the regions of the movies of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Movies {
    pub plume: f64,
    pub by: By,
    /// Regions there are, and those of them that were found.
    pub regions: (usize, usize),
    /// Regions found, and those of them that there are.
    pub found: (usize, usize),
    pub rows: usize,
    pub undetermined: usize,
    /// Rows that are sure and further off than a pixel.
    pub wrong: usize,
}

/// Movies without a plume, and with plumes over a quarter and two fifths of the picture.
pub fn all() -> Vec<Movies> {
    let one = |plume: f64| {
        let mut all =
            By::OURS.map(|by| Movies { plume, by, regions: (0, 0), found: (0, 0), rows: 0, undetermined: 0, wrong: 0 });
        for seed in 0..2 {
            let truth = Truth::new(Script::typical(FRAMES, 70 + seed).poses(FRAMES));
            let pictures = pictures(&truth, 700 + seed, plume);
            for movies in &mut all {
                movies.add(&truth, &pictures);
            }
        }
        all
    };
    std::thread::scope(|scope| {
        let threads = [0.0, 0.25, 0.4].map(|plume| scope.spawn(move || one(plume)));
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn pictures(truth: &Truth, seed: u64, plume: f64) -> Vec<(u32, Prepared)> {
    let plain = Scene::of(seed, [1.0, 0.0, 0.0, 0.0]).busy(1.5, 40);
    let scene = if plume > 0.0 { plain.with_plume(Plume { churn: 0.05, ..Plume::of(plume) }) } else { plain };
    let frames = (STRIDE / 2 + 1..truth.frames()).step_by(STRIDE as usize);
    let picture = |frame: u32| {
        let motion = truth.motion(STRIDE / 2 + 1, frame).unwrap().into();
        Prepared::new(Scene { motion, ..scene }.picture(f64::from(frame / STRIDE)))
    };
    frames.map(|frame| (frame, picture(frame))).collect()
}

impl Movies {
    fn add(&mut self, truth: &Truth, pictures: &[(u32, Prepared)]) {
        let method = match self.by {
            By::Corners => motion::Method::Corners,
            By::Dis => motion::Method::Dis,
            _ => motion::Method::Auto,
        };
        let pair = |pair: &[(u32, Prepared)]| {
            let found = estimate(&pair[0].1, &pair[1].1, 0.25, &Settings { method }).unwrap();
            measure::row(pair[0].0 + REACH, &found)
        };
        let mut rows: Vec<Row> = pictures.windows(2).map(pair).collect();
        let doubts = doubts(&rows);
        for (row, _) in rows.iter_mut().zip(doubts).filter(|(_, doubt)| doubt.is_some()) {
            row.status = Status::Undetermined;
        }
        self.rows += rows.len();
        for row in &rows {
            let there = truth.motion(row.frame - REACH, row.frame + REACH).unwrap();
            let error = motion::Similarity::from(row.similarity).mean_difference(&there.into(), 1920.0, 1080.0);
            self.undetermined += usize::from(row.status == Status::Undetermined);
            self.wrong += usize::from(row.status != Status::Undetermined && error > 1.0);
        }
        self.compare(truth, &rows);
    }

    fn compare(&mut self, truth: &Truth, rows: &[Row]) {
        let there: Vec<_> = truth.spells();
        let found = regions(rows, STRIDE);
        let same = |region: &motion::Region, spell: &archive::truth::TrueSpell| {
            let near = |a: u32, b: u32| a.abs_diff(b) <= NEAR;
            let kind =
                region.kind == RegionKind::Static && spell.kind == "static" || region.kind.as_str() == spell.kind;
            kind && near(region.start_frame, spell.start) && near(region.end_frame, spell.end)
        };
        self.regions.0 += there.len();
        self.regions.1 += there.iter().filter(|spell| found.iter().any(|region| same(region, spell))).count();
        self.found.0 += found.len();
        self.found.1 += found.iter().filter(|region| there.iter().any(|spell| same(region, spell))).count();
    }
}
