//! What is known of a text: its hash, and whether it may be cached. Computed once a text, not once a call.

use std::sync::{Arc, OnceLock};

use mrc_core::TextHash;
use mrc_core::statement::{self, NotCacheable};
use mrc_store::ExecuteError;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::Error;
use crate::types::Types;

/// How many bytes of texts are remembered.
const BYTES: u64 = 8 << 20;

/// The texts that were seen lately.
#[derive(Debug)]
pub(crate) struct Texts(Cache<Box<str>, Arc<Text>, Length>);

/// What is known of one text.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) hash: TextHash,
    pub(crate) types: Arc<Types>,
    /// How many placeholders a cacheable statement has.
    checked: OnceLock<Result<usize, NotCacheable>>,
    /// The word of the text that reads the clock.
    clock: OnceLock<Option<String>>,
}

#[derive(Debug, Clone)]
struct Length;

impl Weighter<Box<str>, Arc<Text>> for Length {
    fn weight(&self, text: &Box<str>, _: &Arc<Text>) -> u64 {
        text.len() as u64 + 200
    }
}

impl Texts {
    pub(crate) fn new() -> Self {
        Self(Cache::with_weighter(1000, BYTES, Length))
    }

    pub(crate) fn of(&self, text: &str) -> Arc<Text> {
        if let Some(known) = self.0.get(text) {
            return known;
        }
        let hash = TextHash::of(text);
        let types = Types::of(&hash);
        let known = Arc::new(Text { hash, types, checked: OnceLock::new(), clock: OnceLock::new() });
        self.0.insert(text.into(), Arc::clone(&known));
        known
    }
}

impl Text {
    /// Refuses a statement that isn't a plain read, or has another number of placeholders, before anything is run.
    pub(crate) fn check(&self, sql: &str, params: usize, trusted: bool) -> Result<(), Error> {
        let checked = self.checked.get_or_init(|| {
            statement::check(sql)?;
            Ok(statement::placeholders(sql).map_or(0, |found| found.len()))
        });
        match checked {
            Ok(placeholders) if *placeholders != params => {
                Err(ExecuteError::ParamCount { placeholders: *placeholders, params }.into())
            }
            Err(refused) if !trusted => Err(refused.clone().into()),
            _ => Ok(()),
        }
    }

    /// Returns what makes the answer depend on the clock, at the first call only. Returns `None` if nothing does.
    pub(crate) fn clock_once(&self, sql: &str) -> Option<&str> {
        let mut first = false;
        let clock = self.clock.get_or_init(|| {
            first = true;
            statement::depends_on_clock(sql)
        });
        clock.as_deref().filter(|_| first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_at_once() {
        let texts = Texts::new();
        let sql = "SELECT * FROM t WHERE id = ?";
        let (first, again) = (texts.of(sql), texts.of(sql));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(first.checked.get().is_none(), "nobody asked whether it may be cached");
        first.check(sql, 1, false).unwrap();
        // Were it looked at again, the other text would be refused.
        again.check("DELETE FROM t WHERE id = ?", 1, false).unwrap();
    }

    #[test]
    fn what_reads_the_clock_is_said_once() {
        let texts = Texts::new();
        let sql = "SELECT * FROM t WHERE created > NOW()";
        assert_eq!(texts.of(sql).clock_once(sql), Some("NOW()"));
        assert_eq!(texts.of(sql).clock_once(sql), None);
        assert_eq!(texts.of("SELECT 1").clock_once("SELECT 1"), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let texts = Texts::new();
        for id in 0..3000 {
            texts.of(&format!("SELECT {id} {}", " ".repeat(10_000)));
        }
        assert!(texts.0.weight() <= BYTES, "{}", texts.0.weight());
    }
}
