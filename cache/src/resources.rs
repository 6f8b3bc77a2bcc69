//! What all archives of a process share: what is kept, what may be done at once, what is counted.

use std::sync::Arc;

use crate::{
    Error,
    encode::Encoded,
    flight::Flights,
    gate::{Gate, Place},
    metrics::{GateName, Metrics, Tier},
    render::RenderTiming,
    tier::{DiskSettings, Tiers},
};

/// Bytes in flight are counted in such units.
const UNIT: u64 = 64 << 10;

/// How much is kept and done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Bytes kept in memory: packets and answers. Indexes are counted apart.
    pub memory: u64,
    /// What is kept on disk.
    pub disk: Option<DiskSettings>,
    /// Frames decoded at once; about one per core.
    pub decodes: usize,
    /// Bytes held at once for answers under way, until they are sent.
    pub bytes_in_flight: u64,
    /// Requests that may wait at each gate; what comes beyond is refused at once.
    pub waiting: usize,
}

impl Default for Settings {
    /// Nothing is kept but indexes, and nobody is refused: for callers that read each frame once and bound what they do
    /// themselves.
    fn default() -> Self {
        Self {
            memory: 0,
            disk: None,
            decodes: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            bytes_in_flight: 1 << 30,
            waiting: usize::MAX,
        }
    }
}

/// What all archives of a process share. Cheap to clone; clones share.
#[derive(Debug, Clone)]
pub struct Resources {
    pub(crate) tiers: Tiers,
    pub(crate) decodes: Gate,
    bytes: Gate,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) packets: Flights<bytes::Bytes>,
    pub(crate) answers: Flights<Answer>,
}

impl Default for Resources {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Resources {
    /// As `settings` say.
    pub fn new(settings: Settings) -> Self {
        let metrics = Arc::new(Metrics::default());
        let units = usize::try_from(settings.bytes_in_flight / UNIT).unwrap_or(usize::MAX);
        Self {
            tiers: Tiers::new(settings.memory, settings.disk, Arc::clone(&metrics)),
            decodes: Gate::new(GateName::Decode, settings.decodes, settings.waiting, Arc::clone(&metrics)),
            // A permit counts in 32 bits.
            bytes: Gate::new(GateName::Bytes, units.min(1 << 30), settings.waiting, Arc::clone(&metrics)),
            metrics,
            packets: Flights::default(),
            answers: Flights::default(),
        }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The gate before decoding: whoever decodes holds one of its places.
    pub fn decodes(&self) -> &Gate {
        &self.decodes
    }

    /// What is kept.
    pub fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// Room for so many bytes of an answer under way.
    pub(crate) async fn room(&self, bytes: u64) -> Result<Room, Error> {
        let place = self.bytes.enter_with(units(bytes)).await?;
        Ok(Room { place })
    }

    /// The metrics as text, with what the gates and the tiers hold now. `origins`: requests that wait and that are under way.
    pub fn report(&self, origins: (usize, usize)) -> String {
        let gates = [(GateName::Decode, &self.decodes), (GateName::Bytes, &self.bytes)];
        for (name, gate) in gates {
            self.metrics.gate(name, gate.waiting(), gate.taken());
        }
        self.metrics.gate(GateName::Origin, origins.0, origins.1);
        let (memory, disk) = self.tiers.held();
        self.metrics.holds(Tier::Memory, memory);
        self.metrics.holds(Tier::Disk, disk);
        self.metrics.text()
    }
}

fn units(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(UNIT)).unwrap_or(usize::MAX).max(1)
}

/// Room for bytes under way; given back when dropped.
#[derive(Debug)]
pub(crate) struct Room {
    place: Place,
}

impl Room {
    /// Gives back what is more than `bytes`.
    pub fn shrink_to(&mut self, bytes: u64) {
        let surplus = self.place.num_permits().saturating_sub(units(bytes));
        drop(self.place.split(surplus));
    }
}

/// An answer, and the room its bytes take until all who asked for it have sent them.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub encoded: Encoded,
    pub timing: RenderTiming,
    pub room: Option<Arc<Room>>,
}

impl Answer {
    /// The answer as one who asked for it sends it: the room is given back with the last of its bytes.
    pub fn held(self) -> Encoded {
        let Some(room) = self.room else { return self.encoded };
        let held = Held { bytes: self.encoded.bytes, _room: room };
        Encoded { bytes: bytes::Bytes::from_owner(held), ..self.encoded }
    }
}

struct Held {
    bytes: bytes::Bytes,
    _room: Arc<Room>,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}
