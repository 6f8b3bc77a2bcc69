//! A list of movies in Redis 7 that workers of many clusters and laptops drain together.
//!
//! ```text
//!   fill ──▶ entries ──take──▶ in hand ──done──▶ gone
//!              ▲                 │ │ └──bury──▶ dead letters (bounded)
//!              └──again, release─┘ └─ not renewed for a while: taken over by whoever asks next
//! ```
//!
//! What is kept, all below one prefix and with a time to live, so that nothing stays of a list that nobody uses:
//!
//! | key | holds |
//! |---|---|
//! | `analysis:{LIST}:entries` | a stream: item and run; an entry goes when its item is done or dead |
//! | `analysis:{LIST}:items` | a hash from each item on the list to the last run that wanted it: filling twice adds nothing |
//! | `analysis:{LIST}:dead` | a stream of at most about 10,000 items that were given up, with reasons |
//!
//! Every step is one script, so that Redis does it whole or not at all. Time is Redis' own: clocks of workers play no part.
//! Redis may lose all of it: the output is the ledger of what is done, and filling again what is missing there is
//! harmless.

mod error;
mod list;
mod names;
mod scripts;
mod server;

pub use error::QueueError;
pub use list::{Dead, Depth, List, Taken};
pub use names::{ListName, NameError};
pub use server::Server;
