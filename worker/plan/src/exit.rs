//! Exit codes of the data programs: the contract with the operator's pod failure policy, and with scripts.

/// Declares the codes as they are written, and `TABLE`, which holds all of them: the reference is made from it.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ pub const $name:ident: u8 = $code:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: u8 = $code;)+

        /// Every code above with its documentation, in this order.
        pub const TABLE: &[(u8, &str)] = &[$(($code, concat!($($doc),+))),+];
    };
}

codes! {
    /// All done; failures of single items, if any, are in the summary (worker pods) or none happened (one-machine run).
    pub const DONE: u8 = 0;
    /// One-machine run: the run ended, but some items failed; how many is said, each is in failures.jsonl.
    pub const ITEMS_FAILED: u8 = 1;
    /// The command line was not understood.
    pub const USAGE: u8 = 2;
    /// This index can never succeed (bad input): not worth a retry.
    pub const BAD_INPUT: u8 = 65;
    /// The source or the output could not be reached; trying again later may help.
    pub const UNAVAILABLE: u8 = 69;
    /// Interrupted, everything finished so far is kept; run again to go on.
    pub const INTERRUPTED: u8 = 75;
    /// The configuration is wrong (AnalysisJob file, output, marker, secret): a retry cannot help.
    pub const CONFIGURATION: u8 = 78;
}
