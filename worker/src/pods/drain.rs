//! `analysis-worker drain`: takes movies off a list that many workers share, and does them.
//!
//! | a movie ends | on the list |
//! |---|---|
//! | done, or done already | it goes |
//! | failed, and may go better another time | it is handed out again after a pause, up to its limit |
//! | failed for good, or too often | a dead letter; the run's report of failures names it |
//! | its worker was told to stop, or the archive is silent | it is given back, uncounted |
//! | its worker says nothing any more | another takes it over; that counts |

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use frame::MoviePath;
use futures::{
    FutureExt, StreamExt,
    future::{Fuse, FusedFuture},
    stream::FuturesUnordered,
};
use plan::{Failure, Message, RunId, Summary, exit, ledger::sha256};
use queue::{List, QueueError, Taken};
use tokio_util::sync::CancellationToken;

use super::{
    Pod,
    arguments::{Common, TERMINATION_LOG},
    ending::Ending,
    error::PodError,
    queue::{ListArguments, ListError, open, patiently},
};
use crate::{
    cpu::Cpu,
    pipeline::Pipeline,
    progress::Style,
    signal::terminated,
    steps::{
        collect::write_failures,
        work::{CHECKPOINT_EVERY, Done, Work},
    },
};

/// What a movie in hand is not given of the grace: the time to write and to end.
const RESERVE: Duration = Duration::from_secs(10);
/// How long saving what is done of a movie may take.
const SAVING: Duration = Duration::from_secs(4);
/// How long the list is asked for an item at a time.
const ASK: Duration = Duration::from_secs(5);
/// An item says that it is worked on so often within the silence that loses it.
const BEATS: u32 = 6;
/// After a failure an item rests so long, twice as long after each further one; a hand, while the archive is silent.
const PAUSE: Duration = Duration::from_secs(10);

/// What a draining worker is told.
#[derive(Debug, Clone, clap::Args)]
pub struct DrainArguments {
    /// The AnalysisJob, as JSON or YAML.
    #[arg(long, env = "ANALYSIS_JOB", value_name = "FILE")]
    pub job: PathBuf,
    /// Folder the results go to, which must exist; or `s3`: the bucket of spec.output.s3, with the keys of
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. The same output for all workers of a stream.
    #[arg(long, env = "ANALYSIS_OUTPUT", value_name = "DIR|s3")]
    pub output: String,
    /// Which list.
    #[command(flatten)]
    pub list: ListArguments,
    /// The name this worker goes by; no other may have it [default: host name and process].
    #[arg(long, env = "ANALYSIS_CONSUMER", value_name = "NAME")]
    pub consumer: Option<String>,
    /// End when nothing is left on the list, instead of waiting for more.
    #[arg(long, env = "ANALYSIS_UNTIL_EMPTY")]
    pub until_empty: bool,
    /// A lazycache server to get frames from [default: the archive is read from this process].
    #[arg(long, env = "ANALYSIS_CACHE_URL", value_name = "URL", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub cache_url: Option<String>,
    /// Seconds the archive may be silent before a movie is given back.
    #[arg(long, env = "ANALYSIS_PATIENCE", default_value_t = 3600, value_name = "SECONDS")]
    pub patience: u64,
    /// Threads to compute with.
    #[arg(long, short, env = "ANALYSIS_THREADS", default_value_t = 1)]
    pub threads: usize,
    /// Movies in hand at once.
    #[arg(long, env = "ANALYSIS_MOVIES", default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub movies: u32,
    /// Seconds from SIGTERM to SIGKILL; the movies in hand go on until 10 s before.
    #[arg(long, env = "ANALYSIS_GRACE_SECONDS", default_value_t = 120, value_name = "SECONDS")]
    pub grace_seconds: u64,
    /// Seconds between two checkpoints of a movie in hand: what a killed worker loses at most. 0: after every row.
    #[arg(long, env = "ANALYSIS_CHECKPOINT_SECONDS", default_value_t = CHECKPOINT_EVERY.as_secs(), value_name = "SECONDS")]
    pub checkpoint_seconds: u64,
    /// How progress is shown, on standard error.
    #[arg(long, env = "ANALYSIS_PROGRESS", value_enum, default_value_t = Style::Plain)]
    pub progress: Style,
    /// Where the termination message is written, besides standard output.
    #[arg(long, env = TERMINATION_LOG, value_name = "FILE")]
    pub termination_log: Option<PathBuf>,
}

impl DrainArguments {
    /// As the other steps are told it.
    pub fn common(&self) -> Common {
        Common {
            job: self.job.clone(),
            run: "drain".to_owned(),
            output: self.output.clone(),
            cache_url: self.cache_url.clone(),
            items_file: None,
            patience: self.patience,
            progress: self.progress,
            termination_log: self.termination_log.clone(),
        }
    }

