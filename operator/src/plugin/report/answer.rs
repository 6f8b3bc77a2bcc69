//! What a pod that reads a file answers: why it does not run, how it ended, what it printed. Pure.

use std::io::Read;

use flate2::read::GzDecoder;
use k8s_openapi::{ByteString, api::core::v1::Pod};
use plan::parcel::Head;
use serde_json::Value;

use crate::plugin::words::printable;

/// What one pod printed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it is among all.
    pub(super) head: Head,
    /// The bytes, no longer compressed.
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

/// A head, then base64 of what is compressed; `None` unless it is whole.
pub(super) fn parse(log: &str) -> Option<Piece> {
    let (line, rest) = log.split_once('\n')?;
    let head = Head::parse(line)?;
    let encoded: String = rest.lines().map(str::trim).collect();
    let ByteString(packed) = serde_json::from_value(Value::String(encoded)).ok()?;
    let (length, mut bytes) = (head.end - head.from, Vec::new());
    // Never more than was announced, whatever is in there.
    GzDecoder::new(&packed[..]).take(length + 1).read_to_end(&mut bytes).ok()?;
    (bytes.len() as u64 == length).then_some(Piece { head, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::testing::printed;
    use serde_json::json;

    #[test]
    fn a_log_is_a_head_and_then_base64_over_many_lines_and_nothing_less() {
        let log = printed(4, 10, 30, b"<html>");
        let piece = parse(&log).unwrap();
        assert_eq!((piece.head.from, piece.head.end, piece.head.total, &piece.bytes[..]), (4, 10, 30, &b"<html>"[..]));
        let broken = [
            String::new(),
            "exec /bin/sh: no such file\n".to_owned(),
            log[..log.len() - 9].to_owned(),
            log.replace(" 4 10", " 4 11"),
            log.replace(" 4 10", " 4 9"),
        ];
        for broken in broken {
            assert_eq!(parse(&broken), None, "{broken}");
        }
    }

    #[test]
    fn a_pod_no_node_takes_says_why() {
        let why = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"});
        let pod = serde_json::from_value(json!({"metadata": {}, "status": {"phase": "Pending", "conditions": [why]}}));
        assert_eq!(waits_for(&pod.unwrap()).as_deref(), Some("Unschedulable: 0/3 nodes"));
    }
}
