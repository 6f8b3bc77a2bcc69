//! One list: what planners and workers do with it.

use std::time::Duration;

use redis::{
    ScriptInvocation, Value, cmd,
    streams::{StreamId, StreamRangeReply},
};

use crate::{ListName, QueueError, Server, names::Keys, scripts};

/// The one consumer group of a list.
const GROUP: &str = "workers";
/// Who holds what was given back: a worker that goes takes nothing with it.
const NOBODY: &str = "nobody";
/// A list that nobody fills or takes from for so long goes.
const TIME_TO_LIVE: Duration = Duration::from_hours(30 * 24);
/// At most about so many dead letters are kept, the latest.
const DEAD_KEPT: usize = 10_000;
/// Letters of a dead letter's message.
const MESSAGE: usize = 1000;
/// Items a script puts on the list: Redis does nothing else meanwhile.
const CHUNK: usize = 1000;
/// A worker that holds nothing is forgotten after so long.
const FORGOTTEN: Duration = Duration::from_hours(1);
/// The longest that [`List::take`] waits.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// A list on a Redis server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct List {
    server: Server,
    name: ListName,
    keys: Keys,
    silence: Duration,
}

/// An item in hand. It must be renewed more often than the list's silence, and then done, released, or given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The item, as it was put on the list.
    pub item: String,
    /// The last run that wanted it.
    pub run: String,
    /// How often it was handed out, this time included. Released items are not counted.
    pub deliveries: u32,
    entry: String,
    consumer: String,
}

/// An item that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// The item.
    pub item: String,
    /// The run that wanted it.
    pub run: String,
    /// Why, in a word.
    pub reason: String,
    /// How often it was handed out.
    pub deliveries: u32,
    /// What happened.
    pub message: String,
}

/// How much is on a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Depth {
    /// Items nobody has in hand.
    pub waiting: u64,
    /// Items in hand.
    pub in_hand: u64,
    /// Dead letters kept.
    pub dead: u64,
    /// Workers that are known.
    pub consumers: u64,
}

impl List {
    /// The list `name` on `server`. An item that is not renewed for `silence` may be taken over: all workers of a list
    /// should say the same.
    pub fn new(server: Server, name: ListName, silence: Duration) -> Self {
        Self { server, keys: name.keys(), name, silence }
    }

    /// Its name.
    pub fn name(&self) -> &ListName {
        &self.name
    }

    /// How long an item need not be renewed.
    pub fn silence(&self) -> Duration {
        self.silence
    }

    /// Puts `items` of `run` on the list, those that are not on it. How many that were. Interrupted or done again, it
    /// does no harm.
    pub async fn fill(&self, run: &str, items: &[String]) -> Result<u64, QueueError> {
        let script = scripts::fill();
        let mut added = 0;
        for chunk in items.chunks(CHUNK) {
            let mut call = call(&script, &[&self.keys.entries, &self.keys.items, &self.keys.dead]);
            call.arg(TIME_TO_LIVE.as_secs()).arg(run).arg(chunk);
            added += self.run::<u64>(&call, "fill").await?;
        }
        Ok(added)
    }

    /// Takes an item for `consumer` (a name that no other worker has): one that its worker lost, or the next. `None` when
    /// there was none for `wait`, at most a minute.
    pub async fn take(&self, consumer: &str, wait: Duration) -> Result<Option<Taken>, QueueError> {
        let last = match self.take_now(consumer).await? {
            Ok(taken) => return Ok(Some(taken)),
            Err(last) => last,
        };
        let wait = u64::try_from(wait.min(LONGEST_WAIT).as_millis()).unwrap_or(u64::MAX);
        if wait == 0 {
            return Ok(None);
        }
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(wait).arg("STREAMS").arg(&self.keys.entries).arg(last);
        // Whoever waits is woken by the same entry; only one of them gets it.
        self.server.wait::<Value>(&read, || format!("wait for an item of {}", self.name)).await?;
        Ok(self.take_now(consumer).await?.ok())
    }

    /// An item, or the entry after which to wait for the next.
    async fn take_now(&self, consumer: &str) -> Result<Result<Taken, String>, QueueError> {
        let script = scripts::take();
        let mut call = call(&script, &[&self.keys.entries, &self.keys.items]);
        call.arg(consumer).arg(milliseconds(self.silence));
        let answer: Vec<String> = self.run(&call, "take an item of").await?;
        Ok(match <[String; 4]>::try_from(answer) {
            Ok([entry, item, run, deliveries]) => {
                let deliveries = deliveries.parse().unwrap_or(u32::MAX);
                Ok(Taken { item, run, deliveries, entry, consumer: consumer.to_owned() })
            }
            Err(answer) => Err(answer.into_iter().next().unwrap_or_else(|| "0-0".to_owned())),
        })
    }

    /// Says that the item is still worked on. False: it is in another's hand by now, or done.
    pub async fn renew(&self, taken: &Taken) -> Result<bool, QueueError> {
        self.hold(taken, &taken.consumer, Duration::ZERO, None, "renew an item of").await
    }

