//! The work of the follower with the lease: stream, wait until readers see, invalidate, store the
//! position. In this order, whatever fails.

mod learn;

use std::sync::Arc;
use std::time::Duration;

use mrc_core::{Event, EventListener};
use mrc_store::{Advance, Reached, Token};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::reader::{Batch, Reader};
use super::shared::{Inner, Lack, Start};
use crate::apply::{Applied, apply};
use crate::cascades::Cascades;
use crate::check::settings::obstacle;
use crate::lease::{PAUSES, books, patiently};
use crate::rules::{Effects, Reason, Rules};
use crate::source::{QUESTION, Session, SourceError, Stream, Upto};
use crate::transaction::Assembler;
use crate::{FollowError, Position, event::Flavor};

/// How often the position is confirmed: a cache that went back is noticed after that.
const CONFIRM: Duration = Duration::from_secs(1);
/// How long one question for visibility waits. It is asked until readers see the commit.
const VISIBLE: Duration = Duration::from_secs(1);
/// After so long without visibility the connections are opened anew.
const VISIBILITY: Duration = Duration::from_secs(10);

/// How long MariaDB may take to read the foreign keys of all tables.
const KEYS: Duration = Duration::from_secs(30);

/// How often an event with a wrong checksum is asked for. Then it counts as lost.
const CORRUPT: u32 = 5;

/// How leading ended, if not by an error.
pub(super) enum LeadEnd {
    Done,
    LeaseLost,
}

/// Why a stream is opened again.
enum Again {
    Source(SourceError),
    /// The cache has another position than was written last.
    Rewound(Option<String>),
    /// A statement may have changed the foreign keys, by which later rows are to be read.
    ForeignKeys,
    Failed(FollowError),
}

impl From<FollowError> for Again {
    fn from(error: FollowError) -> Self {
        Self::Failed(error)
    }
}

impl From<SourceError> for Again {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::Refused(error) => Self::Failed(error.into()),
            error => Self::Source(error),
        }
    }
}

pub(super) struct Lead<'a> {
    inner: &'a Arc<Inner>,
    /// The owner of the lease. `None` in a dry run, which has none and writes nothing.
    owner: Option<&'a Token>,
    /// Where to begin. [`Start::Stored`] as soon as the cache has a position of this run: a later
    /// lead that began at the start again would skip the commits in between.
    start: &'a mut Start,
    /// The position as the cache has it.
    stored: Option<String>,
    /// Everything up to here is invalidated. `None`: unknown, so everything has to be.
    position: Option<Position>,
    /// With `once`: where to end.
    target: Option<Position>,
    /// How often an event had a wrong checksum since the last transaction.
    corrupt: u32,
    /// When all schemes were read last.
    read_schemes: Option<Instant>,
    /// The time from the newest commit up to the position to its invalidation.
    lag: Duration,
}

impl<'a> Lead<'a> {
    pub(super) fn new(inner: &'a Arc<Inner>, owner: Option<&'a Token>, start: &'a mut Start) -> Self {
        Self {
            inner,
            owner,
            start,
            stored: None,
            position: None,
            target: None,
            corrupt: 0,
            read_schemes: None,
            lag: Duration::ZERO,
        }
    }

    /// Follows until an error needs a person, or with `once` to the end.
    pub(super) async fn run(&mut self) -> Result<LeadEnd, FollowError> {
        let (inner, books) = (self.inner, books(&*self.inner.store)?);
        let found = patiently(&inner.listeners, || books.checkpoint(&inner.config.name)).await?;
        self.stored = found.map(|found| found.position);
        if *self.start == Start::Now {
            // The lead may end before it stores this position. The next one begins here too.
            *self.start = Start::Behind(self.session_now().await?);
        }
        self.position = match &*self.start {
            Start::Behind(position) => Some(position.clone()),
            _ => self.stored.as_deref().and_then(|text| text.parse().ok()),
        };
        let mut pause = PAUSES.0;
        loop {
            let began = Instant::now();
            let again = match self.stream().await {
                Ok(()) => return Ok(LeadEnd::Done),
                Err(Again::ForeignKeys) => continue,
                Err(again) => again,
            };
            self.inner.status.change(|status| status.reconnects += 1);
            match again {
                Again::Failed(error) => return Err(error),
                // The next stream of a dry run has another one.
                Again::Source(SourceError::SameServerId) if !self.inner.dry_run => {
                    return Err(FollowError::ServerIdTaken(self.inner.config.server_id.get()));
                }
                Again::Source(SourceError::Lost(why)) => self.lost(&why),
                Again::Source(SourceError::Corrupt(why)) => {
                    self.corrupt += 1;
                    tracing::warn!(target: "mrc", why, tries = self.corrupt, "the database's log arrived damaged");
                    if self.corrupt == CORRUPT {
                        self.corrupt = 0;
                        self.lost(&why);
                    }
                }
                Again::Source(error) => tracing::warn!(target: "mrc", %error, "the stream of the database's log broke"),
                Again::Rewound(found) => self.rewound(found),
                Again::ForeignKeys => {}
            }
            // A connection that held for a while was a good one.
            pause = if began.elapsed() > PAUSES.1 { PAUSES.0 } else { (pause * 2).min(PAUSES.1) };
            sleep(pause).await;
        }
    }