    fn consumer(&self) -> String {
        let here = || format!("{}-{}", gethostname::gethostname().to_string_lossy(), std::process::id());
        self.consumer.clone().unwrap_or_else(here)
    }
}

/// Drains until it is told to stop, or the list is empty. Can be killed at any instruction: another takes over.
pub async fn run(arguments: &DrainArguments) -> Result<Ending, PodError> {
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        terminated().await;
        told.cancel();
    });
    let common = arguments.common();
    let pod = tokio::select! {
        pod = Pod::open(&common) => pod?,
        () = stop.cancelled() => return Ok(ended(&Summary::default())),
    };
    let drain = Drain::new(arguments, pod, stop)?;
    let lines = tokio::spawn(drain.pod.progress.clone().print_plain_lines());
    let drained = drain.drained().await;
    lines.abort();
    let _ = drain.list.leave(&drain.consumer).await;
    drained.map(|summary| ended(&summary))
}

fn ended(summary: &Summary) -> Ending {
    Ending { code: exit::DONE, message: Message::from(summary.clone()) }
}

/// A worker of a list.
struct Drain {
    pod: Pod,
    list: List,
    consumer: String,
    cpu: Cpu,
    movies: u32,
    until_empty: bool,
    grace: Duration,
    checkpoint_every: Duration,
    stop: CancellationToken,
    /// What is in hand is saved and left.
    halt: CancellationToken,
}

/// How an item in hand ended.
enum Fate {
    Done,
    /// Told to stop: uncounted.
    Back,
    /// The archive does not answer: uncounted, and this hand rests.
    Silent,
    Again,
    Dead(Failure),
    /// Another has it by now.
    Lost,
}

impl Drain {
    fn new(arguments: &DrainArguments, pod: Pod, stop: CancellationToken) -> Result<Self, ListError> {
        let list = open(&arguments.list, &pod.job)?;
        pod.progress.say(&format!("{}: drains {} as {}", pod.job.name, list.name(), arguments.consumer()));
        Ok(Self {
            list,
            consumer: arguments.consumer(),
            cpu: Cpu::new(arguments.threads),
            movies: arguments.movies,
            until_empty: arguments.until_empty,
            grace: Duration::from_secs(arguments.grace_seconds).saturating_sub(RESERVE),
            checkpoint_every: Duration::from_secs(arguments.checkpoint_seconds),
            stop,
            halt: CancellationToken::new(),
            pod,
        })
    }

