//! The signals that end a process.

use tokio::signal::unix::{SignalKind, signal};

/// Ends with the first Ctrl-C or SIGTERM.
pub async fn terminated() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signals) => {
                signals.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        result = tokio::signal::ctrl_c() => if result.is_err() { std::future::pending().await },
        () = terminate => {}
    }
}
