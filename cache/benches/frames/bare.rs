//! FFmpeg's bare decode: what any server of frames must spend, through the same library, in one thread.

use std::hint::black_box;

use ffmpeg_next::{self as ffmpeg, codec, decoder, frame::Video};

/// A decoder that is kept, with its frame.
pub struct Bare {
    decoder: decoder::Video,
    frame: Video,
}

impl Bare {
    /// Of ProRes; a context decodes in one thread unless it is told otherwise.
    pub fn new() -> Self {
        let codec = decoder::find(codec::Id::PRORES).unwrap();
        let context = codec::Context::new_with_codec(codec);
        let decoder = context.decoder().open_as(codec).and_then(decoder::Opened::video).unwrap();
        ffmpeg::log::set_level(ffmpeg::log::Level::Quiet);
        Self { decoder, frame: Video::empty() }
    }

    /// Decodes a packet.
    pub fn decode(&mut self, packet: &codec::packet::Packet) {
        self.decoder.send_packet(packet).unwrap();
        self.decoder.receive_frame(&mut self.frame).unwrap();
        black_box(self.frame.data(0));
    }
}
