//! The contact sheet of a movie. Of ProRes 422 it is made of the means of squares of pixels that stand in the packets themselves,
//! and nearly free.

use std::sync::Arc;

use axum::response::Response;
use frame::{Decoder, FrameNumber, MoviePath, OutputSize};
use futures::{StreamExt, TryStreamExt, stream};
use prores::Reduction;

use super::{
    freshness::EntityTag,
    movie::{Asked, DECODER, finish, insert, picture},
};
use crate::{Error, Movie, decode, encode::encode, picture::Picture, reduced, storyboard::Storyboard};

const COLUMNS: u32 = 6;
const ROWS: u32 = 5;
/// The most columns, and the most rows.
const MOST: u32 = 12;
/// Tiles that are read and decoded at once, where there are as many cores.
const AT_ONCE: usize = 8;

/// The storyboard of a movie as the query wants it.
pub(super) fn board(movie: &Movie, columns: Option<&str>, rows: Option<&str>) -> Result<Storyboard, Error> {
    let (columns, rows) = (side("columns", columns, COLUMNS)?, side("rows", rows, ROWS)?);
    Ok(Storyboard::of(movie.num_frames(), (movie.width(), movie.height()), columns, rows))
}

pub(super) async fn storyboard(asked: Asked<'_>, path: &str) -> Result<Response, Error> {
    let path = MoviePath::parse(path)?;
    let rendition = asked.rendition()?;
    let quality = rendition.quality;
    let movie = asked.movie(&path).await?;
    let board = board(&movie, asked.query.columns.as_deref(), asked.query.rows.as_deref())?;
    let named = Decoder::from_query(asked.query.decoder.as_deref())?;
    let serves = named != Some(Decoder::Full) && reduced::serves_colours(&movie);
    let reduction = reduced::strongest(&movie, board.tile).filter(|_| serves);
    let decoder = if reduction.is_some() { Decoder::Reduced } else { Decoder::Full };
    let (columns, rows, q) = (board.columns, board.rows, quality.get());
    let address = format!("{path}/storyboard.jpg?columns={columns}&rows={rows}&q={q}&decoder={decoder}");
    let tag = EntityTag::new(movie.identity(), &address);
    if let Some(tag) = tag.as_ref().filter(|tag| tag.is_known(asked.headers)) {
        return Ok(tag.not_modified());
    }
    let tiles = stream::iter(board.frames.clone()).map(|number| tile(asked, &movie, number, board.tile, reduction));
    let tiles: Vec<Picture> = tiles.buffered(AT_ONCE).try_collect().await?;
    let numbers: Vec<String> = board.frames.iter().map(ToString::to_string).collect();
    let sheet = move || Ok(encode(&board.sheet(&tiles), frame::Format::Jpeg, quality)?);
    let encoded = asked.served.compute(sheet).await?;
    let mut response = picture(encoded.content_type, encoded.bytes);
    insert(&mut response, DECODER, &decoder.to_string());
    insert(&mut response, "x-lazycache-frames", &numbers.join(","));
    finish(&mut response, &movie, tag.as_ref());
    Ok(response)
}

fn tile(
    asked: Asked<'_>,
    movie: &Arc<Movie>,
    number: FrameNumber,
    size: OutputSize,
    reduction: Option<Reduction>,
) -> impl Future<Output = Result<Picture, Error>> + use<> {
    let (served, cache, movie) = (asked.served.clone(), asked.mirror.cache.clone(), Arc::clone(movie));
    // A task of its own: see `frames`.
    let task = tokio::spawn(async move {
        let packet = cache.packet(&movie, number).await?;
        served.compute(move || small(&movie, &packet, size, reduction)).await
    });
    async move { task.await.map_err(|_| Error::Panicked)? }
}

/// A frame at a tile's size.
fn small(movie: &Movie, packet: &[u8], size: OutputSize, reduction: Option<Reduction>) -> Result<Picture, Error> {
    let reduced = reduction.map(|reduction| reduced::rgb(movie, packet, reduction)).transpose()?;
    let picture = reduced.flatten().map_or_else(|| decode::rgb(movie, packet), Ok)?;
    Ok(picture.resized(size)?)
}

fn side(name: &'static str, value: Option<&str>, default: u32) -> Result<u32, Error> {
    let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(default) };
    let side = value.parse().ok().filter(|side| (1..=MOST).contains(side));
    side.ok_or_else(|| Error::Query { name, value: value.to_owned(), expected: "a number from 1 to 12" })
}
