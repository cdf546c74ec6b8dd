//! The rules of tags.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::{join, join_all};
use mrc_core::{Tag, TagError};

use super::races::{Row, pause, race};
use super::{LONG, SHORT, TRIES, TestedKey, keys, token, until};
use crate::error::StoreError;
use crate::store::{CacheStore, Claim, FILL_LIMIT, Life, Terms};
use crate::tags::{Found, Moment, Tags};

pub(super) fn life(tags: &[&Tag], since: Moment) -> Life {
    Life { tags: tags.iter().map(|tag| ((*tag).clone(), since)).collect(), ..LONG.into() }
}

fn tag(prefix: &str, name: &str) -> Tag {
    format!("{prefix}{name}").into()
}

impl TestedKey<'_> {
    async fn look(&self) -> Option<Found> {
        self.must("look", self.store.look(&self.name).await)
    }

    /// Claims and fills with these tags. Refreshes an existing value.
    pub(super) async fn filled(&self, value: &'static str, tags: &[&Tag]) {
        let since = self.now().await;
        self.filled_for(value, life(tags, since)).await;
    }

    /// Claims and fills with this life, or after a refusal with newer moments. Returns the tags.
    async fn filled_for(&self, value: &'static str, mut life: Life) -> Tags {
        for _ in 0..TRIES {
            let token = self.granted_for(Terms::refresh(LONG).copy(life.has_copy())).await;
            if self.fill_with(&token, value, life.clone()).await {
                return life.tags;
            }
            let since = self.now().await;
            life.tags = life.tags.into_iter().map(|(tag, _)| (tag, since)).collect();
        }
        panic!("{self}: a fill under its claim must be stored");
    }

    pub(super) async fn invalidate(&self, tags: &[&Tag]) -> u64 {
        let tags: Vec<Tag> = tags.iter().map(|tag| (*tag).clone()).collect();
        self.must("invalidate", self.store.invalidate(&tags).await)
    }
}

/// Checks that `look` returns the value with its tags until the next value.
pub async fn finds_the_tags_of_a_value(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    assert_eq!(key.look().await, None, "{key}: what look returns of a missing key");
    let since = key.now().await;
    let claim = key.granted(LONG).await;
    assert_eq!(key.look().await, None, "{key}: what look returns of a claim");
    assert!(key.release(&claim).await, "{key}: a claim that stands can be released");
    let tags = [(b.clone(), since), (a, since.earlier(Duration::from_micros(1)))].into_iter().collect();
    let tags = key.filled_for("[1]", Life { tags, ..LONG.into() }).await;

    let found = |value: &'static str, tags: &Tags| Some(Found { value: value.into(), tags: Some(tags.clone()) });
    assert_eq!(key.look().await, found("[1]", &tags), "{key}: what look returns after a fill with tags");
    key.holds(Some("[1]"), "after a fill with tags").await;
    let refresh = key.granted_refresh(LONG).await;
    assert_eq!(key.look().await, found("[1]", &tags), "{key}: what look returns during a refresh");
    key.holds(Some("[1]"), "during a refresh").await;
    assert!(key.fill(&refresh, "[2]").await, "{key}: the fill of a refresh must be stored");
    assert_eq!(key.look().await, found("[2]", &Tags::default()), "{key}: what look returns after a fill without tags");

    key.filled("[3]", &[&b]).await;
    key.put("[4]", LONG).await;
    assert_eq!(key.look().await, found("[4]", &Tags::default()), "{key}: what look returns after a put");
    key.remove().await;
}

/// Checks that an invalidation removes all entries with the tag, and counts their values.
pub async fn removes_what_has_a_tag(store: &dyn CacheStore, prefix: &str) {
    let keys = keys(store, prefix, 20);
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    for (number, key) in keys.iter().enumerate() {
        let both = [&a, &b];
        key.filled("[1]", if number % 2 == 0 { &both[..1] } else { &both }).await;
    }
    let with_copy = TestedKey::new(store, format!("{prefix}copy"));
    let since = with_copy.now().await;
    with_copy.filled_for("[1]", Life { stale: LONG, ..life(&[&a], since) }).await;

    assert_eq!(with_copy.invalidate(&[&a]).await, 21, "{prefix}: how many values an invalidation removed");
    for key in keys.iter().chain([&with_copy]) {
        key.holds(None, "after the invalidation of its tag").await;
        assert!(key.scan(&key.name).await.is_empty(), "{key}: an invalidation must leave nothing of its entries");
    }
    assert_eq!(with_copy.invalidate(&[&a]).await, 0, "{prefix}: how many values the same invalidation removed again");
    assert_eq!(with_copy.invalidate(&[&b]).await, 0, "{prefix}: how many values are left under another tag");
}

