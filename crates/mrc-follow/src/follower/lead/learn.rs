//! The registry of schemes and the collations, as the leader learns them for [`auto`](crate::auto).

use std::collections::HashMap;
use std::time::Duration;

use mrc_core::depends::CollationFolding;
use tokio::time::Instant;

use super::{Again, Lead};
use crate::event::Flavor;
use crate::follower::reader::Batch;
use crate::lease::patiently;
use crate::rules::{Effects, Rules};
use crate::source::{Session, SourceError};

/// How often the schemes are read though no new one is registered, as some have ended.
const REREAD: Duration = Duration::from_secs(60);

impl Lead<'_> {
    /// Adds the schemes registered since a batch was decoded. Readers must see the batch.
    pub(super) async fn learn_for(&mut self, batch: &mut Batch) -> Result<(), Again> {
        self.learn(&mut batch.all.effects).await?;
        if let Some(book) = &self.inner.book {
            let all = &mut batch.all;
            book.known().add_newer(all.generation, all.has_statement, &mut all.effects);
        }
        Ok(())
    }

    /// Reads the schemes ahead of the next change, so that it ends rows and no whole schemes.
    pub(super) async fn look_around(&mut self, session: &mut Session, rules: &Rules) -> Result<(), Again> {
        let mut effects = Effects::new();
        self.learn(&mut effects).await?;
        if !effects.is_empty() {
            self.invalidate(&effects, rules).await?;
        }
        Ok(self.ask_collations(session).await?)
    }

    /// Reads the schemes, all if it is time. Adds to the effects what the registry has lost.
    pub(super) async fn learn(&mut self, effects: &mut Effects) -> Result<(), Again> {
        let inner = self.inner;
        let Some((book, schemes)) = inner.book.as_ref().zip(inner.store.as_schemes()) else { return Ok(()) };
        let is_due = self.read_schemes.is_none_or(|read| read.elapsed() >= REREAD);
        let known = if is_due { None } else { Some(book.known().version) };
        let registry = patiently(&inner.listeners, || schemes.registry(known)).await?;
        if is_due {
            self.read_schemes = Some(Instant::now());
        }
        if let Some(registry) = registry {
            book.learn(registry, effects);
            let known = book.known();
            let counts = (known.schemes_len(), known.tables().len());
            inner.status.change(|status| (status.schemes, status.tables) = counts);
        }
        Ok(())
    }

    /// Asks about the collations that the reader of the log met.
    pub(super) async fn ask_collations(&self, session: &mut Session) -> Result<(), SourceError> {
        let Some(book) = &self.inner.book else { return Ok(()) };
        let unknown = book.take_unknown();
        if unknown.is_empty() {
            return Ok(());
        }
        let mut foldings = HashMap::new();
        for id in unknown {
            foldings.insert(id, folding(id, session).await?);
        }
        book.add_foldings(foldings);
        Ok(())
    }
}

const NAMES: &str = "SELECT COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID = ?";
/// MariaDB's newer collations belong to several charsets, and have a number for each.
const NAMES_BY_CHARSET: &str = "SELECT FULL_COLLATION_NAME, CHARACTER_SET_NAME \
    FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID = ?";

/// Asks which texts a collation takes for equal. Takes some milliseconds.
async fn folding(id: u16, session: &mut Session) -> Result<CollationFolding, SourceError> {
    let folding = async {
        let mut names: Vec<(String, String)> = session.rows(NAMES, vec![id.to_string()]).await?;
        if names.is_empty() && session.flavor == Flavor::MariaDb {
            names = session.rows(NAMES_BY_CHARSET, vec![id.to_string()]).await?;
        }
        let Some((collation, charset)) = names.first() else { return Ok(CollationFolding::UNKNOWN) };
        if collation.ends_with("_bin") {
            return Ok(CollationFolding::EXACT);
        }
        let Some(sql) = CollationFolding::sql(charset, collation) else { return Ok(CollationFolding::UNKNOWN) };
        let rows: Vec<(u64, String)> = session.rows(&sql, Vec::new()).await?;
        Ok(CollationFolding::from_rows(rows.iter().map(|(count, texts)| (*count, texts.as_str()))))
    };
    match folding.await {
        // Too much is invalidated then, and the next question would be refused too.
        Err(SourceError::Refused(_)) => Ok(CollationFolding::UNKNOWN),
        folding => folding,
    }
}
