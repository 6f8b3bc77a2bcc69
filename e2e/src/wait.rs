//! Waits with a name and a bound.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// For what the API server does by itself.
pub const SHORT: Duration = Duration::from_secs(10);
/// For what a controller or a daemon must do first, on a busy machine.
pub const LONG: Duration = Duration::from_mins(1);

const PAUSE: Duration = Duration::from_millis(50);

/// What was waited for did not come.
#[derive(Debug, thiserror::Error)]
#[error("waited {seconds} s in vain for {what}; last seen: {seen}")]
pub struct WaitError {
    what: String,
    seconds: u64,
    seen: String,
}

/// Looks again and again until `look` gives a value; what it gives otherwise is what was seen, for the error. `what`
/// ends the sentence "waited in vain for …".
pub async fn until<T>(
    what: &str,
    at_most: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> Result<T, WaitError> {
    let start = Instant::now();
    loop {
        match look().await {
            Ok(value) => return Ok(value),
            Err(seen) if start.elapsed() > at_most => {
                return Err(WaitError { what: what.to_owned(), seconds: at_most.as_secs(), seen });
            }
            Err(_) => sleep(PAUSE).await,
        }
    }
}
