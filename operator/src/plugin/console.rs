//! Where a command writes, what time it is there, and how it hears that it should stop.

use std::{
    future::pending,
    io::Write,
    pin::{Pin, pin},
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal as listen};

use super::error::PluginError;

/// The process's surroundings, exchanged in tests.
pub struct Console<'a> {
    /// Standard output: the answer.
    pub out: &'a mut dyn Write,
    /// Standard error: what happens on the way.
    pub err: &'a mut dyn Write,
    /// Whether standard output is a terminal, where a live view can be drawn.
    pub live: bool,
    /// The time.
    pub clock: fn() -> Timestamp,
    /// How often something waited for is asked for.
    pub every: Duration,
}

impl Console<'_> {
    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Writes the answer.
    pub fn print(&mut self, text: &str) -> Result<(), PluginError> {
        Ok(self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush())?)
    }

    /// Writes the answer as JSON, indented.
    pub fn print_json(&mut self, value: &impl Serialize) -> Result<(), PluginError> {
        let text = serde_json::to_string_pretty(value)?;
        self.print(&format!("{text}\n"))
    }

    /// Writes the answer as JSON on one line.
    pub fn print_json_line(&mut self, value: &impl Serialize) -> Result<(), PluginError> {
        let text = serde_json::to_string(value)?;
        self.print(&format!("{text}\n"))
    }

    /// Says what happens on the way. Nobody listening is no reason to stop.
    pub fn note(&mut self, text: &str) {
        let _ = writeln!(self.err, "{text}");
    }
}

/// Lets `work` come to its end even when `stop` comes first, and says whether it did: what is made halfway could not be
/// found and deleted.
pub async fn uncut<T>(work: impl Future<Output = T>, stop: Pin<&mut impl Future<Output = ()>>) -> (T, bool) {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = stop => (work.await, true),
        done = &mut work => (done, false),
    }
}

/// Ends with the first Ctrl-C, SIGTERM or hang-up.
pub async fn signal() {
    tokio::select! {
        () = received(SignalKind::interrupt()) => {}
        () = received(SignalKind::terminate()) => {}
        () = received(SignalKind::hangup()) => {}
    }
}

async fn received(kind: SignalKind) {
    match listen(kind) {
        Ok(mut signals) => {
            signals.recv().await;
        }
        // A signal that cannot be listened for keeps its default, which ends the process.
        Err(_) => pending().await,
    }
}
