//! Which run an AnalysisJob is in, and how far it is. Pure: what was parsed, what is observed, and the time give a
//! [`Situation`]; what should be there (`desired`) and what is said of it (`status`) both follow from that.
//!
//! ```text
//!   Planning ──▶ Working ──▶ Collecting ──▶ Ended ──(scan due, spec changed, retry)──▶ the next run
//!   Lending (a queue's Consumer)
//!       ▲  Draining: children of another run are still there
//! ```
//!
//! A run is known by the digest of everything that decides what it computes. Nothing is accumulated: everything is read
//! off the children each time, and off the status only for a run that has ended, since its children may be gone.

use analysisjob::{AnalysisJobStatus, conditions, labels, reasons, status::ChildJobKind};
use jiff::Timestamp;
use plan::{RunId, ledger::sha256};
use serde_json::json;

use super::{
    facts::JobFacts,
    items::{Progress, progress},
    observe::{Observed, kind_of, run_of},
    pods::{Message, MessageError, PlanCounts, PodFacts},
    policy::{deadline, failures},
    validate::Analysis,
};

pub use analysisjob::labels::{END_MESSAGE, END_REASON};

/// Where an AnalysisJob stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Situation {
    /// The run it is in.
    pub run: Run,
    /// What goes on.
    pub phase: Phase,
    /// What the plan says; none before it is made.
    pub plan: Option<PlanCounts>,
    /// Movies by state, and the workers.
    pub progress: Progress,
    /// The child Jobs of the run are held: by spec.suspend.
    pub suspended: bool,
    /// The child Jobs of the run are held: by a queueing system.
    pub queued: bool,
    /// When a standing job looks for new movies next.
    pub next_scan: Option<Timestamp>,
    /// Configuration that data pods found wrong.
    pub misconfigured: Option<MessageError>,
    /// Finished Jobs that are made anew, by name, because what they failed of may be mended.
    pub redo: Vec<String>,
    /// When to look again, whatever happens.
    pub look_again: Option<Timestamp>,
}

/// A run's name and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Such as `4-7c9f`.
    pub id: String,
    /// Digest of everything that decides what it computes.
    pub digest: String,
    /// When it began.
    pub start: Timestamp,
    /// When the archive is or was looked through for it.
    pub scan: Timestamp,
    /// Whether the status knows it already.
    pub known: bool,
}

/// What goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Children of another run, or of an earlier AnalysisJob of this name, have to go first.
    Draining(String),
    /// The plan is being made.
    Planning,
    /// Workers compute.
    Working,
    /// Workers do the movies of a list that others fill; there is no run of its own, and no end.
    Lending,
    /// Tables and report are being made, after which the run ends like this.
    Collecting(End),
    /// The run has ended.
    Ended(End),
}

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Enough movies have a result.
    Complete,
    /// Only the plan was asked for.
    DryRun,
    /// It failed.
    Failed {
        /// A constant of [`reasons`].
        reason: String,
        /// In a sentence.
        message: String,
    },
}

/// A configuration that is wrong is looked at again after so many seconds.
const LOOK_AGAIN_SECONDS: u64 = 30;
/// A pod that ended is in the store at most so many seconds later than its Job's completion.
const STALE_SECONDS: u64 = 30;

/// Says where `analysis` stands at `now`.
pub fn situation(analysis: &Analysis, observed: &Observed, now: Timestamp) -> Situation {
    let status = observed.job.status.clone().unwrap_or_default();
    let (run, next_scan) = current_run(analysis, &status, now);
    let mut situation = Situation {
        phase: Phase::Planning,
        plan: None,
        progress: Progress::default(),
        suspended: analysis.spec.suspend,
        queued: false,
        next_scan,
        misconfigured: None,
        redo: Vec::new(),
        look_again: next_scan,
        run,
    };
    if situation.run.known && status.completion_time.is_some() {
        situation.phase = Phase::Ended(recorded_end(&status));
        situation.expire(analysis, &status);
        return situation;
    }
    if let Some(child) = stranger(observed, &situation.run.id) {
        situation.phase = Phase::Draining(child);
        return situation;
    }
    if analysis.only_lends() {
        situation.phase = Phase::Lending;
        situation.count_queue_workers(observed);
        return situation;
    }
    situation.follow(analysis, observed, &status, now);
    if analysis.queue().is_some() {
        situation.count_queue_workers(observed);
    }
    situation.carry_misconfiguration(&status);
    situation
}

