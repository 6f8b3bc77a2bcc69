//! An analysis of one movie as a series of rows that can be begun anywhere.

use futures::{StreamExt, stream::LocalBoxStream};
use plan::{FrameStatistics, OpticalFlow, Pair, analysis::distinct_frames};

use crate::{
    item_error::ItemError,
    pipeline::{Pipeline, Witness},
    result::{FlowRow, Row, StatisticsRow},
    source::Movie,
};

/// The rows of one movie, each known by its place in the series.
pub(super) trait Series {
    /// What a row is.
    type Row: Row;

    /// The frames the rows are named after, ascending.
    fn names(&self) -> Vec<u32>;

    /// The frames that the rows from the `first`th on need.
    fn frames(&self, first: usize) -> Vec<u32>;

    /// Those rows, in order.
    fn rows<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        movie: &'a Movie,
        first: usize,
        witness: &'a Witness,
    ) -> LocalBoxStream<'a, Result<Self::Row, ItemError>>;
}

/// Motion, pair by pair.
pub(super) struct FlowSeries<'a> {
    flow: &'a OpticalFlow,
    pairs: Vec<Pair>,
}

/// Statistics, frame by frame.
pub(super) struct StatisticsSeries {
    numbers: Vec<u32>,
}

impl<'a> FlowSeries<'a> {
    pub(super) fn new(flow: &'a OpticalFlow, movie: &Movie) -> Self {
        Self { flow, pairs: flow.pairs(movie.num_frames()) }
    }

    fn pairs_from(&self, first: usize) -> &[Pair] {
        self.pairs.get(first..).unwrap_or_default()
    }
}

impl StatisticsSeries {
    pub(super) fn new(statistics: &FrameStatistics, movie: &Movie) -> Self {
        Self { numbers: statistics.range.frames(movie.num_frames()).collect() }
    }
}

impl Series for FlowSeries<'_> {
    type Row = FlowRow;

    fn names(&self) -> Vec<u32> {
        self.pairs.iter().map(|pair| pair.frame).collect()
    }

    fn frames(&self, first: usize) -> Vec<u32> {
        distinct_frames(self.pairs_from(first))
    }

    fn rows<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        movie: &'a Movie,
        first: usize,
        witness: &'a Witness,
    ) -> LocalBoxStream<'a, Result<FlowRow, ItemError>> {
        pipeline.optical_flow(movie, self.flow, self.pairs_from(first), witness).boxed_local()
    }
}

impl Series for StatisticsSeries {
    type Row = StatisticsRow;

    fn names(&self) -> Vec<u32> {
        self.numbers.clone()
    }

    fn frames(&self, first: usize) -> Vec<u32> {
        self.numbers.get(first..).unwrap_or_default().to_vec()
    }

    fn rows<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        movie: &'a Movie,
        first: usize,
        witness: &'a Witness,
    ) -> LocalBoxStream<'a, Result<StatisticsRow, ItemError>> {
        pipeline.frame_statistics(movie, self.frames(first), witness).boxed_local()
    }
}
