//! Which frames are still needed, and which pairs wait for their later frame.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use motion::Prepared;
use plan::Pair;

/// A frame ready to be compared, and the time it took to get there.
#[derive(Clone)]
pub(super) struct Ready {
    pub image: Arc<Prepared>,
    pub took: Duration,
}

/// A pair whose two frames are there.
pub(super) struct Job {
    pub pair: Pair,
    pub from: Ready,
    pub to: Ready,
}

/// The frames that are still needed, and the pairs that wait for their later frame.
pub(super) struct Window {
    waiting: BTreeMap<u32, Vec<Pair>>,
    last_use: BTreeMap<u32, u32>,
    held: BTreeMap<u32, Ready>,
}

impl Window {
    pub(super) fn new(pairs: &[Pair]) -> Self {
        let (mut waiting, mut last_use) = (BTreeMap::<u32, Vec<Pair>>::new(), BTreeMap::new());
        for pair in pairs {
            waiting.entry(pair.to).or_default().push(*pair);
            let last = last_use.entry(pair.from).or_insert(pair.to);
            *last = (*last).max(pair.to);
        }
        Self { waiting, last_use, held: BTreeMap::new() }
    }

    /// Takes a frame in; frames arrive in ascending order. Gives the pairs it completes.
    pub(super) fn arrived(&mut self, number: u32, ready: Ready) -> Vec<Job> {
        let pairs = self.waiting.remove(&number).unwrap_or_default();
        let job = |pair: Pair| {
            let from = self.held.get(&pair.from)?.clone();
            Some(Job { pair, from, to: ready.clone() })
        };
        let jobs = pairs.into_iter().filter_map(job).collect();
        self.held.insert(number, ready);
        self.held.retain(|held, _| self.last_use.get(held).is_some_and(|last| *last > number));
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Decoder, FrameRange, Method, OpticalFlow, analysis::distinct_frames};

    fn pairs(stride: u32, frames: u32) -> Vec<Pair> {
        let range = FrameRange { start_frame: 1, end_frame: None, stride };
        OpticalFlow { range, method: Method::Auto, decoder: Decoder::Reduced, regions: false }.pairs(frames)
    }

    fn ready() -> Ready {
        let grey = motion::Grey { width: 8, height: 8, data: vec![0; 64] };
        Ready { image: Arc::new(Prepared::new(grey)), took: Duration::ZERO }
    }

    #[test]
    fn every_pair_comes_out_once_and_few_frames_are_held() {
        for stride in [1, 3, 7, 10, 25] {
            let pairs = pairs(stride, 200);
            let (mut window, mut seen, mut most) = (Window::new(&pairs), Vec::new(), 0);
            for number in distinct_frames(&pairs) {
                seen.extend(window.arrived(number, ready()).into_iter().map(|job| job.pair));
                most = most.max(window.held.len());
            }
            assert_eq!(seen, pairs, "stride {stride}");
            assert!(window.held.is_empty() && most <= 10, "stride {stride} held {most}");
        }
    }
}
