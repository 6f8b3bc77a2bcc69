//! Frames of codecs whose frames build upon each other: decoded from a sync sample on. What is called a packet elsewhere is
//! here all packets from that sample to the frame's own, packed into one.

use bytes::{BufMut, Bytes, BytesMut};
use ffmpeg_next::{self as ffmpeg, codec, decoder, frame::Video, picture};

use super::{DecodeError, Format, open};
use crate::Movie;

/// Packs packets, in decoding order; the last is the frame's own.
pub(crate) fn pack(packets: &[Bytes]) -> Bytes {
    let bytes: usize = packets.iter().map(|packet| packet.len() + 4).sum();
    let mut packed = BytesMut::with_capacity(bytes);
    for packet in packets {
        packed.put_u32(packet.len() as u32);
        packed.put_slice(packet);
    }
    packed.freeze()
}

/// The packets of a packed one; `None` when it is none.
fn unpack(mut packed: &[u8]) -> Option<Vec<&[u8]>> {
    let mut packets = Vec::new();
    while !packed.is_empty() {
        let (length, rest) = packed.split_first_chunk()?;
        let (packet, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        packets.push(packet);
        packed = rest;
    }
    (!packets.is_empty()).then_some(packets)
}

/// Decodes the last frame of a packed group, or of a packet that is decoded alone. Which of the frames that come out is the
/// one is known by its time stamp, which is its packet's place in the group: decoders hand frames out in the order they are
/// shown.
pub(super) fn decode(movie: &Movie, format: Format, packet: &[u8]) -> Result<Video, DecodeError> {
    let fail = |source| DecodeError::Packet { bytes: packet.len(), source };
    let packed = if movie.builds_upon_others() { unpack(packet) } else { Some(vec![packet]) };
    let packets = packed.ok_or(DecodeError::Damaged { bytes: packet.len() })?;
    let mut decoder = open(format, movie.config())?;
    let wanted = packets.len() as i64 - 1;
    for (place, bytes) in (0..).zip(&packets) {
        let mut packet = codec::packet::Packet::copy(bytes);
        packet.set_pts(Some(place));
        packet.set_dts(Some(place));
        decoder.send_packet(&packet).map_err(fail)?;
        if let Some(frame) = received(&mut decoder, wanted, bytes.len())? {
            return Ok(frame);
        }
    }
    decoder.send_eof().map_err(fail)?;
    received(&mut decoder, wanted, packet.len())?.ok_or(DecodeError::NoFrame { packets: packets.len() })
}

/// The wanted frame, if it is among those that are ready. One that is damaged is an error: others build upon it. So is a
/// first one that is not coded alone, as where a movie is refreshed bit by bit: what follows it is not sound at once.
fn received(decoder: &mut decoder::Video, wanted: i64, bytes: usize) -> Result<Option<Video>, DecodeError> {
    let mut frame = Video::empty();
    loop {
        match decoder.receive_frame(&mut frame) {
            Ok(()) if frame.has_decode_errors() => return Err(DecodeError::Damaged { bytes }),
            Ok(()) if frame.pts() == Some(0) && frame.kind() != picture::Type::I => {
                return Err(DecodeError::Damaged { bytes });
            }
            Ok(()) if frame.pts() == Some(wanted) => return Ok(Some(frame)),
            Ok(()) => {}
            Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(None),
            Err(source) => return Err(DecodeError::Packet { bytes, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_else_is() {
        let packets = [&b"first"[..], b"", b"last"].map(Bytes::from_static);
        assert_eq!(unpack(&pack(&packets)).unwrap(), packets);
        for damaged in [&b""[..], b"\0\0\0", b"\0\0\0\x05four", b"\xff\xff\xff\xff"] {
            assert_eq!(unpack(damaged), None);
        }
    }
}