/// Checks that an invalidation leaves all other entries, however similar their tags.
pub async fn leaves_entries_of_other_tags(store: &dyn CacheStore, prefix: &str) {
    let invalidated = tag(prefix, "a");
    let others = ["", "a:b", "A", "a ", "a\0", "b"].map(|name| tag(prefix, name));
    let keys = keys(store, prefix, 6);
    for (key, other) in keys.iter().zip(&others) {
        key.filled("[1]", &[other]).await;
    }
    let (none, put) = (TestedKey::new(store, format!("{prefix}none")), TestedKey::new(store, format!("{prefix}put")));
    none.filled("[1]", &[]).await;
    put.put("[1]", LONG).await;
    assert_eq!(put.invalidate(&[&invalidated]).await, 0, "{prefix}: how many entries of other tags were removed");
    for key in keys.iter().chain([&none, &put]) {
        key.holds(Some("[1]"), "after the invalidation of a tag that it doesn't have").await;
        key.remove().await;
    }
}

/// Checks that a fill with tags unknown at an invalidation is refused if it read before.
pub async fn refuses_a_fill_whose_tag_was_invalidated(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let [a, b, c] = ["a", "b", "c"].map(|name| tag(prefix, name));
    let since = key.now().await;
    let claim = key.granted(LONG).await;
    key.invalidate(&[&b]).await;
    assert!(!key.fill_with(&claim, "[0]", life(&[&a, &b], since)).await, "{key}: a fill of an invalidated tag");
    key.holds(None, "after a refused fill").await;
    let claim = key.granted(LONG).await;
    assert!(key.release(&claim).await, "{key}: a refused fill must release its claim, so that the next one stands");

    key.filled("[1]", &[&a]).await;
    let since = key.now().await;
    let refresh = key.granted_refresh(LONG).await;
    key.invalidate(&[&c]).await;
    assert!(!key.fill_with(&refresh, "[0]", life(&[&a, &c], since)).await, "{key}: a refresh of an invalidated tag");
    key.holds(Some("[1]"), "after a refused refresh that a new tag came with").await;
    key.remove().await;
}

/// Checks that values read after an invalidation are stored, however soon after.
pub async fn accepts_a_fill_after_an_invalidation(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let a = tag(prefix, "a");
    for round in 0..50 {
        let removed = key.invalidate(&[&a]).await;
        assert_eq!(removed, u64::from(round > 0), "{key}: how many values were removed in round {round}");
        key.filled("[1]", &[&a]).await;
    }
    key.invalidate(&[&a]).await;
}

/// Checks that a fill that outlasts the memory for invalidations is refused.
pub async fn refuses_a_fill_with_an_old_moment(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    let now = key.now().await;
    let claim = key.granted(LONG).await;
    let mut late = life(&[&a, &b], now);
    late.tags.add(b, now.earlier(FILL_LIMIT + Duration::from_secs(1)));
    assert!(!key.fill_with(&claim, "[0]", late).await, "{key}: a fill of which one tag is too old must be refused");
    key.holds(None, "after a refused fill").await;
    let mut stored = false;
    for other in 0..TRIES {
        let claim = key.granted(LONG).await;
        let old = life(&[&tag(prefix, &other.to_string())], now.earlier(FILL_LIMIT / 2));
        stored = stored || key.fill_with(&claim, "[1]", old).await;
        key.remove().await;
    }
    assert!(stored, "{key}: a fill whose moment isn't too old must be stored");
}

