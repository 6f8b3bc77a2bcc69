//! Many frames of a movie in one answer: they are read, decoded and sent while those before them are computed.
//!
//! ```text
//!   numbers ─▶ chunks ─▶ GET …/frames.npy?numbers=… ─▶ header checked ─▶ bytes cut into frames ─▶ Decoded, Decoded, …
//!                                  │ broken off: what came whole counts, the rest is asked for again from there
//!                                  └ refused, or nothing came: that frame is asked for alone, which waits and says what is wrong
//! ```
//!
//! The server makes no more than the client takes: what is not read stays in the connection, whose room is bounded.

use std::{collections::VecDeque, time::Duration};

use bytes::{Bytes, BytesMut};
use frame::Decoder;
use futures::{Stream, stream};
use reqwest::{Response, StatusCode};
use url::Url;

use super::{BEFORE_HEADER, FrameServer, header_length, is_of, is_of_bytes, refusal, said_decoder};
use crate::source::{Decoded, Facts, Pixels, ServerError};

/// Frames in one answer: their numbers are part of its address, which must stay short.
const FRAMES: usize = 256;
/// Bytes in one answer: a server may bound them, and what is broken off is little.
const BYTES: usize = 256 << 20;
/// After so many answers in a row that brought nothing, frames are asked for one by one.
const PATIENCE: u32 = 3;
/// An answer lasts as long as the computing; that nothing comes is noticed by itself.
const LONGEST_ANSWER: Duration = Duration::from_hours(6);

/// Frames of one movie, in order.
pub(super) struct Asked<'a, P> {
    server: &'a FrameServer,
    movie: &'a Facts,
    pixels: P,
    left: VecDeque<u32>,
    answer: Option<Answer>,
    /// Answers in a row that brought nothing.
    in_vain: u32,
}

/// An answer that is coming.
struct Answer {
    url: Url,
    response: Response,
    bytes: BytesMut,
    /// Frames that it still has to bring.
    frames: usize,
    decoder: Decoder,
}

impl FrameServer {
    /// The frames `numbers` of a movie, in their order; ends with the first error.
    pub(in crate::source) fn frames<'a, P: Pixels>(
        &'a self,
        movie: &'a Facts,
        numbers: Vec<u32>,
        pixels: P,
    ) -> impl Stream<Item = Result<(u32, Decoded<P::Image>), ServerError>> + Send + use<'a, P> {
        let asked = Asked { server: self, movie, pixels, left: numbers.into(), answer: None, in_vain: 0 };
        stream::try_unfold(asked, |mut asked| async move {
            let frame = asked.next().await?;
            Ok(frame.map(|frame| (frame, asked)))
        })
    }
}

impl<P: Pixels> Asked<'_, P> {
    async fn next(&mut self) -> Result<Option<(u32, Decoded<P::Image>)>, ServerError> {
        let Some(number) = self.left.front().copied() else { return Ok(None) };
        let came = self.came().await;
        let image = match came {
            Ok(image) => image,
            Err(error @ ServerError::Changed { .. }) => return Err(error),
            Err(why) => {
                let image = self.server.frame(self.movie, number, self.pixels).await?;
                self.server.came_alone(&why);
                image
            }
        };
        self.left.pop_front();
        Ok(Some((number, image)))
    }

    /// The next frame from the answer that is coming, else from a new one.
    async fn came(&mut self) -> Result<Decoded<P::Image>, ServerError> {
        if let Some(answer) = self.answer.take_if(|answer| answer.frames > 0) {
            match self.cut_from(answer).await {
                Ok(image) => return Ok(image),
                Err(error) => tracing::debug!(%error, "an answer of many frames broke off; the rest is asked for anew"),
            }
        }
        if self.in_vain >= PATIENCE {
            return Err(ServerError::Strange {
                url: self.movie.cache_url.clone(),
                what: "frames one by one only".into(),
            });
        }
        self.in_vain += 1;
        let answer = self.ask().await?;
        self.cut_from(answer).await
    }

    async fn cut_from(&mut self, mut answer: Answer) -> Result<Decoded<P::Image>, ServerError> {
        let size = self.pixels.size(self.movie.size);
        let bytes = answer.next(bytes_of(self.pixels, self.movie)).await?;
        answer.frames -= 1;
        let image = self.pixels.of_answer(size, bytes, answer.decoder);
        self.answer = Some(answer);
        self.in_vain = 0;
        Ok(image)
    }

    /// A new answer, of the frames that are left or as many as it may have.
    async fn ask(&self) -> Result<Answer, ServerError> {
        let bytes = bytes_of(self.pixels, self.movie);
        let frames = self.left.len().min(FRAMES).min((BYTES / bytes.max(1)).max(1));
        let numbers: Vec<String> = self.left.iter().take(frames).map(ToString::to_string).collect();
        let rendition = self.pixels.rendition().to_string();
        let address = format!("{}/frames.npy?numbers={}&{rendition}", self.movie.cache_url, numbers.join(","));
        let url = Url::parse(&address).map_err(|_| ServerError::Address { text: address })?;
        let request = self.server.client.get(url.clone()).timeout(LONGEST_ANSWER);
        let response = request.send().await.map_err(|error| unreachable(&url, error))?;
        if response.status() != StatusCode::OK {
            return Err(refusal(response, &url).await);
        }
        if !is_of(response.headers(), &self.movie.identity) {
            return Err(ServerError::Changed { url: url.into() });
        }
        let (decoder, length) = (said_decoder(response.headers()), response.content_length());
        let mut answer = Answer { url, response, bytes: BytesMut::new(), frames, decoder };
        let start = answer.skip_header().await?;
        if length == Some((start + frames * bytes) as u64) {
            return Ok(answer);
        }
        let what = format!("an answer of {length:?} bytes instead of {frames} frames of {bytes}");
        Err(ServerError::Strange { url: answer.url.into(), what })
    }
}

impl Answer {
    /// The next `length` bytes.
    async fn next(&mut self, length: usize) -> Result<Bytes, ServerError> {
        while self.bytes.len() < length {
            if let Some(part) = self.response.chunk().await.map_err(|error| unreachable(&self.url, error))? {
                self.bytes.extend_from_slice(&part);
            } else {
                let what = "an answer that ends early".to_owned();
                return Err(ServerError::Strange { url: self.url.to_string(), what });
            }
        }
        Ok(self.bytes.split_to(length).freeze())
    }

    /// Passes over what stands before the pixels; gives its length.
    async fn skip_header(&mut self) -> Result<usize, ServerError> {
        let start = self.next(BEFORE_HEADER).await?;
        let length = header_length(&start);
        let header = match length {
            Some(length) => self.next(length).await?,
            None => Bytes::new(),
        };
        if is_of_bytes(&header) {
            return Ok(BEFORE_HEADER + header.len());
        }
        Err(ServerError::Strange { url: self.url.to_string(), what: "something that is no array of bytes".to_owned() })
    }
}

/// Bytes of one frame.
fn bytes_of<P: Pixels>(pixels: P, movie: &Facts) -> usize {
    let (width, height) = pixels.size(movie.size);
    width as usize * height as usize * pixels.channels()
}

fn unreachable(url: &Url, source: reqwest::Error) -> ServerError {
    ServerError::Unreachable { url: url.to_string(), source }
}
