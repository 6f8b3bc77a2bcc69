//! What pods do: the part of a cluster a test writes itself.

use super::pod::PodInfo;

/// A pod that does not get to run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stuck {
    /// No node takes it; the message of the PodScheduled condition, such as `persistentvolumeclaim "results" not found`.
    Unschedulable(String),
    /// ImagePullBackOff: the image cannot be had.
    ImagePull(String),
    /// CreateContainerConfigError, such as `secret "archive-token" not found`.
    Config(String),
    /// ContainerCreating without end, such as a volume that cannot be mounted.
    Creating,
}

/// What became of a pod in one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It goes on.
    Goes,
    /// Its container has ended.
    Ends {
        /// The exit code.
        code: i32,
        /// The termination message; 4,096 bytes of it are kept.
        message: String,
    },
}

impl Turn {
    /// An end.
    pub fn ends(code: i32, message: impl Into<String>) -> Self {
        Self::Ends { code, message: message.into() }
    }
}

/// What pods do. A step asks each pod once; one script sees all pods of a cluster.
pub trait Script: Send {
    /// Whether a pod that does not run yet is held up.
    fn held(&mut self, _pod: &PodInfo) -> Option<Stuck> {
        None
    }

    /// A running pod's step.
    fn step(&mut self, pod: &PodInfo) -> Turn;

    /// A step of a pod that was told to end (SIGTERM); when its grace is over it is killed.
    fn asked_to_end(&mut self, _pod: &PodInfo) -> Turn {
        Turn::ends(143, "")
    }

    /// The pod was killed (SIGKILL, out of memory, the node died): it has no last word.
    fn killed(&mut self, _pod: &PodInfo) {}
}

/// A pod's whole life, for scripts that are closures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Life {
    /// Runs so many steps, then ends.
    Runs {
        /// Steps.
        steps: u32,
        /// The exit code.
        code: i32,
        /// The termination message.
        message: String,
    },
    /// Runs until it is told to end.
    Forever,
    /// Does not get to run.
    Stuck(Stuck),
}

impl Life {
    /// Runs so many steps, then ends.
    pub fn runs(steps: u32, code: i32, message: impl Into<String>) -> Self {
        Self::Runs { steps, code, message: message.into() }
    }
}

impl<F: FnMut(&PodInfo) -> Life + Send> Script for F {
    fn held(&mut self, pod: &PodInfo) -> Option<Stuck> {
        match self(pod) {
            Life::Stuck(stuck) => Some(stuck),
            _ => None,
        }
    }

    fn step(&mut self, pod: &PodInfo) -> Turn {
        match self(pod) {
            Life::Runs { steps, code, message } if pod.ran >= steps => Turn::Ends { code, message },
            _ => Turn::Goes,
        }
    }
}