/// Checks that a claim with tags returns a time that only later invalidations refuse.
pub async fn claims_with_the_time_of_the_clock(store: &dyn CacheStore, prefix: &str) {
    let (key, a) = (TestedKey::new(store, prefix), tag(prefix, "a"));
    let fills = async |invalidated: bool| {
        key.must("invalidate", store.invalidate(std::slice::from_ref(&a)).await);
        let before = key.now().await;
        let claim = token();
        let (answer, since) = key.must("claim_at", store.claim_at(&key.name, &claim, Terms::fill(LONG)).await);
        assert_eq!(answer, Claim::Granted, "{key}: a claim of a key without a value");
        assert!(since >= before, "{key}: a claim's time must not be earlier than the time before it");
        if invalidated {
            key.must("invalidate", store.invalidate(std::slice::from_ref(&a)).await);
        }
        let stored = key.fill_with(&claim, "[1]", life(&[&a], since)).await;
        let (answer, _) = key.must("claim_at", store.claim_at(&key.name, &token(), Terms::fill(LONG)).await);
        assert_eq!(answer == Claim::Hit("[1]".into()), stored, "{key}: a claim of a filled key hits its value");
        key.remove().await;
        stored
    };
    let mut stored = false;
    for _ in 0..TRIES {
        stored = stored || fills(false).await;
    }
    assert!(stored, "{key}: a fill with the time of its claim must be stored");
    assert!(!fills(true).await, "{key}: a fill whose tag was invalidated after its claim must be refused");
}

/// Checks that an invalidation refuses fills in flight of tagged entries, refreshes or not.
pub async fn removes_a_fill_in_flight_that_is_registered(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let a = tag(prefix, "a");
    key.filled("[1]", &[&a]).await;
    let since = key.now().await;
    let refresh = key.granted_refresh(LONG).await;
    assert_eq!(key.invalidate(&[&a]).await, 1, "{key}: how many values an invalidation during a refresh removed");
    key.holds(None, "after an invalidation during a refresh").await;
    assert!(!key.fill_with(&refresh, "[0]", life(&[&a], since)).await, "{key}: the refresh of an invalidated value");

    key.filled("[2]", &[&a]).await;
    key.remove().await;
    let since = key.now().await;
    let claim = key.granted(LONG).await;
    assert_eq!(key.invalidate(&[&a]).await, 0, "{key}: how many values an invalidation removed beside a claim");
    assert!(!key.fill_with(&claim, "[0]", life(&[&a], since)).await, "{key}: a fill of an invalidated tag");
    key.holds(None, "after a refused fill").await;
}

/// Checks that several tags select entries with all of them. Others can still be invalidated later.
pub async fn needs_every_one_of_several_tags(store: &dyn CacheStore, prefix: &str) {
    let [only_a, both, only_b, other_b] =
        ["a", "ab", "b", "b2"].map(|name| TestedKey::new(store, format!("{prefix}{name}")));
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    only_a.filled("[1]", &[&a]).await;
    both.filled("[1]", &[&b, &a]).await;
    only_b.filled("[1]", &[&b]).await;
    other_b.filled("[1]", &[&b]).await;
    assert_eq!(both.invalidate(&[&a, &b, &a]).await, 1, "{prefix}: how many values with both tags were removed");
    both.holds(None, "after the invalidation of both its tags").await;
    for key in [&only_a, &only_b, &other_b] {
        key.holds(Some("[1]"), "after an invalidation of two tags, of which it has one").await;
    }
    assert_eq!(only_a.invalidate(&[&a]).await, 1, "{prefix}: how many values with one of the tags were removed later");
    assert_eq!(only_b.invalidate(&[&b]).await, 2, "{prefix}: how many values with the other tag were removed later");
}

/// Checks that an entry has only the tags of its last fill.
pub async fn drops_old_tags_when_filled_again(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    key.filled("[1]", &[&a]).await;
    key.filled("[2]", &[&b]).await;
    assert_eq!(key.invalidate(&[&a]).await, 0, "{key}: how many values an invalidation of a former tag removed");
    key.holds(Some("[2]"), "after the invalidation of a former tag").await;
    key.filled("[3]", &[]).await;
    assert_eq!(key.invalidate(&[&b]).await, 0, "{key}: how many values an invalidation of a former tag removed");
    key.holds(Some("[3]"), "after the invalidation of a former tag, without any").await;
    key.filled("[4]", &[&a]).await;
    assert_eq!(key.invalidate(&[&a]).await, 1, "{key}: how many values an invalidation of a tag again removed");
}

