//! Frames of codecs whose frames build upon each other: decoded from a sync sample on. What is called a packet elsewhere is
//! here all packets from that sample to the frame's own, packed into one.

use bytes::{BufMut, Bytes, BytesMut};
use ffmpeg_next::{self as ffmpeg, codec, decoder, frame::Video, picture};

use super::{DecodeError, Format, insist, open};
use crate::movie::Movie;

/// Set in a packet's length where it is decoded in passing: see [`quicktime::Needed`].
const PASSING: u32 = 1 << 31;

/// Packs packets, in decoding order, each with whether it is decoded in passing; the last is the frame's own.
pub(crate) fn pack(packets: &[(Bytes, bool)]) -> Bytes {
    let bytes: usize = packets.iter().map(|(packet, _)| packet.len() + 4).sum();
    let mut packed = BytesMut::with_capacity(bytes);
    for (packet, passing) in packets {
        packed.put_u32(packet.len() as u32 | if *passing { PASSING } else { 0 });
        packed.put_slice(packet);
    }
    packed.freeze()
}

/// The packets of a packed one; `None` when it is none.
fn unpack(mut packed: &[u8]) -> Option<Vec<(&[u8], bool)>> {
    let mut packets = Vec::new();
    while !packed.is_empty() {
        let (length, rest) = packed.split_first_chunk()?;
        let length = u32::from_be_bytes(*length);
        let (packet, rest) = rest.split_at_checked((length & !PASSING) as usize)?;
        packets.push((packet, length & PASSING != 0));
        packed = rest;
    }
    (!packets.is_empty()).then_some(packets)
}

/// Decodes the last frame of a packed group, or of a packet that is decoded alone. Which of the frames that come out is the
/// one is known by its time stamp, which is its packet's place in the group: decoders hand frames out in the order they are
/// shown.
pub(super) fn decode(movie: &Movie, format: Format, packet: &[u8]) -> Result<Video, DecodeError> {
    let fail = |source| DecodeError::Packet { bytes: packet.len(), source };
    let packed = if movie.builds_upon_others() { unpack(packet) } else { Some(vec![(packet, false)]) };
    let packets = packed.ok_or(DecodeError::Damaged { bytes: packet.len() })?;
    let mut decoder = open(format, movie.config())?;
    let wanted = packets.len() as i64 - 1;
    let start = packets.iter().position(|(_, passing)| !passing).unwrap_or_default();
    let mut group = Group { decoder: &mut decoder, packets: &packets, start };
    for place in 0..packets.len() {
        group.send(place)?;
        if let Some(frame) = group.received(wanted, place)? {
            return Ok(frame);
        }
    }
    group.decoder.send_eof().map_err(fail)?;
    let frame = group.received(wanted, packets.len() - 1)?;
    frame.ok_or(DecodeError::NoFrame { packets: packets.len() })
}

/// A group on its way through a decoder.
struct Group<'a> {
    decoder: &'a mut decoder::Video,
    packets: &'a [(&'a [u8], bool)],
    /// The place of the first that is not decoded in passing: all that counts builds upon it.
    start: usize,
}

impl Group<'_> {
    /// Decodes the packet at `place`.
    ///
    /// A group's first picture may tell the decoder to forget pictures of groups before, which it never saw; and what is
    /// decoded in passing may not be sound. That is no damage. Where the first picture is damaged, it is marked so.
    fn send(&mut self, place: usize) -> Result<(), DecodeError> {
        let (bytes, passing) = self.packets.get(place).copied().unwrap_or_default();
        insist(self.decoder, place != self.start && !passing);
        let mut packet = codec::packet::Packet::copy(bytes);
        packet.set_pts(Some(place as i64));
        packet.set_dts(Some(place as i64));
        match self.decoder.send_packet(&packet) {
            Err(source) if !passing => Err(DecodeError::Packet { bytes: bytes.len(), source }),
            _ => Ok(()),
        }
    }

    /// The wanted frame, if it is among those that are ready after the packet at `place`. One that is damaged is an error:
    /// others build upon it. So is a first one that is not coded alone, as where a movie is refreshed bit by bit: what follows
    /// it is not sound at once.
    fn received(&mut self, wanted: i64, place: usize) -> Result<Option<Video>, DecodeError> {
        let mut frame = Video::empty();
        loop {
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) if self.packet_of(&frame).1 => {}
                Ok(()) if frame.has_decode_errors() || self.is_no_start(&frame) => {
                    return Err(DecodeError::Damaged { bytes: self.packet_of(&frame).0.len() });
                }
                Ok(()) if frame.pts() == Some(wanted) => return Ok(Some(frame)),
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(None),
                Err(source) => {
                    let (bytes, passing) = self.packets.get(place).copied().unwrap_or_default();
                    return if passing { Ok(None) } else { Err(DecodeError::Packet { bytes: bytes.len(), source }) };
                }
            }
        }
    }

    /// Whether it should be the group's first picture and is not coded alone.
    fn is_no_start(&self, frame: &Video) -> bool {
        frame.pts() == Some(self.start as i64) && frame.kind() != picture::Type::I
    }

    /// The packet of a frame, and whether it is decoded in passing.
    fn packet_of(&self, frame: &Video) -> (&[u8], bool) {
        let place = frame.pts().and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| self.packets.get(place)).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_else_is() {
        let packets = [(&b"first"[..], false), (b"", true), (b"passing", true), (b"last", false)];
        let owned = packets.map(|(packet, passing)| (Bytes::from_static(packet), passing));
        assert_eq!(unpack(&pack(&owned)).unwrap(), packets);
        for damaged in [&b""[..], b"\0\0\0", b"\0\0\0\x05four", b"\xff\xff\xff\xff"] {
            assert_eq!(unpack(damaged), None);
        }
    }
}
