//! The properties of a text: its hash, and whether it may be cached. Computed once a text.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use mrc_core::TextHash;
use mrc_core::statement::{NotCacheable, Tokens};
use mrc_store::ExecuteError;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use crate::error::Result;
use crate::follow::OfText;
use crate::types::Types;

const BYTES: u64 = 8 << 20;

#[derive(Debug)]
pub(crate) struct Texts {
    known: Cache<Box<str>, Arc<Text>, Length>,
    ignore_space: bool,
}

#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) hash: TextHash,
    pub(crate) types: Arc<Types>,
    ignore_space: bool,
    read: OnceLock<Read>,
    /// Whether a call has been told of the clock.
    is_told: AtomicBool,
    pub(crate) follow: Arc<OfText>,
    /// The columns of its last result that a batch was compared with.
    pub(crate) columns: Mutex<Arc<[String]>>,
}

/// The answers of one reading of the text.
#[derive(Debug)]
struct Read {
    /// The number of placeholders of a cacheable statement.
    checked: Result<usize, NotCacheable>,
    /// The part of the text that reads the clock.
    clock: Option<String>,
}

#[derive(Debug, Clone)]
struct Length;

impl Weighter<Box<str>, Arc<Text>> for Length {
    fn weight(&self, text: &Box<str>, _: &Arc<Text>) -> u64 {
        2 * text.len() as u64 + 300
    }
}

impl Texts {
    /// For a database whose sessions ignore a blank before a parenthesis, or don't.
    pub(crate) fn new(ignore_space: bool) -> Self {
        Self { known: Cache::with_weighter(1000, BYTES, Length), ignore_space }
    }

    pub(crate) fn of(&self, text: &str) -> Arc<Text> {
        if let Some(known) = self.known.get(text) {
            return known;
        }
        let hash = TextHash::of(text);
        let known = Arc::new(Text {
            types: Types::of(&hash),
            hash,
            ignore_space: self.ignore_space,
            read: OnceLock::new(),
            is_told: AtomicBool::new(false),
            follow: OfText::new(text),
            columns: Mutex::default(),
        });
        self.known.insert(text.into(), Arc::clone(&known));
        known
    }
}

impl Text {
    /// Refuses a statement that isn't a plain read, or has another number of placeholders. Returns
    /// the tokens at the first call, for those who need them too.
    pub(crate) fn check(&self, sql: &str, params: usize, trusted: bool) -> Result<Option<Tokens>> {
        let mut tokens = None;
        match &self.read(sql, &mut tokens).checked {
            Ok(placeholders) if *placeholders != params => {
                Err(ExecuteError::ParamCount { placeholders: *placeholders, params }.into())
            }
            Err(refused) if !trusted => Err(refused.clone().into()),
            _ => Ok(tokens),
        }
    }

    /// Returns the part of the text that reads the clock, at the first call only. Returns `None` if
    /// none does.
    pub(crate) fn clock_once(&self, sql: &str) -> Option<&str> {
        let clock = self.read(sql, &mut None).clock.as_deref()?;
        (!self.is_told.swap(true, Ordering::Relaxed)).then_some(clock)
    }

    fn read(&self, sql: &str, tokens: &mut Option<Tokens>) -> &Read {
        self.read.get_or_init(|| {
            let tokens = tokens.insert(Tokens::read(sql));
            let checked = tokens.check(self.ignore_space).map(|()| tokens.placeholders());
            Read { checked, clock: tokens.clock() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_looked_at_once() {
        let texts = Texts::new(false);
        let sql = "SELECT * FROM t WHERE id = ?";
        let (first, again) = (texts.of(sql), texts.of(sql));
        assert!(Arc::ptr_eq(&first, &again));
        assert!(first.read.get().is_none(), "nobody asked whether it may be cached");
        assert!(first.check(sql, 1, false).unwrap().is_some());
        // A second check would refuse the other text.
        assert!(again.check("DELETE FROM t WHERE id = ?", 1, false).unwrap().is_none());
    }

    #[test]
    fn the_remembered_texts_are_bounded() {
        let texts = Texts::new(false);
        for id in 0..3000 {
            texts.of(&format!("SELECT {id} {}", " ".repeat(10_000)));
        }
        assert!(texts.known.weight() <= BYTES, "{}", texts.known.weight());
    }
}