/// Checks that entries of one tag may have any TTL.
pub async fn long_and_short_lives_under_one_tag(store: &dyn CacheStore, prefix: &str) {
    let [long, short, gone] = ["long", "short", "gone"].map(|name| TestedKey::new(store, format!("{prefix}{name}")));
    let a = tag(prefix, "a");
    let orders = [(&long, LONG * 10_000, &short, LONG), (&short, LONG, &long, LONG * 10_000)];
    for (first, ttl, second, other_ttl) in orders {
        let since = first.now().await;
        first.filled_for("[1]", Life { ttl, ..life(&[&a], since) }).await;
        gone.filled_for("[1]", Life { ttl: SHORT, ..life(&[&a], since) }).await;
        second.filled_for("[1]", Life { ttl: other_ttl, ..life(&[&a], since) }).await;
        until("the value expires", || async { gone.get().await.is_none() }).await;
        assert_eq!(first.invalidate(&[&a]).await, 2, "{prefix}: how many values that were there were removed");
        first.holds(None, "after an invalidation").await;
        second.holds(None, "after an invalidation").await;
    }
}

/// Checks that a copy keeps its tags, and is invalidated by them if the value is missing or newer.
pub async fn keeps_tags_beside_a_copy(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    let filled_with_copy = async |ttl: Duration| {
        let since = key.now().await;
        let tags = key.filled_for("[1]", Life { ttl, stale: LONG, ..life(&[&a], since) }).await;
        Some(Found { value: "[1]".into(), tags: Some(tags) })
    };
    let copy = filled_with_copy(SHORT).await;
    until("the value expires", || async { key.get().await.is_none() }).await;
    assert_eq!(key.stale().await, copy, "{key}: a copy and its tags, when its value is gone");
    assert_eq!(key.invalidate(&[&b]).await, 0, "{key}: how many values of another tag were removed");
    assert_eq!(key.stale().await, copy, "{key}: a copy after the invalidation of another tag");
    assert_eq!(key.invalidate(&[&a]).await, 0, "{key}: a copy is no value that counts");
    assert_eq!(key.stale().await, None, "{key}: a copy after the invalidation of its tag");
    assert!(key.scan(&key.name).await.is_empty(), "{key}: an invalidation must leave nothing of its entries");

    for tags in [&[&b][..], &[]] {
        filled_with_copy(LONG).await;
        key.filled("[2]", tags).await;
        assert_eq!(key.invalidate(&[&a]).await, 0, "{key}: how many values an invalidation of a former tag removed");
        key.holds(Some("[2]"), "after the invalidation of a former tag").await;
        let copy = key.stale().await.map(|copy| copy.value);
        assert_ne!(copy, Some("[1]".into()), "{key}: the copy of a value before, after the invalidation of its tag");
        key.remove().await;
    }
}

/// Checks with random order that after an invalidation nobody hits an earlier value.
pub async fn never_hits_what_was_invalidated_by_tag(store: &dyn CacheStore, prefix: &str) {
    let (key, row, done) = (TestedKey::new(store, prefix), Row::default(), AtomicBool::new(false));
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    let writer = async {
        for version in 1..=100 {
            let both = [&a, &b];
            row.write(version, key.invalidate(if version % 3 == 0 { &both } else { &both[..1] })).await;
        }
        done.store(true, Ordering::SeqCst);
    };
    let readers = (0..4).map(|number| {
        let (key, a, b, row, done) = (&key, &a, &b, &row, &done);
        async move {
            while !done.load(Ordering::SeqCst) {
                let oldest = row.oldest();
                if let Some(hit) = key.look().await {
                    key.is_fresh(&hit.value, oldest);
                    assert_eq!(hit.tags.map(|tags| tags.len()), Some(2), "{key}: how many tags a hit has");
                    pause().await;
                    continue;
                }
                let token = token();
                // Some callers read the clock beside the claim, some before.
                let (since, claim) = match number {
                    0 => (key.now().await, key.claim(&token, LONG).await),
                    _ => join(key.now(), key.claim(&token, LONG)).await,
                };
                if claim == Claim::Granted {
                    let value = row.value();
                    pause().await;
                    key.fill_with(&token, value, life(&[a, b], since)).await;
                }
                pause().await;
            }
        }
    });
    join(writer, join_all(readers)).await;
    key.remove().await;
}