    async fn stream(&mut self) -> Result<(), Again> {
        let inner = self.inner;
        let mut session = Session::open(&inner.mysql, QUESTION).await?;
        if let Some(why) = obstacle(&mut session).await? {
            return Err(FollowError::Server(why).into());
        }
        let rules = Arc::new(session.rules(&inner.rules).await?);
        let now = session.now().await?;
        if self.inner.once && self.target.is_none() {
            self.target = Some(now.clone());
        }
        if self.position.as_ref().is_some_and(|known| !now.covers(known)) {
            self.lost("the position is of another server, or ahead of this one");
        }
        let known = self.position.take();
        let mut effects = Effects::new();
        // The position first: what readers see after it is streamed.
        let from = match known {
            Some(position) => position,
            None => {
                effects.mark_everything(Reason::Other("the position in the log isn't known".into()));
                session.visible_now().await?
            }
        };
        self.read_schemes = None;
        self.learn(&mut effects).await?;
        if !effects.is_empty() {
            self.invalidate(&effects, &rules).await?;
        }
        self.position = Some(from.clone());
        self.store_position().await?;
        let stream = Stream::open(&inner.mysql, self.server_id(), &session.server, &from).await?;
        let cascades = Arc::new(self.cascades(&mut session).await?);
        let mut assembler = Assembler::new(session.flavor, Arc::clone(&rules), cascades, inner.book.clone());
        if inner.lack == Some(Lack::Cascades) {
            assembler.ignore_cascades();
        }
        let mut reader = Reader::start(stream, assembler, inner);
        let mut confirm = interval(CONFIRM);
        confirm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ends = self.target.as_ref().zip(self.position.as_ref());
            if ends.is_some_and(|(target, position)| position.covers(target)) {
                return self.store_position().await;
            }
            let first = tokio::select! {
                first = reader.transactions.recv() => first,
                _ = confirm.tick() => {
                    if reader.transactions.is_empty() {
                        self.lag = Duration::ZERO;
                    }
                    self.look_around(&mut session, &rules).await?;
                    self.store_position().await?;
                    continue;
                }
            };
            let Some(first) = first else { return Err(reader.end().await.into()) };
            let mut batch = Batch::new(first);
            while !batch.is_full()
                && let Ok(next) = reader.transactions.try_recv()
            {
                batch.add(next);
            }
            let changed_schema = batch.all.changed_schema;
            self.take(batch, &mut session, &rules, &mut reader).await?;
            self.ask_collations(&mut session).await?;
            if changed_schema {
                return Err(Again::ForeignKeys);
            }
        }
    }

    async fn cascades(&self, session: &mut Session) -> Result<Cascades, SourceError> {
        if session.flavor == Flavor::MySql {
            return Cascades::read(session).await;
        }
        // MariaDB opens each table for its keys, which may take longer than a question. A
        // connection whose question was abandoned is lost, so this has its own.
        let read = async { Cascades::read(&mut Session::open(&self.inner.mysql, KEYS).await?).await };
        Ok(read.await.unwrap_or_else(|error| {
            // MariaDB's log still tells of most cascades.
            tracing::warn!(target: "mrc", %error, "the foreign keys can't be read: rows that they change may be missed");
            Cascades::default()
        }))
    }

    /// Applies a batch: readers see it, it is invalidated, the position is stored.
    async fn take(
        &mut self,
        mut batch: Batch,
        session: &mut Session,
        rules: &Rules,
        reader: &mut Reader,
    ) -> Result<(), Again> {
        let inner = self.inner;
        let asked = Instant::now();
        // A scheme that is registered only now may be about any table.
        let is_touched = batch.all.is_touched && inner.book.is_some();
        let is_awaited = is_touched || batch.all.changed_schema || !batch.all.effects.is_empty();
        if is_awaited && inner.lack != Some(Lack::Visibility) {
            wait_until_visible(session, &batch.all.upto, reader).await?;
        }
        let waited = asked.elapsed();
        if is_touched && inner.lack != Some(Lack::Schemes) {
            self.learn_for(&mut batch).await?;
        }
        let has_effects = !batch.all.effects.is_empty();
        if has_effects {
            if inner.lack == Some(Lack::Order) {
                self.pass(&mut batch);
                self.store_position().await?;
            }
            let applied = self.invalidate(&batch.all.effects, rules).await?;
            let lag = batch.lag();
            inner.status.change(|status| {
                status.rows += batch.all.rows;
                status.tags += applied.tags;
                status.invalidated += applied.entries;
                (status.lag, status.visibility) = (lag, waited);
            });
            inner.listeners.on_event(&Event::Applied {
                transactions: batch.transactions,
                rows: batch.all.rows,
                tags: applied.tags,
                entries: applied.entries,
                lag,
            });
        }
        (self.lag, self.corrupt) = (batch.lag(), 0);
        inner.status.change(|status| status.transactions += batch.transactions);
        self.pass(&mut batch);
        if !has_effects {
            // Transactions that change nothing are passed by the next confirmation.
            return Ok(());
        }
        self.store_position().await
    }

    /// Returns the number by which the server knows this stream. A dry run has one of its own: of
    /// two streams with the same number the server cuts off the older one, which is the follower.
    fn server_id(&self) -> u32 {
        if self.inner.dry_run { rand::random_range(1 << 31..=u32::MAX) } else { self.inner.config.server_id.get() }
    }

    fn pass(&mut self, batch: &mut Batch) {
        if let Some(position) = &mut self.position {
            batch.pass(position);
        }
    }

    /// Invalidates, however long the cache is away.
    async fn invalidate(&self, effects: &Effects, rules: &Rules) -> Result<Applied, Again> {
        let inner = self.inner;
        let fallbacks: Vec<(String, &Reason)> = match effects.everything() {
            Some(why) => vec![(String::new(), why)],
            None => effects.whole().map(|(table, why)| (table.to_string(), why)).collect(),
        };
        for (table, why) in fallbacks {
            let why = (why.label(), why.to_string());
            inner.status.change(|status| {
                *status.fallbacks.entry(why.0).or_default() += 1;
                status.last_fallback = Some((table.clone(), why.1.clone()));
            });
            inner.listeners.on_event(&Event::FellBack { table: &table, why: &why.1 });
        }
        if inner.dry_run {
            return Ok(Applied { tags: effects.len() as u64, entries: 0 });
        }
        let known = inner.book.as_ref().map(|book| book.known());
        let apply = || apply(effects, rules, known.as_deref(), &inner.store, &inner.listeners);
        Ok(patiently(&inner.listeners, apply).await?)
    }

    /// Stores or confirms the position.
    async fn store_position(&mut self) -> Result<(), Again> {
        let (Some(position), Some(owner)) = (&self.position, self.owner) else { return Ok(()) };
        let (inner, to) = (self.inner, position.to_string());
        let (name, lag, by_schemes) = (&inner.config.name, self.lag, inner.book.is_some());
        let (books, stored) = (books(&*inner.store).map_err(FollowError::from)?, self.stored.as_deref());
        let advance = || books.advance(name, owner, stored, Reached { position: &to, lag, by_schemes });
        match patiently(&inner.listeners, advance).await? {
            Advance::Done => {
                inner.status.wrote(&to);
                self.stored = Some(to);
                *self.start = Start::Stored;
                Ok(())
            }
            Advance::Differs(found) => Err(Again::Rewound(found)),
            Advance::NoLease => {
                // The lease may be lost in the cache, and nobody else's: the next renewal takes it.
                Err(Again::Source(SourceError::Broken("the cache has lost the lease".into())))
            }
        }
    }

    async fn session_now(&self) -> Result<Position, FollowError> {
        loop {
            // A commit that readers don't see yet is newer: an entry may be filled before it.
            let now = async { Session::open(&self.inner.mysql, QUESTION).await?.visible_now().await };
            match now.await {
                Ok(now) => return Ok(now),
                Err(SourceError::Refused(error)) => return Err(error.into()),
                Err(_) => sleep(PAUSES.1).await,
            }
        }
    }

    fn lost(&mut self, why: &str) {
        tracing::error!(target: "mrc", why, "the database has no log from the position on: everything is invalidated");
        self.inner.status.change(|status| status.lost += 1);
        self.inner.listeners.on_event(&Event::LogLost { why });
        self.position = None;
    }

    fn rewound(&mut self, found: Option<String>) {
        let position = found.as_deref().unwrap_or_default();
        tracing::warn!(target: "mrc", position, "the cache has gone back to an older position");
        self.inner.status.change(|status| status.rewinds += 1);
        self.inner.listeners.on_event(&Event::Rewound { position });
        self.position = found.as_deref().and_then(|text| text.parse().ok());
        self.stored = found;
    }
}

/// Waits until readers see these transactions. Gives up if the log can't be read on, or after
/// [`VISIBILITY`], so that both connections are opened anew: a server that went away, or another
/// one behind the same address, may never show the commit. The wait begins again then.
async fn wait_until_visible(session: &mut Session, upto: &Upto, reader: &mut Reader) -> Result<(), SourceError> {
    let (began, mut asked) = (Instant::now(), 0_u32);
    while !session.visible(upto, VISIBLE).await? {
        asked += 1;
        if asked.is_power_of_two() {
            tracing::warn!(target: "mrc", ?upto, asked, "a commit in the log isn't visible to readers yet");
        }
        if reader.task.is_finished() {
            return Err(reader.end().await);
        }
        let waited = began.elapsed();
        if waited >= VISIBILITY {
            return Err(SourceError::Broken(format!("a commit in the log wasn't visible to readers for {waited:.1?}")));
        }
    }
    Ok(())
}
