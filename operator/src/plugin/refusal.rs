//! Why an API server did not do what it was asked for: one kind per reaction. In: the client's error. Out: a sentence,
//! an exit code, a mend.

use std::{error::Error, fmt};

use kube::core::Status;
use plan::exit;

use super::{
    error::{NOT_ALLOWED, NOT_FOUND},
    words::printable,
};

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No answer at all; the root of the causes.
    Unreachable(String),
    /// The server is there but cannot answer now.
    Busy(String),
    /// The server does not know who asks.
    Unauthorized(String),
    /// The server knows, and does not allow it.
    Forbidden(String),
    /// The server does not know AnalysisJobs.
    NotInstalled,
    /// The object, or its namespace, is not there.
    Missing(String),
    /// The object is refused, with every reason the server gives.
    Invalid(String),
    /// The answer cannot be read.
    Unreadable(String),
    /// Anything else.
    Other(String),
}

/// What the API server says of a resource it does not serve.
const NO_RESOURCE: [&str; 2] = ["could not find the requested resource", "page not found"];

impl Refusal {
    /// The kind of an error of the client.
    pub fn of(error: &kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(status),
            kube::Error::SerdeError(error) => Self::Unreadable(error.to_string()),
            kube::Error::Service(_) | kube::Error::HyperError(_) | kube::Error::ReadEvents(_) => {
                Self::Unreachable(root(error))
            }
            kube::Error::Auth(_) => Self::Unauthorized(root(error)),
            _ => Self::Other(root(error)),
        }
    }

    fn of_status(status: &Status) -> Self {
        let message = || printable(status.message.trim());
        match status.code {
            401 => Self::Unauthorized(message()),
            403 => Self::Forbidden(message()),
            404 if NO_RESOURCE.iter().any(|text| status.message.contains(text)) => Self::NotInstalled,
            404 => Self::Missing(message()),
            400 | 422 => Self::Invalid(causes(status).unwrap_or_else(message)),
            429 | 500.. => Self::Busy(message()),
            _ => Self::Other(message()),
        }
    }

    /// Whether asking again may help.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }

    /// What a script is told.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable(_) | Self::Busy(_) | Self::Other(_) => exit::UNAVAILABLE,
            Self::Unauthorized(_) | Self::Forbidden(_) => NOT_ALLOWED,
            Self::NotInstalled | Self::Unreadable(_) => exit::CONFIGURATION,
            Self::Missing(_) => NOT_FOUND,
            Self::Invalid(_) => exit::BAD_INPUT,
        }
    }

    /// What mends it; none where the message says all.
    pub fn mend(&self) -> Option<String> {
        let mend = match self {
            Self::Unreachable(_) => {
                "see whether `kubectl version` answers; if not: is the cluster up, the network there, the context \
                 (`kubectl config current-context`) the right one?"
            }
            Self::Busy(_) => "try again in a minute",
            Self::Unauthorized(_) => "log in to the cluster again; `kubectl auth whoami` says who you are to it",
            Self::Forbidden(message) if message.contains(" cannot ") => {
                "ask whoever rules the namespace for this right; `kubectl auth can-i --list` shows those you have"
            }
            Self::NotInstalled => {
                "install the definition, `analysis-operator crd | kubectl apply --server-side -f -`, and the operator"
            }
            Self::Unreadable(_) => "use the plugin of the release the cluster's operator is of",
            Self::Missing(message) if message.starts_with("namespaces ") => {
                "name a namespace that exists with -n, or create it; `kubectl get namespaces` shows them"
            }
            _ => return None,
        };
        Some(mend.to_owned())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(text) => write!(f, "the API server cannot be reached ({text})"),
            Self::Busy(text) => write!(f, "the API server cannot answer now ({text})"),
            Self::Unauthorized(text) => write!(f, "the API server does not know you ({text})"),
            Self::Forbidden(text) => write!(f, "it is not allowed: {text}"),
            Self::NotInstalled => f.write_str("the cluster does not know AnalysisJobs"),
            Self::Invalid(text) => write!(f, "the API server refuses it: {text}"),
            Self::Unreadable(text) => write!(f, "the answer cannot be read ({text})"),
            Self::Missing(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

/// The last cause: for a connection that failed it is the one that says something.
fn root(error: &dyn Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    printable(&root.to_string())
}

/// Every field the server complains of.
fn causes(status: &Status) -> Option<String> {
    let causes = &status.details.as_ref()?.causes;
    let said = causes.iter().map(|cause| match cause.field.as_str() {
        "" => printable(&cause.message),
        field => format!("{}: {}", printable(field), printable(&cause.message)),
    });
    (!causes.is_empty()).then(|| said.collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn status(code: u16, message: &str) -> kube::Error {
        kube::Error::Api(Status::failure(message, "").with_code(code).boxed())
    }

    fn said(error: &kube::Error) -> (String, u8, bool) {
        let refusal = Refusal::of(error);
        (refusal.to_string(), refusal.exit_code(), refusal.mend().is_some())
    }

    #[test]
    fn each_kind_has_its_sentence_its_code_and_its_mend() {
        let connect = kube::Error::Service("tcp connect error".into());
        assert_eq!(said(&connect), ("the API server cannot be reached (tcp connect error)".to_owned(), 69, true));
        assert_eq!(
            said(&status(503, "etcd is away\n")),
            ("the API server cannot answer now (etcd is away)".to_owned(), 69, true)
        );
        assert_eq!(
            said(&status(401, "Unauthorized")),
            ("the API server does not know you (Unauthorized)".to_owned(), 77, true)
        );
        let forbidden =
            "analysisjobs.camhd.science \"a\" is forbidden: User \"b\" cannot get resource \"analysisjobs\"";
        assert_eq!(said(&status(403, forbidden)), (format!("it is not allowed: {forbidden}"), 77, true));
        let not_installed = ("the cluster does not know AnalysisJobs".to_owned(), 78, true);
        assert_eq!(said(&status(404, "404 page not found\n")), not_installed);
        assert_eq!(said(&status(404, "the server could not find the requested resource")), not_installed);
        let missing = "namespaces \"sience\" not found";
        assert_eq!(said(&status(404, missing)), (missing.to_owned(), 66, true));
    }

    #[test]
    fn a_quota_that_forbids_is_not_taken_for_a_missing_right() {
        let quota = Refusal::of(&status(403, "exceeded quota: pods, requested: 1, used: 10, limited: 10"));
        assert_eq!(quota.mend(), None);
    }

    #[test]
    fn every_field_the_server_refuses_is_said() {
        let object = json!({"status": "Failure", "code": 422, "message": "long", "details": {"causes": [
            {"field": "spec.output", "message": "output cannot change while a run is under way"},
            {"field": "", "message": "too \u{1b}[31mred"},
        ]}});
        let error = kube::Error::Api(Box::new(serde_json::from_value(object).unwrap()));
        let text =
            "the API server refuses it: spec.output: output cannot change while a run is under way; too  [31mred";
        assert_eq!(said(&error), (text.to_owned(), 65, false));
    }
}