/// Checks a refresh with a new tag against its invalidation: no earlier value remains.
pub async fn leaves_nothing_of_a_new_tag_after_its_invalidation(store: &dyn CacheStore, prefix: &str) {
    let (a, b) = (tag(prefix, "a"), tag(prefix, "b"));
    for round in 0..100 {
        let key = TestedKey::new(store, format!("{prefix}{round}"));
        let before = [&b];
        key.filled("\"other\"", if round % 2 == 0 { &before } else { &[] }).await;
        let since = key.now().await;
        let refresh = key.granted_refresh(LONG).await;
        race(key.fill_with(&refresh, "\"stale\"", life(&[&a], since)), key.invalidate(&[&a])).await;
        assert_ne!(key.get().await, Some("\"stale\"".into()), "{key}: what is left after an invalidation of its tag");
        key.remove().await;
    }
}

/// Checks tags with spaces, braces, quotes, newlines, NUL, any letters, and great length.
pub async fn takes_any_text_as_a_tag(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let long = "t".repeat(Tag::LONGEST - prefix.len());
    let odd = [
        " ", "{", "}", "{}", "{a}b", "a\nb\r\n", "a\0b", "\"'\\", "*", "[a-z]", "тег", "標", "🔖", "é", "\u{7f}", "1",
        "null",
    ];
    for name in odd.into_iter().chain(["\u{2028}", "__proto__", &long]) {
        let odd = tag(prefix, name);
        key.filled("[1]", &[&odd]).await;
        let found = key.look().await.and_then(|found| found.tags);
        let names: Vec<Tag> = found.unwrap_or_default().into_iter().map(|(tag, _)| tag).collect();
        assert_eq!(names, std::slice::from_ref(&odd), "{key}: the tags that look returns");
        assert_eq!(key.invalidate(&[&odd]).await, 1, "{key}: how many values the invalidation of {name:?} removed");
        key.holds(None, "after the invalidation of its tag").await;
    }
    let many: Vec<Tag> = (0..Tags::MOST).map(|number| tag(prefix, &number.to_string())).collect();
    let many: Vec<&Tag> = many.iter().collect();
    key.filled("[1]", &many).await;
    assert_eq!(key.invalidate(&many).await, 1, "{key}: how many values the invalidation of very many tags removed");
}

/// Checks that unusable tags are refused before anything is done.
pub async fn refuses_bad_tags(store: &dyn CacheStore, prefix: &str) {
    let key = TestedKey::new(store, prefix);
    let (empty, a) = (Tag::new(""), tag(prefix, "a"));
    let long = Tag::new("t".repeat(Tag::LONGEST + 1));
    let since = key.now().await;
    let claim = key.granted(LONG).await;
    let fill = async |tags: &[&Tag]| store.fill(&key.name, &claim, "[1]".into(), life(tags, since)).await.err();
    let owned = |tags: &[&Tag]| tags.iter().map(|tag| (*tag).clone()).collect::<Vec<_>>();
    let invalidate = async |tags: &[&Tag]| store.invalidate(&owned(tags)).await.err();
    let many: Vec<Tag> = (0..=Tags::MOST).map(|number| tag(prefix, &number.to_string())).collect();
    let many: Vec<&Tag> = many.iter().collect();
    for (tags, expect) in [
        (&[&a, &empty][..], TagError::Empty),
        (&[&a, &long], TagError::TooLong { bytes: Tag::LONGEST + 1 }),
        (&many, TagError::TooMany { tags: Tags::MOST + 1, limit: Tags::MOST }),
    ] {
        for error in [fill(tags).await, invalidate(tags).await] {
            let refused = matches!(&error, Some(StoreError::Tag(error)) if *error == expect);
            assert!(refused, "{key}: bad tags must be refused with {expect:?}, but the error is {error:?}");
        }
    }
    let error = invalidate(&[]).await;
    let refused = matches!(&error, Some(StoreError::Tag(TagError::Missing)));
    assert!(refused, "{key}: an invalidation without tags must be refused, but the error is {error:?}");
    assert!(key.fill(&claim, "[1]").await, "{key}: a claim must stand after a fill with bad tags");
    key.remove().await;
}