    /// Gives the item back, at once for others and not counted as a delivery: its worker was told to stop.
    pub async fn release(&self, taken: &Taken) -> Result<bool, QueueError> {
        let deliveries = taken.deliveries.saturating_sub(1);
        self.hold(taken, NOBODY, self.silence, Some(deliveries), "release an item of").await
    }

    /// Gives the item back, to be tried again after `pause` (at most the list's silence).
    pub async fn again(&self, taken: &Taken, pause: Duration) -> Result<bool, QueueError> {
        self.hold(taken, NOBODY, self.silence.saturating_sub(pause), None, "give back an item of").await
    }

    async fn hold(
        &self,
        taken: &Taken,
        by: &str,
        idle: Duration,
        deliveries: Option<u32>,
        what: &'static str,
    ) -> Result<bool, QueueError> {
        let script = scripts::renew();
        let mut call = call(&script, &[&self.keys.entries]);
        call.arg(&taken.consumer).arg(&taken.entry).arg(by).arg(milliseconds(idle));
        call.arg(deliveries.map_or_else(|| "as it is".to_owned(), |count| count.to_string()));
        self.run(&call, what).await
    }

    /// The item is done: its result stands.
    pub async fn done(&self, taken: &Taken) -> Result<(), QueueError> {
        let script = scripts::done();
        let mut call = call(&script, &[&self.keys.entries, &self.keys.items]);
        call.arg(&taken.entry).arg(&taken.item);
        self.run::<u64>(&call, "strike off an item of").await.map(drop)
    }

    /// Gives the item up: it goes to the dead letters. False: it is in another's hand by now, or done.
    pub async fn bury(&self, taken: &Taken, reason: &str, message: &str) -> Result<bool, QueueError> {
        let script = scripts::bury();
        let mut call = call(&script, &[&self.keys.entries, &self.keys.items, &self.keys.dead]);
        call.arg(&taken.consumer).arg(&taken.entry).arg(&taken.item).arg(DEAD_KEPT).arg(TIME_TO_LIVE.as_secs());
        let message: String = message.chars().take(MESSAGE).collect();
        call.arg(&taken.run).arg(reason).arg(taken.deliveries).arg(message);
        self.run(&call, "give up an item of").await
    }

    /// Which of `items` are on the list, in hand or not; in their order.
    pub async fn holds(&self, items: &[String]) -> Result<Vec<bool>, QueueError> {
        let mut held = Vec::with_capacity(items.len());
        for chunk in items.chunks(CHUNK) {
            let mut command = cmd("HMGET");
            command.arg(&self.keys.items).arg(chunk);
            let found: Vec<Option<String>> =
                self.server.ask(&command, || format!("look for items of {}", self.name)).await?;
            held.extend(found.iter().map(Option::is_some));
        }
        Ok(held)
    }

    /// How much is on the list.
    pub async fn depth(&self) -> Result<Depth, QueueError> {
        let script = scripts::depth();
        let mut call = call(&script, &[&self.keys.entries, &self.keys.items, &self.keys.dead]);
        call.arg(NOBODY);
        let [all, in_hand, dead, consumers]: [u64; 4] = self.run(&call, "ask for the depth of").await?;
        Ok(Depth { waiting: all.saturating_sub(in_hand), in_hand, dead, consumers })
    }

    /// The latest dead letters, at most `most`, latest first.
    pub async fn dead(&self, most: usize) -> Result<Vec<Dead>, QueueError> {
        let mut command = cmd("XREVRANGE");
        command.arg(&self.keys.dead).arg("+").arg("-").arg("COUNT").arg(most);
        let what = || format!("read the dead letters of {}", self.name);
        let found: StreamRangeReply = self.server.ask(&command, what).await?;
        Ok(found.ids.iter().map(dead).collect())
    }

    /// `consumer` goes; what it has in hand is given back as by [`List::release`]. Workers that died with nothing in hand
    /// are forgotten as well.
    pub async fn leave(&self, consumer: &str) -> Result<(), QueueError> {
        let script = scripts::leave();
        let mut call = call(&script, &[&self.keys.entries]);
        call.arg(consumer).arg(NOBODY).arg(milliseconds(self.silence)).arg(milliseconds(FORGOTTEN));
        self.run::<u64>(&call, "leave").await.map(drop)
    }

    async fn run<T: redis::FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
        what: &'static str,
    ) -> Result<T, QueueError> {
        self.server.run(call, || format!("{what} {}", self.name)).await
    }
}

fn call<'s>(script: &'s redis::Script, keys: &[&str]) -> ScriptInvocation<'s> {
    let mut call = script.prepare_invoke();
    for key in keys {
        call.key(*key);
    }
    call.arg(GROUP);
    call
}

fn dead(entry: &StreamId) -> Dead {
    let text = |field: &str| entry.get::<String>(field).unwrap_or_default();
    Dead {
        item: text("item"),
        run: text("run"),
        reason: text("reason"),
        deliveries: entry.get("deliveries").unwrap_or(0),
        message: text("message"),
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
