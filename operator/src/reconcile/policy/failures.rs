//! When too many movies have failed.

use analysisjob::MaxFailedItems;

/// Whether `failed` of `selected` movies are more than `allowed`.
pub fn too_many(allowed: MaxFailedItems, selected: u32, failed: u32) -> bool {
    u64::from(failed) > allowed.of(selected.into())
}

/// What is said of it.
pub fn message(allowed: MaxFailedItems, selected: u32, failed: u32) -> String {
    let most = allowed.of(selected.into());
    format!(
        "{failed} of {selected} movies failed, {most} may (retry.maxFailedItems): see status.failures, mend the cause, \
         then `kubectl analysis retry`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_allowed_is_not_too_many() {
        let judge = |allowed, selected, failed| too_many(allowed, selected, failed);
        assert!(!judge(MaxFailedItems::Percent(1), 248, 3));
        assert!(judge(MaxFailedItems::Percent(1), 248, 4));
        assert!(!judge(MaxFailedItems::Count(0), 248, 0));
        assert!(judge(MaxFailedItems::Count(0), 248, 1));
    }
}
