//! What the C library's allocator is told, before there are threads. Where there is another C library, nothing happens.
//!
//! It learns from what is freed that large blocks come often, and keeps some for itself. A server that holds packets and pictures
//! of half a megabyte in memory so comes to have tens of megabytes in each thread's share that nobody uses. A worker has the
//! opposite trouble: packets and images come and go at once, and what is given back is asked for again at the next frame.

/// Large blocks go back to the kernel when they are freed: what the allocator starts with, before it learns otherwise.
pub(crate) fn give_large_blocks_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    set(libc::M_MMAP_THRESHOLD, 128 << 10);
}

/// What is freed is kept for the next of its size, packets and images of the largest frames among them: at most so much as was in
/// use at once.
pub fn keep_freed_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        set(libc::M_MMAP_THRESHOLD, 32 << 20);
        set(libc::M_TRIM_THRESHOLD, 256 << 20);
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
fn set(parameter: libc::c_int, value: libc::c_int) {
    // SAFETY: sets a number of the allocator's, under its own lock.
    unsafe {
        // It takes any number; and were it to refuse, only memory or time would be lost.
        libc::mallopt(parameter, value);
    }
}
