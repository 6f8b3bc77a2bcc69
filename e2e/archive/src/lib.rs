//! A synthetic video archive, for tests, benchmarks and the quickstart: movies whose camera motion is known, a server that
//! can be made sick, a count of what was asked for. Nothing the product ships depends on it.
//!
//! ```text
//!   Script ─▶ poses ─┬─▶ Truth (<stem>_truth.csv)
//!   Scene, seed ─────┴─▶ frames ─▶ ffmpeg ─▶ <stem>.mov        render.rs, scene.rs, camera.rs
//!                                               │
//!                                               ▼
//!   Server::start(root) ─▶ http://127.0.0.1:PORT/files/…       server.rs, fault.rs
//! ```
//!
//! In a test:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use archive::{Movie, Server, Truth, fault::{Fault, Rule}};
//! let root = std::env::temp_dir().join("archive");
//! let movie = Movie { frames: 60, size: (320, 180), ..Movie::default() };
//! movie.render(&root.join("A/X.mov"))?;
//! let server = Server::start(&root)?;              // any free port; stops when dropped
//! server.inject(Rule::on("X.mov", Fault::Status { status: 503, retry_after: Some(1) }).times(2));
//! // … read server.url() …
//! let requests = server.counts().requests;
//! let truth = Truth::read(&root.join("A/X_truth.csv"))?;
//! let moved = truth.motion(6, 16);                  // Some([s, t, tx, ty] as result files have it)
//! # let _ = (requests, moved); Ok(())
//! # }
//! ```
//!
//! `movie_writer` makes odd QuickTime files (64-bit, several samples a chunk, sparse 14 GB) out of a few packets.

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
pub use render::{Movie, RenderError};
pub use server::{Counts, Server};
pub use truth::Truth;