    /// Takes an item whenever a hand is free, until it is told to stop or nothing is left; ends what is in hand.
    async fn drained(&self) -> Result<Summary, PodError> {
        let (mut working, mut summary) = (FuturesUnordered::new(), Summary::default());
        // One question at a time, and none dropped halfway: the answer may be an item.
        let mut asking = pin!(Fuse::terminated());
        loop {
            if asking.is_terminated() && working.len() < self.movies as usize {
                asking.set(self.next().fuse());
            }
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                Some(fate) = working.next() => note(&mut summary, fate?),
                taken = &mut asking, if !asking.is_terminated() => match taken? {
                    Some(taken) => working.push(self.item(taken)),
                    None if self.until_empty && working.is_empty() && self.is_empty().await? => break,
                    None => {}
                },
            }
        }
        let rest = async {
            while let Some(fate) = working.next().await {
                note(&mut summary, fate?);
            }
            Ok(())
        };
        // A list that is away keeps nobody from ending: it hands the item to another later.
        match tokio::time::timeout(self.patience_at_end(), rest).await {
            Ok(Err(error)) => Err(error),
            Ok(Ok(())) | Err(_) => Ok(summary),
        }
    }

    /// How long what is in hand may take from now on.
    fn patience_at_end(&self) -> Duration {
        if self.stop.is_cancelled() { self.grace + RESERVE / 2 } else { self.pod.job.item_deadline }
    }

    /// What is taken while the answer is on its way to a worker that stops is given back when it leaves.
    async fn next(&self) -> Result<Option<Taken>, QueueError> {
        patiently(&self.pod.progress, async || self.list.take(&self.consumer, ASK).await).await
    }

    async fn is_empty(&self) -> Result<bool, QueueError> {
        let depth = patiently(&self.pod.progress, async || self.list.depth().await).await?;
        Ok(depth.waiting + depth.in_hand == 0)
    }

    /// Does one item and tells the list. Out: what is to be counted.
    async fn item(&self, taken: Taken) -> Result<Fate, PodError> {
        let taken = &taken;
        let mut working = pin!(self.fate(taken));
        let worked = tokio::select! {
            fate = &mut working => fate,
            () = self.beat(taken) => Ok(Fate::Lost),
            () = self.out_of_grace() => {
                self.halt.cancel();
                tokio::time::timeout(SAVING, working).await.unwrap_or(Ok(Fate::Back))
            }
        };
        let (fate, error) = match worked {
            Ok(fate) => (fate, None),
            // The output failed: the item is for somebody else, and this worker ends.
            Err(error) => (Fate::Back, Some(error)),
        };
        let progress = &self.pod.progress;
        match &fate {
            Fate::Lost => progress.say(&format!("{} is in another's hand by now", taken.item)),
            Fate::Done => patiently(progress, async || self.list.done(taken).await).await?,
            Fate::Back => drop(self.list.release(taken).await),
            Fate::Silent => {
                patiently(progress, async || self.list.release(taken).await).await?;
                // The whole archive may be gone, and then every other item would fail as fast.
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = self.stop.cancelled() => {}
                }
            }
            Fate::Again => {
                let pause = PAUSE.saturating_mul(1 << taken.deliveries.saturating_sub(1).min(10));
                patiently(progress, async || self.list.again(taken, pause).await).await?;
            }
            Fate::Dead(failure) => self.bury(taken, failure).await?,
        }
        error.map_or(Ok(fate), Err)
    }

    /// Says that the item is worked on; ends when it is another's.
    async fn beat(&self, taken: &Taken) {
        let mut beats = tokio::time::interval(self.list.silence() / BEATS);
        loop {
            beats.tick().await;
            // A list that is away, or has lost the item, hands it to nobody: the work goes on.
            let elsewhere = matches!(self.list.renew(taken).await, Ok(false))
                && matches!(self.list.holds(std::slice::from_ref(&taken.item)).await.as_deref(), Ok([true]));
            if elsewhere {
                return;
            }
        }
    }

    async fn out_of_grace(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(self.grace).await;
    }

    async fn fate(&self, taken: &Taken) -> Result<Fate, PodError> {
        let tries = self.pod.job.retries_per_item + 1;
        let failure = |reason: &str, message: String| Failure {
            item: taken.item.clone(),
            reason: reason.to_owned(),
            attempts: taken.deliveries,
            message,
        };
        if taken.deliveries > tries {
            let message = format!("handed out {} times, and no worker came back with it", taken.deliveries - 1);
            return Ok(Fate::Dead(failure("WorkersLost", message)));
        }
        let movie = match MoviePath::parse(&taken.item) {
            Ok(movie) => movie,
            Err(error) => return Ok(Fate::Dead(failure("InvalidItem", crate::item_error::chain(&error)))),
        };
        let Done { mut summary, may_heal } = self.work(taken).await?.run(&[movie]).await?;
        let Some(mut failure) = summary.failures.pop() else {
            return Ok(if summary.items.pending() > 0 { Fate::Back } else { Fate::Done });
        };
        if failure.reason == lazycache::ErrorKind::OriginUnavailable.as_str() {
            return Ok(Fate::Silent);
        }
        failure.attempts = taken.deliveries;
        Ok(if may_heal && taken.deliveries < tries { Fate::Again } else { Fate::Dead(failure) })
    }

    async fn work(&self, taken: &Taken) -> Result<Work, PodError> {
        let Pod { job, source, store, outage, progress } = &self.pod;
        let planned = match RunId::named(&taken.run) {
            Some(run) => store.modified(&run.plan_file()).await?,
            None => None,
        };
        Ok(Work {
            job: Arc::clone(job),
            pipeline: Pipeline { source: source.clone(), cpu: self.cpu.clone(), progress: progress.clone() },
            store: store.clone(),
            outage: outage.clone(),
            // The list hands it out again, and counts.
            retries: 0,
            stop: self.stop.clone(),
            halt: self.halt.clone(),
            checkpoint_every: self.checkpoint_every,
            done_since: planned,
        })
    }

    /// The report first: an item that left the list without a trace would be put on it again.
    async fn bury(&self, taken: &Taken, failure: &Failure) -> Result<(), PodError> {
        if let Some(run) = RunId::named(&taken.run) {
            let digest = sha256(taken.item.as_bytes());
            let name = format!("{}/{}.jsonl", run.index_failures_folder(), digest.get(7..23).unwrap_or_default());
            write_failures(&self.pod.store, &name, std::slice::from_ref(failure)).await?;
        }
        let buried = async || self.list.bury(taken, &failure.reason, &failure.message).await;
        patiently(&self.pod.progress, buried).await?;
        Ok(())
    }
}

fn note(summary: &mut Summary, fate: Fate) {
    match fate {
        Fate::Done => {
            summary.items.total += 1;
            summary.items.succeeded += 1;
        }
        Fate::Dead(failure) => {
            summary.items.total += 1;
            summary.items.failed += 1;
            // Samples are enough: the run's report has them all.
            if summary.failures.len() < plan::summary::SAMPLE_LIMIT {
                summary.failures.push(failure);
            }
        }
        Fate::Back | Fate::Silent | Fate::Again | Fate::Lost => {}
    }
}