/// A child whose run is of a later generation than the AnalysisJob as it was seen, by name.
pub fn child_of_later(analysis: &Analysis, observed: &Observed) -> Option<String> {
    let later = |job: &JobFacts| generation_of(run_of(job)).is_some_and(|generation| generation > analysis.generation);
    observed.jobs.iter().find(|(_, job)| later(job)).map(|(name, _)| name.clone())
}

/// The generation a run is named after.
pub fn generation_of(run: &str) -> Option<i64> {
    run.split('-').next()?.parse().ok()
}

impl Situation {
    /// Whether the run is about to begin: the status does not know it yet.
    pub fn begins(&self) -> bool {
        self.phase == Phase::Planning && !self.run.known
    }

    /// Reads the phase off the children of the run.
    fn follow(&mut self, analysis: &Analysis, observed: &Observed, status: &AnalysisJobStatus, now: Timestamp) {
        let jobs = Children::of(observed, &self.run.id);
        self.queued = analysis.kueue.is_some() && !self.suspended && jobs.are_held();
        self.plan = jobs.plan_counts(observed);
        let Some(plan) = self.plan.clone() else { return self.planning(&jobs, observed, now) };
        self.progress = progress(&plan, &jobs.work, &observed.pods, None);
        if analysis.spec.dry_run {
            self.phase = Phase::Ended(End::DryRun);
            return;
        }
        if let Some(collect) = jobs.collect {
            return self.collecting(analysis, &plan, &jobs, collect, observed, now);
        }
        self.phase = match self.end_of_work(analysis, &plan, &jobs, status, now) {
            Some(end) => Phase::Collecting(end),
            None => Phase::Working,
        };
        if self.phase == Phase::Working {
            self.misconfiguration(jobs.work.iter().copied(), observed, now);
        }
    }

