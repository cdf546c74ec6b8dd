//! The dependencies of one call: the tags of the rows that can change its answer.

use std::sync::{Arc, Mutex};

use mrc_core::depends::{SchemeName, SchemeTag};
use mrc_core::statement::Tokens;
use mrc_core::{Bypass, Event, Params};

use super::Follow;
use super::tables::{Followed, OfText};
use crate::error::Result;
use crate::inherited::{Carried, StoreId};
use mrc_store::lock;

/// The dependencies of a call's answer. Cheap to make: nothing is derived before a miss.
#[derive(Debug)]
pub(crate) struct Dependencies {
    follow: Arc<Follow>,
    text: Arc<OfText>,
    /// The tokens of a text that this call has read.
    tokens: Mutex<Option<Tokens>>,
    params: Params,
    /// The tags, once the call is ready to claim its key.
    tags: Mutex<Option<Carried>>,
}

impl Dependencies {
    pub(crate) fn new(follow: &Arc<Follow>, text: &Arc<OfText>, tokens: Option<Tokens>, params: &Params) -> Arc<Self> {
        let (follow, text, tokens) = (Arc::clone(follow), Arc::clone(text), Mutex::new(tokens));
        Arc::new(Self { follow, text, tokens, params: params.clone(), tags: Mutex::default() })
    }

    /// Registers the schemes of the call, so that the follower knows them. It comes before the
    /// claim: the follower may have passed changes that it didn't know to matter by then.
    pub(crate) async fn ready(&self, key: &str, store: StoreId) -> Carried {
        let tags = self.derived(store).await.unwrap_or_else(|error| {
            let error = error.to_string();
            let why = Bypass::StoreFailed { command: "register", error: &error };
            self.follow.events.emit(&Event::Bypassed { key, why });
            // A change of the rows couldn't reach an entry without its tags: it isn't stored.
            Carried::lost()
        });
        if let Some(why) = self.text.refusal_once() {
            self.follow.events.emit(&Event::NotFollowed { key, why: &why });
        }
        lock(&self.tags).insert(tags).clone()
    }

    /// Returns the tags, and makes the call ready if it isn't.
    pub(crate) async fn tags(&self, key: &str, store: StoreId) -> Carried {
        let known = lock(&self.tags).clone();
        match known {
            Some(tags) => tags,
            None => self.ready(key, store).await,
        }
    }

    async fn derived(&self, store: StoreId) -> Result<Carried> {
        let tokens = lock(&self.tokens).take();
        let followed = Followed::of(&self.text, tokens, &self.params, &self.follow).await?;
        let mut dependencies = followed.template.tags(&self.params);
        self.follow.register(&mut dependencies).await?;
        let mut tags = Carried::default();
        for SchemeTag { tag, scheme } in dependencies {
            tags.add(&Carried::of([tag, scheme.name.tag.clone()]));
            // The tables of a view are known as of this moment. A later change of the view ends it.
            tags.add(&Carried::since(store, scheme.table_tag.clone(), followed.at));
        }
        Ok(tags)
    }

    /// Has the next call ask anew: a fill was refused, perhaps since a table or the registry
    /// changed.
    pub(crate) fn forget(&self) {
        let tags = lock(&self.tags).take();
        let names: Vec<_> = tags.iter().flat_map(Carried::names).cloned().collect();
        self.follow.forget(names.into_iter().filter(|tag| SchemeName::is_tag(tag.as_str())));
        self.text.forget();
    }
}
