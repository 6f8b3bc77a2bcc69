//! What a pod that reads a file answers: why it does not run, how it ended, what it printed. Pure.

use k8s_openapi::{ByteString, api::core::v1::Pod};
use serde_json::Value;

use crate::plugin::words::printable;

/// What one pod printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Size and time of the file.
    pub(super) version: (u64, u64),
    /// The bytes.
    pub(super) bytes: Vec<u8>,
}

/// The exit code of a pod's container.
pub(super) fn exit_code(pod: &Pod) -> Option<i32> {
    let containers = pod.status.as_ref()?.container_statuses.as_ref()?;
    containers.iter().find_map(|container| Some(container.state.as_ref()?.terminated.as_ref()?.exit_code))
}

/// Why a pod does not run yet: what its container waits for, or why no node takes it.
pub(super) fn waits_for(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let said = |reason: Option<&String>, message: Option<&String>| {
        let words: Vec<String> = [reason, message].into_iter().flatten().map(|text| printable(text)).collect();
        (!words.is_empty()).then(|| words.join(": "))
    };
    let container = status.container_statuses.iter().flatten().find_map(|container| {
        let waiting = container.state.as_ref()?.waiting.as_ref()?;
        said(waiting.reason.as_ref(), waiting.message.as_ref())
    });
    let unscheduled = || {
        let conditions = status.conditions.iter().flatten();
        let mut scheduled = conditions.filter(|c| c.type_ == "PodScheduled" && c.status == "False");
        scheduled.find_map(|c| said(c.reason.as_ref(), c.message.as_ref()))
    };
    container.or_else(unscheduled)
}

/// Size and time of the file, then base64.
pub(super) fn parse(log: &str) -> Option<Piece> {
    let (header, rest) = log.split_once('\n')?;
    let (size, time) = header.trim().split_once(' ')?;
    let encoded: String = rest.lines().map(str::trim).collect();
    let ByteString(bytes) = serde_json::from_value(Value::String(encoded)).ok()?;
    Some(Piece { version: (size.parse().ok()?, time.parse().ok()?), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_log_is_size_and_time_and_then_base64_over_many_lines() {
        let piece = Piece { version: (6, 1_700_000_000), bytes: b"<html>".to_vec() };
        assert_eq!(parse("6 1700000000\nPGh0\nbWw+\n"), Some(piece));
        assert_eq!(parse("0 1\n"), Some(Piece { version: (0, 1), bytes: Vec::new() }));
        for broken in ["", "6", "6 x\nPGh0", "6 1\nPGh", "tail: cannot open\n"] {
            assert_eq!(parse(broken), None, "{broken}");
        }
    }

    #[test]
    fn a_pod_no_node_takes_says_why() {
        let why = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"});
        let pod = serde_json::from_value(json!({"metadata": {}, "status": {"phase": "Pending", "conditions": [why]}}));
        assert_eq!(waits_for(&pod.unwrap()).as_deref(), Some("Unschedulable: 0/3 nodes"));
    }
}