    /// With strategy Queue the workers are a Deployment's pods, and those of the Job only feed the list.
    fn count_queue_workers(&mut self, observed: &Observed) {
        let status = observed.workers.as_ref().and_then(|workers| workers.status).unwrap_or_default();
        let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok()).unwrap_or(0);
        self.progress.have_workers(count(status.replicas), count(status.ready_replicas));
    }

    /// Before there is a plan: its Job runs, has failed, or its message is lost.
    fn planning(&mut self, jobs: &Children<'_>, observed: &Observed, now: Timestamp) {
        let Some(job) = jobs.plan else { return };
        match finished(job) {
            None => {}
            Some(Finish { failed: false, at, .. }) => {
                // The pod may come into the store later than its Job's end; after a while it is gone for good.
                let patience = deadline::later(at, STALE_SECONDS);
                if now >= patience { self.redo(job) } else { self.wake(patience) }
            }
            Some(Finish { failed: true, message, .. }) => {
                self.misconfiguration([job].into_iter(), observed, now);
                if self.misconfigured.is_none() {
                    let said = last_message(job, observed).and_then(|message| message.error);
                    let message = said.map_or(message, |error| error.message);
                    self.phase = Phase::Ended(End::Failed { reason: reasons::PLAN_FAILED.to_owned(), message });
                }
            }
        }
    }

    /// A Job that ended with exit code 78 is made anew after a while: someone may have mended the cause.
    fn misconfiguration<'a>(&mut self, jobs: impl Iterator<Item = &'a JobFacts>, observed: &Observed, now: Timestamp) {
        for job in jobs {
            let Some(finish) = finished(job).filter(|finish| finish.failed && finish.by_policy) else { continue };
            let said = last_message(job, observed).and_then(|message| message.error);
            let fallback =
                || MessageError { reason: reasons::CONFIGURATION_ERROR.to_owned(), message: finish.message.clone() };
            self.misconfigured = Some(said.unwrap_or_else(fallback));
            let again = deadline::later(finish.at, LOOK_AGAIN_SECONDS);
            if now >= again { self.redo(job) } else { self.wake(again) }
        }
    }

    /// A configuration that was wrong counts as wrong while it is tried again, until a pod has found it right: the
    /// conditions do not change back and forth with every try.
    fn carry_misconfiguration(&mut self, status: &AnalysisJobStatus) {
        let items = &self.progress.items;
        let untold = match self.phase {
            Phase::Planning | Phase::Collecting(_) => true,
            Phase::Working => items.succeeded + items.failed == 0,
            Phase::Draining(_) | Phase::Ended(_) | Phase::Lending => false,
        };
        let same_run = status.run.as_ref().is_some_and(|run| run.id == self.run.id);
        if self.misconfigured.is_none() && untold && same_run {
            let wrong =
                status.conditions.iter().find(|one| one.type_ == conditions::OUTPUT_READY && one.status == "False");
            self.misconfigured =
                wrong.map(|one| MessageError { reason: one.reason.clone(), message: one.message.clone() });
        }
    }

    /// How the work ends: enough is done, too much has failed, time is up. `None`: it goes on.
    fn end_of_work(
        &mut self,
        analysis: &Analysis,
        plan: &PlanCounts,
        jobs: &Children<'_>,
        status: &AnalysisJobStatus,
        now: Timestamp,
    ) -> Option<End> {
        let allowed = analysis.spec.retry.max_failed_items;
        let failed = self.progress.items.failed;
        if failures::too_many(allowed, plan.selected, failed) {
            let message = failures::message(allowed, plan.selected, failed);
            return Some(End::Failed { reason: reasons::TOO_MANY_FAILED_ITEMS.to_owned(), message });
        }
        if let Some(seconds) = analysis.spec.active_deadline_seconds.filter(|_| !self.suspended) {
            let held = held_seconds(status, now);
            let end = deadline::run_deadline(self.run.start, held, seconds);
            if now >= end {
                let message = format!(
                    "the run took longer than {seconds} s (activeDeadlineSeconds): raise it, and the run goes on with \
                     what is left"
                );
                return Some(End::Failed { reason: reasons::DEADLINE_EXCEEDED.to_owned(), message });
            }
            self.wake(end);
        }
        let done = jobs.work_is_done(plan.indexes);
        done.then_some(End::Complete)
    }

    /// The collect Job runs or has ended; what it tells is the truth of the whole run.
    fn collecting(
        &mut self,
        analysis: &Analysis,
        plan: &PlanCounts,
        jobs: &Children<'_>,
        job: &JobFacts,
        observed: &Observed,
        now: Timestamp,
    ) {
        let message = last_message(job, observed);
        let truth = message.filter(|message| message.error.is_none());
        self.progress = progress(plan, &jobs.work, &observed.pods, truth.as_ref());
        let end = self.verdict(analysis, plan, job);
        self.phase = match finished(job) {
            None => Phase::Collecting(end),
            Some(finish) if !finish.failed => Phase::Ended(end),
            Some(finish) => {
                self.misconfiguration([job].into_iter(), observed, now);
                match (&self.misconfigured, end) {
                    (Some(_), end) => Phase::Collecting(end),
                    (None, End::Complete) => Phase::Ended(End::Failed {
                        reason: reasons::COLLECT_FAILED.to_owned(),
                        message: format!("the results stand, tables and report do not: {}", finish.message),
                    }),
                    (None, end) => Phase::Ended(end),
                }
            }
        };
    }

    /// How the run ends, as far as is known while it is collected: the reason stands on the collect Job, since its causes
    /// (work Jobs stopped half-way) may be gone.
    fn verdict(&self, analysis: &Analysis, plan: &PlanCounts, collect: &JobFacts) -> End {
        let annotation = |key| collect.metadata.annotations.as_ref().and_then(|all| all.get(key)).cloned();
        if let Some(reason) = annotation(END_REASON) {
            return End::Failed { reason, message: annotation(END_MESSAGE).unwrap_or_default() };
        }
        let (allowed, failed) = (analysis.spec.retry.max_failed_items, self.progress.items.failed);
        if failures::too_many(allowed, plan.selected, failed) {
            let message = failures::message(allowed, plan.selected, failed);
            return End::Failed { reason: reasons::TOO_MANY_FAILED_ITEMS.to_owned(), message };
        }
        End::Complete
    }

    fn expire(&mut self, analysis: &Analysis, status: &AnalysisJobStatus) {
        if let (Some(ttl), Some(end)) = (analysis.spec.ttl_seconds_after_finished, &status.completion_time) {
            self.wake(deadline::expiry(end.0, ttl));
        }
    }

    fn redo(&mut self, job: &JobFacts) {
        self.redo.extend(job.metadata.name.clone());
    }

    fn wake(&mut self, at: Timestamp) {
        self.look_again = Some(self.look_again.map_or(at, |sooner| sooner.min(at)));
    }
}

