//! A process that talks to the API server: what it asked for, and the faults it meets. Killing it ends its watches and
//! fails its requests until it is restarted; the cluster goes on without it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch::{Receiver, Sender};

use crate::{
    answer::Refusal,
    route::{Call, Verb},
};

/// One request, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it wanted.
    pub verb: Verb,
    /// The kind it was about.
    pub kind: &'static str,
    /// The namespace, empty for all.
    pub namespace: String,
    /// The name, empty for a collection.
    pub name: String,
    /// Whether it went to `/status`.
    pub status: bool,
    /// The field manager.
    pub manager: String,
    /// Whether it wanted to change something: a write verb, and no dry run.
    pub write: bool,
    /// Whether something changed.
    pub changed: bool,
    /// The HTTP status; 0 when no answer came.
    pub code: u16,
    /// The revision of the API server afterwards.
    pub revision: u64,
}

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server refuses.
    Refuse(Refusal),
    /// No answer comes and the connection breaks.
    Lost,
    /// No answer ever comes.
    Hang,
}

impl Fault {
    /// 500 InternalError.
    pub fn internal() -> Self {
        Self::Refuse(Refusal::new(
            500,
            "InternalError",
            "an error on the server has prevented the request from succeeding",
        ))
    }

    /// 409 Conflict.
    pub fn conflict() -> Self {
        Self::Refuse(Refusal::conflict("the object has been modified; please try again"))
    }

    /// 429 TooManyRequests, with `Retry-After`.
    pub fn too_many(retry_after: u32) -> Self {
        let refusal = Refusal::new(429, "TooManyRequests", "the server has received too many requests");
        Self::Refuse(Refusal { retry_after: Some(retry_after), ..refusal })
    }

    /// 403 Forbidden.
    pub fn forbidden(message: &str) -> Self {
        Self::Refuse(Refusal::new(403, "Forbidden", message))
    }

    /// 504 Timeout of the server's own.
    pub fn timeout() -> Self {
        Self::Refuse(Refusal::new(504, "Timeout", "the request did not complete within the allotted timeout"))
    }

    /// 422 Invalid.
    pub fn invalid(message: &str) -> Self {
        Self::Refuse(Refusal::new(422, "Invalid", message))
    }
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Before the request takes effect.
    Before,
    /// After it has taken effect: only the answer is lost.
    After,
}

type Meets = Box<dyn FnMut(&Call) -> bool + Send>;

struct Rule {
    when: When,
    fault: Fault,
    left: u32,
    meets: Meets,
}

#[derive(Default)]
struct State {
    dead: bool,
    epoch: u64,
    held: bool,
    silent: bool,
    crash: Option<(u64, When)>,
    writes: u64,
    rules: Vec<Rule>,
    log: Vec<Entry>,
    counts: BTreeMap<(Verb, &'static str), u64>,
}

/// How a process stands to the API server.
#[derive(Clone, Default)]
pub struct Process {
    state: Arc<Mutex<State>>,
    bell: Sender<()>,
}

impl Process {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The n-th write from now (the first is 1) fails before it takes effect; from then on every request fails.
    pub fn crash_before(&self, n: u64) {
        self.state().crash = Some((n, When::Before));
    }

    /// The n-th write from now takes effect, but its answer is lost; from then on every request fails.
    pub fn crash_after(&self, n: u64) {
        self.state().crash = Some((n, When::After));
    }

    /// Ends the process now.
    pub fn kill(&self) {
        let mut state = self.state();
        state.dead = true;
        state.epoch += 1;
        self.ring();
    }

    /// Starts it anew: requests are served again. Faults and an unspent crash are forgotten, the log is not.
    pub fn restart(&self) {
        let mut state = self.state();
        let epoch = state.epoch + 1;
        *state = State {
            epoch,
            silent: state.silent,
            log: std::mem::take(&mut state.log),
            counts: state.counts.clone(),
            writes: state.writes,
            ..State::default()
        };
        self.ring();
    }

    /// Whether it was killed.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Ends its watches, as servers do every few minutes.
    pub fn close_watches(&self) {
        self.state().epoch += 1;
        self.ring();
    }

    /// Holds back what its watches would tell, or lets them go on: stores that are behind.
    pub fn hold_watches(&self, held: bool) {
        self.state().held = held;
        self.ring();
    }

    /// The next `times` requests that `meets` says yes to meet the fault.
    pub fn fault(&self, fault: Fault, when: When, times: u32, meets: impl FnMut(&Call) -> bool + Send + 'static) {
        self.state().rules.push(Rule { when, fault, left: times, meets: Box::new(meets) });
    }

    /// No faults any more.
    pub fn heal(&self) {
        self.state().rules.clear();
    }

    /// How many writes it has asked for, those of no effect included.
    pub fn writes(&self) -> u64 {
        self.state().writes
    }

    /// How many requests of this verb and kind.
    pub fn count(&self, verb: Verb, kind: &str) -> u64 {
        let state = self.state();
        state.counts.iter().filter(|((v, k), _)| *v == verb && *k == kind).map(|(_, count)| count).sum()
    }

    /// Every request since the log was last taken.
    pub fn log(&self) -> Vec<Entry> {
        self.state().log.clone()
    }

    /// The log, and begins a new one.
    pub fn take_log(&self) -> Vec<Entry> {
        std::mem::take(&mut self.state().log)
    }

    /// Wakes its watches.
    fn ring(&self) {
        self.bell.send_replace(());
    }

    pub(crate) fn bell(&self) -> Receiver<()> {
        self.bell.subscribe()
    }

    /// Keeps counts only, no log: for long benchmarks.
    pub fn keep_log(&self, keep: bool) {
        self.state().silent = !keep;
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.state().epoch
    }

    pub(crate) fn is_held(&self) -> bool {
        self.state().held
    }

    /// The fault a request meets on its way in.
    pub(crate) fn on_the_way_in(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        if state.dead {
            return Some(Fault::Lost);
        }
        if let Some(fault) = state.strike(When::Before, call) {
            return Some(fault);
        }
        let crashed = state.crashes(When::Before, call);
        if crashed {
            self.ring();
        }
        crashed.then_some(Fault::Lost)
    }

    /// The fault its answer meets on the way out.
    pub(crate) fn on_the_way_out(&self, call: &Call) -> Option<Fault> {
        let mut state = self.state();
        if state.crashes(When::After, call) {
            self.ring();
            return Some(Fault::Lost);
        }
        state.strike(When::After, call)
    }

    pub(crate) fn note(&self, entry: Entry) {
        let mut state = self.state();
        *state.counts.entry((entry.verb, entry.kind)).or_default() += 1;
        state.writes += u64::from(entry.write);
        if !state.silent {
            state.log.push(entry);
        }
    }
}

impl State {
    fn strike(&mut self, when: When, call: &Call) -> Option<Fault> {
        let mut due = self.rules.iter_mut().filter(|rule| rule.when == when && rule.left > 0);
        let rule = due.find_map(|rule| (rule.meets)(call).then_some(rule))?;
        rule.left -= 1;
        Some(rule.fault.clone())
    }

    fn crashes(&mut self, at: When, call: &Call) -> bool {
        let Some((left, when)) = &mut self.crash else { return false };
        if *when != at || !call.writes() {
            return false;
        }
        *left = left.saturating_sub(1);
        if *left > 0 {
            return false;
        }
        self.crash = None;
        self.dead = true;
        self.epoch += 1;
        true
    }
}
