//! What the C library's allocator is told. It learns from what is freed that large blocks come often and keeps them for
//! itself: on a server that holds packets and pictures of half a megabyte in memory, each thread's share of such blocks
//! grows to tens of megabytes that nobody uses.

/// Blocks from this size on are the kernel's again as soon as they are freed: what the allocator starts with, before it
/// learns otherwise.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 128 << 10;

/// Large blocks go back to the kernel when they are freed, from now on; to be called before there are threads. Where there
/// is another C library, nothing happens.
#[cfg_attr(all(target_os = "linux", target_env = "gnu"), allow(unsafe_code))]
pub(crate) fn give_large_blocks_back() {
    // SAFETY: sets a number of the allocator's, under its own lock.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        // It takes any number; and were it to refuse, only memory would be lost.
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}