/// The run the spec, the retry annotation and the schedule ask for, and the next scan.
fn current_run(analysis: &Analysis, status: &AnalysisJobStatus, now: Timestamp) -> (Run, Option<Timestamp>) {
    let recorded = status.run.as_ref().and_then(|run| run.digest.clone());
    let last_scan = status.last_scan_time.as_ref().map(|time| time.0);
    let base = work_digest(analysis, None);
    let rescan = last_scan.map(|scan| work_digest(analysis, Some(scan)));
    let known = recorded.clone().filter(|digest| *digest == base || Some(digest) == rescan.as_ref());
    let (Some(digest), Some(recorded)) = (known, status.run.as_ref()) else {
        let run = new_run(analysis, base, status, now, now);
        let next = analysis.schedule.as_ref().and_then(|schedule| schedule.next_after(now));
        return (run, next);
    };
    let start = recorded.start_time.as_ref().map_or(now, |time| time.0);
    let scan = last_scan.unwrap_or(start);
    let run = Run { id: recorded.id.clone(), digest, start, scan, known: true };
    let Some(schedule) = &analysis.schedule else { return (run, None) };
    match schedule.due(scan, now).filter(|_| status.completion_time.is_some() && !analysis.spec.suspend) {
        Some(due) => {
            let digest = work_digest(analysis, Some(due));
            (new_run(analysis, digest, status, now, due), schedule.next_after(now))
        }
        None => (run, schedule.upcoming(scan, now)),
    }
}

fn new_run(analysis: &Analysis, digest: String, status: &AnalysisJobStatus, now: Timestamp, scan: Timestamp) -> Run {
    let taken = status.run.as_ref().map(|run| run.id.as_str());
    // The digits tell runs of one generation apart; should two neighbours be alike, other digits are taken.
    let salts = (0..16).map(|salt| if salt == 0 { digest.clone() } else { format!("{digest}#{salt}") });
    let generation = u64::try_from(analysis.generation).unwrap_or(0);
    let ids = salts.map(|document| RunId::new(generation, &document).to_string());
    let id = ids.into_iter().find(|id| Some(id.as_str()) != taken).unwrap_or_default();
    Run { id, digest, start: now, scan, known: false }
}

/// Digest of what decides the results and the pods that make them. What acts at once without a new run is left out:
/// parallelism, suspend, deadlines, ttl, failure limits, the schedule, and the cache.
fn work_digest(analysis: &Analysis, scan: Option<Timestamp>) -> String {
    let spec = &analysis.spec;
    let workers = analysisjob::Workers { parallelism: 0, ..spec.workers.clone() };
    let retry = (spec.retry.limit_per_item, spec.retry.item_deadline_seconds);
    let document = json!([
        spec.source,
        spec.analysis,
        spec.output,
        workers,
        retry,
        spec.dry_run,
        analysis.retry,
        scan,
        analysis.owner.uid
    ]);
    sha256(document.to_string().as_bytes())
}

/// A child Job that is not of the run, or a child of an earlier AnalysisJob of the same name.
fn stranger(observed: &Observed, run: &str) -> Option<String> {
    let other = observed.jobs.iter().find(|(_, job)| run_of(&***job) != run).map(|(name, _)| format!("Job {name}"));
    observed.leftover.clone().or(other)
}

/// How a run ended, as the status says; its children may be gone.
fn recorded_end(status: &AnalysisJobStatus) -> End {
    let find = |kind| status.conditions.iter().find(|condition| condition.type_ == kind && condition.status == "True");
    match (find(conditions::FAILED), find(conditions::COMPLETE)) {
        (Some(failed), _) => End::Failed { reason: failed.reason.clone(), message: failed.message.clone() },
        (None, Some(complete)) if complete.reason == reasons::DRY_RUN => End::DryRun,
        _ => End::Complete,
    }
}

