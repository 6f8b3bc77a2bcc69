//! How words that programs read (conditions, reasons, labels) are declared: once, with the sentence that documents them,
//! so that the reference is made from the same lines as the code.

/// A word: its constant's name, what it is on the wire, and its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The constant's name.
    pub name: &'static str,
    /// The word itself.
    pub word: &'static str,
    /// What it says.
    pub doc: &'static str,
}

/// Declares the constants as they are written, and `TABLE`, which holds all of them in this order.
macro_rules! words {
    ($($(#[doc = $doc:literal])+ pub const $name:ident: &str = $word:literal;)+) => {
        $($(#[doc = $doc])+ pub const $name: &str = $word;)+

        /// Every word above with its documentation, in this order.
        pub const TABLE: &[$crate::word::Word] =
            &[$($crate::word::Word { name: stringify!($name), word: $word, doc: concat!($($doc),+) }),+];
    };
}

pub(crate) use words;
