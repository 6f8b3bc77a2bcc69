//! A synthetic video archive, for tests, benchmarks and the quickstart: movies whose camera motion is known, a server that
//! can be made sick, a count of what was asked for. Nothing the product ships depends on it.
//!
//! ```text
//!   Script ─▶ poses ─┬─▶ Truth (<stem>_truth.csv)              camera.rs, truth.rs
//!   Scene, seed ─────┴─▶ frames ─▶ ffmpeg ─▶ <stem>.mov        scene.rs, render.rs
//!                                      │
//!                   packets ◀──────────┤
//!                      ▼               ▼
//!     movie_writer: 14 GB, sparse    Server::start(root) ─▶ http://127.0.0.1:PORT/files/…      server.rs, fault.rs
//! ```
//!
//! In a test, with or without an async runtime (rendering needs the `ffmpeg` command; 60 frames of 320x180 take 0.2 s):
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use archive::{Movie, Script, Server, Spell, Truth, fault::{Fault, Rule}};
//! let root = std::env::temp_dir().join("archive");
//! let script = Script { spells: vec![Spell::rest(10), Spell::moving("W", 50)], ramp: 8 };   // W E N S NE … zoom_in zoom_out
//! let movie = Movie { frames: 60, size: (320, 180), script: Some(script), plume: 0.0, ..Movie::default() };
//! movie.render(&root.join("A/X.mov"))?;                     // A/X.mov and A/X_truth.csv
//! let server = Server::start(&root)?;                       // any free port; stops when dropped
//! let movie_url = format!("{}A/X.mov", server.url());       // http://127.0.0.1:PORT/files/A/X.mov
//! server.inject(Rule::on("X.mov", Fault::Status { status: 503, retry_after: Some(1) }).times(2));
//! server.inject(Rule::on("*.mov", Fault::Short { missing: 10 }).ranges().after(3));
//! server.set_down(true);                                    // connections are closed at once, until set_down(false)
//! server.clear_faults();
//! let (requests, bytes) = (server.counts().requests_to("X.mov"), server.counts().bytes);
//! let truth = Truth::read(&Truth::path_of(&root.join("A/X.mov")))?;
//! let moved = truth.motion(6, 16);                          // Some([s, t, tx, ty]), as result files have it
//! let shift = truth.similarity(6, 16).map(|motion| motion.displacement(100.0, -50.0));
//! let spells = truth.spells();                              // start, end, kind
//! # let _ = (movie_url, requests, bytes, moved, shift, spells); Ok(())
//! # }
//! ```
//!
//! [`movie_writer`] makes odd QuickTime files (64-bit, several samples a chunk, sparse 14 GB) out of the packets of a short
//! one. Where to read next: [`camera`] for how moves are made, [`fault`] for all that can go wrong, [`server`] for the
//! control endpoints.

pub mod camera;
pub mod cli;
pub mod fault;
pub mod index_page;
pub mod layout;
pub mod movie_writer;
pub mod noise;
pub mod render;
pub mod scene;
pub mod server;
pub mod truth;

pub use camera::{Script, Spell};
pub use fault::{Fault, Rule};
pub use render::{Movie, RenderError};
pub use server::{Counts, Server};
pub use truth::{Similarity, Truth};