/// Seconds the run has been held so far: what the status has added up, and the spell under way.
fn held_seconds(status: &AnalysisJobStatus, now: Timestamp) -> u64 {
    let before = status.run.as_ref().and_then(|run| run.suspended_seconds).unwrap_or(0);
    let held = status.conditions.iter().find(|one| one.type_ == conditions::SUSPENDED && one.status == "True");
    before + held.map_or(0, |condition| deadline::seconds_between(condition.last_transition_time.0, now))
}

/// The child Jobs of one run.
struct Children<'a> {
    plan: Option<&'a JobFacts>,
    work: Vec<&'a JobFacts>,
    collect: Option<&'a JobFacts>,
}

impl<'a> Children<'a> {
    fn of(observed: &'a Observed, run: &str) -> Self {
        let mut children = Self { plan: None, work: Vec::new(), collect: None };
        for job in observed.jobs.values().filter(|job| run_of(&***job) == run) {
            match kind_of(job) {
                Some(ChildJobKind::Plan) => children.plan = Some(job),
                Some(ChildJobKind::Work) => children.work.push(job),
                Some(ChildJobKind::Collect) => children.collect = Some(job),
                None => {}
            }
        }
        children.work.sort_by_key(|job| super::items::first_index(job));
        children
    }

    /// What the plan says: from a work or collect Job, which carry it, else from the plan's pod.
    fn plan_counts(&self, observed: &Observed) -> Option<PlanCounts> {
        let carried = self.work.iter().copied().chain(self.collect).find_map(|job| {
            let text = job.metadata.annotations.as_ref()?.get(labels::PLAN_COUNTS)?;
            serde_json::from_str(text).ok()
        });
        let said = |job: &&JobFacts| finished(job).is_some_and(|finish| !finish.failed);
        carried.or_else(|| last_message(self.plan.filter(said)?, observed)?.plan)
    }

    /// Whether the Jobs that have not ended are all held.
    fn are_held(&self) -> bool {
        let all = self.plan.iter().chain(&self.work).chain(&self.collect);
        let mut open = all.filter(|job| finished(job).is_none()).peekable();
        open.peek().is_some() && open.all(|job| job.spec.as_ref().and_then(|spec| spec.suspend).unwrap_or(false))
    }

    /// Whether every index is done, one way or the other.
    fn work_is_done(&self, indexes: u32) -> bool {
        let shards = super::policy::shards::shards(indexes).len();
        self.work.len() == shards && self.work.iter().all(|job| finished(job).is_some_and(|finish| !finish.by_policy))
    }
}

/// How a Job ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Finish {
    /// It failed.
    pub failed: bool,
    /// It failed because a pod ended with an exit code that says the configuration is wrong.
    pub by_policy: bool,
    /// What the Job says of it.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// How `job` ended; none while it runs.
pub fn finished(job: &JobFacts) -> Option<Finish> {
    let conditions = job.status.as_ref()?.conditions.as_ref()?;
    let ended =
        conditions.iter().find(|one| matches!(one.type_.as_str(), "Complete" | "Failed") && one.status == "True")?;
    Some(Finish {
        failed: ended.type_ == "Failed",
        by_policy: ended.reason.as_deref() == Some("PodFailurePolicy"),
        message: ended.message.clone().unwrap_or_default(),
        at: ended.last_transition_time.as_ref().map_or(Timestamp::MIN, |time| time.0),
    })
}

/// The message of the pod of `job` that ended last. Pods of an earlier Job of the same name are not its own.
fn last_message(job: &JobFacts, observed: &Observed) -> Option<Message> {
    let own = |pod: &&PodFacts| is_of(pod, job);
    let ended = observed.pods.iter().map(AsRef::as_ref).filter(own).filter(|pod| pod.message().is_some());
    ended.max_by_key(|pod| pod.terminated().and_then(|end| end.finished_at.clone())).and_then(PodFacts::message)
}

/// Whether `pod` was made by `job`.
pub fn is_of(pod: &PodFacts, job: &JobFacts) -> bool {
    let owners = pod.metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().any(|owner| Some(&owner.uid) == job.metadata.uid.as_ref())
}
