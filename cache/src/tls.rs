//! The one TLS provider of a process.

/// Makes ring the provider of every HTTP client made from now on. A second call changes nothing.
pub fn use_ring() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
